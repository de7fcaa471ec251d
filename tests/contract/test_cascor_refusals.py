"""What the real service refuses whatever is asked, as its clients see it. The fake does so where it is error-prone."""

from collections.abc import Iterator

import httpx
import pytest

from juniper_cascor.app import create_service
from juniper_cascor.client import CascorControlStream, CascorTrainingStream, JuniperCascorClient
from juniper_cascor.settings import CascorSettings
from juniper_common.http import AuthenticationError, RateLimitedError, ServerError, UnreachableError
from juniper_common.wire.training import DatasetSource, StartTraining
from tests.serving import served

pytestmark = pytest.mark.anyio

PER_MINUTE = 5


@pytest.fixture(scope="module")
def strict_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that wants a key, answers a few times a minute, and has no data service; its address."""
    state_dir = tmp_path_factory.mktemp("cascor")
    settings = CascorSettings(
        state_dir=state_dir, data_url="http://127.0.0.1:1", api_keys=["one", "two"], rate_limit_per_minute=PER_MINUTE
    )
    with served(create_service(settings).app) as url:
        yield url


def test_without_a_key_nothing_is_answered(strict_service: str) -> None:
    """Over HTTP it is an error of its own; health is open."""
    with JuniperCascorClient(strict_service) as client:
        assert client.is_ready()
        with pytest.raises(AuthenticationError, match="Missing API key") as refused:
            client.status()
        assert refused.value.status == 401


def test_a_missing_key_is_told_to_published_clients_too(strict_service: str) -> None:
    """They read `detail` beside the envelope, of a 401 alone."""
    answer = httpx.get(f"{strict_service}/v1/runs").json()
    assert answer["detail"] == answer["error"]["message"] == "Missing API key. Provide X-API-Key header."


async def test_without_a_key_no_stream_opens(strict_service: str) -> None:
    """The reason is told."""
    with pytest.raises(UnreachableError, match="4001"):
        await anext(aiter(CascorTrainingStream(strict_service).messages()))
    with pytest.raises(UnreachableError, match="4001"):
        async with CascorControlStream(strict_service):
            pass
    async with CascorControlStream(strict_service, "one") as control:
        assert (await control.command("pause")).status == "error"


def test_data_that_cannot_be_had(strict_service: str) -> None:
    """The service is there, but what it needs is not."""
    with (
        JuniperCascorClient(strict_service, api_key="one") as client,
        pytest.raises(ServerError, match="the data service does not answer") as refused,
    ):
        client.start(StartTraining(dataset=DatasetSource(generator="xor")))
    assert refused.value.status == 503


def test_who_asks_too_often_is_told_when_to_come_back(strict_service: str) -> None:
    """Whoever does not want to wait for it gets the error."""
    with (
        JuniperCascorClient(strict_service, api_key="two", attempts=1) as client,
        pytest.raises(RateLimitedError, match="requests a minute") as refused,
    ):
        for _ in range(PER_MINUTE + 1):
            client.status()
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s >= 1
