"""From nothing to a network that grows on the screen: set up, start, seed the demo set, train at a pace to watch."""

from dataclasses import dataclass

from juniper_ctl.bring_up import BringUp, Up
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.progress import Report, say
from juniper_ctl.service_api import Answer, Json, ServiceApi
from juniper_ctl.services import CASCOR, DATA

DATASET: Json = {
    "generator": "spiral",
    "params": {"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42},
}
"""Two spirals of 200 points, 320 of them for training."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the person asked for."""

    pace: float | None
    """Epochs per second; None: as fast as it goes."""
    seed: int
    foreground: bool
    """No systemd, even where it answers."""
    as_json: bool = False

    def run(self) -> Exit:
        """Bring it up; in the foreground, stay until Ctrl-C."""
        return BringUp("demo", self.foreground, self._train, self.as_json).run()

    def _train(self, up: Up, report: Report) -> Json:
        """Seed the dataset, and train on it unless something trains."""
        dataset_id = seed_dataset(up.api(DATA), report)
        up.check()
        run_id = start_training(up.api(CASCOR), dataset_id, report, pace=self.pace, seed=self.seed)
        return {"dataset": dataset_id, "run": run_id}


def seed_dataset(data: ServiceApi, report: Report = say) -> str:
    """Have data make the demo's dataset, or find the one it made before; returns its id.

    Raises:
        ControlError: data refused.
        OSError: it does not answer.
    """
    answer = data.post("/v1/datasets", DATASET)
    if not answer.is_success:
        raise _refused("data does not make the demo dataset", answer, "data")
    dataset_id = answer.text("dataset_id")
    made = "made" if answer.status == 201 else "already there"
    counts = f"{answer.text('meta', 'n_train')} patterns to train on, {answer.text('meta', 'n_test')} to test"
    report("dataset", f"{dataset_id} {made}: {counts}")
    return dataset_id


def start_training(
    cascor: ServiceApi, dataset_id: str, report: Report = say, *, pace: float | None, seed: int
) -> str | None:
    """Start a run on the dataset, and return its id, unless one is under way, which is left alone.

    Raises:
        ControlError: cascor refused.
        OSError: it does not answer.
    """
    answer = cascor.post(
        "/v1/training/start",
        {
            "dataset": {"source": "generator", "dataset_id": dataset_id},
            "params": {"pace": pace, "seed": seed},
            "start_fresh": True,
        },
    )
    if answer.status == 409:
        report("training", f"left as it is: {answer.complaint()}")
        return None
    if not answer.is_success:
        raise _refused("cascor does not start the training", answer, "cascor")
    run_id = answer.text("data", "run_id")
    speed = "at full speed" if pace is None else f"at {pace:g} epochs a second"
    report("training", f"run {run_id} started {speed}, seed {seed}")
    return run_id


def _refused(what: str, answer: Answer, service: str) -> ControlError:
    return ControlError(f"{what}: {answer.complaint()}", next_command=f"juniper-ctl logs {service}")
