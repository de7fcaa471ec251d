"""Who calls while a service is restarted waits for it: systemd keeps the port. One that is stopped has no port."""

import pytest
from testinfra.host import Host

from tests.host.callers import PORTS, callers, goes_on
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, is_running, number

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


def test_a_restart_refuses_nobody(running: Host) -> None:
    """Neither a connection nor a request is lost, of none of the three; the new processes have the same sockets."""
    with callers(running, *PORTS.values()) as told:
        for _ in range(2):
            restarted = running.run(f"{JUNIPER_CTL} restart")
            assert restarted.rc == 0, restarted.stderr
        for port in PORTS.values():
            became = goes_on(told, port)
            assert (became["refused"], became["cut off"]) == (0, 0)


@pytest.mark.parametrize(("service", "signal"), [*((service, "KILL") for service in PORTS), ("data", "ABRT")])
def test_a_killed_process_is_waited_for(running: Host, service: str, signal: str) -> None:
    """What it had let in is cut off with it, and nobody is refused. ABRT is what the watchdog sends."""
    unit, port = f"juniper-{service}.service", PORTS[service]
    with callers(running, port) as told:
        process = number(running, unit, "MainPID")
        running.check_output("systemctl --user kill --kill-whom=main --signal=%s %s", signal, unit)
        eventually(lambda: is_running(running, unit) and number(running, unit, "MainPID") != process, "it runs again")
        became = goes_on(told, port)
        assert became["refused"] == 0
        assert became["cut off"] <= 1


def test_another_port_is_taken_and_the_old_one_left(running: Host) -> None:
    """The settings say where, not what was kept; and back again, where nothing hinders."""
    settings = ".config/juniper/data.env"
    running.check_output(f"cp {settings} before.env && echo JUNIPER_DATA_PORT=8101 >>{settings}")
    try:
        assert running.run(f"{JUNIPER_CTL} restart data").rc == 0
        assert running.socket("tcp://127.0.0.1:8101").is_listening
        assert not running.socket("tcp://127.0.0.1:8100").is_listening
    finally:
        running.check_output(f"mv before.env {settings}")
    assert running.run(f"{JUNIPER_CTL} restart data").rc == 0
    assert number(running, "juniper-data.service", "NRestarts") == 0
    assert running.socket("tcp://127.0.0.1:8100").is_listening


def test_a_stopped_service_has_no_port(running: Host) -> None:
    """Nothing is kept for one that nobody wants to run: callers are refused at once."""
    assert running.run(f"{JUNIPER_CTL} stop canopy").rc == 0
    assert number(running, "juniper-canopy.service", "NFileDescriptorStore") == 0
    assert not running.socket("tcp://127.0.0.1:8050").is_listening


def test_a_service_that_systemd_gives_up_has_no_port(running: Host) -> None:
    """With settings that it refuses it will not come back by itself: to wait for it would be in vain."""
    settings = ".config/juniper/canopy.env"
    running.check_output(f"cp {settings} before.env && echo JUNIPER_CANOPY_SERVER__PORT=many >>{settings}")
    try:
        assert running.run(f"{JUNIPER_CTL} restart canopy").rc == 78
        assert not running.socket("tcp://127.0.0.1:8050").is_listening
    finally:
        running.check_output(f"mv before.env {settings}")
