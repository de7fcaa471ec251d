"""The last records of this process's log, kept in memory for whoever asks the service for them."""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from juniper_common import logs
from juniper_common.hiding import Hiding
from juniper_common.wire.host import MAX_LOG_RECORDS, LogPage, LogQuery, LogRecord

MAX_TEXT = 4_000
"""Longer messages and tracebacks are cut: however long the lines, the memory has a bound."""


class RecentRecords(logging.Handler):
    """Keeps the newest records; whatever is secret is hidden before it is kept.

    Args:
        secrets: what must never be shown; the user and password in an address never are.
        capacity: how many records are kept.
    """

    def __init__(self, secrets: Sequence[str] = (), capacity: int = MAX_LOG_RECORDS) -> None:
        super().__init__()
        self._hiding = Hiding(secrets)
        self._kept: deque[tuple[int, LogRecord]] = deque(maxlen=capacity)
        self._last_seq = 0
        self._tracebacks = logging.Formatter()

    @classmethod
    def installed(cls) -> "RecentRecords":
        """The one that the root logger has; an empty one where none was installed."""
        found = next((handler for handler in logging.getLogger().handlers if isinstance(handler, cls)), None)
        return found or cls()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        request_id = logs.request_id.get()
        try:
            kept = LogRecord(
                seq=self._last_seq + 1,
                time=datetime.fromtimestamp(record.created, UTC),
                level=record.levelname,
                logger=record.name,
                message=self._hiding.shown(record.getMessage())[:MAX_TEXT],
                traceback=self._traceback(record),
                run_id=logs.run_id.get(),
                request_id=None if request_id is None else self._hiding.shown(request_id),
            )
        except Exception:  # noqa: BLE001 - as every handler does: a record that cannot be written is told by logging
            self.handleError(record)
            return
        self._last_seq = kept.seq
        self._kept.append((record.levelno, kept))

    def page(self, query: LogQuery) -> LogPage:
        """The records that were asked for."""
        self.acquire()  # Records come from other threads too.
        try:
            kept, last_seq = list(self._kept), self._last_seq
        finally:
            self.release()
        since = query.since or 0
        least = logging.getLevelNamesMapping()[query.level]
        found = [record for level, record in kept if level >= least and record.seq > since]
        shown = found[-query.limit :] if query.since is None else found[: query.limit]
        is_cut = query.since is not None and len(found) > query.limit
        oldest = kept[0][1].seq if kept else 1
        return LogPage(
            records=shown,
            next_since=shown[-1].seq if is_cut else last_seq,
            missed=0 if query.since is None else max(0, oldest - 1 - since),
        )

    def _traceback(self, record: logging.LogRecord) -> str | None:
        if not record.exc_info:
            return None
        # The end of a traceback says what it was.
        return self._hiding.shown(self._tracebacks.formatException(record.exc_info))[-MAX_TEXT:]


def install(secrets: Sequence[str]) -> None:
    """Keep the root logger's records from now on. Call once, after `logs.configure`."""
    logging.getLogger().addHandler(RecentRecords(secrets))
