"""What log records say that they belong to, as a handler of the service sees it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from juniper_common import logs


@dataclass(frozen=True)
class Told:
    """One record, and its context."""

    message: str
    run: str | None
    dataset: str | None
    phase: str | None


class _Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(Told(record.getMessage(), logs.run_id.get(), logs.dataset_id.get(), logs.phase.get()))


@contextmanager
def told_by(logger: str) -> Iterator[list[Told]]:
    """The records of a logger from now on, whatever their level."""
    log, keeping = logging.getLogger(logger), _Keeping()
    level = log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(keeping)
    try:
        yield keeping.told
    finally:
        log.removeHandler(keeping)
        log.setLevel(level)
