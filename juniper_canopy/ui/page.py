"""What each tab of the page is built with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui.next_dataset import NextDataset
from juniper_canopy.ui.reported import Reported

TabName = Literal["training", "network", "data", "runs", "system"]


@dataclass(frozen=True, slots=True)
class Page:
    """One browser's page.

    Args:
        backend: whom to ask and to command.
        reported: what the controls may do; one for the process.
        open_tab: turns the browser to another tab.
        next_dataset: what the next run begins with.
    """

    backend: BackendProtocol
    reported: Reported
    open_tab: Callable[[TabName], None]
    next_dataset: NextDataset = field(default_factory=NextDataset)
