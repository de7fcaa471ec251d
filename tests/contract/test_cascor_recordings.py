"""The recordings that the fakes replay are what the real service says today.

Another processor computes other last digits, and so other weights in the end; but each phase of the recorded runs has a
fixed length, so that everything else is the same everywhere. In the demo's long run other weights may come to choose
other candidates: of its epochs only the phases and the hidden units are compared.
"""

import asyncio
import math
from collections.abc import Iterator
from typing import get_args

import orjson
import pytest
from pydantic import BaseModel, JsonValue

from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.testing import record, recording
from juniper_cascor.testing.recording import Recording, RecordingName
from tests.contract.cascor_world import at_rest

ELSEWHERE_ANOTHER = frozenset({"versions", "dataset_checksum", "metrics"})
"""Not compared but for being there; a run's metrics are its last epochs, which are compared themselves."""

EPOCHS = frozenset({"epoch", "epochs", "current_epoch", "total_metrics"})
FEW_EPOCHS = 20
"""A network is solved some epochs sooner or later elsewhere."""

TOLERANCE = 0.05
"""Of losses, accuracies and scores, absolute or relative."""

UNIX_SECONDS = 1e9
"""Greater numbers are times."""

WHEN_IT_LIKES = frozenset({"heartbeat", "ping"})


@pytest.fixture(scope="module", params=get_args(RecordingName))
def name(request: pytest.FixtureRequest) -> RecordingName:
    """A recording's name."""
    chosen: RecordingName = request.param
    return chosen


@pytest.fixture(scope="module")
def anew(name: RecordingName, cascor_service: str, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The recording, made now, as it comes back from its file."""
    with JuniperCascorClient(cascor_service) as client:
        at_rest(client)
    path = tmp_path_factory.mktemp("recordings") / f"{name}.json.gz"
    record.write(asyncio.run(record.record(cascor_service, name)), path)
    return recording.read(path.read_bytes())


def dumped(model: BaseModel) -> JsonValue:
    """A model as it goes over the wire."""
    tree: JsonValue = orjson.loads(model.model_dump_json())
    return tree


def differences(kept: JsonValue, made: JsonValue, path: str = "") -> Iterator[str]:
    """Where two trees are not alike: in their shape, or in what is the same on every machine."""
    if isinstance(kept, dict) and isinstance(made, dict):
        if kept.keys() != made.keys():
            yield f"{path}: has {sorted(made)}, had {sorted(kept)}"
        for key in (kept.keys() & made.keys()) - ELSEWHERE_ANOTHER:
            yield from differences(kept[key], made[key], f"{path}.{key}")
    elif isinstance(kept, list) and isinstance(made, list):
        if len(kept) != len(made):
            yield f"{path}: has {len(made)} entries, had {len(kept)}"
        for index, (before, now) in enumerate(zip(kept, made, strict=False)):
            yield from differences(before, now, f"{path}[{index}]")
    elif type(kept) is not type(made) or not _alike(kept, made, path.rpartition(".")[2]):
        yield f"{path}: is {made!r}, was {kept!r}"


def _alike(kept: JsonValue, made: JsonValue, name: str) -> bool:
    if isinstance(kept, float) and isinstance(made, float):
        both_are_times = min(kept, made) > UNIX_SECONDS
        return both_are_times or math.isclose(kept, made, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(kept, int) and isinstance(made, int) and name in EPOCHS:
        return abs(kept - made) <= FEW_EPOCHS
    return kept == made


def same_form(kept: JsonValue, made: JsonValue) -> bool:
    """Whether names and types are the same as far as both have values; of a list those of its first entry."""
    if isinstance(kept, dict) and isinstance(made, dict):
        return kept.keys() == made.keys() and all(same_form(kept[key], made[key]) for key in kept)
    if isinstance(kept, list) and isinstance(made, list):
        return all(same_form(before, now) for before, now in zip(kept[:1], made[:1], strict=False))
    return type(kept) is type(made) or kept is None or made is None


def by_kind(recording: Recording) -> JsonValue:
    """The first message of each kind, but of those that come by the clock."""
    return {
        message.type: dumped(message) for message in reversed(recording.messages) if message.type not in WHEN_IT_LIKES
    }


@pytest.mark.parametrize("part", ["request", "network", "status", "run", "dataset", "data"])
def test_the_service_says_the_same(name: RecordingName, anew: Recording, part: str) -> None:
    """Of the run, its state and its data, in every field."""
    kept = recording.load(name)
    assert list(differences(dumped(getattr(kept, part)), dumped(getattr(anew, part)), part)) == []


def test_each_epoch_is_the_same(name: RecordingName, anew: Recording) -> None:
    """Its phase and number of hidden units exactly; its loss, accuracy and score nearly."""
    kept = recording.load(name)
    assert abs(kept.epochs - anew.epochs) <= FEW_EPOCHS
    for before, now in zip(kept.history, anew.history, strict=False):
        if name == "demo":
            assert (before.epoch, before.phase, before.hidden_units) == (now.epoch, now.phase, now.hidden_units)
            continue
        assert list(differences(dumped(before), dumped(now), f"epoch {before.epoch}")) == []


def test_the_network_grows_at_the_same_epochs(name: RecordingName, anew: Recording) -> None:
    """Each unit comes when it came, and a snapshot with it."""
    kept = recording.load(name)
    assert [unit.epoch for unit in anew.installs] == [unit.epoch for unit in kept.installs]
    assert [step.snapshot.hidden_units for step in anew.steps] == [step.snapshot.hidden_units for step in kept.steps]
    assert [len(network.hidden_weights) for network in anew.networks] == list(range(len(kept.networks)))


@pytest.mark.parametrize("part", ["steps", "metrics", "boundary", "prediction", "card", "host", "worker"])
def test_answers_have_the_same_form(name: RecordingName, anew: Recording, part: str) -> None:
    """Names and types; the weights themselves are another machine's."""
    kept, made = (orjson.loads(told.model_dump_json(include={part})) for told in (recording.load(name), anew))
    assert same_form(kept, made)


def test_the_stream_tells_the_same(name: RecordingName, anew: Recording) -> None:
    """The same kinds of messages in the same form, and the same end."""
    kept = recording.load(name)
    # Where a report ends, and so in which phase, is the clock's to say: some have a score, others not yet.
    assert same_form(by_kind(kept), by_kind(anew))
    last = anew.messages[-1].model_copy(update={"seq": kept.messages[-1].seq})
    assert list(differences(dumped(kept.messages[-1]), dumped(last))) == []
