"""One job in the trainer, told by a port that a test holds."""

from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import dataset_file, network_spec, snapshot_folder
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.job import Change, Job
from juniper_cascor.runs.job_training import JobTraining
from juniper_common import logs
from tests.log_context import Told, told_by

RUN = "20260101-000000-00000000"
PHASE = 20
BUDGET = 50
PARAMETERS = Parameters(
    max_epochs=BUDGET,
    output_epochs=PHASE,
    candidate_epochs=PHASE,
    output_patience=1_000,
    candidate_patience=1_000,
    candidate_pool_size=2,
)


class Port:
    """Says what it is told to when the training has come so far, and keeps what it hears."""

    def __init__(self, *orders: tuple[int, Message]) -> None:
        self.orders = deque(orders)
        self.heard: list[Message] = []

    def receive(self, _: float | None) -> Message | None:
        """The next order, where its epoch has come."""
        progress = [message for message in self.heard if message.kind == "progress"]
        if self.orders and progress and progress[-1].integer("epoch") >= self.orders[0][0]:
            return self.orders.popleft()[1]
        return None

    def send(self, message: Message) -> None:
        """Keep it."""
        self.heard.append(message)

    def answers(self) -> list[tuple[object, object]]:
        """What was obeyed, and at which epoch."""
        return [(heard.fields["command"], heard.fields["epoch"]) for heard in self.heard if heard.kind == "obeyed"]

    def outcome(self) -> object:
        """How it ended."""
        return self.heard[-1].fields.get("outcome")


class Clock:
    """Each look at it is a second later: so every chunk of one epoch is reported."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The next second."""
        self.now += 1.0
        return self.now


def data(folder: Path, seed: int) -> str:
    """A dataset that is not learnt in a few epochs; its checksum."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    y = rng.integers(0, 2, (40, 1)).astype(np.float32)
    return dataset_file.write(folder, TrainingData(x, y, None, None))[1]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run of BUDGET epochs, one each second."""
    return Job(
        run_id=RUN,
        data_folder=tmp_path,
        snapshot_folder=tmp_path / "snapshots",
        parameters=network_spec.as_json(PARAMETERS),
        seed=1,
        pace=1.0,
        dataset_id=None,
        dataset_checksum=data(tmp_path, 1),
        backend="numba-serial",
        versions={},
        checkpoint_s=5.0,
    )


def trained(job: Job, *orders: tuple[int, Message]) -> Port:
    """Train the job to its end, with these orders."""
    port = Port(*orders)
    JobTraining(job, port, Clock()).run()
    return port


def change(number: int, **fields: object) -> Message:
    """An order to change something."""
    told = Change.model_validate(fields).model_dump(mode="json")
    return Message("change", {"run_id": RUN, "number": number, "change": told})


def test_an_answer_has_the_number_of_its_question(job: Job) -> None:
    """So that nobody takes it for another one's."""
    port = trained(job, (5, change(7, parameters={"candidate_pool_size": 3})))
    (answer,) = [heard for heard in port.heard if heard.kind == "obeyed"]
    assert (answer.fields["number"], answer.fields["error"], answer.integer("epoch") >= 5) == (7, None, True)


def test_data_that_never_took_effect_does_not_hinder_the_run_from_being_taken_up(job: Job) -> None:
    """The budget was spent in the phase in which it was swapped in; the trainer died before it could say so."""
    checksum = data(job.data_folder, 2)
    first = trained(job, (45, change(1, dataset_checksum=checksum)))
    ((_, epoch),) = first.answers()
    assert first.outcome() == "max_epochs"
    newest = snapshot_folder.newest_path(job.snapshot_folder, RUN)
    assert newest is not None
    changes = [Change.model_validate({"epoch": epoch, "dataset_checksum": checksum})]
    again = trained(job.model_copy(update={"resume_from": newest[0], "changes": changes, "seen_epoch": BUDGET}))
    assert again.outcome() == "max_epochs"


def test_a_change_of_what_is_trained_again_is_set_where_the_record_ends(job: Job) -> None:
    """After the changes that had come before it."""
    before = Change(epoch=10, parameters={"candidate_epochs": 5})
    again = job.model_copy(update={"changes": [before], "recorded_epoch": 30})
    port = trained(again, (3, change(1, parameters={"candidate_epochs": 6})), (35, change(2, parameters={})))
    (_, first), (_, second) = port.answers()
    assert first == 30
    assert isinstance(second, int)
    assert second >= 35


def test_data_that_cannot_be_read_is_refused_at_once(job: Job) -> None:
    """Also where it would be taken up later; the run goes on."""
    missing = change(1, dataset_checksum="0" * 64)
    port = trained(job.model_copy(update={"recorded_epoch": 30}), (3, missing), (40, missing))
    errors = [str(heard.fields["error"]) for heard in port.heard if heard.kind == "obeyed"]
    assert len(errors) == 2
    assert all(error.startswith("0" * 64 + ".npz is no dataset") for error in errors)
    assert port.outcome() == "max_epochs"


def test_the_log_follows_a_training(job: Job) -> None:
    """A line for each phase and each installed unit, and one at each end; every line names its phase."""
    swapped = data(job.data_folder, 2)
    longer = network_spec.as_json(replace(PARAMETERS, max_epochs=3 * PHASE + 10))
    with told_by("juniper_cascor.trainer") as told, logs.about(RUN, "d1"):
        trained(
            job.model_copy(update={"parameters": longer}), (5, change(1, dataset_id="d2", dataset_checksum=swapped))
        )
    lines = [replace(line, message=line.message.partition(" ")[0]) for line in told]
    output, candidate = Told("output", RUN, "d2", "output"), Told("candidate", RUN, "d2", "candidate")
    assert lines == [
        Told("training", RUN, "d1", None),
        Told("output", RUN, "d1", "output"),
        Told("change", RUN, "d1", "output"),
        Told("trains", RUN, "d2", "output"),
        candidate,
        replace(candidate, message="installed"),
        output,
        replace(output, message="max_epochs"),
    ]
