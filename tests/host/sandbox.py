"""The table of the sandbox: each line of it in the units, and what is tried against it from inside.

The lines that let something through stand in `OPENINGS`, those that cannot be shown to bite on the test host in
`UNPROVEN`; what a process in the sandbox can still do in `NOT_HELD`. docs/hardening.md says the same to people.
"""

import re
from dataclasses import dataclass
from pathlib import Path

UNITS = Path(__file__).parents[2] / "systemd/user"
CASCOR = "juniper-cascor"
BACKUPS = ("juniper-backup", "juniper-retention", "juniper-restore-test")

_NAMES = re.compile(
    r"(Private|Protect|Restrict|SystemCall|Bind|Inaccessible|ReadOnly|ReadWrite|Exec(?=Paths)|NoExec|TemporaryFile|Keyring|Lock"
    r"|Memory(?=Deny)|NoNew|Capability|Ambient|UMask|RemoveIPC|Proc|Device|IPAddress|SocketBind)\w*"
)
"""The directives of which the sandbox is made."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """A line of the units, and what it forbids."""

    line: str
    probes: tuple[str, ...]
    """Each is refused with it and succeeds without."""
    lifted: str
    """What takes it back."""
    also: tuple[str, ...] = ()
    """What takes back others that forbid the same. Without those, too, this one alone must refuse."""
    exempt: tuple[str, ...] = ()
    """Units whose own lines take it back, or forbid the same."""


_FILTERS = (
    *("SystemCallFilter=", "SystemCallArchitectures=", "RestrictAddressFamilies=", "RestrictNamespaces=no"),
    *("MemoryDenyWriteExecute=no", "RestrictRealtime=no", "RestrictSUIDSGID=no", "LockPersonality=no"),
    *("ProtectHostname=no", "ProtectKernelTunables=no", "ProtectKernelModules=no", "ProtectClock=no"),
    "PrivateDevices=no",
)
"""A user's manager sets no_new_privs for each of them."""

_MOUNTS = (
    *("ProtectHome=no", "ProtectSystem=no", "PrivateTmp=no", "PrivateIPC=no", "PrivateDevices=no", "PrivateNetwork=no"),
    *("TemporaryFileSystem=", "BindPaths=", "NoExecPaths=", "CapabilityBoundingSet=~", "ProtectClock=no"),
    *("ProtectKernelModules=no", "ProtectKernelTunables=no", "ProtectControlGroups=no"),
)
"""Without PrivateUsers= they are silently absent, or the unit does not start."""

_REFUSED = "SystemCallFilter=~@privileged @resources @obsolete @debug @mount memfd_create"
_FAMILIES, _RUN, _CALLS = "RestrictAddressFamilies=", "TemporaryFileSystem=", "SystemCallFilter="

BARRIERS = (
    Barrier(
        "PrivateUsers=yes",
        (
            *("read_another_process", "write_another_process"),
            *("reach_the_root_of_another_process", "reach_the_folder_of_another_process"),
        ),
        "PrivateUsers=no",
        also=_MOUNTS,
    ),
    Barrier(
        "NoNewPrivileges=yes",
        ("become_root", "open_a_raw_socket", "take_a_capability"),
        "NoNewPrivileges=no",
        also=("PrivateUsers=no", *_MOUNTS, *_FILTERS),
    ),
    Barrier(
        "CapabilityBoundingSet=",
        ("take_a_capability",),
        "CapabilityBoundingSet=~",
        also=("NoNewPrivileges=no", *_FILTERS),
    ),
    Barrier("ProtectSystem=strict", ("write_among_the_systems_files",), "ProtectSystem=no"),
    Barrier("ProtectHome=tmpfs", ("read_the_home",), "ProtectHome=no"),
    Barrier("ProtectHome=tmpfs", ("read_the_credentials",), "ProtectHome=no", exempt=BACKUPS),
    Barrier("InaccessiblePaths=-%h/.config/juniper/credentials", ("read_the_credentials",), "InaccessiblePaths="),
    Barrier(
        "ProtectHome=tmpfs",
        ("reach_the_session_bus", "reach_the_users_manager", "start_a_unit", "set_its_own_limits"),
        "ProtectHome=no",
        also=(_RUN, _FAMILIES),
    ),
    Barrier("ProtectHome=tmpfs", ("write_to_the_home",), "ProtectHome=no", also=("ProtectSystem=no",)),
    Barrier(
        "ProtectHome=tmpfs",
        ("write_to_anothers_state",),
        "ProtectHome=no",
        also=("ProtectSystem=no",),
        exempt=BACKUPS,
    ),
    Barrier(
        "BindReadOnlyPaths=%h/.local/lib/juniper",
        ("change_the_code",),
        "BindPaths=\nBindPaths=%t/systemd/notify %h/.local/lib/juniper",
    ),
    Barrier(
        "TemporaryFileSystem=/run:ro /dev/shm:noexec,mode=1777",
        (
            *("reach_a_daemon", "reach_the_system_bus", "ask_the_login_manager"),
            *("see_shared_files", "run_a_program_in_shared_memory"),
        ),
        _RUN,
        also=(_FAMILIES,),
    ),
    Barrier("PrivateTmp=yes", ("see_tmp",), "PrivateTmp=no"),
    Barrier("PrivateIPC=yes", ("see_shared_memory",), "PrivateIPC=no"),
    Barrier("PrivateDevices=yes", ("open_a_device",), "PrivateDevices=no"),
    Barrier("NoExecPaths=/tmp /var/tmp", ("run_a_program_in_tmp",), "NoExecPaths="),
    *(
        Barrier(line, ("run_a_program_that_it_wrote", "load_a_library_that_it_wrote"), "NoExecPaths=")
        for line in (
            "NoExecPaths=%S/juniper/%j %C/juniper/%j %t/%p",
            *(f"NoExecPaths=%S/juniper/{name}" for name in ("data", "health", "alerts", "probe", "backups")),
        )
    ),
    Barrier("ProtectKernelTunables=yes", ("change_a_setting_of_the_kernel",), "ProtectKernelTunables=no"),
    Barrier("ProtectKernelModules=yes", ("list_the_modules",), "ProtectKernelModules=no"),
    Barrier("ProtectControlGroups=yes", ("make_a_control_group", "leave_its_control_group"), "ProtectControlGroups=no"),
    Barrier("RestrictNamespaces=yes", ("make_a_namespace",), "RestrictNamespaces=no"),
    Barrier("LockPersonality=yes", ("change_its_execution_domain",), "LockPersonality=no"),
    Barrier("RestrictRealtime=yes", ("take_realtime_priority",), "RestrictRealtime=no", also=(_CALLS,)),
    Barrier("RestrictSUIDSGID=yes", ("leave_a_set_user_id_file",), "RestrictSUIDSGID=no"),
    Barrier("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6", ("open_a_rare_socket",), _FAMILIES),
    Barrier("RestrictAddressFamilies=~AF_UNIX", ("reach_an_abstract_socket",), _FAMILIES),
    Barrier("RestrictAddressFamilies=none", ("open_an_internet_socket",), _FAMILIES),
    Barrier(
        "PrivateNetwork=yes",
        ("reach_a_port_of_the_host", "reach_an_abstract_socket"),
        "PrivateNetwork=no",
        also=(_FAMILIES,),
    ),
    Barrier("SystemCallArchitectures=native", ("run_code_of_32_bits",), "SystemCallArchitectures="),
    Barrier("SystemCallFilter=@system-service", ("trace_a_process", "prepare_a_mount"), _CALLS),
    Barrier(_REFUSED, ("give_a_file_away",), _CALLS),
    Barrier(_REFUSED, ("bind_itself_to_a_processor", "run_a_program_in_nameless_memory"), _CALLS, exempt=(CASCOR,)),
    Barrier(
        "MemoryDenyWriteExecute=yes", ("map_writable_executable_memory",), "MemoryDenyWriteExecute=no", exempt=(CASCOR,)
    ),
    Barrier("UMask=0077", ("write_what_others_can_read",), "UMask=0022"),
)

OPENINGS = {
    "BindPaths=%t/systemd/notify": "the socket that takes READY=1",
    "BindReadOnlyPaths=/run/systemd/journal -/run/systemd/resolve -/run/resolvconf -/run/NetworkManager -/run/nscd": (
        "the journal's socket, and how names of hosts are found"
    ),
    "BindReadOnlyPaths=-%h/.config/juniper": "the backup and what follows it: the settings",
    "BindReadOnlyPaths=-%S/juniper/data -%S/juniper/cascor -%S/juniper/canopy": "the backup: what it takes",
    "SystemCallErrorNumber=EPERM": "a call that is filtered fails; without it the process is killed",
    "MemoryDenyWriteExecute=no": "cascor: numba compiles the inner loops of a training",
    "SystemCallFilter=@resources memfd_create": "cascor: threads are bound to processors",
    "RestrictAddressFamilies=AF_NETLINK": "cascor: CUDA asks the kernel for its devices",
    "BindPaths=-/dev/nvidia…": "cascor: the GPUs",
    "BindReadOnlyPaths=-/run/nvidia-persistenced": "cascor: the daemon that keeps the GPU's driver awake",
}

UNPROVEN = {
    "PrivateMounts=yes": "who has no privileges cannot mount without it either",
    "ProtectHostname=yes": "who has no privileges cannot set the host's name without it either",
    "ProtectClock=yes": "the test host is a container, which forbids the calls to everybody",
    "KeyringMode=private": "the test host is a container, which forbids the calls to everybody",
    "ProtectKernelLogs=yes": "a unit with it does not start in a container; `juniper-ctl install` leaves it out there",
}

NOT_HELD = {
    "see_another_process": "ProtectProc= has no effect in a user unit",
    "signal_another_process": "no directive of a user unit takes it back; a process that is killed is restarted",
    "reach_an_abstract_socket": "they are a part of the host's network, which a service needs that listens on a port",
    "reach_a_port_of_the_host": "the services talk to each other there; IPAddressDeny= has no effect in a user unit",
}
"""What the three services can do, and would better not."""


def units() -> list[str]:
    """The units with a process; a template stands for itself, as its first instance."""
    return sorted(path.stem.replace("@", "@bait") for path in UNITS.glob("*.service"))


def files_of(unit: str) -> list[Path]:
    """The unit's file, then its drop-ins as systemd reads them: by name, and of two the one that stands nearer."""
    own = unit.partition("@")[0] + ("@" if "@" in unit else "")
    folders = [UNITS / f"{unit[: i + 1]}.service.d" for i, letter in enumerate(own) if letter == "-"]
    drop_ins = {path.name: path for folder in (*folders, UNITS / f"{own}.service.d") for path in folder.glob("*.conf")}
    return [UNITS / f"{own}.service", *(drop_ins[name] for name in sorted(drop_ins))]


def lines_of(paths: list[Path]) -> list[str]:
    """The sandbox's lines of these files."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [re.sub(r"(/dev/nvidia).*", r"\1…", line) for line in lines if _NAMES.match(line)]


def barriers_of(unit: str) -> list[Barrier]:
    """Those that stand in this unit."""
    lines = set(lines_of(files_of(unit)))
    return [barrier for barrier in BARRIERS if barrier.line in lines and unit not in barrier.exempt]
