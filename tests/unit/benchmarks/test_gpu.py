"""Training on a GPU as it is measured: on a shim that computes what a GPU would, and where there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.engine import sets as engine_sets
from benchmarks.engine.work import Work
from benchmarks.gpu import sets
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.card import Card, measured_card
from benchmarks.gpu.extent import QUICK, Extent, measure
from benchmarks.gpu.first_trainings import First, in_a_process, measure_firsts, train_twice
from benchmarks.gpu.layers import Layer, measure_layers
from benchmarks.gpu.measured import Measured
from benchmarks.gpu.rates import ENDLESS, Rate, measure_rates
from benchmarks.gpu.report import rendered
from benchmarks.gpu.sample import Sample
from benchmarks.gpu.sets import Problem, parity
from benchmarks.gpu.sides import SIDES, Side, chosen_by_auto, missing
from benchmarks.gpu.targets import all_targets, is_product_bound
from benchmarks.gpu.trainings import Found, Trained, measure_trainings
from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.cuda.device import Kernel, Launch
from juniper_cascor.engine.errors import DeviceError
from juniper_cascor.engine.parameters import Parameters
from tests.unit.juniper_cascor.engine.cuda.shim_device import ShimDevice

TINY = Work(60, 2, 1024, ENDLESS)
ONCE = Sample(0.0001, 1)
SHORT = Problem("parity", "256 patterns", (4,), parity, Parameters(max_hidden_units=1, candidate_epochs=3))
EXTENT = Extent((TINY,), (2, 4), ONCE, (SHORT,), most_seeds=2, budget_s=60.0, first=())
CARD = Card("A fast one", 80 * 2**30, 132, "580.1", "13.0", 2.9e12, 5e13)
BOTH: tuple[Side, ...] = ("CPU", "cupy")


@pytest.fixture
def shim(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is none."""
    monkeypatch.setattr(device, "CudaDevice", ShimDevice)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without one, whatever this one has."""

    def refuse() -> None:
        raise DeviceError("there is no GPU")

    monkeypatch.setattr(device, "CudaDevice", refuse)


class Losing(ShimDevice):
    """One that is lost by whatever needs more than so many blocks."""

    def __init__(self, most_blocks: int) -> None:
        super().__init__()
        self._most_blocks = most_blocks

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Any) -> None:
        """Run a kernel, or fail."""
        if launch.blocks > self._most_blocks:
            raise DeviceError("lost")
        super().launch(kernel, launch, *arguments)


def rates(work: Work, cpu: float, cupy: float, torch: float | None) -> list[Rate]:
    """Of all sides."""
    per_s: dict[Side, float | None] = {"CPU": cpu, "cupy": cupy, "torch": torch}
    return [
        Rate(work, side, side, "cupy", value, "" if value else "MemoryError: no room") for side, value in per_s.items()
    ]


GOOD = Measured(
    "python -m benchmarks.gpu",
    is_quick=False,
    seconds=180.0,
    machine={"processor": "a CPU", "FANN": "none"},
    card=CARD,
    rates=[
        *rates(Work(194, 2, 64, ENDLESS), 8e6, 2e7, None),
        *rates(Work(194, 2, 1024, ENDLESS), 9e6, 3e8, 2e7),
        *rates(Work(10_000, 64, 1024, ENDLESS), 4e4, 5e6, 4e6),
        *rates(Work(60_000, 784, 64, ENDLESS, 10), 1e3, 9e4, 1.4e5),
        *rates(Work(60_000, 784, 1024, ENDLESS, 10), 1e3, 1e5, 1.9e5),
    ],
    layers=[Layer(Work(194, 2, 1024, ENDLESS), "cupy", 6.6), Layer(TINY, "cupy", None, "DeviceError: lost")],
    trainings=[
        Trained("CMU spirals", "no noise", 8, "cupy", Found(9, 8, 12.0, 0.05, 0.001, 0.019, 0.03, None)),
        Trained("10k × 64", "noise", 8, "cupy", Found(1, 0, 2.0, 1.5, 0.5, 0.5, 0.5, 0.612)),
        Trained("10k × 64", "noise", 1024, "torch", None, "DeviceError: gone"),
    ],
    firsts=[First("cupy", False, 9.0, 8.0, 0.05), First("cupy", True, note="RuntimeError: it fell")],
)


def verdicts(measured: Measured) -> list[bool | None]:
    """Of the targets."""
    return [line.is_met for line in all_targets(measured)]


def without(measured: Measured, n_patterns: int) -> Measured:
    """The same, but for one size."""
    return replace(measured, rates=[rate for rate in measured.rates if rate.work.n_patterns != n_patterns])


@pytest.mark.usefixtures("shim")
def test_every_part_is_measured() -> None:
    """Ceilings, rates, layers and whole trainings, each figure saved before it is said."""
    measured, said, saved = Measured("", False), list[str](), list[int]()
    measure(
        measured, EXTENT, said.append, lambda: saved.append(len(measured.rates)), all_sides=BOTH, find_card=lambda: CARD
    )
    assert (measured.card, measured.missing) == (CARD, {})
    assert [(rate.work.pool, rate.side, rate.note) for rate in measured.rates] == [
        (pool, side, "") for pool in (2, 4) for side in BOTH
    ]
    assert all(rate.per_s for rate in measured.rates)
    assert {rate.auto for rate in measured.rates} == {"numba-serial"}
    assert all(layer.epoch_us for layer in measured.layers)
    assert [one.side for one in measured.trainings if one.found and one.found.n_seeds == 2] == list(BOTH)
    assert len(said) == 1 + 4 + 2 + 2
    assert saved == [0, 1, 2, 3, 4, 4, 4, 4, 4]
    assert rendered(measured)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_page_says_so() -> None:
    """The CPU is measured, what is missing is told with its reason, and no target is met or missed."""

    def no_card() -> Card:
        raise DeviceError("PyTorch sees no GPU")

    measured = Measured("", False)
    extent = replace(EXTENT, first=("cupy",))
    measure(measured, extent, lambda _: None, lambda: None, all_sides=BOTH, find_card=no_card)
    assert {rate.side for rate in measured.rates} == {"CPU"}
    assert measured.firsts == []
    assert verdicts(measured) == [None, None, None]
    page = rendered(measured)
    assert f"- cupy: {measured.missing['cupy']}\n" in page
    assert "- the card's ceilings: DeviceError: PyTorch sees no GPU\n" in page
    assert "0 of 0 are met; 3 not measured." in page


@pytest.mark.usefixtures("no_gpu")
def test_a_missing_side_is_none_that_fails_later() -> None:
    """It is tried before anything is measured on it."""
    assert missing("CPU") == ""
    assert missing("cupy").startswith("DeviceError: cupy cannot train here: ")


def test_what_one_cell_fails_of_is_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on."""
    monkeypatch.setattr(device, "CudaDevice", lambda: Losing(8))
    found = list(measure_rates([TINY], (2, 64, 4), BOTH, ONCE))
    failed = [(rate.work.pool, rate.side, rate.note) for rate in found if rate.per_s is None]
    assert failed == [(64, "cupy", "DeviceError: lost")]


def test_what_would_take_too_long_is_left_out() -> None:
    """By what the pool before it took."""
    first, *others = measure_rates([TINY], (2, 4, 8), ("CPU",), ONCE, most_s=0.0)
    assert first.per_s is not None
    assert [(rate.per_s, rate.note) for rate in others] == [(None, "left out, it would take about 0 s")] * 2


def test_a_failed_layer_and_training_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a failed rate is."""
    monkeypatch.setattr(device, "CudaDevice", lambda: Losing(0))
    [layer] = measure_layers([TINY], ("cupy",), ONCE)
    [trained] = measure_trainings([SHORT], ("cupy",), 1, 1.0)
    assert layer.epoch_us is None
    assert trained.found is None
    assert layer.note == trained.note == "DeviceError: lost"


def test_large_pools_are_not_for_the_cpu() -> None:
    """Where that would take minutes."""
    problem = replace(SHORT, pools=(2, 3), most_cpu_pool=2)
    assert [one.pool for one in measure_trainings([problem], ("CPU",), 1, 60.0)] == [2]


def test_a_rate_is_a_median_without_the_first_step() -> None:
    """The first may compile and load; a sample takes as many steps as its time asks for."""
    durations = iter([100.0, 1.0, 1.0, 4.0, 1.0, 1.0])
    now = [0.0]

    def step() -> int:
        now[0] += next(durations)
        return 8

    assert Sample(2.0, 3, clock=lambda: now[0]).per_second(step) == 8.0
    assert Sample(0.5, 5).expected_s(10.0, 20.0) == 12.0
    assert Sample(0.5, 5).expected_s(100.0, 20.0) == 3.0


def test_the_card_is_measured_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes read and written, two operations for each product; and no TF32."""
    torch = FakeTorch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    card = measured_card()
    assert (card.name, card.n_processors, card.cuda) == ("A fast one", 132, "13.0")
    assert card.copy_bytes_per_s == 8 * 2**28 / 0.002
    assert card.flops_per_s == 2 * 8192**3 / 0.002
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"


def test_no_card_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyTorch sees it."""
    monkeypatch.setitem(sys.modules, "torch", FakeTorch(has_gpu=False))
    with pytest.raises(DeviceError, match="sees no GPU"):
        measured_card()


class FakeTorch:
    """Takes two milliseconds for whatever it does."""

    def __init__(self, *, has_gpu: bool = True) -> None:
        self.backends = SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace(fp32_precision="tf32")))
        self.version = SimpleNamespace(cuda="13.0")
        properties = SimpleNamespace(name="A fast one", total_memory=2**36, multi_processor_count=132)
        event = SimpleNamespace(record=lambda: None, elapsed_time=lambda _: 2.0)
        self.cuda = SimpleNamespace(
            is_available=lambda: has_gpu,
            get_device_properties=lambda _: properties,
            Event=lambda enable_timing: event if enable_timing else None,
            synchronize=lambda: None,
        )

    def randn(self, *_: int, device: str) -> SimpleNamespace:
        """An array of nothing."""
        assert device == "cuda"
        return SimpleNamespace(copy_=lambda _: None)

    empty = randn

    def matmul(self, *_: object, out: object) -> None:
        """Nothing."""


@pytest.mark.usefixtures("shim")
def test_a_first_training_is_clocked_with_its_imports() -> None:
    """From what its process began with to its first network; then once more."""
    seconds = train_twice("CPU", began=-1000.0)
    assert seconds["first_s"] > 1000 > seconds["again_s"] > 0


def test_a_process_trains_on_its_own() -> None:
    """It answers in JSON, and what it failed of is the last line that it wrote."""
    found = in_a_process("CPU", {})
    assert found["process_s"] > found["first_s"] > 0
    with pytest.raises(RuntimeError, match="must be one of"):
        in_a_process("abacus", {})  # type: ignore[arg-type]


def test_a_process_without_code_leaves_it_to_the_next() -> None:
    """Both have the same folders, which are empty at first."""
    seen: list[list[bool]] = []

    def run(side: Side, environment: dict[str, str]) -> dict[str, float]:
        folders = [Path(folder) for folder in environment.values()]
        seen.append([folder.exists() for folder in folders])
        if side == "torch":
            raise RuntimeError("it fell")
        for folder in folders:
            folder.mkdir(exist_ok=True)
        return {"process_s": 3.0, "first_s": 2.0, "again_s": 1.0}

    found = list(measure_firsts(("cupy", "torch"), run))  # type: ignore[arg-type]
    assert seen == [[False] * 3, [True] * 3, [False] * 3, [False] * 3]
    assert found[1] == First("cupy", True, 3.0, 2.0, 1.0)
    assert found[2] == First("torch", False, note="RuntimeError: it fell")


def test_sets_are_those_of_the_engine_s_benchmark() -> None:
    """Spirals and parity, though nothing of the services draws them; clusters have what they are asked for."""
    sources = {source.name: source for source in engine_sets.SOURCES}
    pairs: list[tuple[str, Callable[[int], sets.Patterns]]] = [
        ("CMU spirals", sets.cmu_spirals),
        ("spirals, 1.5 turns", sets.spirals),
        ("8-bit parity", sets.parity),
    ]
    for name, make in pairs:
        expected, own = sources[name].make(3).train, make(3)
        np.testing.assert_allclose(own.x, expected.x, rtol=1e-6, atol=1e-6)
        assert (own.labels == expected.labels).all()
        assert own.targets.shape == (len(own.x), 1)
    drawn = sets.clusters(600, 20, 6, 3)
    assert drawn.x.shape == (600, 20)
    assert drawn.x_test is not None
    assert drawn.x_test.shape == (100, 20)
    assert drawn.x.dtype == drawn.x_test.dtype == np.float32
    assert set(drawn.targets.sum(axis=1)) == {1.0}


def test_targets_are_met() -> None:
    """By the faster of both back ends, at the worst of the pools that count."""
    assert verdicts(GOOD) == [True, True, True]


@pytest.mark.parametrize(
    ("worse", "expected"),
    [
        (replace(GOOD, rates=[*GOOD.rates, *rates(Work(194, 2, 4096, ENDLESS), 9e6, 9e7, 9e7)]), [False, True, True]),
        (replace(GOOD, card=replace(CARD, flops_per_s=6e13)), [True, False, True]),
        (replace(without(GOOD, 10_000), rates=without(GOOD, 10_000).rates), [True, True, None]),
        (without(GOOD, 194), [None, True, True]),
        (replace(GOOD, card=None), [True, None, True]),
    ],
)
def test_one_target_is_missed(worse: Measured, expected: list[bool | None]) -> None:
    """Or not measured."""
    assert verdicts(worse) == expected


def test_auto_picks_among_what_was_measured() -> None:
    """Whatever else this machine may have."""
    work = Work(10_000, 64, 1024, ENDLESS)
    assert [chosen_by_auto(work, sides) for sides in (SIDES, ("CPU", "torch"), ("CPU",))] == [
        "cupy",
        "torch",
        "numba-batched",
    ]


def test_few_features_are_no_product() -> None:
    """However many the candidates are; nor are few candidates."""
    sizes = {
        Work(10_000, 64, 16_384, 1): False,
        Work(10_000, 256, 1024, 1): True,
        Work(10_000, 256, 256, 1): False,
        Work(60_000, 784, 64, 1): True,
    }
    assert {work: is_product_bound(work) for work in sizes} == sizes


def test_page() -> None:
    """What was run on what, targets, rates with their shares, and what was not measured."""
    page = rendered(GOOD)
    assert page.startswith("# Training on a GPU: A fast one\n")
    assert "`python -m benchmarks.gpu`, 3.0 minutes." in page
    assert "FANN" not in page
    assert "| copy, bytes read and written | 2.90 TB/s |" in page
    assert "3 of 3 are met. Of the CUDA" in page
    assert "| 60000 × 784, 10 outputs, pool 1024 | 1.00e+03 | 1.00e+05 (18.8 TFLOP/s, 38%) |" in page
    assert "1.90e+05 (35.8 TFLOP/s, 72%) | 190 × | cupy |" in page
    assert "- 194 × 2, pool 64, torch: MemoryError: no room" in page
    assert "`auto` picks the fastest in 3 of 5 cases; the worst choice costs a factor of 1.9 (" in page
    assert "| 194 × 2 | – | 6.6 | – |" in page
    assert "| CMU spirals | 8 | cupy | 8/9 | 12 | 50.0 | 1.0 | 19.0 | 30.0 | – |" in page
    assert "| 10k × 64 | 8 | cupy | – (1 seeds) | 2 | 1,500.0 | 500.0 | 500.0 | 500.0 | 0.612 |" in page
    assert "- 10k × 64, pool 1024, torch: DeviceError: gone" in page
    assert "| cupy | none | 9 | 8 | 0.05 |" in page
    assert "- cupy: RuntimeError: it fell" in page


def test_a_quick_run_says_that_it_is_one() -> None:
    """And so does a page of nothing."""
    assert "its figures mean nothing" in rendered(Measured("", is_quick=True))


def test_a_run_is_written_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the file that it saved come the same page and plots, time and again."""
    (tmp_path / "docs/benchmarks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def find(measured: Measured, extent: Extent, say: Callable[[str], None], save: Callable[[], None]) -> None:
        assert extent is QUICK
        for name in ("card", "rates", "layers", "trainings", "firsts", "machine", "seconds"):
            setattr(measured, name, getattr(GOOD, name))
        say("half of it")
        save()

    written = []
    for arguments in (["--quick", "--json", "run.json", "--write"], ["--from", "run.json", "--write"]):
        assert main(arguments, find) == 0
        written.append({file.name: file.read_text() for file in Path("docs/benchmarks").iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"gpu.md", "gpu-rates.svg", "gpu-shares.svg"}
    assert "`python -m benchmarks.gpu --quick --json run.json --write`" in written[1]["gpu.md"]
    assert "60000 × 784, 10 outputs" in written[0]["gpu-rates.svg"]
    assert "A fast one" in written[0]["gpu-shares.svg"]
    told = capsys.readouterr()
    assert "half of it" in told.err
    assert "| ≥ 50 % | 56% (cupy" not in told.out
    assert "| ≥ 50 % |" in told.out


def test_a_missed_target_is_told_by_the_status(tmp_path: Path) -> None:
    """As by the other benchmarks."""
    replace(GOOD, card=replace(CARD, flops_per_s=1e15)).save(tmp_path / "run.json")
    assert main(["--from", str(tmp_path / "run.json")]) == 1


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """All of it, and a run that found nothing."""
    for measured in (GOOD, Measured("", True, missing={"cupy": "no GPU"})):
        measured.save(tmp_path / "run.json")
        assert Measured.load(tmp_path / "run.json") == measured


def test_the_services_libraries_are_not_needed() -> None:
    """A GPU's machine need not have them, nor does the start of the benchmark load what is heavy."""
    code = """
import sys
for name in ("pydantic", "starlette", "sklearn", "scipy", "httpx"):
    sys.modules[name] = None
import benchmarks.gpu.__main__
print(sorted({"numba", "torch", "cupy"} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
