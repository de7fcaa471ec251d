"""The three services as processes that speak TLS to each other, under a CA of the test's own."""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from juniper_cascor.client import CascorTrainingStream, JuniperCascorClient
from juniper_cascor.settings import CascorSettings
from juniper_common.http import UnreachableError
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining
from juniper_ctl.bring_up import program_of
from juniper_ctl.env_file import environment_of
from juniper_ctl.health import check
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CANOPY, CASCOR, DATA, SERVICES, Service
from juniper_ctl.supervisor import Supervisor
from juniper_data.client import JuniperDataClient
from tests.certificates import Authority

KEY = "the key of the page"


@dataclass(frozen=True)
class Running:
    """The services, and what a caller needs to believe them."""

    locations: Locations
    ca: Path

    def url(self, service: Service) -> str:
        """Where it listens."""
        return ServiceApi.of(service, self.locations).url

    @property
    def believing(self) -> ssl.SSLContext:
        """What a caller that believes the CA speaks TLS with."""
        return ssl.create_default_context(cafile=self.ca)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Started by what runs them in the foreground, with credentials as an operator sets them."""
    home = tmp_path_factory.mktemp("home")
    compiled = CascorSettings().cache_dir
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith(("JUNIPER_", "XDG_"))]:
            environment.delenv(name)
        environment.setenv("HOME", str(home))
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        locations = Locations.of(os.environ)
        put_credentials(locations.credentials)
        ports = [f"{service.port_variable}={free_port()}\n" for service in SERVICES]
        (locations.configuration / "juniper.env").write_text("".join(ports))
        supervisor = stack.enter_context(Supervisor(lambda *_: None))
        for service in SERVICES:
            program = program_of(service, locations, Path("/"), "demo")
            variables = {**program.environment, "CACHE_DIRECTORY": str(compiled)}
            command = (sys.executable, "-m", f"juniper_{service.name}")
            supervisor.start(replace(program, command=command, environment=variables))
        yield Running(locations, locations.credentials / "juniper_ca")


def put_credentials(folder: Path) -> None:
    """A certificate for each, the CA for all, and a key for the page."""
    folder.mkdir(parents=True)
    authority = Authority()
    for service in SERVICES:
        pem = authority.issue()
        (folder / f"juniper_{service.name}_tls_certificate").write_text(pem.certificate)
        (folder / f"juniper_{service.name}_tls_key").write_text(pem.key)
    (folder / "juniper_ca").write_text(authority.certificate)
    (folder / "juniper_canopy_api_keys").write_text(KEY)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_run_is_trained_on_data_of_another_service_and_the_page_shows_it(running: Running) -> None:
    """Each of the calls on the way is by TLS."""
    with JuniperDataClient(running.url(DATA), verify=running.ca) as data:
        dataset_id = data.create_dataset("xor").dataset_id
    with JuniperCascorClient(running.url(CASCOR), verify=running.ca) as cascor:
        source = DatasetSource(dataset_id=dataset_id)
        started = cascor.start(StartTraining(dataset=source, params=RunParameters(seed=1, max_epochs=50)))
        assert cascor.wait(started.run_id, timeout_s=200).status == "COMPLETED"
    with httpx.Client(base_url=running.url(CANOPY), verify=running.believing, headers={"X-API-Key": KEY}) as canopy:
        assert started.run_id in {run["id"] for run in canopy.get("/api/runs").json()["runs"]}
        assert dataset_id in canopy.get("/api/datasets").text


def test_the_training_is_watched_by_tls(running: Running) -> None:
    """By whoever believes the CA; by nobody else."""

    async def greeting(stream: CascorTrainingStream) -> str:
        return (await anext(stream.messages())).type

    url = running.url(CASCOR)
    assert asyncio.run(greeting(CascorTrainingStream(url, verify=running.ca))) == "connection_established"
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(greeting(CascorTrainingStream(url)))


def test_a_person_logs_in_and_the_page_has_its_sockets(running: Running) -> None:
    """The cookie goes by TLS alone; the page's stream and NiceGUI's own socket take it."""
    url = running.url(CANOPY)
    with httpx.Client(base_url=url, verify=running.believing, headers={"Origin": url}) as browser:
        assert browser.post("/login", data={"key": KEY}).status_code == 303
        assert browser.get("/").status_code == 200
        assert [(cookie.name, cookie.secure) for cookie in browser.cookies.jar] == [("__Host-juniper_session", True)]
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    async def first(path: str) -> str | bytes:
        address = url.replace("https:", "wss:") + path
        headers = {"Cookie": cookie, "Origin": url}
        async with connect(address, ssl=running.believing, additional_headers=headers, proxy=None) as opened:
            return await opened.recv()

    assert asyncio.run(first("/ws/live"))
    assert str(asyncio.run(first("/_nicegui_ws/socket.io/?EIO=4&transport=websocket"))).startswith("0{")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_is_asked_by_tls_whether_it_is_well(running: Running, service: Service) -> None:
    """As the timers' checks do."""
    seen = check(lambda each: {**os.environ, **environment_of(each, running.locations)}, service)
    assert (seen.status, seen.why) == ("ready", "")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_client_without_the_ca_is_refused(running: Running, service: Service) -> None:
    """It believes whoever the system believes."""
    with (
        JuniperDataClient(running.url(service), attempts=1) as client,
        pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.readiness()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_plain_http_is_not_answered(running: Running, service: Service) -> None:
    """Not even by a refusal that could be taken for an answer."""
    with pytest.raises(httpx.TransportError):
        httpx.get(running.url(service).replace("https:", "http:") + "/v1/health")
