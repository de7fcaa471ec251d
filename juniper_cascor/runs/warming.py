"""Tells the service that the trainer still warms up: on a busy machine it compiles for minutes, and does not hang."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.report import HEARTBEAT_S

_IDLE_S = 0.005
"""Telling alone takes less of a processor than this."""


@contextmanager
def told(
    send: Callable[[Message], None],
    period_s: float = HEARTBEAT_S,
    worked_s: Callable[[], float] = time.process_time,
) -> Iterator[None]:
    """Send `warming` each period in which the process has worked; one that hangs is silent.

    Args:
        send: to the service. Nobody else may send meanwhile.
        period_s: from one to the next.
        worked_s: processor seconds of this process so far.
    """
    is_over = threading.Event()

    def tell() -> None:
        before_s = worked_s()
        while not is_over.wait(period_s):
            now_s = worked_s()
            if now_s - before_s > _IDLE_S:
                try:
                    send(Message("warming"))
                except BrokenPipeError:
                    return  # The service is gone, which the trainer hears when it says that it is ready.
            before_s = now_s

    teller = threading.Thread(target=tell, name="warming")
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()
