"""The index as it lies on a hub."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from juniper_data.errors import StoreError
from juniper_data.imports.writing import MAX_ARTIFACT_BYTES
from juniper_data.stores.hub_document import EMPTY, take_over, written
from juniper_data.stores.index import Index
from juniper_data.stores.protocol import Accesses, Quota
from tests.unit.juniper_data.stores.made import NOON, id_of, later, made


@pytest.fixture
def index() -> Iterator[Index]:
    """One with some of everything."""
    with closing(Index(None, Quota())) as opened:
        for number in (1, 2, 3):
            name, expires_at = ("n", None) if number < 3 else (None, later(9))
            meta, _ = made(number, dataset_name=name, expires_at=expires_at, tags=("b", "a ü\n"))
            opened.add(meta, f"artifacts/{id_of(number)}.npz")
        opened.add_version(id_of(2), "m")
        opened.remove(id_of(1))
        opened.record_accesses({id_of(2): Accesses(3, later(5))})
        opened.claim_key("k", "first", NOON, later(10))
        yield opened


def document(index: Index) -> bytes:
    """What an index is on a hub."""
    with index._reading() as connection:
        return written(connection)


def read(content: bytes) -> Index:
    """An index that had something else before it took that over."""
    index = Index(None, Quota())
    index.add(made(7, dataset_name="old", tags=("old",))[0], "there")
    with index._writing() as connection:
        take_over(connection, content, "it")
    return index


def test_an_index_comes_back_as_it_was(index: Index) -> None:
    """With its counters: no version comes twice, and a key stands for what it stood for."""
    with closing(read(document(index))) as again:
        assert again.ids(10, 0) == [id_of(2), id_of(3)]
        assert [again.meta(id_of(number)) for number in (2, 3)] == [index.meta(id_of(number)) for number in (2, 3)]
        assert [again.versions(name) for name in ("m", "n", "old")] == [index.versions("m"), index.versions("n"), []]
        assert again.stats(NOON) == index.stats(NOON)
        assert again.claim_key("k", "second", NOON, later(20)) == "first"
        assert again.add_version(id_of(3), "n").dataset_version == 3
        assert document(read(document(again))) == document(again)


def test_a_line_says_one_thing(index: Index) -> None:
    """Whatever breaks there are in what was said, so that a hub shows what a change changed."""
    lines = [json.loads(line) for line in document(index).splitlines()]
    assert [next(iter(line)) for line in lines] == ["juniper_index", "name", "name", "key", "meta", "meta"]


def test_an_empty_index_is_one_line() -> None:
    """As a store begins with."""
    with closing(read(EMPTY)) as index:
        assert (document(index), index.ids(10, 0)) == (EMPTY, [])


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('"xor-1.0.0-0000000000000002"', '"../../etc/passwd"'),
        ('"xor-1.0.0-0000000000000002"', '"xor-1.0.0-0000000000000003"'),
        ('"checksum":"', '"checksum":"../'),
        ('"size_bytes":10', '"size_bytes":-1'),
        ('"size_bytes":10', '"size_bytes":1e400'),
        ('"size_bytes":10', f'"size_bytes":{MAX_ARTIFACT_BYTES + 1}'),
        ('"n_samples":1', f'"n_samples":{2**70}'),
        ('"access_count": 3', f'"access_count": {2**63}'),
        ('"access_count": 3', '"access_count": -1'),
        ('"2026-01-01T12:00:05+00:00"', '"2026-01-01T12:00:05"'),
        ('"created_at":"2026-01-01T12:00:02Z"', '"created_at":"2026-01-01T12:00:02"'),
        ('"created_at":"2026-01-01T12:00:02Z"', '"created_at":"+99999-01-01T12:00:02Z"'),
        ('"m":1', '"m":0'),
        ('"m":1', '"m":2'),
        ('"m":1', '"other":1'),
        ('"profile": {', '"profile": {"x": ['),
        ('{"key":', '{"query": "DROP TABLE datasets", "key":'),
        ('{"key":', "["),
        ('{"name": "m", "last_version": 1}', '{"name": "n", "last_version": 1}'),
        ('{"name": "m", "last_version": 1}', f'{{"name": "m", "last_version": {2**64}}}'),
        ('{"name": "m", "last_version": 1}', "[" * 100_000),
        ('{"name": "m", "last_version": 1}', '{"name": "\\ud800", "last_version": 1}'),
        ('{"name": "m", "last_version": 1}', ""),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused(index: Index, said: str, instead: str) -> None:
    """It is told which, and nothing of the document is taken over."""
    content = document(index).decode()
    assert said in content
    other = Index(None, Quota())
    other.add(made(7)[0], "there")
    with closing(other), pytest.raises(StoreError, match=r"^line \d of it cannot be; go back to a revision before$"):
        with other._writing() as connection:
            take_over(connection, content.replace(said, instead, 1).encode(), "it")
        assert other.ids(10, 0) == [id_of(7)]
