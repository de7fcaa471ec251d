"""What the host's benchmark makes of its figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.host.__main__ import BENCHMARK, PARTS
from benchmarks.host.healing import Healing, Restarting
from benchmarks.host.recovering import Power, Recovering
from benchmarks.host.resting import Rest, Resting
from benchmarks.host.running import typical, worst
from benchmarks.host.starting import Starting
from benchmarks.service.command import Benchmark
from benchmarks.service.figures import Line, below
from tests.host.backups import Recovery


def recovery(*, lost: int, metric_age_s: float) -> Recovery:
    """A backup that was restored."""
    return Recovery(67, 2_300_000, 1.4, 32, lost, metric_age_s, 9.0, 7.0)


def test_every_part_tells_its_lines() -> None:
    """Each figure with a budget, met where it keeps it."""
    parts: list[Starting | Resting | Restarting | Healing | Recovering | Power] = [
        Starting([5.0, 9.0, 5.5], {"data": [0.5], "cascor": [1.0]}, [100.0, 160.0], [70.0]),
        Resting(60, {"data": Rest(0.5, 70.0, "processes")}, {"data": 1.7, "cascor": 1.7}),
        Restarting(5, {"data": {"answered": 900, "refused": 0, "cut off": 1}}),
        Healing(30.0, 30.0, [39.0, 35.0], [36.0, 41.0], [6.0], [2.5]),
        Recovering([recovery(lost=0, metric_age_s=0.1), recovery(lost=1, metric_age_s=0.2)]),
        Power([12.0], [1.2]),
    ]
    lines = [line for part in parts for line in part.lines()]
    assert {line.what: line.is_met for line in lines} == {
        "`juniper-ctl start` until all are ready, warm": True,
        "`juniper-ctl status`": True,
        "`juniper-ctl status` before it asks systemd": False,
        "data without work, over 60 s": None,
        "exposure of data, as systemd counts it": False,
        "exposure of cascor, as systemd counts it": True,
        "5 restarts under constant calls: refused or cut off by data": False,
        "cascor's process hung (SIGSTOP): until the training is past where it was": True,
        "the trainer hung (SIGSTOP): until the training is past where it was": False,
        "cascor killed: until the training is past where it was": True,
        "data killed: until it is ready": True,
        "a backup under load, 67 files, 2.3 MB": None,
        "recovery point: datasets answered before a backup and not restored": False,
        "recovery point: age of the newest metric at the backup's begin": True,
        "recovery time: `juniper-ctl restore latest --yes` until all are ready": None,
        "recovery time: of this from the stop of the services on": None,
        "power cut: from the boot to all ready, enabled": None,
        "power cut: age of the newest metric that was kept": False,
    }


def test_a_fault_is_held_against_its_budget_every_time() -> None:
    """What is done often is held against its median."""
    late_once = [1.0, 9.0, 2.0]
    assert typical("start", late_once, 5.0, "s").is_met is True
    assert worst("fault", late_once, 5.0, "s").is_met is False


def test_the_table_is_told_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line, with its budget and whether it is met; the exit code says that one is missed."""

    def measure(_: Sequence[str], __: bool) -> Iterator[Line]:
        yield below("wait", 7.0, 5.0, "ms")
        yield Line("CPU", "3%")

    told = tmp_path / "told.json"
    benchmark = Benchmark("benchmarks.some", None, "Some", tmp_path / "some.md", ["all"], measure)
    assert benchmark.main(["--json", str(told)]) == 1
    assert json.loads(told.read_text(encoding="utf-8")) == [
        {"what": "wait", "measured": "7 ms", "budget": "< 5 ms", "is_met": False},
        {"what": "CPU", "measured": "3%", "budget": "", "is_met": None},
    ]
    assert "**missed**" in capsys.readouterr().out


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are, before any host is booted."""
    with pytest.raises(SystemExit):
        BENCHMARK.main(["starting", "speed"])
    assert "no part speed" in capsys.readouterr().err
    assert list(PARTS) == ["starting", "resting", "restarting", "healing", "recovering", "power"]
