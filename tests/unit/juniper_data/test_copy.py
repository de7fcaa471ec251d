"""`juniper-data copy`: what it says, and how it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from juniper_data.__main__ import main
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.postgresql import PostgresqlStore
from tests.unit.juniper_data.stores.hub_servers.kinds import KINDS
from tests.unit.juniper_data.stores.made import id_of, made
from tests.unit.juniper_data.stores.postgresql_server import shared_server
from tests.unit.juniper_data.stores.samples import artifact_files, contents

LARGE = 200
"""So many datasets take a while."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database, which the settings name; its artifacts go there too."""
    address = shared_server().empty()
    monkeypatch.setenv("JUNIPER_DATA_POSTGRESQL_URL", address)
    monkeypatch.setenv("JUNIPER_DATA_POSTGRESQL_ARTIFACTS", "database")
    return address


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder with two datasets of 10 bytes, of one name."""
    monkeypatch.setenv("JUNIPER_DATA_STATE_DIR", str(tmp_path))
    with closing(FileSystemStore(tmp_path)) as store:
        for number in (1, 2):
            store.put(*made(number, dataset_name="n"))
    yield tmp_path


def ended(*arguments: str) -> int:
    """What the command ends with."""
    try:
        main(["copy", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.usefixtures("state")
def test_it_says_what_it_did(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, the second time too."""
    assert [ended("--to", "postgresql") for _ in range(2)] == [0, 0]
    assert capsys.readouterr().out.splitlines() == [
        "file_system to postgresql: 2 datasets copied (20 bytes), 0 there already, 0 deleted meanwhile,"
        " 0 made meanwhile; 1 names",
        "file_system to postgresql: 0 datasets copied (0 bytes), 2 there already, 0 deleted meanwhile,"
        " 0 made meanwhile; 1 names",
    ]
    with closing(PostgresqlStore(url, tmp_path)) as store:
        assert [meta.dataset_id for meta in store.versions("n")] == [id_of(1), id_of(2)]


@pytest.mark.usefixtures("url")
def test_a_cache_is_neither_copied_nor_filled(state: Path) -> None:
    """On either side."""
    assert ended("--from", "cached:memory:file_system", "--to", "cached:file_system:postgresql") == 0
    assert not (state / "cache").exists()


@pytest.mark.usefixtures("url")
def test_what_is_not_copied_is_a_line(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the end is 1."""
    artifact_files(state)[0].write_bytes(b"else")
    assert ended("--to", "postgresql") == 1
    damaged, count = capsys.readouterr().err.splitlines()
    assert ("is damaged" in damaged, count) == (True, "1 not copied")


@pytest.mark.usefixtures("state", "url")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--to", "file_system"], "file_system is where the datasets come from"),
        (["--to", "cached:memory:file_system"], "file_system is where the datasets come from"),
        (["--to", "postgresql", "--from", "postgresql"], "postgresql is where the datasets come from"),
        (["--to", "memory"], "ends with its process"),
        (["--to", "tape"], "there is no store 'tape'"),
        (["--to", "huggingface"], "needs JUNIPER_DATA_HUGGINGFACE_REPO=OWNER/NAME"),
        ([], "--to"),
    ],
)
def test_what_is_no_copy_is_one_line_and_64(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is opened."""
    assert ended(*arguments) == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line


@pytest.mark.usefixtures("state")
def test_a_store_that_cannot_be_opened(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends as the service would."""
    monkeypatch.setenv("JUNIPER_DATA_POSTGRESQL_URL", url.replace("/postgres?", "/nothing?"))
    assert ended("--to", "postgresql") == 78
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_hub_without_a_repository_is_not_copied(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be that its key does not show it; all the same its datasets would seem to be copied, each of none."""
    kind = KINDS["huggingface"]
    (state / "juniper_data_huggingface_token").write_text(kind.key)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(state))
    monkeypatch.setenv("JUNIPER_DATA_HUGGINGFACE_REPO", "lab/sets")
    with kind.server().serving() as server:
        monkeypatch.setenv("JUNIPER_DATA_HUGGINGFACE_ENDPOINT", server.url)
        assert ended("--from", "huggingface", "--to", "file_system") == 1
    assert "has no repository, or none that is shown with the key" in capsys.readouterr().err


def test_it_may_be_killed_and_called_again(state: Path, url: str) -> None:
    """In the end both stores have the same."""
    with closing(FileSystemStore(state)) as source:
        for number in range(3, LARGE):
            source.put(*made(number, dataset_name=f"n{number % 7}"))
        with closing(PostgresqlStore(url, state)) as target:
            for n_there in (20, 90):
                with subprocess.Popen([sys.executable, "-m", "juniper_data", "copy", "--to", "postgresql"]) as process:
                    while len(target.ids(LARGE, 0)) < n_there:
                        assert process.poll() is None
                    process.send_signal(signal.SIGKILL)
                assert len(target.ids(LARGE, 0)) < LARGE - 1
            assert ended("--to", "postgresql") == 0
            assert contents(target) == contents(source)
            assert target.names() == source.names()
            assert [target.versions(name) for name in source.names()] == [
                source.versions(name) for name in source.names()
            ]
