"""From nothing to a network that grows on the screen: set up, start, seed the demo set, train at a pace to watch."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import systemctl
from juniper_ctl.asking import api_of
from juniper_ctl.checkout import Checkout
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import program_as_typed, say
from juniper_ctl.service_api import Answer, Json, ServiceApi
from juniper_ctl.services import CANOPY, CASCOR, DATA, SERVICES, Service
from juniper_ctl.supervisor import Program, ServiceEnded, StopRequested, Supervisor

DATASET: Json = {
    "generator": "spiral",
    "params": {"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42},
}
"""Two spirals of 200 points, 320 of them for training."""

_SUPERVISED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID")
"""What systemd may have said to juniper-ctl itself, and what its children must not take for theirs."""


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
        locations = Locations.of(os.environ)
        if not self.foreground and systemctl.manager_answers():
            return self._on_units(locations)
        if not self.foreground:
            say("demo", f"{systemctl.no_manager().message}; the services run in the foreground")
        return self._in_foreground(locations)

    def _on_units(self, locations: Locations) -> Exit:
        from juniper_ctl.control import start_units
        from juniper_ctl.install import Install

        # Without a checkout this is the installed program itself, and what is installed is started.
        if Checkout.find() is not None:
            Install().run()
        start_units(("juniper-demo.target",), SERVICES, say)
        self._train(locations, {})
        say("stop", f"{program_as_typed()} stop")
        return Exit.OK

    def _in_foreground(self, locations: Locations) -> Exit:
        checkout = Checkout.find()
        if checkout is not None:
            checkout.set_up()
        programs = Path(checkout.environment / "bin") if checkout else Path(sys.executable).parent
        urls = {
            service.url_variable: service.url(environment_of(service, locations, over=os.environ))
            for service in (DATA, CASCOR)
        }
        for service in SERVICES:
            refuse_taken_port(service, environment_of(service, locations, over=os.environ))
        try:
            with Supervisor(say) as supervisor:
                for service in SERVICES:
                    program = program_of(service, locations, programs, urls)
                    took_s = supervisor.start(program)
                    say(service.name, f"ready in {took_s:.1f} s, log in {program.log}")
                self._train(locations, os.environ, supervisor)
                say("stop", "press Ctrl-C")
                supervisor.watch()
        except StopRequested:
            say("demo", "stopped")
            return Exit.OK
        except ServiceEnded as ended:
            raise _explained(ended) from None

    def _train(self, locations: Locations, over: Mapping[str, str], supervisor: Supervisor | None = None) -> None:
        """Seed the dataset, train on it unless something trains, and say where to look."""
        try:
            dataset_id = seed_dataset(api_of(DATA, locations, over))
            if supervisor is not None:
                supervisor.check()
            start_training(api_of(CASCOR, locations, over), dataset_id, pace=self.pace, seed=self.seed)
        except OSError as error:
            if supervisor is not None:
                supervisor.check()
            raise ControlError(f"a service does not answer: {error}", next_command="juniper-ctl logs") from error
        address = CANOPY.url(environment_of(CANOPY, locations, over=over))
        say("dashboard", address)


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


def refuse_taken_port(service: Service, environment: Mapping[str, str]) -> None:
    """See whether the service could listen on its port.

    Raises:
        ControlError: somebody else does.
    """
    port = service.port(environment)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ControlError(
                f"{service.name} cannot listen on port {port}: {error.strerror}",
                next_command=f"{service.port_variable}={port + 1000} juniper-ctl demo"
                f"   (who holds it: ss -ltnp sport = :{port})",
                code=Exit.TIMEOUT,
            ) from None


def program_of(service: Service, locations: Locations, programs: Path, urls: Mapping[str, str]) -> Program:
    """How the service runs in the foreground: the folders that its systemd unit would give it, its env files.

    What the person exported goes before the files.
    """
    state = locations.state / service.name
    cache = locations.cache / service.name
    for folder in (state, cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = {name: value for name, value in os.environ.items() if name not in _SUPERVISED}
    environment = {
        "JUNIPER_ENV": "demo",
        **urls,
        **environment_of(service, locations, over=given),
        "STATE_DIRECTORY": str(state),
        "CACHE_DIRECTORY": str(cache),
    }
    if locations.credentials.is_dir():
        environment["CREDENTIALS_DIRECTORY"] = str(locations.credentials)
    return Program(
        name=service.name,
        command=(str(programs / service.command),),
        environment=environment,
        log=locations.logs / f"{service.name}.log",
    )


def _refused(what: str, answer: Answer, service: str) -> ControlError:
    return ControlError(f"{what}: {answer.complaint()}", next_command=f"juniper-ctl logs {service}")


def _explained(ended: ServiceEnded) -> ControlError:
    lines = "".join(f"\n  | {line}" for line in ended.last_lines())
    how = "is not ready in time" if ended.exit_status is None else f"ended with {ended.exit_status}"
    code = {75: Exit.TIMEOUT, 78: Exit.CONFIGURATION, None: Exit.TIMEOUT}.get(ended.exit_status, Exit.FAILED)
    return ControlError(
        f"{ended.program.name} {how}; the others are stopped. It said last:{lines}",
        next_command=f"less {ended.program.log}",
        code=code,
    )
