"""What people call their datasets and runs stays text in every tab, whatever it looks like."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Host

pytestmark = pytest.mark.browser

IMAGE = '<img src=x onerror="window.pwned=1">'
HOSTILE = (
    IMAGE,
    '"><svg onload="window.pwned=1">',
    "'-(window.pwned=1)-'",
    "{{constructor.constructor('window.pwned=1')()}}",
    "</script><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "\u202eright to left\u202c \u0007\u001b[31m\n\u2028\ufeff",
    "unbroken" * 12,
)
TABS = ("training", "network", "data", "runs", "system")

FOUND = """() => ({
    pwned: window.pwned ?? null,
    elements: document.querySelectorAll("img[src='x'], svg[onload], [onerror]").length,
    isTooWide: document.documentElement.scrollWidth > innerWidth,
})"""


def _answer(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json()


@pytest.fixture
def named(host: Host) -> Iterator[str]:
    """Datasets and a run with hostile names in every place that takes one; gives the id of a dataset."""
    with (
        httpx.Client(base_url=host.data.url, timeout=70, headers={"Prefer": "wait=60"}) as data,
        httpx.Client(base_url=host.cascor.url + "/v1", timeout=60) as cascor,
    ):
        datasets = _make_datasets(data)
        run = _start(cascor, datasets[-1])
        yield datasets[0]
        host.forget()
        cascor.delete(f"/runs/{run}")
        for dataset in datasets:
            data.delete(f"/v1/datasets/{dataset}")


def _make_datasets(data: httpx.Client) -> list[str]:
    tags = [word[:100] for word in HOSTILE]
    datasets = [
        _answer(
            data.post(
                "/v1/datasets",
                json={
                    "generator": "moon",
                    "params": {"seed": 9_000 + number},
                    "name": word,
                    "tags": tags,
                    "description": " ".join(HOSTILE),
                    "created_by": word,
                },
            )
        )["dataset_id"]
        for number, word in enumerate(HOSTILE)
    ]
    lines = [f'"{IMAGE.replace(chr(34), chr(39))}","{{{{1+1}}}}","label"']
    lines += [f'{row},{row % 7},"{HOSTILE[row % 2].replace(chr(34), chr(39))}"' for row in range(40)]
    uploaded = data.post(
        "/v1/datasets/upload", params={"format": "csv", "name": IMAGE}, content="\n".join(lines).encode()
    )
    datasets.append(_answer(uploaded)["dataset_id"])
    return datasets


def _start(cascor: httpx.Client, dataset: str) -> str:
    tags = [word[:100] for word in HOSTILE]
    source = {"source": "generator", "dataset_id": dataset}
    run: str = _answer(cascor.post("/training/start", json={"dataset": source, "params": {"seed": 1, "pace": 20}}))[
        "data"
    ]["run_id"]
    _answer(cascor.patch(f"/runs/{run}", json={"notes": "\n".join(HOSTILE), "tags": tags}))
    while not _answer(cascor.get("/training/status"))["data"]["monitor"]["current_epoch"]:
        time.sleep(0.05)
    _answer(cascor.post("/snapshots", json={"notes": IMAGE, "tags": tags}))
    return run


def expect_text_alone(page: Page) -> None:
    """Nothing of it ran, nothing of it became an element, and nothing pushes the page aside."""
    assert page.evaluate(FOUND) == {"pwned": None, "elements": 0, "isTooWide": False}


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_hostile_names_stay_text(page: Page, host: Host, named: str, size: tuple[int, int]) -> None:
    """In every tab, with a run on hostile data under way, on a desk and on a phone."""
    assert named
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for tab in TABS:
        page.goto(f"{host.canopy.url}/?tab={tab}")
        page.wait_for_selector("[data-testid=status][data-status=STARTED]")
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        expect_text_alone(page)


def test_hostile_names_in_the_list_of_datasets(page: Page, named: str) -> None:
    """The list of what can be trained on shows them as they are."""
    assert named
    page.get_by_role("combobox", name="Dataset").click()
    hostile = page.get_by_role("listbox").get_by_role("option", name=IMAGE).first
    expect(hostile).to_be_visible()
    expect_text_alone(page)
    hostile.click()
    expect_text_alone(page)


def test_a_hostile_dataset_in_the_data_tab(page: Page, host: Host, named: str) -> None:
    """Its facts, the names of its features on axes and in selects, its tags and its description."""
    found = httpx.get(f"{host.data.url}/v1/datasets/filter", params={"generator": "upload"}).json()["datasets"]
    for dataset, shown in ((named, "right to left"), (found[0]["dataset_id"], "{{1+1}}")):
        page.goto(f"{host.canopy.url}/?tab=data&dataset={dataset}")
        expect(page.locator("#panel-data").get_by_text(shown).first).to_be_attached()
        page.wait_for_load_state("networkidle")
        expect_text_alone(page)


def test_hostile_notes_of_a_run(page: Page, host: Host, named: str) -> None:
    """In the form that changes them, and beside the run's snapshots."""
    assert named
    run = httpx.get(f"{host.cascor.url}/v1/runs").json()["data"]["runs"][0]["id"]
    page.goto(f"{host.canopy.url}/?tab=runs&run={run}")
    expect(page.locator("#panel-runs").get_by_text(run).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect_text_alone(page)


def test_a_damaged_snapshot_with_a_hostile_name(page: Page, host: Host) -> None:
    """It stands in the list, as what it is."""
    folder = Path(host.cascor.environment["JUNIPER_CASCOR_STATE_DIR"]) / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    damaged = folder / "<img src=x onerror=window.pwned=1>{{1+1}}.h5"
    damaged.write_bytes(b"\x89HDF\r\n\x1a\n<script>window.pwned=1</script>")
    try:
        listed = page.request.get(f"{host.canopy.url}/api/v1/snapshots")
        assert "damaged" in listed.text() or "foreign" in listed.text()
        page.goto(f"{host.canopy.url}/?tab=runs")
        expect(page.locator("#panel-runs").get_by_text("{{1+1}}").first).to_be_visible()
        expect_text_alone(page)
    finally:
        damaged.unlink()


def test_hostile_words_in_a_log(page: Page, host: Host) -> None:
    """A service logs what it was asked for; the System tab shows that line as a line."""
    word = f"marker{IMAGE}{{{{1+1}}}}"
    httpx.get(f"{host.cascor.url}/v1/runs/{quote(word, safe='')}")
    page.goto(f"{host.canopy.url}/?tab=system")
    expect(page.get_by_text("marker").first).to_be_visible()
    expect_text_alone(page)
