import json
import socket
from collections.abc import Iterator

import pytest

from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.runs import moment
from tests.unit.juniper_ctl.fake_training_service import FakeTrainingService, training_service

CREATED_AT = 1795777757.9
RECORD = {
    "id": "r1",
    "status": "COMPLETED",
    "dataset_id": "spiral-1",
    "hidden_units": 4,
    "epochs": 584,
    "created_at": CREATED_AT,
    "backend": "numba-serial",
}
SNAPSHOT = {
    "id": "r1.00004-000000584",
    "run_id": "r1",
    "epoch": 584,
    "hidden_units": 4,
    "created_at": CREATED_AT,
    "size_bytes": 52_000,
    "state": "whole",
    "problem": None,
    "can_resume": True,
}


@pytest.fixture
def cascor(home: Locations, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTrainingService]:  # noqa: ARG001
    """A training service that runs, where the settings say."""
    with training_service() as service:
        monkeypatch.setenv("JUNIPER_CASCOR_PORT", str(service.port))
        yield service


def test_runs_are_a_table(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """A figure that a run does not have is a dash, and what is not shown is said."""
    bare = RECORD | {"id": "r2", "status": "QUEUED", "dataset_id": None, "epochs": 0}
    metrics = {"r1": {"val_loss": 0.28973, "val_accuracy": 0.5}}
    cascor.answer("GET /v1/runs?limit=2", {"runs": [RECORD, bare], "total": 5, "metrics": metrics})
    assert main(["runs", "--limit", "2"]) == Exit.OK
    header, first, second, last = capsys.readouterr().out.splitlines()
    figures = ["4", "584", "0.2897", "0.5000"]
    assert header.split()[:3] == ["RUN", "STATUS", "DATASET"]
    assert first.split() == ["r1", "COMPLETED", "spiral-1", *figures, *moment(CREATED_AT).split(), "numba-serial"]
    assert second.split()[:7] == ["r2", "QUEUED", "inline", "4", "0", "-", "-"]
    assert last == "and 3 older ones: --limit 5"


def test_runs_of_a_status_can_be_asked_for(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """In small letters too; the JSON is what the service says."""
    page = {"runs": [RECORD], "total": 1, "metrics": {}}
    cascor.answer("GET /v1/runs?limit=20&status=COMPLETED", page)
    assert main(["runs", "--status", "completed", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == page


def test_a_run_is_shown_whole(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """Without what it has not, and without what its notes would do to a terminal."""
    detail = RECORD | {"reason": None, "tags": ["a", "b"], "notes": "x\x1b[2J\ny", "metrics": {"val_loss": 0.123456}}
    cascor.answer("GET /v1/runs/r1", detail)
    assert main(["runs", "show", "r1"]) == Exit.OK
    facts = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    shown = {name: fact.strip() for name, fact in facts.items()}
    assert "reason" not in shown
    assert shown["tags"] == "a, b"
    assert shown["notes"] == "x\\x1b[2J\\x0ay"
    assert shown["metrics"] == "val_loss 0.1235"
    assert shown["created at"] == moment(CREATED_AT)


def test_a_run_takes_commands(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """Its id reaches the service as it is, whatever is in it."""
    cascor.answer("POST /v1/runs/a%2Fb%20c/stop", {"status": "stopped"})
    assert main(["runs", "stop", "a/b c"]) == Exit.OK
    assert capsys.readouterr().out == "run a/b c is stopped\n"
    assert main(["runs", "stop", "a/b c", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == {"status": "stopped"}


def test_a_command_without_a_run_is_a_usage_error() -> None:
    """Nothing is guessed."""
    assert main(["runs", "stop"]) == Exit.USAGE
    assert main(["snapshots", "verify"]) == Exit.USAGE
    assert main(["snapshots", "r1", "more"]) == Exit.USAGE


@pytest.mark.parametrize(
    ("status", "code", "next_command"),
    [
        (409, Exit.FAILED, "juniper-ctl runs show r1"),
        (404, Exit.FAILED, "juniper-ctl runs show r1"),
        (422, Exit.USAGE, "juniper-ctl runs show r1"),
        (401, Exit.PERMISSION, "ls -l "),
    ],
)
def test_a_refusal_is_said(
    cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str], status: int, code: Exit, next_command: str
) -> None:
    """In the service's words."""
    cascor.refuse("POST /v1/runs/r1/stop", status, "training is COMPLETED")
    assert main(["runs", "stop", "r1"]) == code
    said = capsys.readouterr().err
    assert "cascor refuses: training is COMPLETED" in said
    assert f"next: {next_command}" in said


def test_the_key_comes_from_its_file(cascor: FakeTrainingService, home: Locations) -> None:
    """The first one, where several are valid."""
    cascor.key = "s3cret"
    cascor.answer("GET /v1/runs?limit=20", {"runs": [], "total": 0, "metrics": {}})
    assert main(["runs"]) == Exit.PERMISSION
    home.credentials.mkdir(parents=True)
    (home.credentials / "juniper_cascor_api_keys").write_text("s3cret,other\n")
    assert main(["runs"]) == Exit.OK


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", [["runs"], ["runs", "show", "r1"], ["snapshots"]])
def test_a_service_that_is_away_is_to_be_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Exit code 3, as of a status of what is stopped."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("JUNIPER_CASCOR_PORT", str(free.getsockname()[1]))
        assert main(command) == Exit.STOPPED
    assert capsys.readouterr().err.endswith("next: juniper-ctl start cascor\n")


def test_a_service_that_talks_nonsense_is_said(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """Another program may have the port."""
    cascor.answers["GET /v1/runs?limit=20"] = 200, ["no", "object"]
    assert main(["runs"]) == Exit.FAILED
    assert "cascor refuses: HTTP 200" in capsys.readouterr().err


def test_snapshots_are_a_table(cascor: FakeTrainingService, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one run; of a file that cannot be read only what is known."""
    damaged = SNAPSHOT | {"id": "x", "state": "damaged", "epoch": None, "hidden_units": None, "can_resume": False}
    cascor.answer("GET /v1/snapshots?limit=20&run_id=r1", {"snapshots": [SNAPSHOT, damaged], "total": 2})
    assert main(["snapshots", "r1"]) == Exit.OK
    _, first, second = capsys.readouterr().out.splitlines()
    written = moment(CREATED_AT).split()
    assert first.split() == ["r1.00004-000000584", "whole", "584", "4", "51", "KiB", *written, "yes"]
    assert second.split() == ["x", "damaged", "-", "-", "51", "KiB", *written, "no"]


@pytest.mark.parametrize(
    ("state", "problem", "code", "said"),
    [
        ("whole", None, Exit.OK, "s1 is whole\n"),
        ("damaged", "its digest is another", Exit.FAILED, "s1 is damaged: its digest is another\n"),
    ],
)
def test_a_snapshot_is_verified(
    cascor: FakeTrainingService,
    capsys: pytest.CaptureFixture[str],
    state: str,
    problem: str | None,
    code: Exit,
    said: str,
) -> None:
    """The exit code says it too."""
    detail = SNAPSHOT | {"id": "s1", "state": state, "problem": problem}
    cascor.answer("GET /v1/snapshots/s1", detail)
    assert main(["snapshots", "verify", "s1"]) == code
    assert capsys.readouterr().out == said
    assert main(["snapshots", "verify", "s1", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == detail
