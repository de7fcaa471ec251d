"""The page of figures."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.engine.machine import describe

from .figures import Line, table


def rendered(title: str, lines: Sequence[Line], command: str, minutes: float) -> str:
    """The whole page."""
    budgets = [line for line in lines if line.is_met is not None]
    met = sum(line.is_met is True for line in budgets)
    machine = "\n".join(f"| {name} | {value} |" for name, value in describe().items() if name != "FANN")
    return "\n".join(
        [
            f"# {title}\n",
            f"`{command}`, {minutes:.0f} minutes. How to run it: [benchmarks](../benchmarks.md).\n",
            "|  |  |",
            "|---|---|",
            f"{machine}\n",
            "## Budgets\n",
            f"{met} of {len(budgets)} are met.\n",
            table(lines),
        ]
    )
