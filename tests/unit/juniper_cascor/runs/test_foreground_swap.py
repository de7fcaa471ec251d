"""Data that is swapped in from a data service that takes its time, or has data that cannot be trained on."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from juniper_cascor.runs import dataset_file
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.stage import Stage
from juniper_common.errors import UnprocessableError
from juniper_common.wire.training import SwapDataset
from juniper_data.client import AsyncJuniperDataClient

from .fake_service import SPEC, FakeService, served
from .fake_trainers import until

REQUEST = SwapDataset.model_validate({"dataset": {"dataset_id": "d1"}})
X = np.arange(8, dtype=np.float32).reshape(4, 2)


class SlowDataService:
    """Knows one dataset, and answers when it may."""

    def __init__(self, folder: Path, x: dataset_file.Matrix = X) -> None:
        self.may_answer = asyncio.Event()
        y = np.array([[0], [1], [1], [0]], np.float32)
        self._checksum = dataset_file.write(folder, TrainingData(x, y, None, None))[1]

    async def get_dataset(self, dataset_id: str) -> SimpleNamespace:
        """What is known of it."""
        await self.may_answer.wait()
        return SimpleNamespace(dataset_id=dataset_id, checksum=self._checksum)


def datasets(folder: Path, service: SlowDataService) -> Datasets:
    """Where starts and swaps find their data."""
    return Datasets(folder, cast(AsyncJuniperDataClient, service), "http://data")


def test_a_pause_does_not_wait_for_data_that_is_on_its_way(tmp_path: Path) -> None:
    """It is answered while the swap still fetches, and the swap after it."""

    async def use(service: FakeService) -> None:
        data_service, stage = SlowDataService(tmp_path), Stage()
        foreground = Foreground(stage, service.runs, datasets(tmp_path, data_service), Fanout(), "resume")
        (session,) = await service.add(1)
        stage.offer(session)
        trainer = service.trainers.last
        trainer.report("r1", 1, SPEC.untrained())
        swapping = asyncio.create_task(foreground.swap(REQUEST))
        pausing = asyncio.create_task(foreground.command("pause"))
        await until(lambda: len(trainer.told) == 2)
        trainer.obey(trainer.told[1], epoch=1, error=None)
        await pausing
        assert session.state.status == "PAUSED"
        data_service.may_answer.set()
        await until(lambda: len(trainer.told) == 3)
        trainer.obey(trainer.told[2], epoch=1, error=None)
        await swapping
        assert session.dataset_id == "d1"
        trainer.say("finished", run_id="r1", outcome="solved")

    served(tmp_path, use)


def test_data_of_the_data_service_that_cannot_be_trained_on(tmp_path: Path) -> None:
    """The field is the one that named it: there are no rows in the request."""

    async def go() -> None:
        data_service = SlowDataService(tmp_path, np.full_like(X, np.nan))
        data_service.may_answer.set()
        await datasets(tmp_path, data_service).find(REQUEST, "classification")

    with pytest.raises(UnprocessableError) as refused:
        asyncio.run(go())
    (field,) = refused.value.fields
    assert field.loc == ["dataset"]
    assert "row 0, column 0" in field.msg
