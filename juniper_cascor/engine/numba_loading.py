"""Compiled loops are loaded from numba's cache in part of a second, or compiled in some seconds, which is logged."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)


def load(kernels: Sequence[tuple[Any, *tuple[str, ...]]]) -> None:
    """Make loops ready: functions compiled by numba, each with its signatures, the quickest to compile first.

    The cache is the folder NUMBA_CACHE_DIR, or stands beside the functions' file.
    """
    for number, (kernel, *signatures) in enumerate(kernels, start=1):
        if kernel.signatures:
            continue
        began = time.perf_counter()
        for signature in signatures:
            kernel.compile(signature)
        # Else a call with other types would compile anew: in the midst of a run, and for longer than one may hang.
        kernel.disable_compile()
        if kernel.stats.cache_misses:
            if number == 1:
                log.info("no compiled loops in %s: compiling them takes some seconds", kernel.stats.cache_path)
            seconds = time.perf_counter() - began
            log.info("compiled %s (%d of %d) in %.1f s", kernel.__name__, number, len(kernels), seconds)
