"""The pictures in docs/screenshots. Taken only when JUNIPER_SCREENSHOTS is set, so that the tree stays clean."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.runs import RunRecord, StartRuns
from juniper_common.wire.training import ChangeParameters, DatasetSource, RunParameters, StartTraining
from tests.browser.conftest import Host
from tests.browser.steering import wait_for
from tests.browser.test_accessibility import SIZES, TABS

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
UNITS = 11
SEEDS = [1, 2, 3]
"""Of runs that are over, to be compared."""

COLOURS = 256
FAST, SLOW = 200, 5
"""Epochs a second: first so that units come, then so that the run does not end before the last picture."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("JUNIPER_SCREENSHOTS" not in os.environ, reason="set JUNIPER_SCREENSHOTS=1 to take pictures"),
]


def test_every_tab_light_dark_and_on_a_phone(page: Page, host: Host) -> None:
    """A run in the middle of its growth, at a pace that a person can watch; on the tab of runs, three that are over."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    runs = _train_several(host)
    compared = ",".join(run.id for run in runs)
    queries = {"data": f"&dataset={runs[0].dataset_id}", "runs": f"&compare={compared}&run={runs[0].id}"}
    spirals = DatasetSource(generator="spiral", params={"n_points_per_spiral": 200, "noise": 0.15, "seed": 42})
    start = StartTraining(dataset=spirals, params=RunParameters(seed=7, pace=FAST), start_fresh=True)
    with JuniperCascorClient(host.cascor.url) as cascor:
        cascor.start(start)
        wait_for(page, "installs", UNITS, timeout_s=240)
        cascor.change(ChangeParameters(pace=SLOW))
    for tab in TABS:
        page.goto(f"{host.canopy.url}/?tab={tab}{queries.get(tab, '')}")
        page.wait_for_selector("[data-testid=freshness][data-kind=live]")
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur()")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            _picture(page, "desk", f"{tab}-{theme}")
        _picture(page, "phone", f"{tab}-phone")
    assert host.canopy.is_ready()


def _train_several(host: Host) -> list[RunRecord]:
    request = StartRuns(
        dataset=DatasetSource(generator="moon", params={"noise": 0.2, "val_ratio": 0.2, "test_ratio": 0.0}),
        params=RunParameters(max_hidden_units=6),
        seeds=SEEDS,
        tags=["moons"],
        notes="How much does the seed matter?",
    )
    with JuniperCascorClient(host.cascor.url) as cascor:
        runs = cascor.post_runs(request).runs
        for run in runs:
            cascor.wait(run.id)
    return runs


def _picture(page: Page, size: str, name: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(1500)  # the boundary follows, and charts take the new size
    content = page.screenshot(full_page=size == "phone")
    # A palette is a third of it, and enough for a page of few colours.
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB").quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)
