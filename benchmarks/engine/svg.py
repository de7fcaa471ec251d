"""Figures as SVG that comes out the same for the same numbers."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure


def save(figure: Figure, file: Path) -> None:
    """Write a figure."""
    with mpl.rc_context({"svg.hashsalt": "juniper", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None})
