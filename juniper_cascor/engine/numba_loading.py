"""Compiled loops are loaded from numba's cache in part of a second, or compiled in some seconds, which is logged."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)


def load(kernels: Sequence[tuple[Any, str]]) -> None:
    """Make loops ready: pairs of a function compiled by numba and its signature, the quickest to compile first.

    The cache is the folder NUMBA_CACHE_DIR, or stands beside the functions' file.
    """
    for number, (kernel, signature) in enumerate(kernels, start=1):
        if kernel.signatures:
            continue
        began = time.perf_counter()
        kernel.compile(signature)
        if kernel.stats.cache_misses:
            if number == 1:
                log.info("no compiled loops in %s: compiling them takes some seconds", kernel.stats.cache_path)
            seconds = time.perf_counter() - began
            log.info("compiled %s (%d of %d) in %.1f s", kernel.__name__, number, len(kernels), seconds)
