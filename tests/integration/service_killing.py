"""Kills the training service and its trainer at random moments of one run, and compares the end with an unbroken run.

`python -m tests.integration.service_killing KILLS` prints docs/service-soak.md.
"""

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from juniper_cascor import versions
from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.engine.training import Training
from juniper_cascor.runs import network_spec, recording, views
from juniper_cascor.runs.report import rows_of
from juniper_common.wire.runs import RunDetail
from juniper_common.wire.training import ChangeParameters, InlineData, RunParameters, StartTraining
from juniper_data.generators.spiral import SpiralParameters, generate_spirals
from tests.integration.service_process import ServiceProcess

TIMEOUT_S = 180
CHECKPOINT_S = "0.1"
CHANGE = ChangeParameters(candidate_epochs=150, candidate_learning_rate=0.08)
"""Set while it trains: whoever takes the run up from before must set it again at the same epoch."""


@dataclass
class Kills:
    """What was killed, and when."""

    service: int = 0
    trainer: int = 0
    at_start: int = 0  # of these, before the run had gone on
    epochs: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All of them."""
        return self.service + self.trainer


@dataclass(frozen=True)
class End:
    """What a run came to."""

    outcome: str | None
    epochs: int
    topology: str
    metrics: dict[str, tuple[list[int], list[float]]]


def training(points_per_spiral: int, units: int) -> StartTraining:
    """A run that takes a while: noisy spirals that cannot be solved, up to so many hidden units."""
    parameters = SpiralParameters(n_points_per_spiral=points_per_spiral, noise=1.0)
    points = generate_spirals(parameters, np.random.default_rng(3))
    rows = InlineData(train_x=points.X.tolist(), train_y=points.labels.tolist())
    return StartTraining(inline_data=rows, params=RunParameters(seed=5, max_hidden_units=units))


def repeated(record: RunDetail, request: StartTraining) -> End:
    """The run as its record says, by the engine alone, without service, trainer or any break."""
    rows = request.inline_data
    assert rows is not None
    x, y = np.asarray(rows.train_x, np.float32), np.asarray(rows.train_y, np.float32).reshape(len(rows.train_y), -1)
    parameters = network_spec.from_json(record.params)
    training = Training.start(x, y, parameters, seed=record.seed, backend=record.backend)  # type: ignore[arg-type] # a name that the service chose
    changes, parts = list(record.changes), []
    while training.finished is None:
        while changes and changes[0].epoch == training.epoch:
            training.set_parameters(network_spec.replaced(training.parameters, changes.pop(0).params))
        progress = training.advance(changes[0].epoch - training.epoch if changes else None)
        parts.append(rows_of(progress, training.parameters))
    whole = np.concatenate(parts)
    metrics: dict[str, tuple[list[int], list[float]]] = {}
    kept = np.concatenate([recording.chosen(whole, whole[:0]), whole[-1:]])
    for name, step, value, _ in recording.points(kept):
        steps, values = metrics.setdefault(name, ([], []))
        if steps[-1:] != [step]:
            steps.append(step)
            values.append(value)
    return End(training.finished, training.epoch, views.topology(training.network).model_dump_json(), metrics)


def broken(folder: Path, request: StartTraining, kills: int, seed: int) -> tuple[Kills, RunDetail, End]:
    """The run through so many kills, of the service and of its trainer by turns of chance; its record and its end."""
    rng, done = np.random.default_rng(seed), Kills()
    state = folder / f"broken-{seed}"
    settings = {"JUNIPER_CASCOR_CHECKPOINT_S": CHECKPOINT_S}
    service = ServiceProcess(state, settings)
    run_id = service.client.start(request).run_id
    _wait_until_further(service.client, 200)
    service.client.change(CHANGE)
    try:
        while done.total < kills:
            before = _epoch(service.client)
            time.sleep(rng.uniform(0, 0.5))
            if rng.random() < 0.5:
                # Four deaths of a trainer at one place would end the run, as they should.
                _wait_until_further(service.client, before)
                done.trainer += _kill_trainer(service)
            else:
                epoch = _epoch(service.client)
                done.at_start += epoch <= before
                service.kill()
                done.service += 1
                service = ServiceProcess(state, settings)
            done.epochs.append(_epoch(service.client))
            assert service.client.status().training_active, f"the run ended after {done.total} kills"
        _wait_until_over(service.client, run_id)
        return done, service.client.run(run_id), _end(service.client, run_id)
    finally:
        service.stop()


def differences(end: End, expected: End) -> list[str]:
    """In what two ends differ, in any bit."""
    found = [name for name in ("outcome", "epochs", "topology") if getattr(end, name) != getattr(expected, name)]
    names = end.metrics.keys() | expected.metrics.keys()
    return found + sorted(name for name in names if end.metrics.get(name) != expected.metrics.get(name))


def _kill_trainer(service: ServiceProcess) -> int:
    trainers = service.trainers()
    for trainer in trainers:
        trainer.kill()
    psutil.wait_procs(trainers, TIMEOUT_S)
    return len(trainers)


def _epoch(client: JuniperCascorClient) -> int:
    return client.status().monitor.current_epoch


def _wait_until_further(client: JuniperCascorClient, epoch: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while (status := client.status()).monitor.current_epoch <= epoch:
        assert status.training_active, "the run ended before it was killed"
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.01)


def _wait_until_over(client: JuniperCascorClient, run_id: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while client.run(run_id).ended_at is None:
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.05)


def _end(client: JuniperCascorClient, run_id: str) -> End:
    record = client.run(run_id)
    series = client.run_metrics(run_id).series
    return End(
        outcome=record.outcome,
        epochs=record.epochs,
        topology=client.topology().model_dump_json(),
        metrics={name: (points.step, points.value) for name, points in series.items()},
    )


PAGE = """\
# The service, killed again and again

One run was trained by the service while the service and its trainer were killed (SIGKILL) at random moments, {kills}
times: {service} times the service, after which a new process was started on the same folder, and {trainer} times the
trainer, which the service replaces by itself. {at_start} of the kills of the service came before the run had gone on
from the kill before. While it trained, `candidate_epochs` and `candidate_learning_rate` were changed. Nobody resumed
it: it went on by itself each time.

In the end it was compared with what the engine alone makes of the run's record (data, parameters, changes, seed, back
end) in one go: the outcome, the number of epochs, every weight of the network and every recorded metric point, bit for
bit.

```sh
python -m tests.integration.service_killing {kills} > docs/service-soak.md
```

| kills | epochs | hidden units | outcome | in what it differs |
|---|---|---|---|---|
| {kills} | {epochs} | {units} | {outcome} | {different} |

{where}
"""


def main(kills: int) -> int:
    """Print the page; 1 where the run differs."""
    request = training(10_000, 300)
    with tempfile.TemporaryDirectory() as folder:
        done, record, end = broken(Path(folder), request, kills, seed=1)
    different = differences(end, repeated(record, request))
    here = versions.here()
    where = ", ".join(f"{name} {here[name]}" for name in ("juniper", "python", "numpy", "numba", "h5py"))
    sys.stdout.write(
        PAGE.format(
            kills=done.total,
            service=done.service,
            trainer=done.trainer,
            at_start=done.at_start,
            epochs=end.epochs,
            units=record.hidden_units,
            outcome=end.outcome,
            different=", ".join(different) or "nothing",
            where=f"Run on {here['cpu']} ({here['cpu_target']}) with {where}.",
        )
    )
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
