"""What a host's backups are, and one that is taken and restored while everything works."""

import json
import time
from dataclasses import dataclass
from typing import Any

from testinfra.host import Host

from tests.host import datasets, training
from tests.host.installed_host import JUNIPER_CTL
from tests.host.run_store import newest_metric
from tests.host.user_units import eventually

BACKUP = "juniper-backup.service"

_WORK = f"""
make() {{
    answer=$(curl -sf {datasets.URL} -d '{{"generator":"xor","params":{{"seed":null}}}}')
    made=$(echo "$answer" | grep -o 'xor-[0-9.]*-[0-9a-f]*' | head -1)
}}
while [ ! -e stop-work ]; do
    make && echo "$(date +%s.%N) $made" >>answered
    make && curl -sf -X DELETE {datasets.URL}/$made
done
"""
"""Makes datasets, each another, and as many that are deleted at once."""

_THERE = f"for dataset in $(cat wanted); do curl -sf -o /dev/null {datasets.URL}/$dataset && echo $dataset; done; true"


@dataclass(frozen=True, slots=True)
class Recovery:
    """A backup under load, and its restore."""

    files: int
    n_bytes: int
    taken_s: float
    """By its unit, the start of the unit included."""
    answered: int
    """Datasets that were answered before it began."""
    lost: int
    """Of these, not restored."""
    metric_age_s: float
    """How much older than the backup's begin its newest metric is; negative where it was made meanwhile."""
    restore_s: float
    stop_to_ready_s: float
    """Of this, what the services are away."""


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


def recovered(host: Host) -> Recovery:
    """Take a backup while a run trains and datasets are made and deleted, restore it, and see the run go on past it."""
    training.start(host, pace=20)
    host.check_output("rm -f answered stop-work; (bash -c %s >/dev/null 2>&1 &)", _WORK)
    eventually(lambda: training.status(host).monitor.current_epoch > 100, "it trains")
    eventually(lambda: int(host.run("wc -l <answered").stdout or 0) > 20, "datasets are made")
    run_id = training.status(host).run_id

    began = time.monotonic()
    host.check_output("systemctl --user start %s", BACKUP)
    taken_s = time.monotonic() - began
    at_backup = training.status(host)
    host.check_output("touch stop-work")
    taken = newest(host)
    as_of = {name: record["as_of"] for name, record in taken["services"].items()}
    assert [record["problems"] for record in taken["services"].values()] == [[], [], []]
    assert "is whole" in control(host, "backup verify")
    # Nothing may be written beside the copy.
    metric = newest_metric(host, f"{folder(host)}/{taken['name']}/cascor/runs.sqlite3?immutable=1")
    answered = [line.split() for line in host.check_output("cat answered").splitlines()]
    wanted = {dataset for at, dataset in answered if float(at) < as_of["data"]}

    began = time.monotonic()
    said = control(host, "restore latest --yes")
    restore_s = time.monotonic() - began
    restored = host.check_output("echo %s >wanted;" + _THERE, " ".join(wanted)).split()
    after = training.status(host)
    assert (after.run_id, after.training_active) == (run_id, True)
    eventually(lambda: training.goes_on(host, at_backup), "it goes on past the backup")
    training.stop(host)
    return Recovery(
        files=taken["files"],
        n_bytes=taken["bytes"],
        taken_s=taken_s,
        answered=len(wanted),
        lost=len(wanted - set(restored)),
        metric_age_s=as_of["cascor"] - metric,
        restore_s=restore_s,
        stop_to_ready_s=float(said.rsplit("all ready ", 1)[1].split()[0]),
    )


def clear(host: Host) -> None:
    """Remove what a restore put aside, and the backups."""
    host.run(f"touch stop-work; rm -rf {folder(host)}/2* ~/.config/juniper/*.before-*")
    host.run("rm -rf ~/.local/state/juniper/*.before-* stop-work answered wanted")
