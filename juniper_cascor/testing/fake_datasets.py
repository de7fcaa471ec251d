"""What the fake service trains on: the data of the recording that is nearest to what was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from juniper_cascor.runs.datasets import DEMO, AsksForData, FoundDataset
from juniper_cascor.snapshots import Card
from juniper_cascor.testing import recording
from juniper_cascor.testing.recording import Recording, RecordingName
from juniper_common.errors import BadRequestError, NotFoundError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import DatasetSource

_GENERATORS: dict[str, RecordingName] = {"xor": "xor", "spiral": "two_spirals", "cmu_spirals": "two_spirals"}
_NAMES: tuple[RecordingName, ...] = get_args(RecordingName)


@dataclass(frozen=True)
class FakeDataset:
    """A recording, and its data under the id that it goes by."""

    recording: Recording
    found: FoundDataset


class FakeDatasets:
    """Finds the data that a request names.

    Args:
        takes_any: what was not recorded is taken for `xor` where it is named so, and else for the demo's spirals, not
            refused.
    """

    def __init__(self, takes_any: bool = False) -> None:
        self._takes_any = takes_any

    def asked_for(self, request: AsksForData) -> FakeDataset:
        """The data that is trained on. Raises UnprocessableError, BadRequestError, NotFoundError."""
        source = request.dataset or (DatasetSource(source="inline") if request.inline_data else DEMO)
        if (source.source == "inline") != (request.inline_data is not None):
            problem = "needs source inline" if request.inline_data else "is missing, though the source is inline"
            raise UnprocessableError(f"inline_data {problem}", (FieldProblem(loc=["inline_data"], msg=problem),))
        if source.source == "inline":
            return of(recording.load("xor"), None)
        if source.source == "url":
            return self._by_id((source.url or "").removesuffix("/artifact").rpartition("/")[2])
        if source.dataset_id is not None:
            return self._by_id(source.dataset_id)
        if self._takes_any:
            same = (name for name in _NAMES if recording.load(name).request.dataset == source)
            return _recorded(next(same, _nearest(source.generator or "")))
        if source.generator not in _GENERATORS:
            problem = f"there is no generator {source.generator}; there are: {', '.join(sorted(_GENERATORS))}"
            raise BadRequestError(problem, (FieldProblem(loc=["dataset", "generator"], msg=problem),))
        return _recorded(_GENERATORS[source.generator])

    def _by_id(self, dataset_id: str) -> FakeDataset:
        for told in map(recording.load, _NAMES):
            if told.run.dataset_id == dataset_id:
                return of(told, dataset_id)
        if self._takes_any:
            return _recorded(_nearest(dataset_id.partition("-")[0]))
        raise _gone(f"there is no dataset {dataset_id}")


def of_card(card: Card) -> FakeDataset:
    """The data that a snapshot was trained on. Raises NotFoundError."""
    if card.dataset_checksum is None:
        raise NotFoundError("the loaded network's snapshot does not say what it was trained on")
    for told in map(recording.load, _NAMES):
        if told.run.dataset_checksum == card.dataset_checksum:
            return of(told, card.dataset_id)
    raise _gone(f"the rows that it was trained on, {card.dataset_checksum[:16]}…, are no longer kept")


def _nearest(generator: str) -> RecordingName:
    return "xor" if generator == "xor" else "demo"


def _recorded(name: RecordingName) -> FakeDataset:
    told = recording.load(name)
    return of(told, told.run.dataset_id)


def _gone(message: str) -> NotFoundError:
    return NotFoundError(message, (FieldProblem(loc=["dataset"], msg=message),))


def of(told: Recording, dataset_id: str | None) -> FakeDataset:
    """The data of a recording under an id."""
    return FakeDataset(told, FoundDataset(dataset_id, Path(), told.run.dataset_checksum, told.training_data))
