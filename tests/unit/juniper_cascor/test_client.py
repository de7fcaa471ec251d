"""Both clients have every call, once; what is sent twice does no harm."""

import inspect
from collections.abc import Callable

import httpx
import pytest
import stamina

from juniper_cascor import calls
from juniper_cascor.calls import Ask
from juniper_cascor.client import AsyncJuniperCascorClient, JuniperCascorClient
from juniper_common.http import ClientError, ServerError, UnreachableError
from juniper_common.wire.runs import StartRuns
from juniper_common.wire.training import StartTraining


def public(of: type | object) -> dict[str, Callable[..., object]]:
    """The public functions of a class or module."""
    return {
        name: value
        for name, value in inspect.getmembers(of, inspect.isroutine)
        if not name.startswith("_") and (inspect.isclass(of) or value.__module__.startswith(calls.__name__))
    }


def test_each_call_is_a_method_of_both_clients() -> None:
    """With the same arguments and documentation; only the file of a snapshot is asked for in another way."""
    asks = {name: ask for name, ask in public(calls).items() if name != "snapshot_file"}
    for client in (JuniperCascorClient, AsyncJuniperCascorClient):
        methods = public(client)
        assert asks.keys() <= methods.keys()
        for name, ask in asks.items():
            signature = inspect.signature(methods[name])
            assert methods[name].__doc__ == ask.__doc__
            assert list(signature.parameters.values())[1:] == list(inspect.signature(ask).parameters.values())
            assert signature.return_annotation is not Ask


def test_the_two_clients_have_the_same_methods() -> None:
    """One may be put in place of the other."""
    assert public(JuniperCascorClient).keys() == public(AsyncJuniperCascorClient).keys()


@pytest.mark.parametrize(
    ("call", "tries"),
    [
        (lambda client: client.post_runs(StartRuns()), 1),
        (lambda client: client.start(StartTraining()), 1),
        (lambda client: client.take_snapshot(), 1),
        (lambda client: client.resume_snapshot("s"), 1),
        (lambda client: client.remove_hidden_unit(0), 1),
        (lambda client: client.command("stop"), 1),
        (lambda client: client.status(), 3),
        (lambda client: client.predict([[1.0]]), 3),
        (lambda client: client.restore_snapshot("s"), 3),
        (lambda client: client.delete_run("r"), 3),
    ],
    ids=["runs", "start", "snapshot", "resume", "remove", "command", "status", "predict", "restore", "delete"],
)
@pytest.mark.parametrize("trouble", [503, httpx.ReadTimeout])
def test_only_what_does_no_harm_is_sent_again(
    call: Callable[[JuniperCascorClient], object], tries: int, trouble: int | type[httpx.TransportError]
) -> None:
    """A run that was posted twice would be trained twice."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(trouble, int):
            return httpx.Response(trouble)
        raise trouble("no answer")

    with (
        stamina.set_testing(True, attempts=3, cap=True),
        JuniperCascorClient("http://cascor", transport=httpx.MockTransport(answer)) as client,
        pytest.raises((ServerError, UnreachableError)),
    ):
        call(client)
    assert len(asked) == tries


def test_ids_do_not_leave_their_path() -> None:
    """An id with slashes asks for no other address."""
    for ask in (calls.run("../x"), calls.snapshot("../x"), calls.model("../x"), calls.worker("../x")):
        assert ask.call.path.endswith("/..%2Fx")


@pytest.mark.parametrize("count", [1, 100_000])
def test_an_answer_of_another_version_is_told_in_short(count: int) -> None:
    """Of a hundred thousand rows not one by one; and nothing of what stands in them."""
    answer = {"status": "success", "data": [{"epoch": "secret"}] * count, "meta": {"timestamp": 0, "version": "9"}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    with JuniperCascorClient("http://cascor", transport=transport) as client, pytest.raises(ClientError) as raised:
        client.history()
    assert "not an answer of the training service" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert len(str(raised.value)) < 2_000


def test_an_answer_of_something_else_is_said_to_be_one() -> None:
    """Whoever listens there is not the training service."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"hello": "world"}))
    with (
        JuniperCascorClient("http://cascor", transport=transport) as client,
        pytest.raises(ClientError, match="not an answer of the training service"),
    ):
        client.status()
