"""The modules that a page is told of ahead."""

from __future__ import annotations

import re

from juniper_canopy.ui import assets

VIEWS = ("about", "boundary", "chart", "crossbar", "runs", "system-charts", "tabs")


def test_a_page_is_told_of_all_that_its_views_import() -> None:
    """None is found only by reading another one, which takes a round trip each time."""
    modules = assets.modules_of(frozenset({"chart"}))
    assert {"metric_chart.js", "line_plot.js", "vendor/uplot/uPlot.esm.js", "bus.js", "frame.js"} <= set(modules)
    for module in modules:
        text = (assets.STATIC / module).read_text("utf-8")
        imported = re.findall(r'(?:^|;|\n)\s*(?:import|export)\b[^;"()]*"canopy/([^"]+)"', text)
        assert set(imported) <= set(modules)


def test_a_page_is_told_of_nothing_else() -> None:
    """Another tab's views are fetched when it is opened."""
    modules = assets.modules_of(frozenset({"about", "tabs"}))
    assert "tabs.js" in modules
    assert not {"metric_chart.js", "vendor/uplot/uPlot.esm.js", "run_table.js"} & set(modules)


def test_every_view_is_found() -> None:
    """However its place is written."""
    for view in VIEWS:
        assert assets.modules_of(frozenset({view}))


def test_the_page_names_them_by_their_address() -> None:
    """With the style sheets."""
    head = assets.head_html("/esm/key", frozenset({"tabs"}))
    assert '<link rel="modulepreload" href="/esm/key/tabs.js">' in head
    assert '<link rel="stylesheet" href="/esm/key/colours.css">' in head
