"""Records real runs for the fakes: `python -m juniper_cascor.testing.record`.

It starts both services in this process and lets a real trainer train. Each file is one run in the service's own words,
in which names, times and sizes were made uniform: what differs between two recordings is then what has drifted.
"""

import asyncio
import gzip
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvicorn
from pydantic import JsonValue
from starlette.types import ASGIApp

from juniper_cascor import calls, snapshots
from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream, JuniperCascorClient
from juniper_cascor.settings import CascorSettings
from juniper_cascor.testing.recording import Recording, RecordingName, Step
from juniper_common.server import Sockets
from juniper_common.wire.host import CpuUse, HostReport, MemoryUse
from juniper_common.wire.models import PromoteModel
from juniper_common.wire.snapshots import ReplayRequest
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining

FOLDER = Path(__file__).parent / "recordings"
BEGAN_AT = 1_767_225_600.0
"""Every recorded run was created at this time: the beginning of 2026."""

RUN_IDS: dict[RecordingName, str] = {
    "two_spirals": "20260101-000000-00000001",
    "xor": "20260101-000000-00000002",
    "demo": "20260101-000000-00000003",
}
PREDICTED_ROWS = 5
BOUNDARY_RESOLUTION = 12
_A_DAY_S = 86_400.0

# Every phase lasts as long as it may, so that another processor's last digits move no unit to another epoch. Paced,
# so that the service reports each unit by itself.
_PHASES = {"candidate_patience": 1_000, "output_patience": 1_000, "pace": 300.0}
_FEW = {**_PHASES, "candidate_pool_size": 4}

REQUESTS: dict[RecordingName, StartTraining] = {
    "two_spirals": StartTraining(
        dataset=DatasetSource(generator="spiral", params={"n_points": 60, "noise": 0.1, "seed": 42}),
        params=RunParameters(seed=1, candidate_epochs=45, output_epochs=30, max_hidden_units=6, **_FEW),
        start_fresh=True,
    ),
    "xor": StartTraining(
        dataset=DatasetSource(generator="xor", params={"seed": 42}),
        params=RunParameters(seed=1, candidate_epochs=60, output_epochs=40, **_FEW),
        start_fresh=True,
    ),
    # The spirals that the dashboard offers first, grown until they are solved; the threshold ends it nowhere sooner.
    "demo": StartTraining(
        dataset=DatasetSource(
            generator="spiral", params={"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42}
        ),
        params=RunParameters(
            seed=1,
            candidate_epochs=60,
            output_epochs=40,
            max_hidden_units=20,
            error_threshold=0.001,
            **_PHASES,
        ),
        start_fresh=True,
    ),
}


async def record(url: str, name: RecordingName) -> Recording:
    """Train on the service at this address, and keep what it says. Nothing may be active there."""
    async with AsyncJuniperCascorClient(url) as client:
        await client.command("reset")
        messages = await _watched(url, client, REQUESTS[name])
        run_id = str(messages[-1].run_id)
        data = await client.dataset_data()
        steps = await _steps(client, run_id)
        recording = Recording(
            request=REQUESTS[name],
            network=await client.network(),
            status=await client.status(),
            run=await client.run(run_id),
            history=await client.history(200_000),
            metrics=await client.run_metrics(run_id),
            dataset=await client.dataset(),
            data=data,
            steps=steps,
            boundary=await client.decision_boundary(BOUNDARY_RESOLUTION),
            prediction=await client.predict(data.train_x[:PREDICTED_ROWS]),
            card=await client.promote_model("recorded", PromoteModel(run_id=run_id)),
            host=await client.host(),
            worker=(await client.workers()).workers[0],
            messages=messages,
        )
        await client.delete_model("recorded")
    return _uniform(recording, name)


def write(recording: Recording, path: Path) -> None:
    """Write it as it is kept in the repository."""
    content = orjson.dumps(recording.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)
    path.write_bytes(gzip.compress(content, mtime=0))


async def _watched(url: str, client: AsyncJuniperCascorClient, request: StartTraining) -> list[StreamMessage]:
    """Train to the end, and return all that a watcher heard."""
    heard: list[StreamMessage] = []
    async with aclosing(CascorTrainingStream(url).messages()) as messages:
        async for message in messages:
            heard.append(message)
            if message.type == "initial_metrics":
                await client.start(request)
            if message.type == "event":
                break
    return heard


async def _steps(client: AsyncJuniperCascorClient, run_id: str) -> list[Step]:
    """The run at each of its snapshots, as its replay shows it."""
    taken = sorted((await client.snapshots(run_id=run_id)).snapshots, key=lambda info: info.epoch or 0)
    await client.replay_snapshot(taken[0].id, ReplayRequest(paused=True))
    steps = []
    for position, info in enumerate(taken):
        await client.control_replay("seek", position=position)
        file = await client.send(calls.snapshot_file(info.id))
        network = snapshots.parsed(file.content, info.id).network
        steps.append(
            Step(
                snapshot=await client.snapshot(info.id),
                topology=await client.topology(),
                stats=await client.stats(),
                arrays={name: array.tolist() for name, array in network.arrays().items()},
            )
        )
    await client.control_replay("stop")
    return steps


def _uniform(recording: Recording, name: RecordingName) -> Recording:
    """The recording without what is another each time, or tells of the machine that it was made on."""
    greeting = recording.messages[0]
    named = {
        f'"{recording.run.id}': f'"{RUN_IDS[name]}',  # and of its snapshots, whose ids begin with it
        f'"{recording.run.host}"': '"recorded"',
        f'"{recording.network.uuid}"': '"00000000-0000-4000-8000-000000000000"',
        f'"{greeting.data["server_instance_id"]}"': '"00000000000000000000000000000000"',
    }
    text = recording.model_dump_json()
    for word, instead in named.items():
        text = text.replace(word, instead)
    began_at = recording.run.created_at
    made = Recording.model_validate(_shifted(orjson.loads(text), began_at))
    messages = [message.model_copy(update={"seq": message.seq - greeting.seq}) for message in made.messages]
    worker = made.worker.model_copy(update={"pid": 1001, "heard_s": 0.0, "restarts": 0, "cpu_s": 1.0})
    return made.model_copy(
        update={
            "messages": messages,
            "host": _uniform_host(made.host),
            "worker": worker.model_copy(update={"memory_bytes": 200 << 20}),
        }
    )


def _shifted(tree: JsonValue, began_at: float) -> JsonValue:
    """The same with all times moved as if the run had begun at BEGAN_AT."""
    if isinstance(tree, dict):
        return {name: _shifted(value, began_at) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_shifted(value, began_at) for value in tree]
    if isinstance(tree, float) and abs(tree - began_at) < _A_DAY_S:
        return round(tree - began_at + BEGAN_AT, 3)
    return tree


def _uniform_host(report: HostReport) -> HostReport:
    began_at = datetime.fromtimestamp(BEGAN_AT, UTC)
    return report.model_copy(
        update={
            "pid": 1000,
            "measured_at": began_at,
            "started_at": began_at,
            "uptime_s": 0.0,
            "starts": 1,
            "cpu": CpuUse(seconds=1.0, percent=1.0),
            "memory": MemoryUse(rss=80 << 20, children_rss=200 << 20, cgroup_current=None, cgroup_max=None),
            "load": (0.0, 0.0, 0.0),
            "machine": None,
            "gpus": [],
        }
    )


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    """Serve on a free port of the loopback, in a thread; the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws=Sockets, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    """Record anew, in place of what the repository has."""
    from juniper_cascor.app import create_service
    from juniper_data.app import create_app
    from juniper_data.catalog import Catalog
    from juniper_data.settings import Settings
    from juniper_data.stores.file_system import FileSystemStore

    with tempfile.TemporaryDirectory() as folder:
        data_dir, cascor_dir = Path(folder) / "data", Path(folder) / "cascor"
        data_app = create_app(Settings(state_dir=data_dir), Catalog(FileSystemStore(data_dir)))
        with _served(data_app) as data_url:
            service = create_service(CascorSettings(state_dir=cascor_dir, data_url=data_url))
            with _served(service.app) as url, JuniperCascorClient(url) as client:
                client.wait_for_ready()
                for name in REQUESTS:
                    write(asyncio.run(record(url, name)), FOLDER / f"{name}.json.gz")


if __name__ == "__main__":
    main()
