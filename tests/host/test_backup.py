"""Backups on a real systemd: taken by their unit while the services work, restored, and how long both take."""

from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host import datasets
from tests.host.backups import BACKUP, clear, control, folder, recovered
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

RETENTION, RESTORE_TEST = "juniper-retention.service", "juniper-restore-test.service"
DROP_INS = f".config/systemd/user/{BACKUP}.d"

PROBE = """[Service]
ExecStart=
ExecStart=/bin/bash -c 'for folder in "$STATE_DIRECTORY" %S/juniper/data %S/juniper/cascor \
%h %h/.config/juniper %h/.local/lib/juniper /etc /tmp; do touch "$${folder}/backup-was-here"; done; \
cat %h/.config/juniper/credentials/* %h/.ssh/* >"$STATE_DIRECTORY/read-secrets"; \
(: </dev/tcp/127.0.0.1/8100) && touch "$STATE_DIRECTORY/backup-was-here-and-reached-the-service"; exit 0'
"""


@pytest.fixture
def clean(running: Host) -> Iterator[Host]:
    """The services run; what a test puts aside or backs up goes at its end."""
    yield running
    running.run(f"touch stop-work; {JUNIPER_CTL} stop")
    clear(running)


@pytest.fixture
def probe(clean: Host) -> Iterator[Host]:
    """The host, where the backup tries to write everywhere and to connect, instead of backing up."""
    clean.check_output("printf %%s %s >%s/90-probe.conf && systemctl --user daemon-reload", PROBE, DROP_INS)
    yield clean
    clean.check_output(
        f"rm {DROP_INS}/90-probe.conf; find . -name 'backup-was-here*' -delete; systemctl --user daemon-reload"
    )


@pytest.mark.parametrize("name", ["backup", "retention", "restore-test"])
def test_the_timers_are_there_as_long_as_the_target(running: Host, name: str) -> None:
    """They start with it, wait for their hour, and stop with it."""
    timer = f"juniper-{name}.timer"
    assert value(running, timer, "SubState") == "waiting"
    assert value(running, timer, "NextElapseUSecRealtime") not in ("", "infinity")
    assert running.run(f"{JUNIPER_CTL} stop").rc == 0
    assert value(running, timer, "ActiveState") == "inactive"


def test_a_backup_under_load_restores_and_the_run_goes_on(clean: Host) -> None:
    """All that was answered before the backup is in it; `benchmarks.host` has the figures."""
    recovery = recovered(clean)
    assert recovery.answered > 0
    assert recovery.lost == 0
    assert recovery.metric_age_s < 1


def test_the_trial_restore_and_retention_run_in_their_sandbox(clean: Host) -> None:
    """The services' programs open what is restored there; one backup of eight is one too many in a day."""
    for _ in range(8):
        control(clean, "backup")
    clean.check_output("systemctl --user start %s", RESTORE_TEST)
    clean.check_output("systemctl --user start %s", RETENTION)
    said = clean.check_output("journalctl -q --no-pager -t juniper-restore-test -t juniper-retention -n 4 -o cat")
    assert "restores and opens" in said
    assert "7 stay in" in said


def test_a_backup_while_the_services_are_stopped(clean: Host) -> None:
    """Their databases are closed, and the unit may not write beside them."""
    clean.check_output(f'curl -sf {datasets.URL} -d \'{{"generator":"xor"}}\'')
    control(clean, "stop")
    clean.check_output("systemctl --user start %s", BACKUP)
    assert "is whole" in control(clean, "backup verify")


def test_the_unit_writes_its_own_folder_alone_and_reads_no_secret(probe: Host) -> None:
    """What it backs up it cannot change; credentials and the rest of the home are hidden; it reaches no service."""
    probe.check_output("systemctl --user start %s", BACKUP)
    own = folder(probe)
    written = probe.check_output("find /home /etc /tmp -name 'backup-was-here*' 2>/dev/null || true").split()
    assert written == [f"{own}/backup-was-here"]
    assert probe.check_output(f"wc -c <{own}/read-secrets; rm {own}/read-secrets").strip() == "0"


def test_a_failed_backup_is_told_in_the_journal(clean: Host) -> None:
    """As a service's failure is; a wrong setting ends it with 78."""
    environment = ".config/juniper/juniper.env"
    clean.check_output(f"cp {environment} kept.env && echo JUNIPER_BACKUP_KEEP_LAST=many >>{environment}")
    try:
        assert clean.run(f"systemctl --user start {BACKUP}").rc != 0
        assert value(clean, BACKUP, "ExecMainStatus") == "78"
        alert = "journalctl -q --no-pager -t juniper-alert -n 1 -o cat"
        eventually(lambda: "ALERT unit=juniper-backup" in clean.check_output(alert), "it is told")
    finally:
        clean.check_output(f"mv kept.env {environment}; systemctl --user reset-failed {BACKUP}")
