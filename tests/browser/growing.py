"""Runs that are over in a moment, for tests of what is shown of a network."""

import httpx
from playwright.sync_api import Page

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import DatasetSource, InlineData, RunParameters, StartTraining
from tests.browser.conftest import Host

SPIRALS = DatasetSource(generator="cmu_spirals")
UNITS = 5
_SHORT = {"candidate_epochs": 40, "output_epochs": 30, "candidate_pool_size": 4, "max_hidden_units": UNITS, "seed": 7}


def grow(host: Host, inline_data: InlineData | None = None, **params: float) -> str:
    """Grow a network of UNITS hidden units to its end, on the two spirals or on rows; the run's id."""
    with JuniperCascorClient(host.cascor.url) as cascor:
        run_id = begin(cascor, inline_data, **params)
        cascor.wait(run_id)
    return run_id


def begin(cascor: JuniperCascorClient, inline_data: InlineData | None = None, **params: float) -> str:
    """Start the same, and do not wait."""
    request = StartTraining(
        dataset=None if inline_data else SPIRALS,
        inline_data=inline_data,
        params=RunParameters.model_validate(_SHORT | params),
        start_fresh=True,
    )
    return cascor.start(request).run_id


def open_tab(page: Page, host: Host, query: str, units: int = UNITS) -> None:
    """Go to an address of the page, and wait until it draws a network of so many units."""
    page.goto(f"{host.canopy.url}/?{query}")
    page.wait_for_selector(f".crossbar-host[data-units='{units}']")


def asked(host: Host, path: str) -> dict[str, object]:
    """What the dashboard's REST says."""
    answer: dict[str, object] = httpx.get(f"{host.canopy.url}/api/{path}").raise_for_status().json()
    return answer
