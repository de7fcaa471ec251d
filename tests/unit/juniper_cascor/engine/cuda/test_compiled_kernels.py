"""The kernels compile for each generation of GPUs, and take no more of a chip than their launches count on."""

import pytest

from juniper_cascor.engine import torch_candidates
from juniper_cascor.engine.cuda.cupy_backend import OUTPUT_POOL, UNITS, Plan, shared_bytes, threads_for
from juniper_cascor.engine.cuda.device import Kernel

from .nvrtc import CompilationError, needs

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
KERNELS = [
    Kernel("install"),
    Kernel("measure_residuals"),
    *(Kernel("train_candidates", units, is_staged) for units in UNITS for is_staged in (False, True)),
    *(Kernel("train_outputs", units) for units in UNITS),
    Kernel("correlate", torch_candidates.UNITS),
    Kernel("end_epoch"),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_a_kernel_fits_the_chip(kernel: Kernel, architecture: str) -> None:
    """No thread spills, and a block of them finds registers; shared memory is what the launch asks for alone."""
    found = needs(kernel, architecture)
    assert (found.stack_bytes, found.spilled_bytes, found.static_shared_bytes) == (0, 0, 0)
    threads = threads_for(10**6, OUTPUT_POOL) if kernel.name == "train_outputs" else 512
    assert 0 < found.registers <= 65_536 // threads


def test_what_does_not_compile_is_told() -> None:
    """In the compiler's words: so the tests above do compile."""
    with pytest.raises(CompilationError, match="UNITS"):
        needs(Kernel("install", units=-1), "sm_90")


@pytest.mark.parametrize(
    ("plan", "n_features", "ld", "most"),
    [
        (Plan(1, 64, is_staged=True), 19, 208, 20_000),  # the two spirals: a dozen blocks a processor
        (Plan(8, 64), 19, 208, 20_000),
        (Plan(4, 256), 81, 10_000, 38_000),  # six blocks a processor
        (Plan(8, 256), 785, 60_000, 117_000),
    ],
    ids=str,
)
def test_shared_memory_of_a_block(plan: Plan, n_features: int, ld: int, most: int) -> None:
    """As many blocks find room on a processor as were measured to."""
    assert shared_bytes(plan, n_features, 1, ld) <= most
