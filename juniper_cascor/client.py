"""Clients of the training service: one for threads, one for event loops, the same calls in both.

Each call raises a `juniper_common.http.ClientError` where it does not succeed: an `UnreachableError` without an answer,
a `ResponseError` of its status with one. What a call takes and answers stands in `juniper_cascor.calls`; what watches
and commands over WebSockets, in `juniper_cascor.streams`.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

import httpx
from pydantic import ValidationError

from juniper_cascor import calls
from juniper_cascor.atomic_file import replace_atomically
from juniper_cascor.calls import Ask, Command
from juniper_cascor.streams import ADDRESSED, CascorControlStream, CascorTrainingStream
from juniper_common.http import AsyncHttpClient, ClientError, HttpClient, UnreachableError
from juniper_common.wire.envelope import Success
from juniper_common.wire.runs import RunDetail

__all__ = [
    "ADDRESSED",
    "AsyncJuniperCascorClient",
    "CascorControlStream",
    "CascorTrainingStream",
    "Command",
    "JuniperCascorClient",
]

_READY = "/v1/health/ready"
_READY_TIMEOUT_S = 2.0
_POLL_S = 0.1
_SHORTEST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5

P = ParamSpec("P")
T = TypeVar("T")


def _sent(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[HttpClient, P], T]:
    """The method that sends what `ask` builds, and reads the answer."""

    def method(self: HttpClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = ask(*args, **kwargs)
        return _read(asked, self.send(asked.call))

    return _documented(method, ask)


def _awaited(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[AsyncHttpClient, P], Coroutine[None, None, T]]:
    """The same for an event loop."""

    async def method(self: AsyncHttpClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = ask(*args, **kwargs)
        return _read(asked, await self.send(asked.call))

    return _documented(method, ask)


def _documented(method: Callable[..., T], ask: Callable[..., Ask[Any]]) -> Callable[..., T]:
    """The method with the name, signature and documentation of the call, for `help` and editors."""
    functools.update_wrapper(method, ask)
    signature = inspect.signature(ask)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    (answer,) = get_args(signature.return_annotation)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined] # a function's, as PEP 362 has it
        parameters=[this, *signature.parameters.values()], return_annotation=answer
    )
    return method


class JuniperCascorClient(HttpClient):
    """The training service, for threads. Use it as a context manager, or call `close`. Arguments as HttpClient's."""

    create_network = _sent(calls.create_network)
    network = _sent(calls.network)
    delete_network = _sent(calls.delete_network)
    topology = _sent(calls.topology)
    stats = _sent(calls.stats)
    change_weights = _sent(calls.change_weights)
    add_hidden_unit = _sent(calls.add_hidden_unit)
    remove_hidden_unit = _sent(calls.remove_hidden_unit)
    start = _sent(calls.start)
    command = _sent(calls.command)
    status = _sent(calls.status)
    params = _sent(calls.params)
    change = _sent(calls.change)
    metrics = _sent(calls.metrics)
    history = _sent(calls.history)
    dataset = _sent(calls.dataset)
    dataset_data = _sent(calls.dataset_data)
    swap_dataset = _sent(calls.swap_dataset)
    decision_boundary = _sent(calls.decision_boundary)
    post_runs = _sent(calls.post_runs)
    runs = _sent(calls.runs)
    run = _sent(calls.run)
    run_metrics = _sent(calls.run_metrics)
    compare_runs = _sent(calls.compare_runs)
    annotate_run = _sent(calls.annotate_run)
    delete_run = _sent(calls.delete_run)
    command_run = _sent(calls.command_run)
    snapshots = _sent(calls.snapshots)
    snapshot = _sent(calls.snapshot)
    take_snapshot = _sent(calls.take_snapshot)
    delete_snapshot = _sent(calls.delete_snapshot)
    restore_snapshot = _sent(calls.restore_snapshot)
    resume_snapshot = _sent(calls.resume_snapshot)
    retrain_snapshot = _sent(calls.retrain_snapshot)
    replay_snapshot = _sent(calls.replay_snapshot)
    replay = _sent(calls.replay)
    control_replay = _sent(calls.control_replay)
    predict = _sent(calls.predict)
    models = _sent(calls.models)
    model = _sent(calls.model)
    model_version = _sent(calls.model_version)
    promote_model = _sent(calls.promote_model)
    predict_by_model = _sent(calls.predict_by_model)
    roll_back_model = _sent(calls.roll_back_model)
    delete_model = _sent(calls.delete_model)
    workers = _sent(calls.workers)
    worker_stats = _sent(calls.worker_stats)
    worker = _sent(calls.worker)
    host = _sent(calls.host)
    logs = _sent(calls.logs)

    def download_snapshot(self, snapshot_id: str, path: Path) -> None:
        """Put the snapshot's file at `path`, whole or not at all. Raises NotFoundError, OSError."""
        replace_atomically(path, self.send(calls.snapshot_file(snapshot_id)).content)

    def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return self._http.get(_READY, timeout=_READY_TIMEOUT_S).is_success
        except httpx.TransportError:
            return False

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            time.sleep(_POLL_S)

    def wait(self, run_id: str, timeout_s: float | None = None) -> RunDetail:
        """Return the run's record once the run is over. Raises NotFoundError, TimeoutError."""
        pauses = _pauses_s(timeout_s)
        while (run := self.run(run_id)).ended_at is None:
            time.sleep(_next(pauses, run))
        return run


class AsyncJuniperCascorClient(AsyncHttpClient):
    """The training service, for event loops. Arguments as HttpClient's."""

    create_network = _awaited(calls.create_network)
    network = _awaited(calls.network)
    delete_network = _awaited(calls.delete_network)
    topology = _awaited(calls.topology)
    stats = _awaited(calls.stats)
    change_weights = _awaited(calls.change_weights)
    add_hidden_unit = _awaited(calls.add_hidden_unit)
    remove_hidden_unit = _awaited(calls.remove_hidden_unit)
    start = _awaited(calls.start)
    command = _awaited(calls.command)
    status = _awaited(calls.status)
    params = _awaited(calls.params)
    change = _awaited(calls.change)
    metrics = _awaited(calls.metrics)
    history = _awaited(calls.history)
    dataset = _awaited(calls.dataset)
    dataset_data = _awaited(calls.dataset_data)
    swap_dataset = _awaited(calls.swap_dataset)
    decision_boundary = _awaited(calls.decision_boundary)
    post_runs = _awaited(calls.post_runs)
    runs = _awaited(calls.runs)
    run = _awaited(calls.run)
    run_metrics = _awaited(calls.run_metrics)
    compare_runs = _awaited(calls.compare_runs)
    annotate_run = _awaited(calls.annotate_run)
    delete_run = _awaited(calls.delete_run)
    command_run = _awaited(calls.command_run)
    snapshots = _awaited(calls.snapshots)
    snapshot = _awaited(calls.snapshot)
    take_snapshot = _awaited(calls.take_snapshot)
    delete_snapshot = _awaited(calls.delete_snapshot)
    restore_snapshot = _awaited(calls.restore_snapshot)
    resume_snapshot = _awaited(calls.resume_snapshot)
    retrain_snapshot = _awaited(calls.retrain_snapshot)
    replay_snapshot = _awaited(calls.replay_snapshot)
    replay = _awaited(calls.replay)
    control_replay = _awaited(calls.control_replay)
    predict = _awaited(calls.predict)
    models = _awaited(calls.models)
    model = _awaited(calls.model)
    model_version = _awaited(calls.model_version)
    promote_model = _awaited(calls.promote_model)
    predict_by_model = _awaited(calls.predict_by_model)
    roll_back_model = _awaited(calls.roll_back_model)
    delete_model = _awaited(calls.delete_model)
    workers = _awaited(calls.workers)
    worker_stats = _awaited(calls.worker_stats)
    worker = _awaited(calls.worker)
    host = _awaited(calls.host)
    logs = _awaited(calls.logs)

    async def download_snapshot(self, snapshot_id: str, path: Path) -> None:
        """Put the snapshot's file at `path`; see JuniperCascorClient. The disk is waited for in a thread."""
        content = (await self.send(calls.snapshot_file(snapshot_id))).content
        await asyncio.to_thread(replace_atomically, path, content)

    async def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return (await self._http.get(_READY, timeout=_READY_TIMEOUT_S)).is_success
        except httpx.TransportError:
            return False

    async def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not await self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            await asyncio.sleep(_POLL_S)

    async def wait(self, run_id: str, timeout_s: float | None = None) -> RunDetail:
        """Return the run's record once the run is over. Raises NotFoundError, TimeoutError."""
        pauses = _pauses_s(timeout_s)
        while (run := await self.run(run_id)).ended_at is None:
            await asyncio.sleep(_next(pauses, run))
        return run


def _read(asked: Ask[T], response: httpx.Response) -> T:
    kind = asked.answer
    if kind is type(None):  # Whatever came says that it is done.
        return kind()
    try:
        return Success[kind].model_validate_json(response.content).data  # type: ignore[valid-type]
    except ValidationError as error:
        raise ClientError(f"{response.url}: not an answer of the training service: {error}") from error


def _check_deadline(http: httpx.Client | httpx.AsyncClient, deadline: float, timeout_s: float) -> None:
    if time.monotonic() >= deadline:
        raise UnreachableError(f"{http.base_url}: not ready within {timeout_s:g} s")


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
