"""How the dashboard follows the three services."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_canopy.api import system
from juniper_canopy.api.errors import error_body
from juniper_canopy.app import Dashboard
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.backend.telling import ServiceName, Services
from juniper_canopy.settings import CanopySettings
from juniper_canopy.state.services import PERIOD_S, ServiceStates
from juniper_canopy.transport import service_follower
from juniper_canopy.transport.service_follower import ServiceFollower
from juniper_cascor.testing import AsyncFakeCascorClient
from juniper_common import openapi
from juniper_common.errors import exception_handlers
from juniper_common.http import AuthenticationError, UnreachableError
from juniper_data.testing import AsyncFakeDataClient, FakeDataService
from tests.unit.juniper_canopy.conftest import Clock
from tests.unit.juniper_canopy.telling_service import GPU, TellingService


class Services3:
    """The three services, and what the dashboard makes of them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.by_name: dict[ServiceName, TellingService] = {
            "data": TellingService("juniper-data", ("stored spiral", "removed xor")),
            "cascor": TellingService("juniper-cascor", ("started Run R1", "installed", "solved", "idle")),
            "canopy": TellingService("juniper-canopy", ("listening",)),
        }
        self.services: Services = dict(self.by_name)
        self.states = ServiceStates(self.services)
        self.is_watched = True
        self.follower = ServiceFollower(self.services, self.states, lambda: self.is_watched, clock)

    async def look(self) -> None:
        """Ask them, a period later."""
        self.clock.now_s += PERIOD_S
        await self.follower.refresh()

    def app(self) -> Starlette:
        """The REST."""
        routes = openapi.routes(system.operations(self.services, self.states, self.follower))
        return Starlette(routes=routes, exception_handlers=exception_handlers(error_body))


@pytest.fixture
def three(clock: Clock) -> Services3:
    """All there, nobody asked yet."""
    return Services3(clock)


@pytest.fixture
def client(three: Services3) -> Iterator[TestClient]:
    """Asks the REST."""
    with TestClient(three.app()) as client:
        yield client


pytestmark = pytest.mark.anyio


async def test_figures_of_all_stand_in_one_row(three: Services3) -> None:
    """The host's processor time in per cent of one core, as the services' is; what a GPU does not tell is left out."""
    three.by_name["cascor"].gpus = [GPU]
    await three.look()

    assert {name: column.tolist() for name, column in three.states.samples.since(0).columns.items()} == {
        "data.cpu_percent": [30],
        "data.memory": [120],
        "cascor.cpu_percent": [30],
        "cascor.memory": [120],
        "canopy.cpu_percent": [30],
        "canopy.memory": [120],
        "gpu0.utilisation_percent": [70],
        "gpu0.memory": [1 << 30],
        "host.cpu_percent": [100],
        "host.memory": [400],
    }


async def test_a_service_that_goes_is_away_since_then(three: Services3) -> None:
    """With the reason, its last report, and a gap in its figures alone."""
    await three.look()
    three.by_name["data"].problem = UnreachableError("refused")
    await three.look()
    since = three.clock.now_s
    await three.look()
    state = three.states.states["data"]

    assert state.away is not None
    assert (state.away.problem, state.away.answers, state.since) == ("refused", False, since)
    assert state.told is not None
    columns = three.states.samples.since(0).columns
    assert [str(value) for value in columns["data.memory"]] == ["120.0", "nan", "nan"]
    assert columns["cascor.memory"].tolist() == [120, 120, 120]


async def test_a_restart_is_seen(three: Services3) -> None:
    """Another process, one start more, there since it answers again."""
    data = three.by_name["data"]
    await three.look()
    data.problem = UnreachableError("refused")
    await three.look()
    data.problem, data.pid, data.starts = None, 11, 2
    await three.look()
    state = three.states.states["data"]

    assert state.away is None
    assert state.told is not None
    assert (state.told.host.pid, state.told.host.starts, state.since) == (11, 2, three.clock.now_s)


async def test_the_log_hears_once_of_who_goes(three: Services3, caplog: pytest.LogCaptureFixture) -> None:
    """Not with each look."""
    await three.look()
    three.by_name["data"].problem = UnreachableError("refused")
    for _ in range(3):
        await three.look()

    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["juniper-data tells nothing of itself any more: refused"]


async def test_who_refuses_is_there(three: Services3) -> None:
    """Another key is wanted; starting the service would not help."""
    three.by_name["cascor"].problem = AuthenticationError(401, "Invalid API key.")
    await three.look()
    away = three.states.states["cascor"].away

    assert away is not None
    assert (away.problem, away.answers) == ("Invalid API key.", True)


async def test_who_hangs_is_away(three: Services3, monkeypatch: pytest.MonkeyPatch) -> None:
    """And keeps no figures of the others back."""
    monkeypatch.setattr(service_follower, "TIMEOUT_S", 0.01)
    three.by_name["cascor"].hangs = True
    await three.look()

    assert three.states.states["cascor"].away is not None
    assert three.states.samples.since(0).columns["data.memory"].tolist() == [120]


async def test_many_who_want_to_know_ask_once(three: Services3) -> None:
    """Within one period, however many pages are open."""
    await asyncio.gather(*(three.follower.refresh() for _ in range(5)))
    assert three.by_name["data"].asked == 1
    await three.look()
    assert three.by_name["data"].asked == 2


async def test_nobody_is_asked_while_nobody_watches(three: Services3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The services' rest is not disturbed for nothing."""
    monkeypatch.setattr(service_follower, "PERIOD_S", 0.001)
    three.is_watched = False
    following = asyncio.create_task(three.follower.run())
    await asyncio.sleep(0.02)
    assert three.by_name["data"].asked == 0
    three.is_watched = True
    await asyncio.sleep(0.02)
    following.cancel()

    assert three.by_name["data"].asked == 1


async def test_the_fakes_tell_of_themselves_too(three: Services3) -> None:
    """What a demo shows comes over the same calls."""
    with FakeDataService() as service:
        data = AsyncFakeDataClient(service=service)
        cascor = AsyncFakeCascorClient()
        services: Services = {"data": data, "cascor": cascor}
        await ServiceFollower(services, three.states, lambda: True, three.clock).refresh()
        await data.close()
        await cascor.close()
    told = [three.states.states[name].told for name in services]

    assert [answer.host.service for answer in told if answer] == ["juniper-data", "juniper-cascor"]
    assert [answer.readiness.status for answer in told if answer] == ["ready", "ready"]


def test_rest_tells_of_each_service_and_the_last_hour(three: Services3, client: TestClient) -> None:
    """Also when no browser is open: the question itself has them asked."""
    three.by_name["data"].problem = UnreachableError("refused")
    told = client.get("/api/system").json()
    data, cascor, _ = told["services"]

    assert (data["status"], data["problem"], data["host"]) == ("away", "refused", None)
    assert (cascor["status"], cascor["problem"], cascor["host"]["pid"]) == ("ready", "", 10)
    assert cascor["readiness"]["dependencies"]["disk"]["status"] == "healthy"
    assert told["samples"]["time"] == [told["time"]]
    assert told["samples"]["columns"]["cascor.memory"] == [120]


def test_rest_tells_what_is_new(three: Services3, client: TestClient) -> None:
    """To a page that has the rest, as columns of the same length, null where nothing was told."""
    first = client.get("/api/system").json()["time"]
    three.clock.now_s += PERIOD_S
    three.by_name["data"].problem = UnreachableError("refused")
    samples = client.get(f"/api/system?since={first}").json()["samples"]

    assert samples["time"] == [first + PERIOD_S]
    assert samples["columns"]["data.memory"] == [None]


def _messages(client: TestClient, query: str = "") -> list[str]:
    return [record["message"] for record in client.get(f"/api/system/logs?{query}").json()["records"]]


def test_logs_are_one_list_by_time(client: TestClient) -> None:
    """Each record with the service it is of."""
    records = client.get("/api/system/logs").json()["records"]

    assert [record["time"] for record in records] == sorted(record["time"] for record in records)
    assert {record["service"] for record in records} == {"data", "cascor", "canopy"}
    assert len(records) == 7


def test_logs_are_filtered(client: TestClient) -> None:
    """By service, and by text in whatever case; the level goes to the services."""
    assert _messages(client, "service=data") == ["stored spiral", "removed xor"]
    assert _messages(client, "text=RUN r1") == ["started Run R1"]
    assert client.get("/api/system/logs?level=ERROR&service=canopy").json()["records"][0]["level"] == "ERROR"
    assert _messages(client, "service=cascor&text=i&limit=1") == ["idle"]


def test_logs_are_followed(three: Services3, client: TestClient) -> None:
    """From where the last answer ended, and into the log of another process that counts anew."""
    since = client.get("/api/system/logs").json()["next_since"]
    assert _messages(client, f"since={since}") == []
    three.by_name["data"].messages += ("stored moon",)
    three.by_name["cascor"].messages = ("started again",)

    assert _messages(client, f"since={since}") == ["started again", "stored moon"]


def test_the_log_of_a_service_that_is_away_is_missing(three: Services3, client: TestClient) -> None:
    """It is said why; who comes back is followed from where its log ended."""
    three.by_name["cascor"].problem = UnreachableError("refused")
    told = client.get("/api/system/logs?since=cascor:3,data:1").json()

    assert told["away"] == {"cascor": "refused"}
    assert told["next_since"] == "cascor:3,data:2,canopy:1"
    assert [record["message"] for record in told["records"]] == ["listening", "removed xor"]


@pytest.mark.parametrize(
    "path",
    [
        "system?since=-1",
        "system?since=nan",
        "system?since=x",
        "system?till=1",
        "system/logs?service=nobody",
        "system/logs?level=LOUD",
        "system/logs?since=5",
        "system/logs?since=data:1,",
        "system/logs?limit=0",
        f"system/logs?text={'x' * 201}",
    ],
)
def test_a_wrong_question_is_refused(client: TestClient, path: str) -> None:
    """With the field that is wrong."""
    answer = client.get(f"/api/{path}")

    assert answer.status_code == 422
    assert path.partition("?")[2].partition("=")[0] in str(answer.json()["detail"])


def test_the_dashboard_tells_of_itself_without_the_others(tmp_path: object) -> None:
    """Its own process is there to be asked when no service is."""
    settings = CanopySettings.model_validate({"state_dir": tmp_path})
    backend = ServiceBackend.connect("http://127.0.0.1:1", "http://127.0.0.1:1")
    with TestClient(Dashboard(settings, backend).app(pages=False), base_url="http://localhost") as client:
        data, cascor, canopy = client.get("/api/system").json()["services"]
        logs = client.get("/api/system/logs").json()

    assert (data["status"], cascor["status"]) == ("away", "away")
    assert canopy["host"]["service"] == "juniper-canopy"
    assert canopy["host"]["machine"]["memory_total"] > 0
    assert logs["away"].keys() == {"data", "cascor"}
