import pytest

from juniper_ctl import control
from juniper_ctl.env_file import parse
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.profiles import TARGETS, chosen
from juniper_ctl.services import CASCOR, DATA, SERVICES
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd, State

FAILED: State = {"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}


class Told:
    """Notes what is reported."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.passing: list[str] = []

    def __call__(self, who: str, what: str, /, *, is_passing: bool = False) -> None:
        """One line."""
        (self.passing if is_passing else self.lines).append(f"{who} {what}")


@pytest.fixture
def told() -> Told:
    """An empty report."""
    return Told()


def test_start_waits_until_each_is_ready(systemd: FakeSystemd, told: Told) -> None:
    """All of them come with the target."""
    for service in SERVICES:
        systemd.set(service.unit, STOPPED)
        systemd.after("start", service.unit, READY)
    control.start(SERVICES, told)
    assert systemd.calls() == ["start juniper.target"]
    assert [line.split()[0] for line in told.lines] == ["data", "cascor", "canopy"]


def test_start_without_waiting_returns_at_once(systemd: FakeSystemd, told: Told) -> None:
    """One service is started by its unit."""
    control.start([CASCOR], told, wait=False)
    assert systemd.calls() == ["start juniper-cascor.service"]
    assert told.lines == []


def test_a_service_that_failed_before_gets_a_new_chance(systemd: FakeSystemd, told: Told) -> None:
    """Else systemd refuses it for minutes once its start limit is reached."""
    systemd.set(DATA.unit, FAILED)
    systemd.after("start", DATA.unit, READY)
    control.start([DATA], told)
    assert systemd.calls() == ["reset-failed juniper-data.service", "start juniper-data.service"]


@pytest.mark.parametrize(("status", "code"), [("1", Exit.FAILED), ("75", Exit.TIMEOUT), ("78", Exit.CONFIGURATION)])
def test_a_service_that_fails_is_told_with_its_reason(
    systemd: FakeSystemd, told: Told, status: str, code: Exit
) -> None:
    """The exit code of the service decides over ours, and the next command shows its log."""
    trying = FAILED | {"ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": status}
    systemd.after("start", DATA.unit, trying)
    with pytest.raises(ControlError, match=f"status {status}; systemd tries again") as raised:
        control.start([DATA], told)
    assert (raised.value.code, raised.value.next_command) == (code, "juniper-ctl logs data")


def test_what_a_service_says_while_it_starts_is_told_and_the_wait_ends(systemd: FakeSystemd, told: Told) -> None:
    """A start that takes too long is exit code 75."""
    starting = STOPPED | {"ActiveState": "activating", "SubState": "start", "StatusText": "loading"}
    systemd.set(DATA.unit, starting)
    with pytest.raises(ControlError, match="data is not ready after 0 s: starting: loading") as raised:
        control.wait_until_ready([DATA], told, timeout_s=0)
    assert (raised.value.code, raised.value.next_command) == (Exit.TIMEOUT, "juniper-ctl logs data")
    assert told.lines == ["data starting: loading"]


def test_one_that_says_nothing_is_told_to_those_who_look_on(systemd: FakeSystemd, told: Told) -> None:
    """Waiting, or starting; it is no line in a pipe."""
    systemd.set(DATA.unit, STOPPED | {"ActiveState": "activating", "SubState": "start"})
    systemd.set(CASCOR.unit, STOPPED)
    with pytest.raises(ControlError):
        control.wait_until_ready([DATA, CASCOR], told, timeout_s=0)
    assert (told.passing, told.lines) == (["data starting", "cascor waiting"], [])


def test_wait_says_of_each_that_is_late_why(systemd: FakeSystemd, told: Told) -> None:
    """The next command is about the first of them."""
    systemd.set(DATA.unit, READY)
    systemd.set(CASCOR.unit, STOPPED)
    with pytest.raises(ControlError) as raised:
        control.wait(SERVICES, told, timeout_s=0.01)
    assert raised.value.message == (
        "cascor is not ready after 0.01 s: nothing starts it; "
        "canopy is not ready after 0.01 s: its unit is not installed"
    )
    assert (raised.value.code, raised.value.next_command) == (Exit.TIMEOUT, "juniper-ctl start cascor")


def test_wait_goes_on_while_systemd_tries_again(systemd: FakeSystemd, told: Told) -> None:
    """It gives up with systemd, not before."""
    systemd.set(DATA.unit, FAILED | {"ActiveState": "activating", "SubState": "auto-restart"})
    with pytest.raises(ControlError, match="auto-restart") as raised:
        control.wait([DATA], told, timeout_s=0.01)
    assert raised.value.code is Exit.TIMEOUT
    systemd.set(DATA.unit, FAILED)
    with pytest.raises(ControlError, match="data does not start: exit-code") as raised:
        control.wait([DATA], told, timeout_s=60)
    assert raised.value.code is Exit.FAILED


def test_a_restart_is_done_when_another_process_is_ready(systemd: FakeSystemd, told: Told) -> None:
    """The process that is about to go is ready too, but not the one that is waited for."""
    for number, service in enumerate(SERVICES):
        systemd.set(service.unit, READY | {"MainPID": f"10{number}"})
        systemd.after("restart", service.unit, READY | {"MainPID": f"20{number}"})
    control.restart(SERVICES, told)
    units = " ".join(service.unit for service in SERVICES)
    # A person may restart them as often as he likes: no start of before counts against their limit.
    assert systemd.calls() == [f"reset-failed {units}", f"restart {units}", "start juniper.target"]
    assert len(told.lines) == 3


def test_stop_tells_what_ran(systemd: FakeSystemd, told: Told) -> None:
    """Everything is stopped in the reverse order of its start, the targets first."""
    systemd.set(DATA.unit, READY)
    control.stop(SERVICES, told)
    assert systemd.calls() == [
        "stop juniper-dev.target juniper-demo.target juniper.target "
        "juniper-canopy.service juniper-cascor.service juniper-data.service"
    ]
    assert told.lines == ["canopy was not running", "cascor was not running", "data stopped"]


@pytest.mark.usefixtures("no_systemd")
def test_nothing_is_started_without_a_manager(told: Told) -> None:
    """Exit code 69."""
    with pytest.raises(ControlError) as raised:
        control.start(SERVICES, told)
    assert raised.value.code is Exit.NO_BUS


@pytest.fixture
def profiles_of(home: Locations) -> Locations:
    """The env files that an installation writes."""
    home.configuration.mkdir(parents=True)
    for profile in ("dev", "demo", "production"):
        (home.configuration / f"{profile}.env").write_text(f"JUNIPER_ENV={profile}\n")
    return home


@pytest.mark.parametrize(
    ("exported", "written", "target"),
    [
        (None, "", "juniper.target"),
        (None, "JUNIPER_ENV=demo\n", "juniper-demo.target"),
        ("dev", "JUNIPER_ENV=demo\n", "juniper-dev.target"),
    ],
)
def test_the_profile_picks_target_and_env_file(
    systemd: FakeSystemd,
    told: Told,
    profiles_of: Locations,
    monkeypatch: pytest.MonkeyPatch,
    exported: str | None,
    written: str,
    target: str,
) -> None:
    """What the caller exported, else what juniper.env says, else production."""
    (profiles_of.configuration / "juniper.env").write_text(written)
    if exported:
        monkeypatch.setenv("JUNIPER_ENV", exported)
    control.start(SERVICES, told, wait=False)
    assert systemd.calls() == [f"start {target}"]
    link = profiles_of.configuration / "profile.env"
    assert TARGETS[parse(link.read_text())["JUNIPER_ENV"]] == target


def test_what_runs_keeps_its_profile(systemd: FakeSystemd, told: Told, profiles_of: Locations) -> None:
    """A restart of a host in development does not make it a host in production."""
    control.start(SERVICES, told, profile="dev", wait=False)
    systemd.set(DATA.unit, READY)
    control.restart([CASCOR], told, wait=False)
    control.start(SERVICES, told, wait=False)
    assert systemd.calls()[-1] == "start juniper-dev.target"
    assert chosen(profiles_of) == "dev"


@pytest.mark.usefixtures("profiles_of")
def test_services_of_two_profiles_never_run_side_by_side(
    systemd: FakeSystemd, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another profile is refused while one runs, with the command that changes all of them."""
    control.start(SERVICES, told, wait=False)
    systemd.set(DATA.unit, READY)
    monkeypatch.setenv("JUNIPER_ENV", "dev")
    with pytest.raises(ControlError, match="run under the profile production") as raised:
        control.start(SERVICES, told)
    assert raised.value.next_command == "JUNIPER_ENV=dev juniper-ctl restart"
    with pytest.raises(ControlError, match="only all of them change to dev"):
        control.restart([CASCOR], told)
    for service in SERVICES:
        systemd.after("stop", service.unit, STOPPED)
    control.restart(SERVICES, told, wait=False)
    assert [call.split()[0] for call in systemd.calls()[-3:]] == ["stop", "restart", "start"]
    assert systemd.calls()[-1] == "start juniper-dev.target"


@pytest.mark.usefixtures("systemd")
def test_a_profile_that_there_is_not_is_named(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that there are."""
    monkeypatch.setenv("JUNIPER_ENV", "prod")
    with pytest.raises(ControlError, match="there are dev, demo, production") as raised:
        control.start(SERVICES, told)
    assert raised.value.code is Exit.CONFIGURATION


@pytest.mark.usefixtures("systemd")
def test_a_profile_whose_file_does_not_set_it_is_refused(told: Told, home: Locations) -> None:
    """Else services would start under another one than was asked for."""
    with pytest.raises(ControlError, match="is not there") as raised:
        control.start(SERVICES, told, profile="dev")
    assert raised.value.next_command == "juniper-ctl install"
    home.configuration.mkdir(parents=True)
    (home.configuration / "dev.env").write_text("#JUNIPER_ENV=dev\n")
    with pytest.raises(ControlError, match="does not say JUNIPER_ENV=dev"):
        control.start(SERVICES, told, profile="dev")
