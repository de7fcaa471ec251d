"""The training service's envelope."""

from juniper_common import __version__
from juniper_common.wire.envelope import ErrorInfo, Failure, Success
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import Heartbeat


def test_answer_stands_in_data() -> None:
    """Beside it: that it is one, when it was made, and by what."""
    written = Success(data=Heartbeat(epoch=3)).model_dump(mode="json")
    assert (written["status"], written["data"]) == ("success", {"trainer": "alive", "epoch": 3})
    assert written["meta"]["version"] == __version__
    assert written["meta"]["timestamp"].endswith("Z")


def test_answer_is_read_as_it_was_written() -> None:
    """A client gets the model back."""
    sent = Success[Heartbeat](data=Heartbeat(epoch=3))
    assert Success[Heartbeat].model_validate_json(sent.model_dump_json()) == sent


def test_refusal_has_code_message_and_fields() -> None:
    """One for programs, one for a person, one that names each field."""
    problem = FieldProblem(loc=["params", "seed"], msg="too small")
    written = Failure(error=ErrorInfo(code="X", message="no", detail=[problem])).model_dump(mode="json")
    assert (written["status"], set(written)) == ("error", {"status", "error", "meta"})
    assert written["error"] == {
        "code": "X",
        "message": "no",
        "detail": [{"loc": ["params", "seed"], "msg": "too small", "type": "value_error"}],
    }


def test_refusals_share_no_fields() -> None:
    """Each has a list of its own."""
    ErrorInfo(code="X", message="no").detail.append(FieldProblem(loc=[], msg="x"))
    assert ErrorInfo(code="X", message="no").detail == []
