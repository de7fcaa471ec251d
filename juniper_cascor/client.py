"""Clients of the training service: one for threads, one for event loops, the same calls in both.

Each call raises a `juniper_common.http.ClientError` where it does not succeed: an `UnreachableError` without an answer,
a `ResponseError` of its status with one. What a call takes and answers stands in `juniper_cascor.calls`; what watches
and commands over WebSockets, in `juniper_cascor.streams`.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from juniper_cascor import calls
from juniper_cascor.calls import Command, RunCommand
from juniper_cascor.streams import ADDRESSED, CascorControlStream, CascorTrainingStream
from juniper_common.asking import AsyncServiceClient, ServiceClient, awaited, sent
from juniper_common.atomic_file import replace_atomically
from juniper_common.wire.runs import RunDetail

__all__ = [
    "ADDRESSED",
    "AsyncJuniperCascorClient",
    "CascorControlStream",
    "CascorTrainingStream",
    "Command",
    "JuniperCascorClient",
    "RunCommand",
]

_SHORTEST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5


class JuniperCascorClient(ServiceClient):
    """The training service, for threads. Use it as a context manager, or call `close`. Arguments as HttpClient's."""

    create_network = sent(calls.create_network)
    network = sent(calls.network)
    delete_network = sent(calls.delete_network)
    topology = sent(calls.topology)
    stats = sent(calls.stats)
    change_weights = sent(calls.change_weights)
    add_hidden_unit = sent(calls.add_hidden_unit)
    remove_hidden_unit = sent(calls.remove_hidden_unit)
    start = sent(calls.start)
    command = sent(calls.command)
    status = sent(calls.status)
    params = sent(calls.params)
    change = sent(calls.change)
    metrics = sent(calls.metrics)
    history = sent(calls.history)
    dataset = sent(calls.dataset)
    dataset_data = sent(calls.dataset_data)
    swap_dataset = sent(calls.swap_dataset)
    decision_boundary = sent(calls.decision_boundary)
    post_runs = sent(calls.post_runs)
    runs = sent(calls.runs)
    run = sent(calls.run)
    run_metrics = sent(calls.run_metrics)
    compare_runs = sent(calls.compare_runs)
    annotate_run = sent(calls.annotate_run)
    delete_run = sent(calls.delete_run)
    command_run = sent(calls.command_run)
    snapshots = sent(calls.snapshots)
    snapshot = sent(calls.snapshot)
    snapshot_boundary = sent(calls.snapshot_boundary)
    take_snapshot = sent(calls.take_snapshot)
    delete_snapshot = sent(calls.delete_snapshot)
    restore_snapshot = sent(calls.restore_snapshot)
    resume_snapshot = sent(calls.resume_snapshot)
    retrain_snapshot = sent(calls.retrain_snapshot)
    replay_snapshot = sent(calls.replay_snapshot)
    replay = sent(calls.replay)
    control_replay = sent(calls.control_replay)
    predict = sent(calls.predict)
    models = sent(calls.models)
    model = sent(calls.model)
    model_version = sent(calls.model_version)
    promote_model = sent(calls.promote_model)
    predict_by_model = sent(calls.predict_by_model)
    roll_back_model = sent(calls.roll_back_model)
    delete_model = sent(calls.delete_model)
    workers = sent(calls.workers)
    worker_stats = sent(calls.worker_stats)
    worker = sent(calls.worker)
    host = sent(calls.host)
    logs = sent(calls.logs)

    def download_snapshot(self, snapshot_id: str, path: Path) -> None:
        """Put the snapshot's file at `path`, whole or not at all. Raises NotFoundError, OSError."""
        replace_atomically(path, self.send(calls.snapshot_file(snapshot_id)).content)

    def wait(self, run_id: str, timeout_s: float | None = None) -> RunDetail:
        """Return the run's record once the run is over. Raises NotFoundError, TimeoutError."""
        pauses = _pauses_s(timeout_s)
        while (run := self.run(run_id)).ended_at is None:
            time.sleep(_next(pauses, run))
        return run


class AsyncJuniperCascorClient(AsyncServiceClient):
    """The training service, for event loops. Arguments as HttpClient's."""

    create_network = awaited(calls.create_network)
    network = awaited(calls.network)
    delete_network = awaited(calls.delete_network)
    topology = awaited(calls.topology)
    stats = awaited(calls.stats)
    change_weights = awaited(calls.change_weights)
    add_hidden_unit = awaited(calls.add_hidden_unit)
    remove_hidden_unit = awaited(calls.remove_hidden_unit)
    start = awaited(calls.start)
    command = awaited(calls.command)
    status = awaited(calls.status)
    params = awaited(calls.params)
    change = awaited(calls.change)
    metrics = awaited(calls.metrics)
    history = awaited(calls.history)
    dataset = awaited(calls.dataset)
    dataset_data = awaited(calls.dataset_data)
    swap_dataset = awaited(calls.swap_dataset)
    decision_boundary = awaited(calls.decision_boundary)
    post_runs = awaited(calls.post_runs)
    runs = awaited(calls.runs)
    run = awaited(calls.run)
    run_metrics = awaited(calls.run_metrics)
    compare_runs = awaited(calls.compare_runs)
    annotate_run = awaited(calls.annotate_run)
    delete_run = awaited(calls.delete_run)
    command_run = awaited(calls.command_run)
    snapshots = awaited(calls.snapshots)
    snapshot = awaited(calls.snapshot)
    snapshot_boundary = awaited(calls.snapshot_boundary)
    take_snapshot = awaited(calls.take_snapshot)
    delete_snapshot = awaited(calls.delete_snapshot)
    restore_snapshot = awaited(calls.restore_snapshot)
    resume_snapshot = awaited(calls.resume_snapshot)
    retrain_snapshot = awaited(calls.retrain_snapshot)
    replay_snapshot = awaited(calls.replay_snapshot)
    replay = awaited(calls.replay)
    control_replay = awaited(calls.control_replay)
    predict = awaited(calls.predict)
    models = awaited(calls.models)
    model = awaited(calls.model)
    model_version = awaited(calls.model_version)
    promote_model = awaited(calls.promote_model)
    predict_by_model = awaited(calls.predict_by_model)
    roll_back_model = awaited(calls.roll_back_model)
    delete_model = awaited(calls.delete_model)
    workers = awaited(calls.workers)
    worker_stats = awaited(calls.worker_stats)
    worker = awaited(calls.worker)
    host = awaited(calls.host)
    logs = awaited(calls.logs)

    async def download_snapshot(self, snapshot_id: str, path: Path) -> None:
        """Put the snapshot's file at `path`; see JuniperCascorClient. The disk is waited for in a thread."""
        content = (await self.send(calls.snapshot_file(snapshot_id))).content
        await asyncio.to_thread(replace_atomically, path, content)

    async def wait(self, run_id: str, timeout_s: float | None = None) -> RunDetail:
        """Return the run's record once the run is over. Raises NotFoundError, TimeoutError."""
        pauses = _pauses_s(timeout_s)
        while (run := await self.run(run_id)).ended_at is None:
            await asyncio.sleep(_next(pauses, run))
        return run


def _pauses_s(timeout_s: float | None) -> Iterator[float]:
    """How long to wait between two looks, until the time is over: short at first, since many runs are."""
    deadline, pause_s = time.monotonic() + (float("inf") if timeout_s is None else timeout_s), _SHORTEST_PAUSE_S
    while time.monotonic() < deadline:
        yield pause_s
        pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)


def _next(pauses: Iterator[float], run: RunDetail) -> float:
    if (pause_s := next(pauses, None)) is None:
        raise TimeoutError(f"run {run.id} is {run.status}, and was not over in time")
    return pause_s
