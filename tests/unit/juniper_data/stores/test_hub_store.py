"""Stores on hubs: several on one repository, and hubs that fail, hang or lie."""

import io
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, StoreAwayError, StoreError
from juniper_data.imports.writing import MAX_ARTIFACT_BYTES
from juniper_data.npz import read_rows
from juniper_data.stores import hub_store, huggingface, kaggle_client
from juniper_data.stores.held_accesses import HELD_S
from juniper_data.stores.hub import MAX_INDEX_BYTES, Change, ConflictError
from juniper_data.stores.hub_store import ATTEMPTS, FRESH_S, HubStore
from juniper_data.stores.protocol import Accesses
from tests.unit.juniper_data.stores.hub_servers.kaggle import archive_of
from tests.unit.juniper_data.stores.hub_servers.kinds import KINDS, Kind, Server, files_of, is_private, replace
from tests.unit.juniper_data.stores.hub_servers.serving import Answer, HubServer, Request
from tests.unit.juniper_data.stores.made import NOON, content_of, id_of, made
from tests.unit.juniper_data.stores.samples import content, holding

NOT_THERE = {"X-Error-Code": "EntryNotFound"}
ARTIFACT = f"artifacts/{id_of(1)}.npz"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """One of the hubs."""
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind) -> Iterator[Server]:
    """It runs, and has nothing."""
    with kind.server().serving() as running:
        yield running


class Stores:
    """Opens stores on one repository, which know the time from here."""

    def __init__(self, kind: Kind, url: str, folder: Path, opened: ExitStack) -> None:
        self._kind = kind
        self._url = url
        self._folder = folder
        self._opened = opened
        self.now_s = 1_000.0
        self.pauses: list[float] = []

    def __call__(self, key: str | None = "the right one") -> HubStore:
        """One more."""
        hub = self._kind.hub(self._url, self._kind.key if key == "the right one" else key, self._folder)
        store = HubStore(hub, self._folder, clock_s=lambda: self.now_s, pause=self.pauses.append)
        self._opened.callback(store.close)
        return store


@pytest.fixture
def stores(kind: Kind, server: Server, tmp_path: Path) -> Iterator[Stores]:
    """Opens stores on the hub."""
    with ExitStack() as opened:
        yield Stores(kind, server.url, tmp_path, opened)


def count(server: Server, part: str) -> int:
    """How many requests had this in their method and path."""
    return sum(part in f"{request.method} {request.path}" for request in server.requests)


def once(server: Server, part: str, call: Callable[[], object]) -> None:
    """Do something when such a request has come, before it is answered as ever."""

    def answer(request: Request) -> Answer:
        del server.instead[part]
        call()
        return server.answer(request)

    server.instead[part] = answer


def lose_once(server: Server, part: str) -> None:
    """Do what such a request asks for, and do not say so."""

    def answer(request: Request) -> Answer:
        del server.instead[part]
        server.answer(request)
        return Answer(502)

    server.instead[part] = answer


def lie_once(server: Server, part: str, instead: Answer) -> None:
    """Give one answer in place of what is right."""

    def answer(_: Request) -> Answer:
        del server.instead[part]
        return instead

    server.instead[part] = answer


def test_a_repository_is_made_with_the_first_dataset(stores: Stores, server: Server) -> None:
    """For nobody else to read; it has the artifact as it is, beside the index."""
    stores().put(*made(1))
    assert is_private(server)
    assert files_of(server)[ARTIFACT] == content_of(1)
    assert files_of(server)["index.jsonl"].startswith(b'{"juniper_index": 1}\n')


def test_what_is_deleted_is_gone_from_the_repository(stores: Stores, server: Server) -> None:
    """The others stay as they are."""
    store = stores()
    store.put(*made(1))
    store.put(*made(2))
    store.delete(id_of(2))
    assert set(files_of(server)) - {".gitattributes"} == {"index.jsonl", ARTIFACT}
    assert content(store, id_of(1)) == content_of(1)


def test_who_reads_sees_what_others_wrote_soon(stores: Stores, server: Server, kind: Kind) -> None:
    """Until then the hub is not asked again."""
    one, another = stores(), stores()
    assert another.ids(10, 0) == []
    one.put(*made(1, tags=("a",), dataset_name="n"))
    asked = count(server, kind.head)
    assert another.ids(10, 0) == []
    assert count(server, kind.head) == asked
    stores.now_s += FRESH_S
    assert another.meta(id_of(1)) == one.meta(id_of(1))
    assert content(another, id_of(1)) == content_of(1)


def test_who_writes_sees_what_others_wrote_at_once(stores: Stores) -> None:
    """Versions go on where another one's end, and nothing is made twice."""
    one, another = stores(), stores()
    assert (one.ids(10, 0), another.ids(10, 0)) == ([], [])
    one.put(*made(1, dataset_name="n"))
    assert not another.put(*made(1)).created
    assert another.put(*made(2, dataset_name="n")).meta.dataset_version == 2


def test_what_changes_nothing_makes_no_revision(stores: Stores, server: Server, kind: Kind) -> None:
    """A dataset that is there, a key that is claimed, a sweep that finds nothing, and a look at whether it works."""
    store = stores()
    store.put(*made(1))
    store.claim_key("k", "first", NOON, NOON)
    made_before = count(server, kind.commit)
    store.put(*made(1))
    store.claim_key("k", "first", NOON.replace(year=2025), NOON)
    store.delete_expired(NOON.replace(year=2025))
    store.check()
    assert count(server, kind.commit) == made_before


def test_accesses_go_with_the_next_change(stores: Stores, server: Server, kind: Kind) -> None:
    """Here they count at once; whatever others write meanwhile."""
    one, another = stores(), stores()
    one.put(*made(1))
    made_before = count(server, kind.commit)
    one.record_accesses({id_of(1): Accesses(2, NOON)})
    assert (one.meta(id_of(1)).access_count, count(server, kind.commit)) == (2, made_before)
    another.put(*made(2))
    stores.now_s += FRESH_S
    assert one.meta(id_of(1)).access_count == 2
    one.change_tags(id_of(1), ["a"], [])
    stores.now_s += FRESH_S
    assert another.meta(id_of(1)).access_count == 2


def test_accesses_without_a_change_go_after_an_hour(stores: Stores) -> None:
    """Once, with a sweep; whoever records them waits for no revision."""
    one, another = stores(), stores()
    one.put(*made(1))
    one.record_accesses({id_of(1): Accesses(2, NOON)})
    stores.now_s += HELD_S
    one.record_accesses({id_of(1): Accesses(1, NOON)})
    one.delete_expired(NOON)
    assert [each.meta(id_of(1)).access_count for each in (one, another)] == [3, 3]


def test_accesses_that_cannot_be_sent_stay_counted(
    stores: Stores, server: Server, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """A sweep does not fail for that; they go with a later change."""
    one, another = stores(), stores()
    one.put(*made(1))
    stores.now_s += HELD_S
    server.instead[kind.commit] = lambda _: Answer(403)
    one.record_accesses({id_of(1): Accesses(2, NOON)})
    one.delete_expired(NOON)
    assert "not on the hub yet" in caplog.text
    server.instead.clear()
    one.change_tags(id_of(1), ["a"], [])
    assert another.meta(id_of(1)).access_count == 2


def test_who_reads_does_not_wait_for_who_writes(stores: Stores, server: Server, kind: Kind) -> None:
    """As long as the hub works on a change there is what was before it."""
    store = stores()
    store.put(*made(1))
    seen: list[object] = []
    stores.now_s += FRESH_S
    once(server, kind.commit, lambda: seen.append(store.ids(10, 0)))
    store.put(*made(2))
    assert (seen, store.ids(10, 0)) == ([[id_of(1)]], [id_of(1), id_of(2)])


def test_readiness_and_counts_do_not_wait_for_who_writes(stores: Stores, server: Server, kind: Kind) -> None:
    """However long the hub works on a change: what was read meanwhile is seen behind it."""
    store = stores()
    store.put(*made(1))
    seen: list[object] = []
    stores.now_s += FRESH_S

    def ask() -> None:
        seen.append(store.check())
        store.record_accesses({id_of(1): Accesses(2, NOON)})

    once(server, kind.commit, ask)
    store.put(*made(2))
    assert (seen, store.meta(id_of(1)).access_count) == ([None], 2)


def test_readiness_does_not_wait_for_a_hub_that_hangs(stores: Stores, server: Server, kind: Kind) -> None:
    """It tells what is known, and what the hub says in the end to whoever asks then."""
    store = stores()
    store.put(*made(1))
    assert store.check() is None
    ended = threading.Event()

    def hang(_: Request) -> Answer:
        ended.wait()
        return Answer(401)

    server.instead[kind.head] = hang
    stores.now_s += FRESH_S
    assert store.check() is None
    ended.set()
    with pytest.raises(StoreError, match=r"does not know the key \(401"):
        while True:
            store.check()


def test_accesses_are_sent_before_the_store_is_closed(stores: Stores) -> None:
    """As long as the hub takes them."""
    one, another = stores(), stores()
    one.put(*made(1))
    one.record_accesses({id_of(1): Accesses(2, NOON)})
    one.close()
    assert another.meta(id_of(1)).access_count == 2


def test_a_store_is_closed_though_the_hub_hangs(
    stores: Stores, server: Server, kind: Kind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it did not take is told."""
    monkeypatch.setattr(hub_store, "CLOSING_S", 0.1)
    store = stores()
    store.put(*made(1))
    store.record_accesses({id_of(1): Accesses(2, NOON)})
    ended = threading.Event()
    once(server, kind.head, ended.wait)
    store.close()
    assert "counted readings are not on the hub: it does not take them within 0.1 s" in caplog.text
    ended.set()
    monkeypatch.undo()
    store.close()


def test_accesses_of_a_change_whose_answer_is_lost_count_once(stores: Stores, server: Server, kind: Kind) -> None:
    """The index that comes back is known for one's own."""
    store = stores()
    store.put(*made(1))
    store.record_accesses({id_of(1): Accesses(2, NOON)})
    lose_once(server, kind.commit)
    with pytest.raises(StoreAwayError):
        store.change_tags(id_of(1), ["a"], [])
    store.record_accesses({id_of(1): Accesses(1, NOON)})
    stores.now_s += FRESH_S
    assert (store.meta(id_of(1)).tags, store.meta(id_of(1)).access_count) == (("a",), 3)
    store.change_tags(id_of(1), ["b"], [])
    assert stores().meta(id_of(1)).access_count == 3


@pytest.mark.parametrize("status", [403, 404])
def test_a_repository_that_is_gone_is_no_empty_store(stores: Stores, server: Server, kind: Kind, status: int) -> None:
    """Nor one that is shown no more: nothing is read, and none is made in its place."""
    store = stores()
    store.put(*made(1))
    assert (store.check(), store.has_repository) == (None, True)
    server.instead[kind.head] = lambda _: Answer(status, headers={"X-Error-Code": "RepoNotFound"})
    stores.now_s += FRESH_S
    for call in (lambda: store.ids(10, 0), lambda: store.put(*made(2)), lambda: store.open_artifact(id_of(1))):
        with pytest.raises(StoreError, match=r"gone, or no longer shown|does not allow that with the key"):
            call()
    assert count(server, kind.commit) == 1


def test_readiness_tells_of_a_repository_that_is_not_there_yet(stores: Stores) -> None:
    """Where there should be one, the key may be one that it is not shown to."""
    store = stores()
    assert store.check() == "no repository yet: it is made with the first dataset"
    assert not store.has_repository


def test_a_change_that_the_hub_refuses_leaves_nothing(stores: Stores, server: Server, kind: Kind) -> None:
    """Neither here nor there."""
    store = stores()
    store.put(*made(1))
    server.instead[kind.commit] = lambda _: Answer(403)
    with pytest.raises(StoreError, match=r"does not allow that with the key \(403"):
        store.delete(id_of(1))
    server.instead.clear()
    assert content(store, id_of(1)) == content_of(1)


@pytest.mark.parametrize("kind", [KINDS["huggingface"]])
@pytest.mark.parametrize("ignored", [ARTIFACT, "index.jsonl"])
def test_a_file_that_the_repository_ignores_is_told_of(stores: Stores, server: Server, ignored: str) -> None:
    """A commit would go without it, and its index would have a dataset that nobody can read."""
    store = stores()
    store.put(*made(2))
    server.ignores = {ignored}  # type: ignore[union-attr]
    with pytest.raises(StoreError, match=rf"ignores {ignored}: take that out of its \.gitignore"):
        store.put(*made(1))
    assert (store.ids(10, 0), ARTIFACT in files_of(server)) == ([id_of(2)], False)


def test_a_change_whose_answer_is_lost_is_seen(stores: Stores, server: Server, kind: Kind) -> None:
    """It was made: who asks the hub again finds it."""
    store = stores()
    store.put(*made(1))
    lose_once(server, kind.commit)
    with pytest.raises(StoreAwayError):
        store.put(*made(2))
    stores.now_s += FRESH_S
    assert content(store, id_of(2)) == content_of(2)


@pytest.mark.parametrize("kind", [KINDS["huggingface"]])
def test_a_change_that_another_came_before_is_made_on_top_of_it(stores: Stores, server: Server, kind: Kind) -> None:
    """Both are there, each with a version of its own."""
    one, another = stores(), stores()
    one.put(*made(1, dataset_name="n"))
    once(server, kind.commit, lambda: another.put(*made(2, dataset_name="n")))
    assert one.put(*made(3, dataset_name="n")).meta.dataset_version == 3
    assert len(stores.pauses) == 1


@pytest.mark.parametrize("kind", [KINDS["huggingface"]])
def test_a_change_that_others_always_come_before_is_given_up(stores: Stores, server: Server, kind: Kind) -> None:
    """After some pauses, each longer at most than the one before."""
    store = stores()
    store.put(*made(1))
    server.instead[kind.commit] = lambda _: Answer(412)
    with pytest.raises(ConflictError, match="has a newer revision"):
        store.put(*made(2))
    assert len(stores.pauses) == ATTEMPTS


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_kaggle_is_told_of_two_writers(stores: Stores, server: Server, kind: Kind) -> None:
    """It takes both versions, of which the later knows nothing of the one before."""
    one, another = stores(), stores()
    one.put(*made(1))
    once(server, kind.commit, lambda: another.put(*made(2)))
    with pytest.raises(StoreError, match="has version 3 where 2 was due: somebody else writes"):
        one.put(*made(3))
    assert one.ids(10, 0) == [id_of(1)]


def test_the_hub_is_not_asked_until_it_is_needed(kind: Kind, tmp_path: Path) -> None:
    """A service starts while it is away, and says so when it is asked."""
    with ExitStack() as opened:
        store = Stores(kind, "http://127.0.0.1:9", tmp_path, opened)()
        with pytest.raises(StoreAwayError, match="cannot be reached"):
            store.check()
        with pytest.raises(StoreAwayError, match="cannot be reached"):
            store.ids(10, 0)


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (401, StoreError, "does not know the key (401"),
        (429, StoreAwayError, "was asked too often, and wants to be asked later (429"),
        (500, StoreAwayError, "fails (500"),
        (400, StoreError, "refuses (400"),
    ],
)
def test_each_refusal_is_one_clear_line(
    stores: Stores, server: Server, kind: Kind, status: int, error: type[StoreError], told: str
) -> None:
    """With the status, and without what a hub may have put into its answer to confuse who reads the log."""
    server.instead[kind.head] = lambda _: Answer(status, b"a\n\x1b[2Jb" * 1000, {"X-Error-Message": "\x1b[2Jx"})
    with pytest.raises(error) as refused:
        stores().ids(10, 0)
    line = str(refused.value)
    assert told in line
    assert line.isprintable()
    assert len(line) < 400
    assert ("credential juniper_data_" in line) == (status == 401)


def test_no_key_but_the_one_given_is_shown(
    stores: Stores, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever else this user has, in the environment or at home."""
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text('{"username": "me", "key": "of-my-own"}')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_of_my_own")
    monkeypatch.setenv("KAGGLE_API_TOKEN", "of-my-own")
    with pytest.raises(StoreError, match=r"does not know the key \(401"):
        stores(key=None).ids(10, 0)
    assert [request.headers.get("authorization") for request in server.requests] == [None]


def test_the_key_is_not_shown_to_another_host(stores: Stores, server: Server, kind: Kind) -> None:
    """Where a hub sends whoever asks for a file."""
    stores().put(*made(1))
    other = HubServer({("GET", "/(.*)"): lambda _, path: Answer(body=files_of(server)[path])})
    with other.serving():
        part = kind.download
        there = other.url.replace("127.0.0.1", "localhost")

        def send_away(request: Request) -> Answer:
            path = "index.jsonl" if "index.jsonl" in f"{request.path}{request.body!r}" else ARTIFACT
            return Answer(302, headers={"Location": f"{there}/{path}"})

        server.instead[part] = send_away
        assert content(stores(), id_of(1)) == content_of(1)
    assert [request.path for request in other.requests] == ["/index.jsonl", f"/{ARTIFACT}"]
    assert not any("authorization" in request.headers for request in other.requests)


@pytest.mark.parametrize("step", ["head", "download"])
def test_a_hub_that_hangs_is_given_up(
    stores: Stores, server: Server, kind: Kind, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is away."""
    for module in (huggingface, kaggle_client):
        monkeypatch.setattr(module, "SILENCE_S", 0.1)
    monkeypatch.setattr(huggingface, "_RETRIES", 0)
    huggingface_hub.close_session()  # The next one has that limit.
    writer = stores()
    writer.put(*made(1))
    stores.now_s += FRESH_S
    ended = threading.Event()

    def hang(_: Request) -> Answer:
        ended.wait()
        return Answer(500)

    server.instead[getattr(kind, step)] = hang
    try:
        with pytest.raises(StoreAwayError, match=r"does not answer in time|cannot be reached"):
            stores().ids(10, 0)
    finally:
        ended.set()
        huggingface_hub.close_session()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b'{"sha": "main", "currentVersionNumber": -1}', b"\xff"])
def test_an_answer_that_is_none_is_an_error(stores: Stores, server: Server, kind: Kind, body: bytes) -> None:
    """No crash, and no revision of that name."""
    server.instead[kind.head] = lambda _: Answer(200, body, {"Content-Type": "application/json"})
    with pytest.raises(StoreError, match=r"does not answer as it should|cannot be reached"):
        stores().ids(10, 0)


def test_an_answer_without_end_is_not_read_to_its_end(stores: Stores, server: Server, kind: Kind) -> None:
    """Nor one that is packed, which may be as long."""
    server.instead[kind.head] = lambda _: Answer(200, b" " * 8_000_001, {"Content-Type": "application/json"})
    with pytest.raises(StoreError, match="more than the 8000000 bytes"):
        stores().ids(10, 0)


def test_an_artifact_must_have_its_checksum(stores: Stores, server: Server) -> None:
    """One that is as long as it should be, and another."""
    stores().put(*made(1))
    replace(server, {ARTIFACT: b"artifact 2"})
    with pytest.raises(DatasetDamagedError, match="does not have the checksum"):
        stores().open_artifact(id_of(1))


@pytest.mark.parametrize("there", [content_of(1) + b"!", content_of(1) * 100_000, content_of(1)[:-1], b"", None])
def test_an_artifact_must_have_its_size(stores: Stores, server: Server, there: bytes | None) -> None:
    """What is longer is not read to its end, and what is not there is told of in the same way."""
    stores().put(*made(1))
    replace(server, {ARTIFACT: there})
    with pytest.raises(DatasetDamagedError) as refused:
        stores().open_artifact(id_of(1))
    assert refused.value.dataset_id == id_of(1)


@pytest.mark.parametrize("status", [403, 503])
@pytest.mark.parametrize("n_bytes", [len(content_of(1)) + 1, 8_000_001])
def test_a_refusal_that_is_longer_than_the_artifact_is_a_refusal(
    stores: Stores, server: Server, kind: Kind, status: int, n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The artifact is whole: nobody is told to delete it."""
    monkeypatch.setattr(huggingface, "_RETRIES", 0)
    store = stores()
    store.put(*made(1))
    server.instead[kind.download] = lambda _: Answer(status, b" " * n_bytes)
    with pytest.raises(StoreError) as refused:
        store.open_artifact(id_of(1))
    assert not isinstance(refused.value, DatasetDamagedError)


def test_a_dataset_larger_than_any_is_not_put_on_a_hub(stores: Stores, server: Server) -> None:
    """No index is believed that has such a one."""
    meta, artifact = made(1, size_bytes=MAX_ARTIFACT_BYTES + 1)
    with pytest.raises(StoreError, match=f"{MAX_ARTIFACT_BYTES} can be on a hub"):
        stores().put(meta, artifact)
    assert not server.requests


def test_an_artifact_that_was_replaced_meanwhile_is_asked_for_again(stores: Stores, server: Server, kind: Kind) -> None:
    """A reader who knows the index of before finds what there is now."""
    one, another = stores(), stores()
    one.put(*made(1))
    assert another.ids(10, 0) == [id_of(1)]
    one.delete(id_of(1))
    one.put(*made(2, dataset_id=id_of(1)))
    lie_once(server, kind.download, Answer(404, headers=NOT_THERE))
    assert content(another, id_of(1)) == content_of(2)


def test_an_artifact_that_was_deleted_meanwhile_is_not_found(stores: Stores, server: Server, kind: Kind) -> None:
    """It is not taken for a damaged one."""
    one, another = stores(), stores()
    one.put(*made(1))
    assert another.ids(10, 0) == [id_of(1)]
    one.delete(id_of(1))
    lie_once(server, kind.download, Answer(404, headers=NOT_THERE))
    with pytest.raises(DatasetNotFoundError):
        another.open_artifact(id_of(1))


def test_a_pickle_is_never_opened(stores: Stores, tmp_path: Path) -> None:
    """Not even one whose checksum the index has."""
    trace = tmp_path / "trace"

    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (trace,))

    file = io.BytesIO()
    np.savez(file, X_train=np.array([Hostile()], dtype=object))
    store = stores()
    store.put(*holding(1, file.getvalue()))
    with store.open_artifact(id_of(1)).file as artifact, pytest.raises(ValueError, match="not an array of float32"):
        read_rows(artifact, "X_train", 1)
    assert not trace.exists()
    assert pickle.loads(pickle.dumps(Hostile())) is None and trace.exists()  # noqa: S301 - it would have worked


@pytest.mark.parametrize("index", [b"", b"SQLite format 3\0", pickle.dumps({}), b'{"juniper_index": 2}\n'])
def test_an_index_that_is_none_is_refused(stores: Stores, server: Server, index: bytes) -> None:
    """In one line, and whoever had another one goes on with none of it."""
    store = stores()
    store.put(*made(1))
    replace(server, {"index.jsonl": index})
    stores.now_s += FRESH_S
    with pytest.raises(StoreError, match="no index of format 1"):
        store.ids(10, 0)


def test_an_index_that_is_too_large_is_not_read_to_its_end(stores: Stores, server: Server) -> None:
    """The limit is told."""
    stores().put(*made(1))
    replace(server, {"index.jsonl": b" " * (MAX_INDEX_BYTES + 1)})
    with pytest.raises(StoreError, match=f"more than the {MAX_INDEX_BYTES} bytes"):
        stores().ids(10, 0)


def test_a_repository_with_other_files_is_an_empty_store(
    stores: Stores, server: Server, kind: Kind, tmp_path: Path
) -> None:
    """Whose index comes with the first dataset."""
    kind.hub(server.url, kind.key, tmp_path).commit(None, Change({"notes.txt": io.BytesIO(b"ours")}, {}, {}))
    store = stores()
    assert store.ids(10, 0) == []
    store.put(*made(1))
    assert content(stores(), id_of(1)) == content_of(1)


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_kaggle_is_waited_for(stores: Stores, server: Server) -> None:
    """It works on a version's files before they can be downloaded."""
    server.works_for = 3  # type: ignore[union-attr]
    stores().put(*made(1))
    assert count(server, "GetDatasetStatus") == 4


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_a_version_that_kaggle_cannot_take_in_is_told_of(stores: Stores, server: Server) -> None:
    """The store has nothing of it."""
    server.status = "FAILED"  # type: ignore[union-attr]
    with pytest.raises(StoreError, match="could not take in the files of version 1"):
        stores().put(*made(1))


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_files_that_kaggle_packs_are_unpacked(stores: Stores, server: Server) -> None:
    """As it does with those that it takes for tables."""
    server.packs = {"index.jsonl", ARTIFACT}  # type: ignore[union-attr]
    stores().put(*made(1))
    assert content(stores(), id_of(1)) == content_of(1)


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_a_damaged_artifact_on_kaggle_is_not_sent_again(stores: Stores, server: Server) -> None:
    """The version before has the whole one, maybe; who deletes it can go on."""
    store = stores()
    store.put(*made(1))
    replace(server, {ARTIFACT: b"artifact 2"})
    with pytest.raises(DatasetDamagedError):
        store.put(*made(2))
    store.delete(id_of(1))
    assert store.put(*made(2)).created


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_an_archive_that_lists_too_many_files_is_not_opened(stores: Stores, server: Server) -> None:
    """Its list would take more memory than the service has."""
    store = stores()
    store.put(*made(1))
    listing = archive_of({**files_of(server), **{f"{number:0200}": b"" for number in range(5000)}})
    server.instead["archive.zip"] = lambda _: Answer(body=listing)
    with pytest.raises(StoreError, match="an archive of 1 files lists more than 1001"):
        store.put(*made(2))


@pytest.mark.parametrize("kind", [KINDS["kaggle"]])
def test_a_dataset_of_another_owner_is_not_taken_for_none(server: Server, tmp_path: Path) -> None:
    """Kaggle says 403 of what is not there, and of what is not shown."""
    server.instead["/GetDataset"] = lambda _: Answer(403)
    with pytest.raises(StoreError, match=r"does not allow that with the key \(403"):
        KINDS["kaggle"].hub(server.url, "somebody:else", tmp_path).head()
