"""From nothing to a network that grows on the screen: set up, start, seed the demo set, train at a pace to watch."""

from dataclasses import dataclass

from juniper_ctl.bring_up import BringUp, Up
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.progress import say
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

    def run(self) -> Exit:
        """Bring it up; in the foreground, stay until Ctrl-C."""
        return BringUp("demo", self.foreground, self._train).run()

    def _train(self, up: Up) -> None:
        """Seed the dataset, and train on it unless something trains."""
        dataset_id = seed_dataset(up.api(DATA))
        up.check()
        start_training(up.api(CASCOR), dataset_id, pace=self.pace, seed=self.seed)


def seed_dataset(data: ServiceApi) -> str:
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
    say("dataset", f"{dataset_id} {made}: {counts}")
    return dataset_id


def start_training(cascor: ServiceApi, dataset_id: str, *, pace: float | None, seed: int) -> None:
    """Start a run on the dataset, unless one is under way, which is left alone.

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
        say("training", f"left as it is: {answer.complaint()}")
    elif answer.is_success:
        speed = "at full speed" if pace is None else f"at {pace:g} epochs a second"
        say("training", f"run {answer.text('data', 'run_id')} started {speed}, seed {seed}")
    else:
        raise _refused("cascor does not start the training", answer, "cascor")


def _refused(what: str, answer: Answer, service: str) -> ControlError:
    return ControlError(f"{what}: {answer.complaint()}", next_command=f"juniper-ctl logs {service}")
