"""What the training service does by itself from its start to its end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.background import Background
from juniper_cascor.engine import backends
from juniper_cascor.runs import auto_start, retention
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.recorder import Recorder
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.runs import Runs
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_cascor.settings import CascorSettings
from juniper_common.notify import Notifier

RESTORE_STEP_S = 30.0
"""How long it may take to read what one interrupted run has left."""

STATUS_S = 2.0
SWEEP_S = 3_600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Life:
    """The parts of the service that live as long as it does."""

    settings: CascorSettings
    store: RunStore
    recorder: Recorder
    queue: RunQueue
    runs: Runs
    foreground: Foreground
    snapshots: Path
    datasets: Datasets
    notifier: Notifier

    @asynccontextmanager
    async def lived(self) -> AsyncIterator[None]:
        """Take up what was interrupted, work, and leave all so that the next start can take it up again."""
        background = Background()
        background.spawn(self.recorder.run(), "recorder")
        try:
            await self.queue.warm_up()  # already now: it takes its time, and restoring waits for the disk
            held = await self._restore()
            self.queue.open()
            # Only now: a run that goes on by itself is shown rather than one that waits for somebody.
            for session in held:
                self.foreground.stage.offer(session)
            background.spawn(_look_for_gpus(), "look for GPUs")
            background.spawn(self._tell_status(), "status")
            background.spawn(self._keep_house(), "retention")
            if self.settings.auto_start:
                request = auto_start.request_of(self.settings)
                background.spawn(auto_start.start(self.foreground, request), "auto-start")
            yield
        finally:
            await background.close()
            await self.foreground.close()
            await self.queue.close()
            await self.recorder.flush()
            self.store.close()

    async def _restore(self) -> list[Session]:
        """Take up what was interrupted; the runs that do not go on by themselves."""
        held = []
        self.notifier.extend_timeout(RESTORE_STEP_S)
        async for session in self.runs.recover():
            self.notifier.extend_timeout(RESTORE_STEP_S)
            self.notifier.status(f"restored run {session.run_id}: {session.state.status} at {session.state.epoch}")
            if session.state.status == "RESUME_READY":
                held.append(session)
        return held

    async def _tell_status(self) -> None:
        told = ""
        while True:
            text = status_line(self.queue)
            if text != told:
                self.notifier.status(text)
                told = text
            await asyncio.sleep(STATUS_S)

    async def _keep_house(self) -> None:
        """Delete what is kept no longer, every hour."""
        while True:
            session = self.foreground.stage.session
            try:
                swept = await asyncio.to_thread(
                    retention.sweep,
                    self.store,
                    self.snapshots,
                    self.datasets.folder,
                    keep_runs=self.settings.keep_runs,
                    keep_days=self.settings.keep_days,
                    now=time.time(),
                    spared={session.run_id} if session else (),
                )
            except (StoreError, OSError) as error:
                log.error("what is kept no longer could not be deleted: %s", error)
            else:
                if swept.runs or swept.datasets:
                    log.info("deleted %d runs and %d datasets", len(swept.runs), len(swept.datasets))
                for problem in swept.problems:
                    log.warning("%s", problem)
            await asyncio.sleep(SWEEP_S)


async def _look_for_gpus() -> None:
    """Before the first run asks: it may take seconds to wake a GPU up."""
    usable = await asyncio.to_thread(backends.usable_on_gpu)
    log.info("back ends of a GPU: %s", ", ".join(sorted(usable)) or "none (juniper-ctl doctor says why)")


def status_line(queue: RunQueue) -> str:
    """What the service does, in one line."""
    waiting = f"; {len(queue.waiting)} runs wait" if queue.waiting else ""
    lines = [f"run {session.run_id} {session.state.status} at epoch {session.state.epoch}" for session in queue.working]
    return ("; ".join(lines) or "ready, nothing trains") + waiting
