"""The kernel's count of processes killed for want of memory, as files say it."""

from pathlib import Path

import pytest

from juniper_cascor.runs import out_of_memory

GROUP = "user.slice/juniper-cascor.service"


def counted(folder: Path, groups: str, events: str | None) -> int | None:
    """What is read of these two files."""
    own = folder / "cgroup"
    own.write_text(groups)
    if events is not None:
        (folder / GROUP).mkdir(parents=True)
        (folder / GROUP / "memory.events").write_text(events)
    return out_of_memory.kills(own, folder)


def test_the_kills_of_the_own_group(tmp_path: Path) -> None:
    """Not those of the whole subtree's groups that were killed at once."""
    events = "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 5\n"
    assert counted(tmp_path, f"1:name=systemd:/\n0::/{GROUP}\n", events) == 2


@pytest.mark.parametrize(
    ("groups", "events"),
    [
        (f"0::/{GROUP}\n", None),
        (f"0::/{GROUP}\n", "low 0\n"),
        (f"0::/{GROUP}\n", ""),
        ("4:memory:/old\n", "oom_kill 2\n"),
        ("", None),
    ],
    ids=["no file", "an old kernel", "nothing counted", "no unified hierarchy", "no group"],
)
def test_where_it_is_not_counted(tmp_path: Path, groups: str, events: str | None) -> None:
    """None, not 0: nobody knows."""
    assert counted(tmp_path, groups, events) is None


def test_a_host_without_control_groups(tmp_path: Path) -> None:
    """None too."""
    assert out_of_memory.kills(tmp_path / "missing", tmp_path) is None
