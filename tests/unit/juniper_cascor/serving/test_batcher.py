"""Requests are answered together, and nobody can tell."""

import asyncio
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from prometheus_client import CollectorRegistry

from juniper_cascor.engine.network import Network
from juniper_cascor.serving.batcher import Batcher
from juniper_common.errors import UnavailableError


def deep_network(seed: int) -> Network:
    """A cascade that amplifies what differs in a last bit."""
    rng = np.random.default_rng(seed)
    return Network(
        feature_mean=np.zeros(3),
        feature_scale=np.ones(3),
        hidden_weights=tuple(rng.normal(0, 4, 4 + i).astype(np.float32) for i in range(30)),
        activations=("tanh",) * 30,
        output_weights=rng.normal(0, 4, (2, 34)),
        task="regression",
    )


def some_rows(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Patterns for it."""
    return np.random.default_rng(seed).normal(size=(n, 3))


@dataclass(frozen=True, slots=True, eq=False)
class HeldNetwork(Network):
    """Answers when it is let, and knows what it was asked."""

    let: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    asked: list[int] = field(default_factory=list)  # rows of each product
    error: list[Exception] = field(default_factory=list)  # what it raises, once each

    def outputs(self, x: ArrayLike) -> NDArray[np.float64]:
        """Wait, then answer as any network."""
        self.asked.append(len(np.asarray(x)))
        self.began.set()
        assert self.let.wait(60)
        if self.error:
            raise self.error.pop()
        return Network.outputs(self, x)


def held_network() -> HeldNetwork:
    """One like `deep_network(0)`."""
    like = deep_network(0)
    return HeldNetwork(
        like.feature_mean, like.feature_scale, like.hidden_weights, like.activations, like.output_weights, like.task
    )


async def began(network: HeldNetwork) -> None:
    """Return when it is computing."""
    assert await asyncio.to_thread(network.began.wait, 60)


def test_company_changes_no_bit() -> None:
    """Each of many callers reads what the network says to it alone."""

    async def ask() -> None:
        batcher = Batcher(max_rows=64)
        networks = [deep_network(0), deep_network(1)]
        questions = [(networks[i % 2], some_rows(1 + i * 7 % 150, i)) for i in range(60)]
        answers = await asyncio.gather(*(batcher.outputs(network, rows) for network, rows in questions))
        for (network, rows), answer in zip(questions, answers, strict=True):
            np.testing.assert_array_equal(answer, network.outputs(rows), strict=True)

    asyncio.run(ask())


def test_what_comes_meanwhile_is_answered_in_one_product() -> None:
    """While one is computed, the others gather."""

    async def ask() -> None:
        registry = CollectorRegistry()
        batcher, network = Batcher(registry), held_network()
        first = asyncio.create_task(batcher.outputs(network, some_rows(1)))
        await began(network)
        others = [asyncio.create_task(batcher.outputs(network, some_rows(2, i))) for i in range(5)]
        await asyncio.sleep(0)
        network.let.set()
        await asyncio.gather(first, *others)
        assert network.asked == [1, 10]
        assert registry.get_sample_value("juniper_cascor_predicted_rows_total") == 11
        assert registry.get_sample_value("juniper_cascor_prediction_batches_total") == 2

    asyncio.run(ask())


def test_a_large_request_lets_small_ones_in() -> None:
    """It is answered in pieces; what came after it waits for one of them, not for all."""

    async def ask() -> None:
        batcher, network = Batcher(max_rows=10), held_network()
        large = asyncio.create_task(batcher.outputs(network, some_rows(100)))
        await began(network)
        small = asyncio.create_task(batcher.outputs(network, some_rows(1, 1)))
        await asyncio.sleep(0)
        network.let.set()
        await small
        assert not large.done()
        assert sum(network.asked) < 50
        np.testing.assert_array_equal(await large, deep_network(0).outputs(some_rows(100)))

    asyncio.run(ask())


def test_rows_of_another_width_fail_alone() -> None:
    """They never get among the others."""

    async def ask() -> None:
        batcher, network = Batcher(), deep_network(0)
        asked = (batcher.outputs(network, rows) for rows in (some_rows(2), np.zeros((2, 4)), some_rows(3)))
        good, bad, also_good = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(bad, ValueError)
        assert isinstance(good, np.ndarray)
        assert isinstance(also_good, np.ndarray)
        assert (good.shape, also_good.shape) == ((2, 2), (3, 2))

    asyncio.run(ask())


def test_a_failed_product_fails_those_in_it_alone() -> None:
    """Who asks afterwards is answered."""

    async def ask() -> None:
        batcher, network = Batcher(), held_network()
        network.error.append(MemoryError("no room"))
        network.let.set()
        with pytest.raises(MemoryError):
            await batcher.outputs(network, some_rows(1))
        assert (await batcher.outputs(network, some_rows(1))).shape == (1, 2)

    asyncio.run(ask())


def test_who_left_is_not_answered() -> None:
    """Rows of a caller that was cancelled are in no product, and the others are answered."""

    async def ask() -> None:
        batcher, network = Batcher(), held_network()
        first = asyncio.create_task(batcher.outputs(network, some_rows(1)))
        await began(network)
        leaving, staying = (asyncio.create_task(batcher.outputs(network, some_rows(n))) for n in (20, 3))
        await asyncio.sleep(0)
        first.cancel()
        leaving.cancel()
        await asyncio.sleep(0)
        network.let.set()
        assert len(await staying) == 3
        assert network.asked == [1, 3]

    asyncio.run(ask())


def test_no_more_waits_than_there_is_room_for() -> None:
    """One too many is refused; when the others are answered or have left, there is room again."""

    async def ask() -> None:
        batcher, network = Batcher(max_waiting_values=5 * 10), held_network()
        first = asyncio.create_task(batcher.outputs(network, some_rows(4)))
        await began(network)
        second = asyncio.create_task(batcher.outputs(network, some_rows(6)))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="ask again later"):
            await batcher.outputs(network, some_rows(1))
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(batcher.outputs(network, some_rows(5)))
        await asyncio.sleep(0)
        network.let.set()
        await asyncio.gather(first, third)
        # Whatever its size: it could never be answered otherwise.
        assert len(await batcher.outputs(network, some_rows(1_000))) == 1_000

    asyncio.run(ask())
