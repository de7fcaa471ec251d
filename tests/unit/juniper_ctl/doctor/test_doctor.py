"""What doctor prints, and what its exit code is."""

import json
from collections.abc import Sequence

import pytest

from juniper_ctl.doctor.doctor import doctor
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations

WELL = Finding("ok", "two GPUs")
ABSENT = Finding("absent", "no third one")
WRONG = Finding("wrong", "the first burns", "juniper-ctl stop")
SECTIONS = {"gpu": lambda _: [WELL, ABSENT], "fire": lambda _: [WRONG]}


@pytest.mark.usefixtures("home")
def test_each_finding_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its section, how it is, what it is, and below it what to type; one that is wrong is exit code 1."""
    assert doctor([], as_json=False, sections=SECTIONS) is Exit.FAILED
    assert capsys.readouterr().out.splitlines() == [
        "gpu      ok      two GPUs",
        "gpu      absent  no third one",
        "fire     wrong   the first burns",
        "  next: juniper-ctl stop",
    ]


@pytest.mark.usefixtures("home")
def test_what_need_not_be_there_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Sections can be named."""
    assert doctor(["gpu"], as_json=True, sections=SECTIONS) is Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "ok"
    assert told["sections"] == {
        "gpu": [
            {"level": "ok", "text": "two GPUs", "next_command": ""},
            {"level": "absent", "text": "no third one", "next_command": ""},
        ]
    }


@pytest.mark.usefixtures("home")
def test_a_section_that_there_is_not() -> None:
    """Is told with those that there are."""
    with pytest.raises(ControlError, match="no section water; there are gpu, fire") as raised:
        doctor(["water"], as_json=False, sections=SECTIONS)
    assert raised.value.code is Exit.USAGE


def test_a_section_is_given_where_things_lie(home: Locations) -> None:
    """The folders of the user."""
    seen: list[Locations] = []

    def look(locations: Locations) -> Sequence[Finding]:
        seen.append(locations)
        return []

    assert doctor([], as_json=False, sections={"any": look}) is Exit.OK
    assert seen == [home]
