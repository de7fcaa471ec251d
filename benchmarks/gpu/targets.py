"""What training on a GPU has to reach, beside what it reached."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.engine.work import Work
from benchmarks.service.figures import Line

from .measured import Measured

_SMALL = 194  # patterns
_MANY = 1024  # candidates
_AGAINST_CPU = (10_000, 64, 1024)
# Of fewer features the products take less of an epoch than what is done to each activation.
_PRODUCT_BOUND_FEATURES = 256
_PRODUCT_BOUND = 1e9  # pool × patterns × features


def all_targets(measured: Measured) -> Iterator[Line]:
    """Every target of the GPU; one that could not be measured is neither met nor missed."""
    yield from _small_sets(measured)
    yield from _shares(measured)
    yield from _against_cpu(measured)


def is_product_bound(work: Work) -> bool:
    """Whether an epoch is a matrix product above all."""
    n_features = 1 + work.n_inputs
    return n_features >= _PRODUCT_BOUND_FEATURES and work.pool * work.n_patterns * n_features >= _PRODUCT_BOUND


def _small_sets(measured: Measured) -> Iterator[Line]:
    budget = "≥ 1e8"
    found: dict[str, list[tuple[float, str]]] = {}
    for work in measured.works:
        if work.n_patterns == _SMALL and work.pool >= _MANY and (fastest := measured.fastest(work)):
            per_s, side = fastest
            found.setdefault(work.size, []).append((per_s, f"{per_s:.2e} ({side}, pool {work.pool})"))
    what = f"candidate-epochs/s with {_MANY} candidates and more"
    if not found:
        yield Line(f"{what}, {_SMALL} patterns", "not measured", budget)
    for size, rates in found.items():
        (least, told), (_, most) = min(rates), max(rates)
        yield Line(f"{what}, {size}", f"{told} … {most}", budget, least >= 1e8)


def _shares(measured: Measured) -> Iterator[Line]:
    budget = "≥ 50 %"
    found: dict[str, list[tuple[float, str]]] = {}
    for work in filter(is_product_bound, measured.works):
        if (fastest := measured.fastest(work)) and (share := measured.of_peak(work, fastest[0])):
            found.setdefault(work.size, []).append((share, f"{share:.0%} ({fastest[1]}, pool {work.pool})"))
    what = "share of the card's product, product-bound sizes"
    if not found:
        yield Line(what, "not measured", budget)
    for size, shares in found.items():
        (least, told), (_, most) = min(shares), max(shares)
        yield Line(f"{what}, {size}", f"{told} … {most}", budget, least >= 0.5)


def _against_cpu(measured: Measured) -> Iterator[Line]:
    n_patterns, n_inputs, pool = _AGAINST_CPU
    what, budget = f"times the CPU back end on two cores, {n_patterns} × {n_inputs}, pool {pool}", "≥ 50"
    for work in measured.works:
        if (work.n_patterns, work.n_inputs, work.pool) == _AGAINST_CPU:
            cpu, fastest = measured.rate(work, "CPU"), measured.fastest(work)
            if cpu and fastest:
                ratio = fastest[0] / cpu
                told = f"{ratio:.0f} ({fastest[1]}: {fastest[0]:.2e}, CPU: {cpu:.2e})"
                yield Line(what, told, budget, ratio >= 50)
                return
    yield Line(what, "not measured", budget)
