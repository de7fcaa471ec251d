"""Doctor's section on the env files and the credentials; `juniper-ctl env check` and `env show`."""

from collections.abc import Sequence
from dataclasses import asdict

from juniper_ctl import credentials, profiles
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.env_check import check
from juniper_ctl.env_file import assignments, files_of, text_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json
from juniper_ctl.services import SERVICES, Service

HIDDEN = "(hidden)"


def look(locations: Locations) -> list[Finding]:
    """What is wrong with the env files and the credentials; one line where nothing is."""
    if not locations.configuration.is_dir():
        return [Finding("absent", f"there is no {locations.configuration}", "juniper-ctl install")]
    found = [fault.as_finding() for fault in check(locations)]
    found += [
        Finding("wrong", f"others may look into {path}", next_command)
        for path, next_command in credentials.exposed(locations).items()
    ]
    found += [
        Finding("wrong", f"credential {row.name}: missing", row.complaint)
        for row in credentials.found(locations)
        if row.mode is None
    ]
    return found or [Finding("ok", f"the files in {locations.configuration} say nothing that is not known")]


def env_check(locations: Locations, *, as_json: bool) -> Exit:
    """Print what is wrong with the env files; 78 where something is."""
    _require(locations)
    faults = check(locations)
    verdict = Exit.CONFIGURATION if any(fault.level == "wrong" for fault in faults) else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "faults": [asdict(fault) for fault in faults]})
        return verdict
    for fault in faults:
        print(fault.as_finding().shown())
    if verdict is Exit.OK:
        print(f"{'ok':<7} nothing wrong in {locations.configuration}, profile {profiles.chosen(locations)}")
    return verdict


def env_show(services: Sequence[Service], locations: Locations, *, as_json: bool) -> Exit:
    """Print what each service will see, and where it stands; secrets are hidden."""
    _require(locations)
    told = {service.name: _seen(service, locations) for service in services}
    if as_json:
        print_json({"profile": profiles.chosen(locations), "services": told})
        return Exit.OK
    print(f"profile {profiles.chosen(locations)}")
    for service, rows in told.items():
        for row in rows:
            print(f"{service:<8} {row['name']}={row['value']}   {row['file']}:{row['line']}")
    return Exit.OK


def _seen(service: Service, locations: Locations) -> list[dict[str, str | int]]:
    secret = {name.upper() for each in SERVICES for name in each.credentials}
    seen: dict[str, dict[str, str | int]] = {}
    for path in files_of(service, locations):
        for each in assignments(text_of(path)):
            if each.is_read:
                value = HIDDEN if each.name in secret else each.value
                seen[each.name] = {"name": each.name, "value": value, "file": path.resolve().name, "line": each.line}
    return list(seen.values())


def _require(locations: Locations) -> None:
    if not locations.configuration.is_dir():
        raise ControlError(
            f"there is no {locations.configuration}", next_command="juniper-ctl install", code=Exit.CONFIGURATION
        )
