"""Backups on a real systemd: taken by their unit while the services work, restored, and how long both take."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

BACKUP, RETENTION, RESTORE_TEST = (f"juniper-{name}.service" for name in ("backup", "retention", "restore-test"))
DATASETS = "http://127.0.0.1:8100/v1/datasets"
RUNS = "http://127.0.0.1:8200/v1/runs"
DROP_INS = f".config/systemd/user/{BACKUP}.d"

WORK = f"""
make() {{ curl -sf {DATASETS} -d "$1" >answer; }}
i=0
while [ ! -e stop-work ]; do
    i=$((i + 1))
    make '{{"generator":"xor","params":{{"seed":'$i'}}}}' && date +%s.%N >>made-at
    make '{{"generator":"xor","params":{{"seed":null}}}}'
    curl -sf -X DELETE "{DATASETS}/$(grep -o 'xor-[0-9.]*-[0-9a-f]*' answer | head -1)"
done
"""
"""Makes datasets, and as many that are deleted at once."""

PROBE = """[Service]
ExecStart=
ExecStart=/bin/bash -c 'for folder in "$STATE_DIRECTORY" %S/juniper/data %S/juniper/cascor \
%h %h/.config/juniper %h/.local/lib/juniper /etc /tmp; do touch "$${folder}/backup-was-here"; done; \
cat %h/.config/juniper/credentials/* %h/.ssh/* >"$STATE_DIRECTORY/read-secrets"; \
(: </dev/tcp/127.0.0.1/8100) && touch "$STATE_DIRECTORY/backup-was-here-and-reached-the-service"; exit 0'
"""

NEWEST_METRIC = """
import sqlite3, sys
runs = sqlite3.connect(f"file:{sys.argv[1]}?immutable=1", uri=True)
print(runs.execute("SELECT max(time) FROM metric_points").fetchone()[0])
"""


def control(host: Host, command: str) -> str:
    """What `juniper-ctl` prints; it must not fail."""
    return str(host.check_output(f"{JUNIPER_CTL} {command}"))


def newest(host: Host) -> dict[str, Any]:
    """The newest backup, as programs are told."""
    backups: list[dict[str, Any]] = json.loads(control(host, "backup list --json"))["backups"]
    return backups[-1]


def folder(host: Host) -> str:
    """Where backups lie."""
    return str(json.loads(control(host, "backup list --json"))["folder"])


@pytest.fixture
def clean(running: Host) -> Iterator[Host]:
    """The services run; what a test puts aside or backs up goes at its end."""
    yield running
    running.run(f"touch stop-work; {JUNIPER_CTL} stop; rm -rf {folder(running)}/2* ~/.config/juniper/*.before-*")
    running.run("rm -rf ~/.local/state/juniper/*.before-* stop-work answer made-at")


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
    """Prints what is lost at most, and how long a restore takes; all that was answered before the backup is in it."""
    training.start(clean, pace=20)
    clean.check_output("rm -f made-at stop-work; (bash -c %s >/dev/null 2>&1 &)", WORK)
    eventually(lambda: training.status(clean).monitor.current_epoch > 100, "it trains")
    eventually(lambda: int(clean.run("wc -l <made-at").stdout or 0) > 20, "datasets are made")
    run_id = training.status(clean).run_id

    began = time.monotonic()
    clean.check_output("systemctl --user start %s", BACKUP)
    took_s = time.monotonic() - began
    at_backup = training.status(clean).monitor.current_epoch
    clean.check_output("touch stop-work")
    taken = newest(clean)
    as_of = {name: record["as_of"] for name, record in taken["services"].items()}
    assert [record["problems"] for record in taken["services"].values()] == [[], [], []]
    assert "is whole" in control(clean, "backup verify")
    runs = f"{folder(clean)}/{taken['name']}/cascor/runs.sqlite3"
    newest_metric = float(clean.check_output("python3 -c %s %s", NEWEST_METRIC, runs))
    made_before = sum(float(line) < as_of["data"] for line in clean.check_output("cat made-at").split())

    began = time.monotonic()
    said = control(clean, "restore latest --yes")
    recovery_s = time.monotonic() - began
    stop_to_ready_s = float(said.rsplit("all ready ", 1)[1].split()[0])

    restored = json.loads(clean.check_output(f"curl -sf '{DATASETS}/stats'"))["by_generator"]["xor"]
    assert restored >= made_before
    assert newest_metric > as_of["cascor"] - 1
    after = training.status(clean)
    assert (after.run_id, after.training_active) == (run_id, True)
    eventually(lambda: training.status(clean).monitor.current_epoch > at_backup, "it goes on past the backup")
    training.stop(clean)
    told = (
        f"backup: {taken['files']} files, {taken['bytes'] / 1e6:.1f} MB in {took_s:.1f} s",
        f"recovery point: {made_before} datasets answered before it began, {restored} restored;"
        f" newest metric {newest_metric - as_of['cascor']:+.2f} s from its begin",
        f"recovery time: {recovery_s:.1f} s, of which {stop_to_ready_s:.1f} s from the stop to all ready",
    )
    print("\n".join(told))  # noqa: T201 - the figures of docs/backup.md


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
    clean.check_output(f'curl -sf {DATASETS} -d \'{{"generator":"xor"}}\'')
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
