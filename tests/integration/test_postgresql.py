"""The data service with its datasets in a real PostgreSQL server, which crashes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dataset_process import DatasetProcess, dataset_service
from tests.unit.juniper_data.stores.postgresql_server import CLOSED, PASSWORD, PostgresqlServer, postgresql_server


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    """A server that may be killed."""
    with postgresql_server() as server:
        yield server


def settings(server: PostgresqlServer, artifacts: str) -> dict[str, str]:
    """Those of a service with its store there."""
    return {
        "JUNIPER_DATA_STORE": "postgresql",
        "JUNIPER_DATA_POSTGRESQL_URL": server.url("postgres"),
        "JUNIPER_DATA_POSTGRESQL_ARTIFACTS": artifacts,
    }


def made(service: DatasetProcess, seed: int) -> str:
    """The id of a dataset that the service says it has made."""
    answer = service.http.post("/v1/datasets", json={"generator": "xor", "params": {"seed": seed}})
    assert answer.status_code == 201
    return str(answer.json()["dataset_id"])


def given(service: DatasetProcess) -> set[str]:
    """The ids of all datasets, each of whose artifacts is given."""
    ids = {str(dataset_id) for dataset_id in service.http.get("/v1/datasets?limit=1000").json()}
    for dataset_id in ids:
        assert service.http.get(f"/v1/datasets/{dataset_id}/artifact").status_code == 200
    return ids


@pytest.mark.parametrize("artifacts", ["disk", "database"])
def test_a_server_that_is_killed_loses_nothing_that_the_service_answered(
    server: PostgresqlServer, tmp_path: Path, artifacts: str
) -> None:
    """While requests run, which wait for it; all is there after a restart of the service too."""
    with dataset_service(tmp_path / "state", settings(server, artifacts)) as service, ThreadPoolExecutor(4) as threads:
        expected = {made(service, 0)}
        running = [threads.submit(made, service, seed) for seed in range(1, 13)]
        running[0].result()
        server.kill()
        server.start()
        expected |= {each.result() for each in running}
        assert len(expected) == 13
        assert given(service) == expected
    with dataset_service(tmp_path / "state", settings(server, artifacts)) as service:
        assert given(service) == expected


def test_a_service_whose_password_is_wrong_is_one_line_and_78(server: PostgresqlServer, tmp_path: Path) -> None:
    """The line has the command that sets it; a right one is read from the credential."""
    server.run(f"CREATE DATABASE {CLOSED}")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    closed = settings(server, "disk") | {
        "JUNIPER_DATA_POSTGRESQL_URL": server.url(CLOSED),
        "CREDENTIALS_DIRECTORY": str(credentials),
    }
    (credentials / "juniper_data_postgresql_password").write_text("wrong\n")
    command = [sys.executable, "-m", "juniper_data"]
    environment = os.environ | closed | {"JUNIPER_DATA_STATE_DIR": str(tmp_path / "other")}
    ended = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert "juniper-ctl credentials set juniper_data_postgresql_password" in ended.stderr
    (credentials / "juniper_data_postgresql_password").write_text(f"{PASSWORD}\n")
    with dataset_service(tmp_path / "state", closed) as service:
        expected = {made(service, 1)}
        assert given(service) == expected
