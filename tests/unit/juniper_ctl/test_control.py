import pytest

from juniper_ctl import control
from juniper_ctl.errors import ControlError, Exit
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
    assert systemd.calls() == [f"restart {' '.join(service.unit for service in SERVICES)} juniper.target"]
    assert len(told.lines) == 3


def test_stop_tells_what_ran(systemd: FakeSystemd, told: Told) -> None:
    """Everything is stopped in the reverse order of its start, the targets first."""
    systemd.set(DATA.unit, READY)
    control.stop(SERVICES, told)
    assert systemd.calls() == [
        "stop juniper-demo.target juniper.target juniper-canopy.service juniper-cascor.service juniper-data.service"
    ]
    assert told.lines == ["canopy was not running", "cascor was not running", "data stopped"]


@pytest.mark.usefixtures("no_systemd")
def test_nothing_is_started_without_a_manager(told: Told) -> None:
    """Exit code 69."""
    with pytest.raises(ControlError) as raised:
        control.start(SERVICES, told)
    assert raised.value.code is Exit.NO_BUS
