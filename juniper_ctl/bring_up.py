"""Brings all services up under a profile: through their units where systemd answers, else in the foreground."""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import profiles, systemctl
from juniper_ctl.checkout import Checkout
from juniper_ctl.env_file import environment_of, parse, text_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import Report, print_json, program_as_typed, say, say_nothing
from juniper_ctl.service_api import Json, ServiceApi
from juniper_ctl.services import CANOPY, CASCOR, DATA, SERVICES, Service
from juniper_ctl.supervisor import Program, ServiceEnded, StopRequested, Supervisor

_SUPERVISED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID")
"""What systemd may have said to juniper-ctl itself, and what its children must not take for theirs."""


@dataclass(frozen=True, slots=True)
class Up:
    """Services that are ready."""

    environments: Mapping[str, Mapping[str, str]]
    """What each was started with."""
    check: Callable[[], None]
    """Raises where one that runs in the foreground has ended."""

    def api(self, service: Service) -> ServiceApi:
        """How to call it."""
        return ServiceApi.set_by(self.environments[service.name], service, Locations.of(os.environ))


@dataclass(frozen=True, slots=True)
class BringUp:
    """What the person asked for."""

    profile: str
    foreground: bool
    """No systemd, even where it answers."""
    then: Callable[[Up, Report], Json]
    """Called once all are ready; what it returns programs are told."""
    as_json: bool = False
    """Say nothing but one document, once all are ready."""

    def run(self) -> Exit:
        """Bring them up; in the foreground, stay until Ctrl-C.

        Raises:
            ControlError: something failed.
        """
        locations = Locations.of(os.environ)
        if not self.foreground and systemctl.manager_answers():
            return self._on_units(locations)
        if not self.foreground:
            self._report(self.profile, f"{systemctl.no_manager().message}; the services run in the foreground")
        return self._in_foreground(locations)

    @property
    def _report(self) -> Report:
        return say_nothing if self.as_json else say

    def _on_units(self, locations: Locations) -> Exit:
        from juniper_ctl.control import start
        from juniper_ctl.install import Install

        # Without a checkout this is the installed program itself, and what is installed is started.
        if Checkout.find() is not None:
            Install().run(self._report)
        start(SERVICES, self._report, profile=self.profile)
        self._finish(Up({each.name: environment_of(each, locations) for each in SERVICES}, lambda: None))
        self._report("stop", f"{program_as_typed()} stop")
        return Exit.OK

    def _in_foreground(self, locations: Locations) -> Exit:
        checkout = Checkout.find()
        if checkout is not None:
            checkout.set_up()
        folder = Path(checkout.environment / "bin") if checkout else Path(sys.executable).parent
        programs = [program_of(service, locations, folder, self.profile) for service in SERVICES]
        for service, program in zip(SERVICES, programs, strict=True):
            refuse_taken_port(service, program.environment, self.profile)
        try:
            with Supervisor(self._report) as supervisor:
                for program in programs:
                    took_s = supervisor.start(program)
                    self._report(program.name, f"ready in {took_s:.1f} s, log in {program.log}")
                self._finish(Up({each.name: each.environment for each in programs}, supervisor.check))
                self._report("stop", "press Ctrl-C")
                supervisor.watch()
        except StopRequested:
            self._report(self.profile, "stopped")
            return Exit.OK
        except ServiceEnded as ended:
            raise _explained(ended) from None

    def _finish(self, up: Up) -> None:
        try:
            told = self.then(up, self._report)
        except OSError as error:
            up.check()
            raise ControlError(f"a service does not answer: {error}", next_command="juniper-ctl logs") from error
        dashboard = up.api(CANOPY).url
        self._report("dashboard", dashboard)
        if self.as_json:
            print_json({"verdict": "ok", "profile": self.profile, **told, "dashboard": dashboard})


def refuse_taken_port(service: Service, environment: Mapping[str, str], command: str) -> None:
    """See whether the service could listen on its port, for the command `juniper-ctl COMMAND`.

    Raises:
        ControlError: somebody else does.
    """
    host, port = service.host(environment), service.port(environment)
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise ControlError(
            f"{service.name} cannot listen on {host} port {port}: {error.strerror}",
            next_command=f"{service.port_variable}={port + 1000} juniper-ctl {command}"
            f"   (who holds it: ss -ltnp sport = :{port})",
            code=Exit.TIMEOUT,
        ) from None


def program_of(service: Service, locations: Locations, programs: Path, profile: str) -> Program:
    """How the service runs in the foreground: the folders that its systemd unit would give it, its env files.

    What the person exported goes before the files, and where there are none the profile's example counts.
    """
    state = locations.state / service.name
    cache = locations.cache / service.name
    for folder in (state, cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = {name: value for name, value in os.environ.items() if name not in _SUPERVISED}
    checkout = Checkout.find()
    example = text_of(checkout.root / f"conf/{profile}.env.example") if checkout else ""
    urls = {
        each.url_variable: ServiceApi.keyless(
            environment_of(each, locations, profile=profile, over=given), each, locations
        ).url
        for each in (DATA, CASCOR)
    }
    environment = {
        profiles.VARIABLE: profile,
        **parse(example),
        **urls,
        **environment_of(service, locations, profile=profile, over=given),
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


def _explained(ended: ServiceEnded) -> ControlError:
    lines = "".join(f"\n  | {line}" for line in ended.last_lines())
    how = "is not ready in time" if ended.exit_status is None else f"ended with {ended.exit_status}"
    code = {75: Exit.TIMEOUT, 78: Exit.CONFIGURATION, None: Exit.TIMEOUT}.get(ended.exit_status, Exit.FAILED)
    return ControlError(
        f"{ended.program.name} {how}; the others are stopped. It said last:{lines}",
        next_command=f"less {ended.program.log}",
        code=code,
    )
