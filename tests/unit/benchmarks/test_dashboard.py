"""What the dashboard's benchmark makes of its figures, and how it reads the live stream."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from benchmarks.dashboard.__main__ import BENCHMARK
from benchmarks.dashboard.followed import Followed, Following
from benchmarks.dashboard.followers import Received
from benchmarks.dashboard.frames import Frame, read_frame
from benchmarks.dashboard.healed import Healed, Look, Outage, live_from_s
from benchmarks.dashboard.host import never_learnt
from benchmarks.dashboard.hours import Hours, live_through, messages
from benchmarks.dashboard.opened import Opened
from benchmarks.dashboard.painted import Painted
from benchmarks.dashboard.weighed import Traffic, Weight
from juniper_canopy.backend.stream import read_update
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.frames import encode_frame, pack


def test_every_part_tells_its_lines() -> None:
    """Each figure with a budget, met where it keeps it."""
    one, ten = Received(2.0, 0.1, [0.01] * 19 + [0.2], [38]), Received(2.0, 0.1, [0.01] * 18 + [0.2] * 2, [38] * 10)
    heavy, light = Traffic({"/_nicegui/vue.js": 710_000}), Traffic({"/": 90_000})
    parts: list[Following | Painted | Weight | Opened | Healed | Hours] = [
        Following(140.0, [Followed(1, one, 9.0, 142.0), Followed(10, ten, 9.0, 160.0)]),
        Painted([1.0, 3.0, 1.1], receive_ms=[20.0], paint_ms=[160.0], draw_ms=[30.0]),
        Weight("training", heavy, light),
        Weight("network", heavy, light),
        Opened(240, before_mb=140.0, after_mb=144.0),
        Healed("canopy", [Outage(1.0, 0.1, 2.0), Outage(15.0, 0.1, 6.5)]),
        Hours(576_000, 60.0, start_mb=60.0, some_mb=65.0, end_mb=66.0),
    ]
    lines = [line for part in parts for line in part.lines()]
    assert {line.what: line.is_met for line in lines} == {
        "memory with no page open": True,
        "memory of an open page": False,
        "1 open page: from trainer to page, p95": True,
        "1 open page: CPU of the dashboard": None,
        "1 open page: updates a second for each": None,
        "10 open pages: from trainer to page, p95": False,
        "10 open pages: CPU of the dashboard": False,
        "10 open pages: updates a second for each": None,
        "first live curve of a page, nothing cached": True,
        "one page in Chromium: from trainer to screen, p95": False,
        "of which from trainer to page, from page to screen, p95 each": None,
        "training tab, first load": False,
        "training tab, second load": True,
        "network tab, first and second load": None,
        "240 pages opened and closed: memory kept": True,
        "a tab live again once canopy is ready again, most": False,
        "8 hours at 20 points a second, one page reads, one does not: memory kept of the last ¾": True,
    }


def test_a_point_is_as_old_as_the_trainer_says() -> None:
    """Read from the very bytes that a browser gets."""
    live = LiveState(time.monotonic)
    for number in range(2):
        for message in messages(number, points=2):
            update = read_update(message)
            assert update is not None
            live.apply(update)
        frame = read_frame(encode_frame("frame", number, live.take(), live))
    assert frame == Frame("frame", [1.0])


def test_an_array_is_found_wherever_it_stands() -> None:
    """Behind others of any length, each of which begins on a multiple of eight bytes."""
    frame = pack({"type": "frame"}, {"a": np.array([7], np.uint8), "timestamp": np.array([1.5, 2.5])})
    assert read_frame(frame).point_times == [1.5, 2.5]


def test_points_that_are_told_anew_are_not_late() -> None:
    """Only what a frame adds has just been made."""
    told_anew = pack({"type": "frame", "reset": True}, {"timestamp": np.array([1.5])})
    gap = pack({"type": "gap"}, {})
    assert [read_frame(each) for each in (told_anew, gap)] == [Frame("frame", []), Frame("gap", [])]


def looks(*states: tuple[bool, str | None]) -> list[Look]:
    """One look a tenth of a second."""
    return [Look(number / 10, is_live, epoch, trained=0) for number, (is_live, epoch) in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "from_s"),
    [
        ([(False, "7"), (False, "7"), (True, "8"), (True, "9")], 0.2),
        ([(True, "7"), (True, "8"), (False, None), (True, "9"), (True, "10")], 0.3),  # it was loaded anew
        ([(True, "7")] * 15 + [(True, "8")] * 5, 1.5),  # a badge alone proves nothing
        ([(True, "7"), (True, "8"), (False, "9")], None),
        ([(True, "7")] * 20, None),
    ],
)
def test_a_tab_is_live_once_nothing_interrupts_it_any_more(
    states: list[tuple[bool, str | None]], from_s: float | None
) -> None:
    """Its badge says so, its controls are connected, and points go on coming."""
    assert live_from_s(looks(*states)) == from_s


def response(request: str, address: str, **more: object) -> dict[str, object]:
    """What Chromium says of an answer."""
    return {"requestId": request, "response": {"url": address} | more}


def test_what_a_cache_gives_weighs_nothing() -> None:
    """Whether the disk's or the memory's."""
    traffic = Traffic()
    traffic.on_response(response("1", "http://host/"))
    traffic.on_response(response("2", "http://host/vue.js", fromDiskCache=True))
    traffic.on_response(response("3", "http://host/bus.js"))
    traffic.on_cached({"requestId": "3"})
    for request, size in (("1", 6_200), ("2", 60_000), ("3", 900)):
        traffic.on_finished({"requestId": request, "encodedDataLength": size})
    assert traffic.kilobytes == pytest.approx(6.2)
    assert traffic.heaviest == "the page 6"


def test_the_slowest_page_is_told() -> None:
    """A mean would hide it."""
    assert Received(seconds=2.0, updates=[40, 12, 38]).least_rate == 6.0


def test_hours_are_lived_through() -> None:
    """Every point is told, and both pages get their frames."""
    lived = asyncio.run(live_through(200))
    assert lived.points == 200
    assert min(lived.start_mb, lived.some_mb, lived.end_mb) > 0


def test_there_is_a_part_for_each_budget() -> None:
    """By these names they are asked for."""
    assert BENCHMARK.parts == ["followed", "painted", "weighed", "opened", "healed", "hours"]


def test_what_is_trained_on_is_never_learnt() -> None:
    """Some patterns stand in both classes: a run that ended in the midst of a measurement would tell nothing."""
    data = never_learnt()
    classes: dict[tuple[float, ...], set[float]] = {}
    for place, target in zip(data.train_x, data.train_y, strict=True):
        assert isinstance(target, list)
        classes.setdefault(tuple(place), set()).add(target[0])
    assert sum(both == {0.0, 1.0} for both in classes.values()) == 32
