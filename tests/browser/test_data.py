"""What a person does on the Data tab, in Chromium, with the three real services behind it."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Host
from tests.browser.steering import expect_status, set_pace

pytestmark = pytest.mark.browser

PICTURE = ".area-picture canvas.plane"
HOSTILE = "<img src=x onerror=window.hurt=1>"


@pytest.fixture
def data(page: Page, host: Host) -> Iterator[Page]:
    """The page with the Data tab open and its first preview drawn; no dataset is kept."""
    _forget_datasets(host)
    page.get_by_role("tab", name="Data").click()
    expect(page.locator(PICTURE)).to_have_attribute("data-points", re.compile("[1-9]"))
    yield page
    assert page.evaluate("window.hurt") is None


def _forget_datasets(host: Host) -> None:
    for dataset_id in httpx.get(f"{host.data.url}/v1/datasets").json():
        httpx.delete(f"{host.data.url}/v1/datasets/{dataset_id}").raise_for_status()


def drawn(page: Page) -> str:
    """A figure of the drawn points."""
    return page.locator(PICTURE).get_attribute("data-drawn") or ""


def expect_redrawn(page: Page, before: str) -> None:
    """Wait until other points are drawn."""
    expect(page.locator(PICTURE)).not_to_have_attribute("data-drawn", before)


def choose(page: Page, label: str, option: str) -> None:
    """Pick an entry of one of the form's lists."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def rows(page: Page) -> Locator:
    """The kept datasets."""
    return page.locator(".datasets-table tbody tr")


def upload(page: Page, path: Path, *, label_column: str = "label", name: str = "") -> None:
    """Choose a file, say what it is, and send it."""
    form = page.get_by_role("region", name="Upload a file")
    form.get_by_label("File to upload").set_input_files(path)
    form.get_by_label("Label column").fill(label_column)
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_role("button", name="Upload", exact=True).click()


def test_the_form_follows_the_generator(data: Page) -> None:
    """Fields, defaults and hints are those of the chosen one's schema, and the preview is of it."""
    expect(data.get_by_label("Points per spiral")).to_have_value("97")
    expect(data.get_by_role("switch", name="Clockwise")).to_be_checked()
    before = drawn(data)

    choose(data, "Generator", "gaussian")

    expect(data.get_by_label("Classes")).to_have_value("2")
    expect(data.get_by_label("Deviation")).to_have_value("1.0")
    expect(data.get_by_label("Points per spiral")).to_have_count(0)
    expect(data.get_by_role("heading", name="Preview of gaussian")).to_be_visible()
    expect_redrawn(data, before)


def test_the_preview_follows_a_field(data: Page, host: Host) -> None:
    """A change is drawn after a short pause, and nothing of it is kept."""
    before = drawn(data)
    data.get_by_label("Spirals").fill("3")

    expect_redrawn(data, before)
    expect(data.get_by_text("All 291 samples")).to_be_visible()
    expect(data.locator(".picture-legend .legend-entry")).to_have_text(["class 0", "class 1", "class 2"])
    expect(data.locator(".balance tbody tr")).to_have_count(3)
    assert httpx.get(f"{host.data.url}/v1/datasets").json() == []


def test_what_cannot_be_stands_at_its_field(data: Page) -> None:
    """Bounds are checked before anything is sent; what only the service knows is placed at the field it names."""
    data.get_by_label("Noise").fill("3")
    expect(data.get_by_text("must be 0 to 2")).to_be_visible()
    data.get_by_label("Noise").fill("0.5")
    expect(data.get_by_text("must be 0 to 2")).to_have_count(0)

    choose(data, "Generator", "gaussian")
    data.get_by_label("Deviation").fill("-1")

    expect(data.locator(".q-field__messages", has_text="greater than 0")).to_be_visible()


def test_a_preview_of_what_the_form_no_longer_says_is_outdated(data: Page) -> None:
    """With a field that cannot be, or another generator that waits for a file, the last picture is said to be old."""
    heading = data.get_by_role("heading", name="Outdated preview of spiral")
    data.get_by_label("Noise").fill("3")
    expect(heading).to_be_visible()
    expect(data.locator(".facts")).to_have_class(re.compile("is-outdated"))
    data.get_by_label("Noise").fill("0.5")
    expect(heading).to_have_count(0)
    expect(data.locator(".facts")).not_to_have_class(re.compile("is-outdated"))

    choose(data, "Generator", "csv_import")
    expect(heading).to_be_visible()
    choose(data, "Generator", "gaussian")
    expect(data.get_by_role("heading", name="Preview of gaussian", exact=True)).to_be_visible()


def test_create_keeps_it_and_selects_it(data: Page) -> None:
    """With its name and tags it stands in the list, in the address, and is what a link opens."""
    data.get_by_label("Points per spiral").fill("50")
    form = data.get_by_role("region", name="New dataset")
    form.get_by_label("Name", exact=True).fill(HOSTILE)
    form.get_by_label("Tags").fill(f"paper, {HOSTILE}")
    data.get_by_role("button", name="Create").click()

    expect(data.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(rows(data)).to_have_count(1)
    expect(rows(data).first).to_have_class(re.compile("is-shown"))
    expect(rows(data).first.locator(".tag")).to_have_text(["paper", HOSTILE])
    expect(data.locator(".provenance")).to_contain_text("n_points_per_spiral 50")

    data.reload()
    expect(data.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(data.locator(PICTURE)).to_have_attribute("data-points", "100")


def test_a_dataset_is_downloaded_and_deleted(data: Page) -> None:
    """The NPZ comes through the dashboard; what is deleted after a confirmation is gone from list and page."""
    data.get_by_role("button", name="Create").click()
    expect(rows(data)).to_have_count(1)
    with data.expect_download() as downloading:
        data.get_by_role("link", name="Download NPZ").click()
    assert downloading.value.path().read_bytes().startswith(b"PK")

    data.get_by_role("button", name="Delete").click()
    data.get_by_role("button", name="Delete it").click()

    expect(rows(data)).to_have_count(0)
    expect(data.get_by_role("heading", name="Preview of spiral")).to_be_visible()
    assert "dataset=" not in data.url


def test_any_two_features_or_the_principal_components(data: Page) -> None:
    """The axes are chosen by name; those of the components say how much of the variance they explain."""
    choose(data, "Generator", "gaussian")
    data.get_by_label("Features").fill("4")
    expect(data.get_by_label("Feature along y").locator("option")).to_have_text(["x1", "x2", "x3", "x4"])
    before = drawn(data)

    data.get_by_label("Feature along x").select_option("x3")
    expect_redrawn(data, before)
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", "x3 / x2")

    data.get_by_label("Axes", exact=True).select_option("Principal components")
    titles = re.compile(r"^Principal component 1 \([\d.]+ % of the variance\) / Principal component 2 \(")
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", titles)


def test_a_link_opens_the_axes_of_a_dataset(data: Page) -> None:
    """Those that were chosen stand in the address; another dataset begins with its first two features."""
    choose(data, "Generator", "gaussian")
    data.get_by_label("Features").fill("4")
    data.get_by_role("button", name="Create").click()
    expect(data).to_have_url(re.compile("dataset="))
    data.get_by_label("Feature along x").select_option("x3")
    expect(data).to_have_url(re.compile("features=3%2C2"))
    data.reload()
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", "x3 / x2")
    expect(data.get_by_label("Feature along x")).to_have_value("2")

    data.get_by_label("Axes", exact=True).select_option("Principal components")
    expect(data).to_have_url(re.compile("features=principal"))
    data.reload()
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", re.compile("^Principal"))
    data.get_by_label("Axes", exact=True).select_option("Two features")
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", "x1 / x2")
    assert "features=" not in data.url


def test_a_file_is_uploaded(data: Page, tmp_path: Path) -> None:
    """Whatever its columns and classes are called, they are shown as they are."""
    path = tmp_path / "flowers.csv"
    lines = [f"{k % 7},{k % 5},{'iris' if k % 2 else HOSTILE}" for k in range(40)]
    path.write_text("\n".join([f"{HOSTILE},height,kind", *lines]))

    upload(data, path, label_column="kind", name="flowers")

    expect(data.get_by_role("heading", name="flowers")).to_be_visible()
    expect(data.locator(".picture-legend .legend-entry")).to_have_text([HOSTILE, "iris"])
    expect(data.locator(PICTURE)).to_have_attribute("data-titles", f"{HOSTILE} / height")
    expect(data.locator(".profile tbody th").first).to_have_text(HOSTILE)
    expect(data.locator(".balance tbody th").first).to_have_text(HOSTILE)


def test_a_run_goes_by_the_names_of_its_file(data: Page, tmp_path: Path) -> None:
    """Of the dataset, its columns and its classes: while it trains, and in the list of runs."""
    path = tmp_path / "flowers.csv"
    lines = [f"{k % 7},{k % 5},{'iris' if k % 2 else 'rose'}" for k in range(60)]
    path.write_text("\n".join(["petal,sepal,kind", *lines]))
    upload(data, path, label_column="kind", name="flowers")

    data.get_by_role("button", name="Train on this").click()

    expect(data.locator(".about")).to_contain_text("flowers, ")
    boundary = data.locator(".area-boundary")
    expect(boundary.locator(".legend-entry")).to_have_text(["iris", "rose"])
    expect(data.locator(".topology-host")).to_contain_text("petal")
    data.get_by_role("tab", name="Runs").click()
    expect(data.locator("tr[data-run]").first).to_contain_text("flowers")


def test_a_bad_file_is_explained(data: Page, tmp_path: Path) -> None:
    """By row and column, in the service's own words, and nothing is kept."""
    path = tmp_path / "bad.csv"
    path.write_text("a,b,label\n1,2,x\n3,four,y\n")

    upload(data, path)

    alert = data.get_by_role("alert").filter(has_text="Could not")
    expect(alert).to_contain_text("line 3")
    expect(alert).to_contain_text("b")
    expect(rows(data)).to_have_count(0)


def test_rows_with_an_empty_cell_are_dropped_on_request(data: Page, tmp_path: Path) -> None:
    """The refusal names the option; the file is still chosen, so that setting it and one click are enough."""
    path = tmp_path / "gaps.csv"
    path.write_text("\n".join(["a;b;label", ";2;x", *(f"{k};{k % 5};{'xy'[k % 2]}" for k in range(30))]))
    form = data.get_by_role("region", name="Upload a file")
    data.set_viewport_size({"width": 390, "height": 844})
    expect(form.get_by_label("Missing values")).to_be_hidden()
    form.get_by_text("Options").click()
    form.get_by_label("Delimiter").fill(";")

    upload(data, path)
    alert = data.get_by_role("alert").filter(has_text="Could not")
    expect(alert).to_contain_text("line 2, column 'a': the cell is empty")
    expect(alert).to_contain_text("Options, Missing values = 'drop' drops such rows")
    data.wait_for_function("document.documentElement.scrollWidth <= innerWidth")

    choose(data, "Missing values", "drop")
    form.get_by_role("button", name="Upload", exact=True).click()

    expect(data.get_by_text("30 samples").first).to_be_visible()
    expect(rows(data)).to_have_count(1)
    expect(alert).to_have_count(0)


def test_a_folded_option_that_cannot_be_is_unfolded(data: Page, tmp_path: Path) -> None:
    """What is wrong stands at its field, and nothing is sent."""
    path = tmp_path / "flowers.csv"
    path.write_text("a,b,label\n1,2,x\n3,4,y\n")
    form = data.get_by_role("region", name="Upload a file")
    form.get_by_text("Options").click()
    form.get_by_label("Train ratio").fill("3")
    form.get_by_text("Options").click()
    expect(form.get_by_label("Train ratio")).to_be_hidden()

    upload(data, path)

    expect(form.get_by_label("Train ratio")).to_be_visible()
    expect(form.get_by_role("alert").filter(has_text="an option is not as it must be")).to_be_visible()
    expect(rows(data)).to_have_count(0)


def test_numbers_to_predict_are_coloured_by_value(data: Page, tmp_path: Path) -> None:
    """A regression set has a scale in place of classes."""
    path = tmp_path / "values.csv"
    path.write_text("\n".join(["a,b,label", *(f"{k},{k * k % 11},{k / 2}" for k in range(30))]))
    choose(data, "The labels are", "Numbers to predict")

    upload(data, path, name="values")

    expect(data.get_by_role("heading", name="values")).to_be_visible()
    expect(data.locator(".picture-legend .legend-entry")).to_have_text(["0", "7.25", "14.5"])
    expect(data.get_by_text("Numbers to predict, no classes")).to_be_visible()


def test_a_run_is_trained_from_here_to_the_end(data: Page) -> None:
    """Made, kept, and trained on by one click, which turns to the Training tab."""
    choose(data, "Generator", "xor")
    expect(data.get_by_role("heading", name="Preview of xor")).to_be_visible()
    data.get_by_role("button", name="Create").click()
    train = data.get_by_role("button", name="Train on this")
    expect(train).to_be_enabled()

    train.click()

    expect(data.get_by_role("tab", name="Training")).to_have_attribute("aria-selected", "true")
    expect_status(data, "STARTED")
    set_pace(data, "PageUp")
    expect_status(data, "COMPLETED")
    expect(data.locator(".about")).to_contain_text("xor")
    expect(data.get_by_role("combobox", name="Dataset")).to_have_value(
        re.compile("^xor, ")
    )  # what Start trains on next


def test_the_list_is_filtered_and_goes_on(data: Page, host: Host) -> None:
    """The newest first, a page at a time; a filter finds names, ids and tags among those that are there."""
    requests = [{"generator": "xor", "params": {"seed": seed, "n_points_per_quadrant": 2}} for seed in range(100)]
    named = {"generator": "moon", "params": {"n_samples": 4}, "name": "crescent"}
    with httpx.Client(base_url=f"{host.data.url}/v1", timeout=70, headers={"Prefer": "wait=60"}) as data_service:
        data_service.post("datasets", json=named).raise_for_status()
        for half in (requests[:50], requests[50:]):
            data_service.post("datasets/batch-create", content=json.dumps({"datasets": half})).raise_for_status()
    data.reload()
    expect(rows(data)).to_have_count(100)
    expect(data.get_by_text("the newest 100 of 101 datasets")).to_be_visible()

    data.get_by_role("button", name="More", exact=True).click()
    expect(rows(data)).to_have_count(101)
    data.get_by_role("searchbox").fill("Cresc")

    expect(rows(data)).to_have_count(1)
    rows(data).get_by_role("button", name="crescent").click()
    expect(data.get_by_role("heading", name="crescent")).to_be_visible()


def test_a_phone_gets_one_column_of_it(data: Page) -> None:
    """Nothing is wider than the screen."""
    data.set_viewport_size({"width": 390, "height": 844})
    data.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    tops = [
        data.evaluate("(part) => document.querySelector(part).getBoundingClientRect().top", part)
        for part in (".area-picture", ".area-make", ".area-list", ".area-facts")
    ]
    assert tops == sorted(tops)


def test_the_tab_fills_when_the_data_service_comes(page: Page, host: Host) -> None:
    """Opened while it is away, the form and the list say so, and heal by themselves."""
    host.data.stop(signal.SIGKILL)
    try:
        page.goto(f"{host.canopy.url}/?tab=data")
        expect(page.get_by_text("Could not list the generators")).to_be_visible()
        expect(page.get_by_text("The datasets cannot be listed")).to_be_visible()
    finally:
        host.data.start()
    expect(page.get_by_role("heading", name="Preview of")).to_be_visible()
    expect(page.get_by_text("Could not list the generators")).to_be_hidden()
    expect(page.get_by_text("The datasets cannot be listed")).to_be_hidden()
