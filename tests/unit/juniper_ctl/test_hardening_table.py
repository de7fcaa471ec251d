"""The units, the table of what is tried against them, and the page that tells it."""

from pathlib import Path

from tests.host import probes, sandbox

PAGE = Path(__file__).parents[3] / "docs/hardening.md"


def said_of(probe: str) -> str:
    """What it tries, as the page says it."""
    said = probes.PROBES[probe].__doc__ or ""
    return said[0].lower() + said[1:].removesuffix(".")


def rows() -> set[str]:
    """What the page's tables must say."""
    refused: dict[str, list[str]] = {}
    for barrier in sandbox.BARRIERS:
        refused.setdefault(barrier.line, []).extend(said_of(probe) for probe in barrier.probes)
    told = {line: "; ".join(dict.fromkeys(tried)) for line, tried in refused.items()}
    still = {said_of(probe): why for probe, why in sandbox.NOT_HELD.items()}
    return {
        *(f"| `{line}` | {why} |" for line, why in (told | sandbox.OPENINGS | sandbox.UNPROVEN).items()),
        *(f"| {what} | {why} |" for what, why in still.items()),
    }


def test_each_line_of_the_sandbox_is_in_the_table() -> None:
    """A line that is added to the units is proven, or said to be unproven; what is in the table stands in a unit."""
    files = [path for path in sandbox.UNITS.rglob("*") if path.suffix in (".service", ".conf")]
    barriers = {barrier.line for barrier in sandbox.BARRIERS}
    assert set(sandbox.lines_of(files)) == barriers | set(sandbox.OPENINGS) | set(sandbox.UNPROVEN)


def test_each_probe_is_used() -> None:
    """None is tried for nothing."""
    tried = {probe for barrier in sandbox.BARRIERS for probe in barrier.probes}
    assert tried | set(sandbox.NOT_HELD) == set(probes.PROBES)


def test_the_page_tells_the_table() -> None:
    """Line for line, and nothing besides."""
    text = PAGE.read_text(encoding="utf-8").splitlines()
    heads = ("| line", "| what", "|--")
    assert sorted(line for line in text if line.startswith("|") and not line.startswith(heads)) == sorted(rows())
