"""The dataset that this page's next run begins with: the Data tab names it, the controls take it up."""

from collections.abc import Awaitable, Callable


class NextDataset:
    """A stored dataset's id, or None until one is named."""

    def __init__(self) -> None:
        self.dataset_id: str | None = None
        self._listeners: list[Callable[[], Awaitable[None]]] = []

    def follow(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call it whenever another is named."""
        self._listeners.append(listener)

    async def name(self, dataset_id: str) -> None:
        """This one."""
        self.dataset_id = dataset_id
        for listener in self._listeners:
            await listener()
