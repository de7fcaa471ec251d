"""One line per record: with a priority the journal understands under systemd, with a time on a terminal.

Records carry the request and the run they belong to; both travel in context variables, so no call passes them on.
"""

import logging
import os
import sys
from contextvars import ContextVar
from datetime import datetime

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
run_id: ContextVar[str | None] = ContextVar("run_id", default=None)

_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
_NOISY = ("uvicorn.access", "uvicorn.sockets", "httpx", "httpcore", "websockets", "asyncio", "numba")


def configure(level: str) -> None:
    """Send the root logger's records to standard error. Call when a process starts."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if "JOURNAL_STREAM" in os.environ else TerminalFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # It warns of each retry without a word of whom it asks; the error that is left in the end says it.
    logging.getLogger("stamina").setLevel(logging.ERROR)


def _is_news(record: logging.LogRecord) -> bool:
    """Why an answer was cut off was said before; the server says only that it was."""
    return record.msg != "ASGI callable returned without completing response."


class _ContextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name; a traceback comes after it
        fields = (("run", run_id.get()), ("request", request_id.get()))
        return " ".join([record.message, *(f"{name}={value}" for name, value in fields if value)])


class JournalFormatter(_ContextFormatter):
    """`<priority>message run=… request=…`; each further line repeats the priority, since the journal reads lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


class TerminalFormatter(_ContextFormatter):
    """`time LEVEL logger: message run=… request=…`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        return f"{time} {record.levelname:7} {record.name}: {super().format(record)}"
