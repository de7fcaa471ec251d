"""What the service's benchmark makes of its figures."""

from __future__ import annotations

import pytest

from benchmarks.service.answering import Answering
from benchmarks.service.fanning_out import FanOut, Watched
from benchmarks.service.figures import Line, below, cheaper, percentile, ratio, table
from benchmarks.service.report import rendered
from benchmarks.service.starting import Starting
from benchmarks.service.watchers import Received
from benchmarks.service.work import digits_grown
from juniper_cascor.engine.parameters import Parameters


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0), (0.07, 7.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    """The least that so large a share of a hundred values does not exceed, in whatever order they come."""
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_a_percentile_of_few_values_is_their_most() -> None:
    """Rather too strict than made up."""
    assert percentile([3.0, 1.0], 0.99) == 3.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_an_overhead_is_the_median_over_the_pairs() -> None:
    """One disturbed pair does not move it."""
    found = ratio([(1.04, 1.0), (2.1, 2.0), (9.0, 1.0)])
    assert found.overhead == pytest.approx(0.05)
    assert found.told == "+5.0% (+4.0% … +800.0% over 3 pairs)"


def test_a_budget_is_a_bound_that_is_not_reached() -> None:
    """A figure at its limit has missed it."""
    assert [below("wait", value, 5.0, "ms").is_met for value in (4.9, 5.0)] == [True, False]
    assert [cheaper("work", ratio([(value, 1.0)]), 0.1).is_met for value in (1.09, 1.2)] == [True, False]


def test_the_table_says_what_is_missed() -> None:
    """And nothing of what has no budget."""
    lines = [below("wait", 7.0, 5.0, "ms", aside=" (rarely)"), Line("CPU", "3%")]
    assert table(lines).splitlines()[2:] == ["| wait | < 5 ms | 7 ms (rarely) | **missed** |", "| CPU |  | 3% |  |"]


def test_every_part_tells_its_lines() -> None:
    """Each figure with a budget, met where it keeps it."""
    received = Received(seconds=2.0, cpu_s=0.5, delays_s=[0.01] * 79 + [0.2], counts=[42, 38], n_bytes=8_000)
    parts: list[Starting | Answering | FanOut] = [
        Starting([0.5, 2.0, 0.6], rss_mb=95.0, uss_mb=60.0, loaded=frozenset()),
        Answering([1.0] * 99 + [50.0], {"stop": [10.0, 250.0]}),
        FanOut([Watched("paced", received, 1.0, 0.1)], ratio([(1.0, 1.0)])),
    ]
    lines = [line for part in parts for line in part.lines()]
    assert {line.what: line.is_met for line in lines} == {
        "from the start of the process to READY=1": True,
        "memory of the waiting service, without its trainer": False,
        "loaded by the service, of torch, numba, llvmlite, cupy, scipy, sklearn": True,
        "status while training at full speed, p99": True,
        "stop on 10,000 × 64, most": False,
        "2 watchers, paced: delay of a message, p99": False,
        "2 watchers, paced: messages a second for each": False,
        "2 watchers, paced: CPU of service, trainer, clients": None,
        "trainer's CPU per epoch with 200 watchers against none": True,
    }


def test_the_page_counts_what_is_met() -> None:
    """Of the figures that have a budget."""
    lines = [below("wait", 7.0, 5.0, "ms"), below("start", 0.5, 1.0, "s"), Line("CPU", "3%")]
    page = rendered("The service", lines, "python -m benchmarks.service", 3.2)
    assert page.startswith("# The service\n")
    assert "`python -m benchmarks.service`, 3 minutes" in page
    assert "1 of 2 are met." in page
    assert page.index("processor") < page.index("| start |")


def test_service_and_engine_are_asked_for_the_same() -> None:
    """All in which the work's parameters differ from the defaults is in the request."""
    work = digits_grown(7)
    asked = work.request().params.model_dump(exclude_none=True, exclude={"seed"})
    assert Parameters(**asked) == work.parameters
