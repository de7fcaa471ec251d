"""What a person does on the Runs and snapshots tab, in Chromium, with the three real services behind it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.runs import StartRuns
from juniper_common.wire.training import DatasetSource, RunParameters
from tests.browser.conftest import Host
from tests.browser.steering import expect_status

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
UNITS = 3


def trained(host: Host, *seeds: int, tag: str = "t", **params: object) -> list[str]:
    """Train a run for each seed to its end, and return their ids."""
    chosen = RunParameters.model_validate({"max_hidden_units": UNITS, "error_threshold": 1e-6, **params})
    request = StartRuns(
        dataset=DatasetSource(generator="xor", params={"seed": 42}), params=chosen, seeds=list(seeds), tags=[tag]
    )
    with JuniperCascorClient(host.cascor.url) as client:
        ids = [run.id for run in client.post_runs(request).runs]
        for run_id in ids:
            client.wait(run_id)
    return ids


def open_tab(page: Page, **address: str) -> None:
    """Open the tab as a link would."""
    query = "&".join(f"{name}={value}" for name, value in address.items())
    page.goto(f"{page.url.partition('?')[0]}?tab=runs&{query}")
    expect(page.locator(".area-runs tbody tr").first).to_be_visible()


def row(page: Page, run_id: str) -> Locator:
    """The run's row."""
    return page.locator(f"[data-run='{run_id}']")


def press(page: Page, area: str, name: str) -> None:
    """Press a button of a part of the tab."""
    page.locator(area).get_by_role("button", name=name, exact=True).click()


def confirm(page: Page, action: str) -> None:
    """Say yes."""
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_two_runs_are_compared(page: Page, host: Host) -> None:
    """Ticked in the list, both are drawn on one axis, and beside it stands that their seeds differ; a link keeps it."""
    first, second = trained(host, 1, 2)
    open_tab(page)
    row(page, first).get_by_role("checkbox").check()
    row(page, second).get_by_role("checkbox").check()

    chart = page.locator(".area-comparison .chart-host")
    expect(chart).to_have_attribute("data-lines", "2")
    seeds = page.locator(".differing tbody tr", has_text=re.compile("^Seed"))
    expect(seeds.locator("td")).to_have_text(["1", "2"])

    page.reload()
    expect(chart).to_have_attribute("data-lines", "2")
    expect(row(page, first).get_by_role("checkbox")).to_be_checked()
    for metric, axis in (("val_accuracy", "time"), ("hidden_units", "units"), ("score", "epoch")):
        page.get_by_role("combobox", name="Metric").select_option(metric)
        page.get_by_role("combobox", name="X axis: Comparison").select_option(axis)
        expect(chart).to_have_attribute("data-lines", "2")

    entry = page.get_by_role("group", name="Lines that are drawn").get_by_role("button").first
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(entry).to_have_attribute("aria-pressed", "false")


def test_a_comparison_is_smoothed_laid_otherwise_and_saved(page: Page, host: Host, tmp_path: Path) -> None:
    """With the tools of the other charts, a link brings back how it was drawn; its points are saved as they are."""
    first, second = trained(host, 1, 2)
    open_tab(page, compare=f"{first},{second}")
    tools = page.locator(".area-comparison")
    tools.get_by_role("slider", name="Smoothing: Comparison").fill("0.5")
    tools.get_by_role("button", name="Logarithmic scale: Comparison").click()
    tools.get_by_role("combobox", name="Metric").select_option("val_loss")
    page.reload()
    expect(page.locator(".area-comparison .chart-host")).to_have_attribute("data-lines", "2")
    expect(tools.get_by_role("slider", name="Smoothing: Comparison")).to_have_value("0.5")
    expect(tools.get_by_role("button", name="Logarithmic scale: Comparison")).to_have_attribute("aria-pressed", "true")
    expect(tools.get_by_role("combobox", name="Metric")).to_have_value("val_loss")

    with page.expect_download() as saving:
        tools.get_by_role("button", name="Save the points as CSV: Comparison").click()
    saving.value.save_as(tmp_path / "points.csv")
    head, *rows = (tmp_path / "points.csv").read_text().splitlines()
    assert head == f"Epoch,{first},{second}"
    with JuniperCascorClient(host.cascor.url) as client:
        kept = client.run_metrics(first, ["val_loss"]).series["val_loss"]
    shown = {int(step): float(value) for step, value, _ in (row.split(",") for row in rows) if value}
    assert shown.items() <= dict(zip(kept.step, kept.value, strict=True)).items()


def test_a_run_becomes_a_ghost(page: Page, host: Host) -> None:
    """The Training tab opens, and the address says whose curves lie behind."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    press(page, ".area-run", "Show as ghost")

    expect(page.get_by_role("tab", name="Training")).to_have_attribute("aria-selected", "true")
    assert f"ghost={run}" in page.url
    page.go_back()
    expect(page.get_by_role("tab", name="Runs and snapshots")).to_have_attribute("aria-selected", "true")


def test_the_list_is_sorted_and_searched_by_the_service(page: Page, host: Host) -> None:
    """A heading sorts all runs; words and tags leave those that match."""
    ids = trained(host, 7, 5, 6, tag="sorted")
    open_tab(page)
    page.get_by_role("searchbox", name="Tag").or_(page.get_by_role("combobox", name="Tag")).fill("sorted")
    expect(page.locator(".area-runs tbody tr")).to_have_count(3)

    heading = page.get_by_role("columnheader", name="Seed")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    seeds = page.locator(".area-runs tbody tr td:nth-child(6)")
    expect(seeds).to_have_text(["7", "6", "5"])
    heading.get_by_role("button").click()
    expect(seeds).to_have_text(["5", "6", "7"])

    page.get_by_role("searchbox", name="Find in ids and notes").fill(ids[0])
    expect(page.locator(".area-runs tbody tr")).to_have_count(1)

    expect(page).to_have_url(re.compile(f"runs-find={ids[0]}"))
    page.reload()
    expect(page.locator(".area-runs tbody tr")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Find in ids and notes")).to_have_value(ids[0])
    expect(heading).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("searchbox", name="Find in ids and notes").fill("")
    expect(seeds).to_have_text(["5", "6", "7"])


def test_two_fields_that_are_filled_in_one_breath_both_count(page: Page, host: Host) -> None:
    """The list is asked for once somebody paused typing, with all that stands in the fields."""
    ids = trained(host, 8, 9, tag="breath")
    open_tab(page)
    page.evaluate(
        """(id) => {
        for (const [label, value] of [["Tag", "no such tag"], ["Find in ids and notes", id]]) {
            const field = document.querySelector(`[aria-label="${label}"]`);
            field.value = value;
            field.dispatchEvent(new Event("input"));
        }
    }""",
        ids[0],
    )

    expect(page.get_by_text("No run matches.")).to_be_visible()


def test_a_run_that_starts_appears_and_the_choice_stays(page: Page, host: Host) -> None:
    """The list follows what happens elsewhere; what was ticked and opened stays so."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    row(page, run).get_by_role("checkbox").check()

    (later,) = trained(host, 2)

    expect(row(page, later)).to_contain_text("finished")
    expect(row(page, run).get_by_role("checkbox")).to_be_checked()
    expect(row(page, run)).to_have_class(re.compile("opened"))


def test_notes_and_tags_are_text_whatever_they_hold(page: Page, host: Host) -> None:
    """Markup in them is shown as it was typed, in the list, in the run and in the comparison, and does nothing."""
    first, second = trained(host, 1, 2)
    open_tab(page, run=first, compare=f"{first},{second}")
    page.get_by_role("textbox", name="Notes").fill(HOSTILE)
    page.get_by_role("textbox", name="Tags").fill(f"{HOSTILE}, good")
    press(page, ".area-run", "Save")

    expect(row(page, first)).to_contain_text(HOSTILE)
    expect(page.get_by_role("textbox", name="Notes")).to_have_value(HOSTILE)
    page.reload()
    expect(row(page, first)).to_contain_text(HOSTILE)
    expect(page.locator(".differing")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert "taken" not in page.title()


def test_a_snapshot_is_restored_after_a_question(page: Page, host: Host) -> None:
    """What it replaces is said; then its network is what the page shows."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    page.get_by_role("radio").last.check()
    press(page, ".area-snapshots", "Restore")
    expect(page.get_by_role("dialog")).to_contain_text("with 1 hidden unit.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect_status(page, "COMPLETED")

    press(page, ".area-snapshots", "Restore")
    confirm(page, "Restore")

    expect_status(page, "RESUME_READY")
    page.keyboard.press("1")
    expect(page.locator(".topology-host")).to_have_attribute("data-units", "1")
    expect(page.locator("[data-figure=hidden_units]")).to_have_text("1")
    expect(page.locator(".area-boundary canvas.plane")).to_have_attribute("data-units", "1")


def test_a_training_goes_on_and_grows_on(page: Page, host: Host) -> None:
    """From the middle of a run as it was, and from its end with room for more units; both are runs of their own."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    page.get_by_role("radio").last.check()
    press(page, ".area-snapshots", "Go on")
    expect(page.locator(".area-run")).to_contain_text(f"resumed from {run}")
    expect(page.locator(".area-run .chip")).to_have_text("finished")

    open_tab(page, run=run)
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_disabled()  # the newest is its end
    press(page, ".area-snapshots", "Grow on")
    page.get_by_label("Most hidden units").fill("5")
    confirm(page, "Grow on")
    expect(page.locator(".area-run")).to_contain_text(f"grown on from {run}")
    expect(page.locator(".area-run .facts").first).to_contain_text("Hidden units5")
    expect(page.locator(".area-run .chip")).to_have_text("finished")


def test_a_refusal_is_said_in_words(page: Page, host: Host) -> None:
    """A snapshot that was deleted meanwhile cannot be restored, and the page says so."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    press(page, ".area-snapshots", "Restore")
    with JuniperCascorClient(host.cascor.url) as client:
        client.delete_snapshot(client.snapshots(run_id=run).snapshots[0].id)
    confirm(page, "Restore")

    expect(page.locator(".area-snapshots .alert:visible")).to_contain_text("Could not restore the snapshot: ")


def test_the_same_is_trained_again(page: Page, host: Host) -> None:
    """The same data, parameters and seed make the same network."""
    (run,) = trained(host, 4, patience=2)
    open_tab(page, run=run)
    press(page, ".area-run", "Train again")
    confirm(page, "Train again")
    expect(page).not_to_have_url(re.compile(f"run={run}"))
    again = page.url.partition("run=")[2].partition("&")[0]

    with JuniperCascorClient(host.cascor.url) as client:
        client.wait(again)
        expect(page.locator(".area-run .chip")).to_have_text("finished")
        assert client.run(again).params == client.run(run).params
        assert client.run(again).metrics == client.run(run).metrics


def test_a_growth_is_replayed(page: Page, host: Host) -> None:
    """Every tab shows it, the keyboard steers it, and after it the page shows what stood there before."""
    (run,) = trained(host, 1)
    before = page.locator("[data-figure=epoch]")
    expect(before).to_have_text(re.compile(r"\d"))
    epochs = before.inner_text()
    open_tab(page, run=run)
    press(page, ".area-snapshots", "Replay")
    bar = page.get_by_role("region", name="Replay of a growth")
    expect(bar).to_be_visible()
    expect(page.get_by_test_id("status")).to_have_text("replay")
    bar.get_by_label("Speed").select_option("10")
    expect(bar).to_contain_text(f"{UNITS} hidden units")
    expect(bar).to_have_attribute("data-playing", "false")

    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    slider = bar.get_by_role("slider", name="Step of the growth")
    slider.focus()
    slider.press("Home")
    expect(bar).to_contain_text("step 1 of")
    expect(page.locator(".topology-host")).to_have_attribute("data-units", "1")
    expect(page.locator("[data-figure=hidden_units]")).to_have_text("1")
    slider.press("ArrowRight")
    expect(page.locator(".topology-host")).to_have_attribute("data-units", "2")

    bar.get_by_role("button", name="Stop").press("Enter")
    expect(bar).to_be_hidden()
    expect_status(page, "COMPLETED")
    expect(before).to_have_text(epochs)
    expect(page.locator(".topology-host")).to_have_attribute("data-units", str(UNITS))


def test_a_run_is_paused_and_stopped_from_its_row(page: Page, host: Host) -> None:
    """Buttons follow its state; while it trains it is not deleted, and afterwards it is."""
    request = StartRuns(
        dataset=DatasetSource(generator="xor", params={"seed": 42}), params=RunParameters(pace=5, seed=9)
    )
    with JuniperCascorClient(host.cascor.url) as client:
        (run,) = (queued.id for queued in client.post_runs(request).runs)
    open_tab(page, run=run)
    area = page.locator(".area-run")
    expect(area.get_by_role("button", name="Delete")).to_be_disabled()
    expect(area.locator(".facts").first).to_contain_text(re.compile("Epochs[1-9]"))
    press(page, ".area-run", "Pause")
    expect(area.locator(".chip")).to_have_text("paused")
    press(page, ".area-snapshots", "Take a snapshot now")
    expect(page.locator("[data-snapshot]").first).to_contain_text("whole, can go on")
    press(page, ".area-run", "Resume")
    expect(area.locator(".chip")).to_have_text("running")
    press(page, ".area-run", "Stop")
    expect(area.locator(".chip")).to_have_text("stopped")

    press(page, ".area-run", "Delete")
    confirm(page, "Delete")
    expect(row(page, run)).to_have_count(0)
    assert run not in page.url


def test_snapshots_are_turned_by_pages(page: Page, host: Host) -> None:
    """However many there are, the oldest can be reached, and a link opens their page."""
    (run,) = trained(host, 4, max_hidden_units=55, candidate_epochs=5, output_epochs=5, candidate_pool_size=1)
    open_tab(page, run=run)
    snapshots = page.locator(".area-snapshots")
    rows = snapshots.locator("tbody tr")
    expect(rows).to_have_count(50)
    newest = rows.first.get_attribute("data-snapshot")

    press(page, ".area-snapshots", "Next")
    expect(snapshots.locator(".pager")).to_contain_text(re.compile(r"51 to (\d+) of \1"))
    expect(page).to_have_url(re.compile("snapshots-from=50"))
    page.reload()
    expect(snapshots.locator(".pager")).to_contain_text("51 to")
    press(page, ".area-snapshots", "Previous")
    expect(rows.first).to_have_attribute("data-snapshot", str(newest))


def test_a_snapshot_is_downloaded(page: Page, host: Host, tmp_path: Path) -> None:
    """The file is the one that the training service keeps."""
    (run,) = trained(host, 1)
    open_tab(page, run=run)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    downloading.value.save_as(tmp_path / "from_page.h5")
    with JuniperCascorClient(host.cascor.url) as client:
        client.download_snapshot(client.snapshots(run_id=run).snapshots[0].id, tmp_path / "kept.h5")

    assert downloading.value.suggested_filename.endswith(".h5")
    assert (tmp_path / "from_page.h5").read_bytes() == (tmp_path / "kept.h5").read_bytes()


def test_a_phone_shows_it_in_one_column(page: Page, host: Host) -> None:
    """Nothing is wider than the screen: lists keep what matters most, and scroll inside."""
    first, second = trained(host, 1, 2)
    page.set_viewport_size({"width": 390, "height": 844})
    open_tab(page, run=first, compare=f"{first},{second}")
    expect(page.locator(".area-comparison .chart-host")).to_have_attribute("data-lines", "2")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
