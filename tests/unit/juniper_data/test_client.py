"""The clients against services that fail, each a hand-written transport."""

import asyncio
import hashlib
import inspect
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import orjson
import pytest
import stamina

from juniper_common.asking import Ask
from juniper_common.http import PIECE_BYTES, ClientError, InvalidRequestError, ResponseError, ServerError
from juniper_common.wire.datasets import CreateDatasetRequest, UploadQuery
from juniper_data import calls
from juniper_data.client import AsyncJuniperDataClient, ChecksumError, JuniperDataClient

ARTIFACT = b"x" * (PIECE_BYTES + 100)
CHECKSUM = hashlib.sha256(ARTIFACT).hexdigest()
ID = "xor-1.0.0-0123456789abcdef"

META: dict[str, object] = {
    "dataset_id": ID,
    "generator": "xor",
    "generator_version": "1.0.0",
    "params": {},
    "n_samples": 1,
    "n_features": 1,
    "n_classes": 1,
    "n_train": 1,
    "n_test": 0,
    "class_distribution": {"0": 1},
    "created_at": "2026-01-01T00:00:00Z",
    "checksum": CHECKSUM,
}
CREATED: dict[str, object] = {"dataset_id": ID, "generator": "xor", "meta": META, "artifact_url": None}
JOB: dict[str, object] = {
    "job_id": "j",
    "status": "running",
    "dataset_id": ID,
    "generator": "xor",
    "created_at": "2026-01-01T00:00:00Z",
    "job_url": "/v1/jobs/j",
}


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """Retries come at once."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def _client(answer: Callable[[httpx.Request], httpx.Response]) -> JuniperDataClient:
    return JuniperDataClient("http://data", transport=httpx.MockTransport(answer))


def public(of: type | object) -> dict[str, Callable[..., object]]:
    """The public functions of a class or module."""
    return {name: value for name, value in inspect.getmembers(of, inspect.isroutine) if not name.startswith("_")}


class Failing:
    """A service that always answers 503, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Refuse."""
        self.asked.append(request)
        request.read()
        return httpx.Response(503, json={"detail": "full"})


class Answering:
    """A service that gives one answer after the other, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        self.asked.append(request)
        return self.answers.pop(0)


class CutOff(httpx.SyncByteStream):
    """A body of which the end is lost."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx.ReadError("cut off")


def test_the_two_clients_have_the_same_methods() -> None:
    """One may be put in place of the other."""
    assert public(JuniperDataClient).keys() == public(AsyncJuniperDataClient).keys()
    for name, method in public(JuniperDataClient).items():
        other = public(AsyncJuniperDataClient)[name]
        assert inspect.signature(method).parameters == inspect.signature(other).parameters


def test_each_call_is_a_method() -> None:
    """With the arguments and the documentation of the call."""
    asks = {
        name: ask
        for name, ask in public(calls).items()
        if getattr(inspect.signature(ask).return_annotation, "__origin__", None) is Ask
    }
    assert len(asks) == 24
    for name in asks.keys() - {"create_dataset", "upload"}:
        method = public(JuniperDataClient)[name]
        assert method.__doc__ == asks[name].__doc__
        parameters = list(inspect.signature(method).parameters.values())
        assert parameters[1:] == list(inspect.signature(asks[name]).parameters.values())


@pytest.mark.parametrize("params", [{}, {"seed": 1}, {"seed": None}])
def test_create_is_always_safe_to_repeat(params: dict[str, int | None]) -> None:
    """With a seed the same dataset is found again; without one all tries have the same key."""
    service = Failing()
    with _client(service) as client, pytest.raises(ServerError, match="full"):
        client.create_dataset("xor", dict(params))
    keys = {request.headers.get("idempotency-key") for request in service.asked}
    assert (len(service.asked), len(keys)) == (4, 1)
    assert (keys == {None}) == (params != {"seed": None})


def test_what_is_not_kept_is_asked_for_once() -> None:
    """Each try would be all the work again."""
    service = Failing()
    with _client(service) as client, pytest.raises(ServerError, match="full"):
        client.create_dataset("xor", persist=False)
    assert len(service.asked) == 1


def test_two_sets_without_a_seed_are_two() -> None:
    """Each request has a key of its own, but where the caller brings one."""
    service = Answering(*(httpx.Response(201, json=CREATED) for _ in range(3)))
    with _client(service) as client:
        client.create_dataset("xor", {"seed": None})
        client.create_dataset("xor", {"seed": None})
        client.create_dataset("xor", {"seed": None}, idempotency_key="mine")
    first, second, third = (request.headers["idempotency-key"] for request in service.asked)
    assert first != second
    assert third == "mine"


@pytest.mark.parametrize("seed", [1, None])
def test_a_batch_is_always_safe_to_repeat(seed: int | None) -> None:
    """Where any request has no seed, all tries have the same key."""
    service = Failing()
    requests = [CreateDatasetRequest(generator="xor"), CreateDatasetRequest(generator="xor", params={"seed": seed})]
    with _client(service) as client, pytest.raises(ServerError):
        client.batch_create(requests)
    keys = {request.headers.get("idempotency-key") for request in service.asked}
    assert (len(service.asked), len(keys), None in keys) == (4, 1, seed is not None)


def test_an_upload_is_repeated_from_where_the_file_stood(tmp_path: Path) -> None:
    """What went before in an open file is not sent, and it is left open; a path is sent whole."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,label\n1,2\n")
    opened = io.BytesIO(b"not this: a,label\n1,2\n")
    opened.seek(10)
    for source in (path, opened):
        service = Failing()
        with _client(service) as client, pytest.raises(ServerError):
            client.upload(source, UploadQuery(format="csv", header=True, name="n"))
        assert {request.content for request in service.asked} == {b"a,label\n1,2\n"}
        assert len(service.asked) == 4
        assert str(service.asked[0].url) == "http://data/v1/datasets/upload?format=csv&header=true&name=n"
    assert not opened.closed


def test_what_a_file_grows_by_meanwhile_is_not_sent() -> None:
    """It was announced how long it is."""
    file = io.BytesIO(b"a,label\n1,2\n")
    call = calls.upload(file, None).call
    file.seek(0, io.SEEK_END)
    file.write(b"3,4\n")
    assert call.content is not None
    assert b"".join(call.content()) == b"a,label\n1,2\n"


def test_a_job_is_asked_for_until_it_is_over() -> None:
    """Then its result is as if it had been there at once."""
    done = {**JOB, "status": "succeeded", "result": CREATED}
    service = Answering(httpx.Response(202, json=JOB), httpx.Response(200, json=JOB), httpx.Response(200, json=done))
    with _client(service) as client:
        assert client.create_dataset("xor").dataset_id == ID
    assert [request.url.path for request in service.asked] == ["/v1/datasets", "/v1/jobs/j", "/v1/jobs/j"]


def _create(service: Answering) -> str:
    with _client(service) as client:
        return client.create_dataset("xor", {"seed": None}).dataset_id


def _create_async(service: Answering) -> str:
    async def create() -> str:
        async with AsyncJuniperDataClient("http://data", transport=httpx.MockTransport(service)) as client:
            return (await client.create_dataset("xor", {"seed": None})).dataset_id

    return asyncio.run(create())


@pytest.mark.parametrize("create", [_create, _create_async], ids=["threads", "event loop"])
def test_a_job_that_vanished_in_a_restart_is_posted_again(create: Callable[[Answering], str]) -> None:
    """With the same key, so that nothing is made twice."""
    service = Answering(
        httpx.Response(202, json=JOB), httpx.Response(404, json={"detail": "no"}), httpx.Response(201, json=CREATED)
    )
    assert create(service) == ID
    first, _, again = service.asked
    assert (first.content, first.headers["idempotency-key"]) == (again.content, again.headers["idempotency-key"])


def test_a_job_that_is_not_over_in_time() -> None:
    """The caller is told its id, to ask again."""
    service = Answering(httpx.Response(202, json=JOB))
    with _client(service) as client, pytest.raises(TimeoutError, match="its job is j"):
        client.create_dataset("xor", timeout_s=0)


@pytest.mark.parametrize(
    ("status", "error", "kind", "message"),
    [
        (507, "no room", ServerError, "no room"),
        (
            400,
            [{"loc": ["constraints", "min_samples"], "msg": "has 3"}],
            InvalidRequestError,
            r"constraints\.min_samples: has 3",
        ),
    ],
)
def test_a_failed_job_is_the_error_that_the_call_would_have_been(
    status: int, error: object, kind: type[ResponseError], message: str
) -> None:
    """Whoever handles one handles both."""
    failed = {**JOB, "status": "failed", "error": error, "error_status": status}
    service = Answering(httpx.Response(202, json=JOB), httpx.Response(200, json=failed))
    with _client(service) as client, pytest.raises(kind, match=message) as raised:
        client.create_dataset("xor")
    assert raised.value.status == status


def test_answer_of_another_service_is_a_client_error() -> None:
    """What is no answer of the dataset service is told as such."""
    with (
        _client(lambda _: httpx.Response(200, text="<html>")) as client,
        pytest.raises(ClientError, match="not an answer"),
    ):
        client.get_dataset("x")


def test_newer_services_may_say_more() -> None:
    """Fields that this client does not know are ignored."""
    body = {"n_samples": 0, "X_sample": [], "y_sample": [], "news": 1}
    with _client(lambda _: httpx.Response(200, json=body)) as client:
        assert client.preview("x").n_samples == 0


def test_ids_do_not_leave_their_path() -> None:
    """An id with slashes asks for no other address."""
    for ask in (calls.get_dataset("../x"), calls.job("../x"), calls.get_generator_schema("../x")):
        assert "/..%2Fx" in ask.call.path


def test_all_pages_are_iterated() -> None:
    """Each goes on where the last one says, until one says nothing."""
    page = {"datasets": [META], "total": 2, "limit": 1, "offset": 0}
    service = Answering(
        httpx.Response(200, json={**page, "next_cursor": "here"}),
        httpx.Response(200, json={**page, "next_cursor": None}),
    )
    with _client(service) as client:
        assert [meta.dataset_id for meta in client.iterate_datasets()] == [ID, ID]
    assert [request.url.params.get("cursor") for request in service.asked] == [None, "here"]


def test_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """Only what is missing is asked for, of the same artifact; a failed try in between costs nothing."""
    rest = ARTIFACT[PIECE_BYTES:]
    content_range = {"Content-Range": f"bytes {PIECE_BYTES}-{len(ARTIFACT) - 1}/{len(ARTIFACT)}"}
    service = Answering(
        httpx.Response(200, stream=CutOff(ARTIFACT[: PIECE_BYTES + 50]), headers={"ETag": '"tag"'}),
        httpx.Response(502),
        httpx.Response(206, content=rest, headers=content_range),
    )
    with _client(service) as client:
        assert client.download_artifact("x", tmp_path / "x.npz", checksum=CHECKSUM) == CHECKSUM
    assert (tmp_path / "x.npz").read_bytes() == ARTIFACT
    asked = [(request.headers.get("range"), request.headers.get("if-range")) for request in service.asked]
    assert asked == [(None, None), *[(f"bytes={PIECE_BYTES}-", '"tag"')] * 2]


def test_download_from_a_service_without_ranges(tmp_path: Path) -> None:
    """A service that sends the whole again is taken at its word, and its ETag."""
    tag = {"ETag": f'"{CHECKSUM}"'}
    service = Answering(
        httpx.Response(200, stream=CutOff(ARTIFACT[: PIECE_BYTES + 50]), headers=tag),
        httpx.Response(200, content=ARTIFACT, headers=tag),
    )
    with _client(service) as client:
        client.download_artifact("x", tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_bytes() == ARTIFACT


@pytest.mark.parametrize("content_range", ["", "bytes 5-9/100", "bytes */100"])
def test_download_of_another_range_is_refused(tmp_path: Path, content_range: str) -> None:
    """Bytes from elsewhere in the artifact are not put together to a file."""
    headers = {"Content-Range": content_range}
    with (
        _client(lambda _: httpx.Response(206, content=b"xxxxx", headers=headers)) as client,
        pytest.raises(ClientError, match="not the range"),
    ):
        client.download_artifact("x", tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_download_without_any_checksum_is_refused(tmp_path: Path) -> None:
    """An artifact that nobody vouches for is not kept."""
    with _client(lambda _: httpx.Response(200, content=ARTIFACT)) as client, pytest.raises(ChecksumError):
        client.download_artifact("x", tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_was_cut_off_starts_over(tmp_path: Path) -> None:
    """Nobody promises that the same zip comes twice."""
    service = Answering(httpx.Response(200, stream=CutOff(ARTIFACT)), httpx.Response(200, content=b"the zip"))
    with _client(service) as client:
        client.batch_export(["a", "b"], tmp_path / "x.zip")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the zip"]
    assert [orjson.loads(request.content) for request in service.asked] == [{"dataset_ids": ["a", "b"]}] * 2


def _npz(**arrays: np.ndarray[tuple[int, ...], np.dtype[np.object_]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type] # so numpy declares it
    return file.getvalue()


@pytest.mark.parametrize("artifact", [b"no zip", _npz(X_train=np.array([{}], dtype=object))], ids=["text", "pickle"])
def test_what_is_no_npz_of_plain_arrays_is_not_loaded(artifact: bytes) -> None:
    """Nothing is ever unpickled, whatever its checksum."""
    tag = f'"{hashlib.sha256(artifact).hexdigest()}"'
    with (
        _client(lambda _: httpx.Response(200, content=artifact, headers={"ETag": tag})) as client,
        pytest.raises(ClientError, match="no NPZ of plain arrays"),
    ):
        client.load("x")
