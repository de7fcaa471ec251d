"""What is made of the figures: rates, powers, targets and the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engine import peers
from benchmarks.engine.candidate_rates import Rate, Share
from benchmarks.engine.contests import Contest, Standing
from benchmarks.engine.curves import Curve
from benchmarks.engine.fresh_process import Memory, Startup
from benchmarks.engine.growing import grow, warm_up
from benchmarks.engine.plots import plot_curves, plot_rates, plot_times
from benchmarks.engine.profiles import Profile
from benchmarks.engine.report import Run, rendered
from benchmarks.engine.sets import SPIRAL_SETS
from benchmarks.engine.targets import Measured, all_targets
from benchmarks.engine.work import Work

STARTUP = Startup(
    import_s=0.1, loaded=(), process_s=0.5, train_s=0.3, cold_s=9.0, warm_log=(), cold_log=("no loops", "compiled one")
)


def standing(peer: peers.Peer, cpu_ms: float) -> Standing:
    """A peer that solved all of 100 seeds."""
    return Standing(peer.name, 100, 100, cpu_ms, 2 * cpu_ms, 5.0, 4, 9, 900.0, 0.99)


def contest(name: str, *, has_noise: bool = False) -> Contest:
    """The engine a hundred times as fast as FANN."""
    standings = (standing(peers.DEFAULT, 3.0), standing(peers.COMPACT, 2.0), standing(peers.FANN_8, 300.0))
    return Contest(name, "a set", has_noise, standings)


def slow(of: Contest) -> Contest:
    """The same, but FANN only ten times as slow as the engine."""
    standings = [replace(each, cpu_ms=30.0) if each.peer == peers.FANN_8.name else each for each in of.standings]
    return replace(of, standings=tuple(standings))


MEASURED = Measured(
    contests=[*map(contest, SPIRAL_SETS), contest("breast cancer", has_noise=True), contest("digits", has_noise=True)],
    parity=[Contest("2-bit parity", "4 patterns", False, (replace(standing(peers.GAUSSIAN, 0.5), units=1.0),))],
    rates=[Rate(Work(194, 2, 8, 10), "numba-serial", 4e6, 2e5)],
    shares=[Share(Work(194, 2, 8, 10), "numba-serial", 1, 4e6, 4e10, 1e11)],
    curves=[Curve("patterns", "an epoch", 1, (1, 2, 4, 8), (1.0, 2.0, 4.0, 8.0))],
    startup=STARTUP,
    memory=[Memory(1000, 10, 8, "numba-serial", 1000, 900, 100, (("patterns.py:1", 900),))],
)


def missed(measured: Measured) -> list[str]:
    """The targets that are not met."""
    return [target.what for target in all_targets(measured) if not target.is_met]


def test_all_met() -> None:
    """Figures within their bounds miss no target."""
    assert missed(MEASURED) == []


@pytest.mark.parametrize(
    ("worse", "what"),
    [
        (replace(MEASURED, rates=[replace(MEASURED.rates[0], fann=4e5)]), "194 × 2, pool 8"),
        (replace(MEASURED, curves=[replace(MEASURED.curves[0], cpu_ms=(1.0, 4.0, 16.0, 64.0))]), "cost over patterns"),
        (replace(MEASURED, memory=[replace(MEASURED.memory[0], growth_bytes=1200)]), "memory, 1000 × 10"),
        (replace(MEASURED, startup=replace(STARTUP, process_s=1.5)), "a fresh process"),
        (replace(MEASURED, startup=replace(STARTUP, loaded=("torch",))), "import of the engine"),
        (replace(MEASURED, startup=replace(STARTUP, warm_log=STARTUP.cold_log)), "without cached code"),
        (
            replace(MEASURED, parity=[replace(MEASURED.parity[0], standings=(standing(peers.GAUSSIAN, 0.5),))]),
            "2-bit parity",
        ),
        (replace(MEASURED, contests=[slow(MEASURED.contests[0]), *MEASURED.contests[1:]]), "CMU spirals: CPU of FANN"),
    ],
)
def test_missed(worse: Measured, what: str) -> None:
    """One figure out of its bounds misses its own target alone."""
    assert [name for name in missed(worse) if what in name] == missed(worse) != []


def test_page() -> None:
    """The page says what was run and on what, has the targets first, and names those that were missed."""
    slower = replace(MEASURED, startup=replace(STARTUP, process_s=1.5))
    profile = Profile("CMU spirals", 3.0, 0.1, 0.3, 0.6, (("kernels.py:1(train)", 0.8),))
    page = rendered(Run("python -m benchmarks.engine", False, 9.6, {"processor": "a fast one"}, slower, [profile]))
    assert page.index("`python -m benchmarks.engine`, 10 minutes") < page.index("a fast one") < page.index("## Targets")
    n_targets = len(list(all_targets(slower)))
    assert f"{n_targets - 1} of {n_targets} are met." in page
    assert "| < 1 s | 1.50 s (0.30 s from the first import) | **missed** |" in page
    assert "beside these: a fresh process with compiled code cached" in page
    assert "| FANN, 8 sigmoid candidates | 100/100 | 5 (4…9) | 900 | 300 (600) | 0.990 |" in page
    assert "| `kernels.py:1(train)` | 80% |" in page
    assert "no loops\ncompiled one" in page


def test_plots(tmp_path: Path) -> None:
    """The plots are SVG, the same for the same figures, with the figures in them."""
    drawn = []
    for folder in (tmp_path / "first", tmp_path / "again"):
        folder.mkdir()
        plot_times(MEASURED.contests, folder / "times.svg")
        plot_rates(MEASURED.rates, folder / "rates.svg")
        plot_curves(MEASURED.curves, folder / "curves.svg")
        drawn.append([(folder / name).read_text() for name in ("times.svg", "rates.svg", "curves.svg")])
    first, again = drawn
    assert first == again
    for text, shown in zip(first, ("3.0 ms, 100/100 solved", "4,000,000", "patterns: power 1.00"), strict=True):
        assert shown in text


def test_equal_work() -> None:
    """Of a phase that is clocked every epoch is trained, by every candidate; the parts add up to the whole."""
    work = Work(50, 3, 4, n_epochs=70, n_outputs=3)
    grown = grow(*work.arrays(), work.parameters())
    assert grown.candidate_epochs == 70
    assert len(grown.unit_s) == 1
    assert 0 < grown.candidate_s < grown.total_s
    assert work.flops == 4 * 50 * 4 * 4


def test_curve_power() -> None:
    """The power of a curve is read from its upper half, where overheads have worn off."""
    assert Curve("units", "", 2, (1, 2, 4, 8, 16, 32), (9.0, 9.0, 9.0, 64.0, 256.0, 1024.0)).power == pytest.approx(2)


def test_warm_up_asks_for_no_gpu() -> None:
    """The figures are the CPU's, on a machine without a GPU too."""
    warm_up()
