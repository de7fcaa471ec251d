import signal

import pytest

from juniper_ctl.services import SERVICES
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd
from tests.unit.juniper_ctl.terminal import TIMEOUT_S, Terminal, running

ENTER, LEAVE, END_OF_PAGE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l", "\x1b[J"
WATCH = ["resources", "--watch", "--interval", "3600"]


@pytest.fixture
def stopped(systemd: FakeSystemd) -> FakeSystemd:
    """Three services that do not run."""
    for service in SERVICES:
        systemd.set(service.unit, STOPPED)
    return systemd


@pytest.mark.usefixtures("stopped")
def test_a_page_fits_the_window_and_is_drawn_anew_when_that_changes() -> None:
    """No line wraps, none scrolls away, and nothing is left of the larger page."""
    terminal = Terminal(columns=40, rows=5)
    with running(terminal, WATCH) as process:
        page = terminal.read_until(END_OF_PAGE)
        lines = page.partition("\x1b[H")[2].removesuffix(END_OF_PAGE).split("\x1b[K")[:-1]
        assert [line.strip().split()[0] for line in lines[1:]] == ["SERVICE", "data", "cascor", "canopy"]
        assert max(len(line.strip()) for line in lines) == 40
        terminal.resize(columns=20, rows=2)
        process.send_signal(signal.SIGWINCH)
        page = terminal.read_until(END_OF_PAGE)
        assert page.startswith("\x1b[H")
        assert [len(line.strip()) for line in page[3:].split("\x1b[K")] == [19, 20, 3]


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_however_it_ends_the_terminal_is_as_before(number: signal.Signals, code: int) -> None:
    """The first screen comes back, with a cursor."""
    terminal = Terminal(columns=120, rows=40)
    with running(terminal, WATCH) as process:
        assert terminal.read_until(END_OF_PAGE).startswith(ENTER)
        process.send_signal(number)
        terminal.read_until(LEAVE)
        assert process.wait(TIMEOUT_S) == code


@pytest.mark.usefixtures("stopped")
def test_ctrl_c_leaves_the_last_page_to_read() -> None:
    """On the first screen."""
    terminal = Terminal(columns=120, rows=40)
    with running(terminal, WATCH) as process:
        terminal.read_until(END_OF_PAGE)
        process.send_signal(signal.SIGINT)
        assert "canopy" in terminal.read_until("load ").partition(LEAVE)[2]


def test_on_a_terminal_each_service_has_one_line_that_is_written_over(systemd: FakeSystemd) -> None:
    """From waiting over what it says to ready."""
    terminal = Terminal(columns=30, rows=10)
    starting = STOPPED | {"ActiveState": "activating", "SubState": "start", "StatusText": 30 * "x"}
    systemd.set("juniper-data.service", starting)
    systemd.set("juniper-cascor.service", STOPPED)
    with running(terminal, ["start", "data", "cascor"]) as process:
        terminal.read_until("cascor     waiting\x1b[K")
        systemd.set("juniper-data.service", READY)
        systemd.set("juniper-cascor.service", READY)
        terminal.read_until("cascor     ready")
        assert process.wait(TIMEOUT_S) == 0
    first, second, third, *_ = terminal.written.split("\x1b[K\r\n\x1b[")
    assert first == "\rdata       starting: xxxxxxxx"
    assert (second[:2], third[:2]) == ("1A", "2A")
