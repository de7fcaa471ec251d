"""Where log records go: to the journal as entries with fields, to a terminal as lines.

Records carry the run, the dataset, the request and the phase that they belong to; these travel in context variables, so
no call passes them on.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from datetime import datetime

from juniper_common import journal
from juniper_common.hiding import Hiding
from juniper_common.journal import Journal
from juniper_common.log_limit import LimitedHandler

run_id: ContextVar[str | None] = ContextVar("run_id", default=None)
dataset_id: ContextVar[str | None] = ContextVar("dataset_id", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
phase: ContextVar[str | None] = ContextVar("phase", default=None)

MAX_VALUE = 200
"""Longer ids are cut: those in a path are a caller's."""

_CONTEXT = {"run": run_id, "dataset": dataset_id, "request": request_id, "phase": phase}
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
_NOISY = ("uvicorn.access", "uvicorn.sockets", "httpx", "httpcore", "websockets", "asyncio", "numba")

# Some would make a terminal do things, and the journal shows no text that has one. Of a text its lines and tabs stay.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS_IN_TEXT = {code: spelled for code, spelled in _CONTROLS.items() if chr(code) not in "\t\n"}


def configure(
    level: str, identifier: str, secrets: Sequence[str] = (), *, journal_address: str = journal.SOCKET
) -> None:
    """Send the root logger's records to the journal or to standard error. Call when a process starts.

    Args:
        level: the least that is told.
        identifier: who says it; the unit's SyslogIdentifier=.
        secrets: what must never be told.
        journal_address: where the journal listens.
    """
    handler = LimitedHandler(_handler(identifier, Hiding(secrets), journal_address))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # It warns of each retry without a word of whom it asks; the error that is left in the end says it.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    logging.getLogger("psycopg").setLevel(logging.ERROR)


@contextlib.contextmanager
def about(run: str | None = None, dataset: str | None = None, phase_name: str | None = None) -> Iterator[None]:
    """What is logged in it tells of this run, dataset and phase, or of none."""
    tokens = [(run_id, run_id.set(run)), (dataset_id, dataset_id.set(dataset)), (phase, phase.set(phase_name))]
    try:
        yield
    finally:
        for variable, token in tokens:
            variable.reset(token)


def _handler(identifier: str, hiding: Hiding, journal_address: str) -> logging.Handler:
    lines = logging.StreamHandler(sys.stderr)
    if not journal.is_standard_error():
        lines.setFormatter(TerminalFormatter(hiding))
        return lines
    lines.setFormatter(JournalLineFormatter(hiding))
    return JournalHandler(Journal(journal_address), identifier, hiding, otherwise=lines)


def _is_news(record: logging.LogRecord) -> bool:
    """Why an answer was cut off was said before; the server says only that it was."""
    return record.msg != "ASGI callable returned without completing response."


def _context() -> dict[str, str]:
    """What is known of run, dataset, request and phase."""
    values = {name: variable.get() for name, variable in _CONTEXT.items()}
    return {name: value[:MAX_VALUE].translate(_CONTROLS) for name, value in values.items() if value}


class _TextFormatter(logging.Formatter):
    """The message, and the traceback below it."""

    def __init__(self, hiding: Hiding) -> None:
        super().__init__()
        self._hiding = hiding

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return self._hiding.shown(super().format(record)).translate(_CONTROLS_IN_TEXT)


class _LineFormatter(_TextFormatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name; a traceback comes after it
        return " ".join([record.message, *(f"{name}={value}" for name, value in _context().items())])


class JournalLineFormatter(_LineFormatter):
    """`<priority>message run=… request=…`; each further line repeats the priority, since the journal reads lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        prefix = f"<{_priority(record)}>"
        return "\n".join(prefix + line for line in super().format(record).split("\n"))


class TerminalFormatter(_LineFormatter):
    """`time LEVEL logger: message run=… request=…`; no further line begins where a record does."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        text = super().format(record).replace("\n", "\n    ")
        return f"{time} {record.levelname:7} {record.name}: {text}"


class JournalHandler(logging.Handler):
    """One entry per record, with its traceback and its context.

    Args:
        entries: the journal.
        identifier: who says it.
        hiding: keeps secrets out of text and fields.
        otherwise: takes what the journal does not.
    """

    def __init__(self, entries: Journal, identifier: str, hiding: Hiding, otherwise: logging.Handler) -> None:
        super().__init__()
        self.setFormatter(_TextFormatter(hiding))
        self._journal = entries
        self._identifier = identifier
        self._hiding = hiding
        self._otherwise = otherwise

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            fields = self._fields(record)
        except Exception:  # noqa: BLE001 - as every handler does: a record that cannot be written is told by logging
            self.handleError(record)
            return
        try:
            self._journal.send(fields)
        except OSError:
            self._otherwise.handle(record)

    def close(self) -> None:
        """Close the socket."""
        self._journal.close()
        super().close()

    def _fields(self, record: logging.LogRecord) -> dict[str, str]:
        return {
            "MESSAGE": self.format(record),
            "PRIORITY": str(_priority(record)),
            "SYSLOG_IDENTIFIER": self._identifier,
            "LOGGER": record.name,
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            **{f"JUNIPER_{name.upper()}": self._hiding.shown(value) for name, value in _context().items()},
        }


def _priority(record: logging.LogRecord) -> int:
    return _PRIORITIES.get(record.levelno, 6)
