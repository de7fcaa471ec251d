"""A training that starts by itself: when it may, and what is said of it."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import cast

import pytest

from juniper_cascor.runs import auto_start
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.store import StoreError
from juniper_cascor.settings import CascorSettings
from juniper_common.errors import BadRequestError, UnavailableError
from juniper_common.wire.training import StartTraining

SETTINGS = CascorSettings(
    auto_dataset="xor", auto_dataset_params={"noise": 0.1}, auto_network={"max_hidden_units": 3}, auto_epochs=50
)


@dataclass
class Started:
    """A run."""

    run_id: str = "r1"


@dataclass
class FakeForeground:
    """A foreground that refuses some starts first."""

    refusals: list[Exception] = field(default_factory=list)
    has_network: bool = False
    requests: list[StartTraining] = field(default_factory=list)

    async def start(self, request: StartTraining) -> Started:
        """Refuse, or start."""
        self.requests.append(request)
        if self.refusals:
            raise self.refusals.pop(0)
        self.has_network = True
        return Started()


def start(foreground: FakeForeground) -> None:
    """Start by itself; return when that is done or given up."""
    request = auto_start.request_of(SETTINGS)
    asyncio.run(auto_start.start(cast(Foreground, foreground), request, retry_s=0.0))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged from INFO on."""
    caplog.set_level(logging.INFO, "juniper_cascor.runs.auto_start")
    return caplog


def test_the_start_is_the_one_that_the_settings_ask_for() -> None:
    """Data, parameters and budget."""
    request = auto_start.request_of(SETTINGS)
    assert request.dataset is not None
    assert (request.dataset.generator, request.dataset.params) == ("xor", {"noise": 0.1})
    assert (request.params.max_hidden_units, request.epochs, request.start_fresh) == (3, 50, True)


def test_it_is_a_warning(said: pytest.LogCaptureFixture) -> None:
    """Nobody started it, so whoever reads the log is to see why it trains."""
    start(FakeForeground())
    assert [entry.levelname for entry in said.records] == ["WARNING", "WARNING"]
    assert "JUNIPER_CASCOR_AUTO_START is set" in said.messages[0]
    assert said.messages[1] == "run r1 has started by itself"


@pytest.mark.parametrize(
    "refusal",
    [
        UnavailableError("the data service does not answer"),
        StoreError("the run store cannot be used: database or disk is full"),
        OSError(28, "No space left on device"),
    ],
    ids=["no data", "no store", "no room"],
)
def test_it_waits_for_what_may_come(refusal: Exception) -> None:
    """The data service may be on its way up, the disk may get room."""
    foreground = FakeForeground([refusal, refusal])
    start(foreground)
    assert foreground.has_network
    assert len(foreground.requests) == 3


def test_it_gives_up_what_cannot_be(said: pytest.LogCaptureFixture) -> None:
    """A generator that nobody knows will not be known in a second."""
    foreground = FakeForeground([BadRequestError("there is no generator xxor")])
    start(foreground)
    assert len(foreground.requests) == 1
    assert (said.records[-1].levelname, said.messages[-1]) == (
        "ERROR",
        "no training starts by itself: there is no generator xxor",
    )


def test_it_leaves_a_run_that_is_there_alone(said: pytest.LogCaptureFixture) -> None:
    """After a restart the interrupted run goes on instead."""
    foreground = FakeForeground(has_network=True)
    start(foreground)
    assert foreground.requests == []
    assert said.messages[-1] == "no training starts by itself: there is a run or a network already"
