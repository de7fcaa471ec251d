"""The named models of the fake service, in memory, and predictions of any network."""

import re
from dataclasses import dataclass

from juniper_cascor.api.rows import Asked, RowsAsked
from juniper_cascor.engine.network import Network
from juniper_cascor.serving.model_card import model_card
from juniper_cascor.serving.model_folder import Note
from juniper_cascor.testing.fake_snapshots import KeptSnapshot
from juniper_common.errors import ConflictError, NotFoundError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import (
    MODEL_NAME_PATTERN,
    ModelCard,
    ModelInfo,
    ModelList,
    ModelVersion,
    Prediction,
    PredictRows,
)


def prediction(network: Network, name: str, asked: RowsAsked[Asked]) -> Prediction:
    """What a network says of rows. Raises UnprocessableError naming the first of another length."""
    outputs = network.outputs(asked.matrix(network.n_inputs))
    decided = network.decided(outputs).tolist()
    return Prediction(
        task=network.task,
        hidden_units=network.n_hidden_units,
        model=name,
        predictions=decided,
        class_indices=decided,
        scores=outputs.tolist(),
    )


@dataclass(frozen=True, eq=False)
class _Version:
    note: Note
    kept: KeptSnapshot


class FakeModels:
    """Every named model with its versions."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, _Version]] = {}
        self._current: dict[str, int] = {}

    def promote(self, name: str, kept: KeptSnapshot, notes: str, now: float) -> ModelCard:
        """Let a snapshot answer to a name. Raises UnprocessableError."""
        if not re.fullmatch(MODEL_NAME_PATTERN, name):
            problem = "a name is 1 to 64 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter or digit"
            raise UnprocessableError(f"name: {problem}", (FieldProblem(loc=["name"], msg=problem),))
        versions = self._versions.setdefault(name, {})
        note = Note(snapshot_id=kept.id, notes=notes, created_at=now, before=self._current.get(name))
        version = max(versions, default=0) + 1
        versions[version] = _Version(note, kept)
        self._current[name] = version
        return self.card(name, version)

    def roll_back(self, name: str) -> ModelCard:
        """Let the version before answer. Raises NotFoundError, ConflictError."""
        current = self._version(name)
        before = self._versions[name][current].note.before
        if before is None:
            raise ConflictError(f"model {name} has no version before {current} that can answer")
        self._current[name] = before
        return self.card(name, before)

    def card(self, name: str, version: int) -> ModelCard:
        """One version's card. Raises NotFoundError."""
        current = self._version(name)
        if (found := self._versions[name].get(version)) is None:
            problem = f"model {name} has no version {version}"
            raise NotFoundError(problem, (FieldProblem(loc=["version"], msg=problem),))
        card = model_card(name, version, found.note, found.kept.content)
        return card.model_copy(update={"is_current": version == current})

    def info(self, name: str) -> ModelInfo:
        """A model. Raises NotFoundError."""
        current = self._version(name)
        versions = [
            ModelVersion(
                version=version,
                is_current=version == current,
                created_at=found.note.created_at,
                snapshot_id=found.note.snapshot_id,
                notes=found.note.notes,
                size_bytes=found.kept.size_bytes,
                problem=None,
            )
            for version, found in sorted(self._versions[name].items(), reverse=True)
        ]
        return ModelInfo(name=name, card=self.card(name, current), problem=None, versions=versions)

    def listed(self) -> ModelList:
        """All of them, by name."""
        return ModelList(models=[self.info(name) for name in sorted(self._current)])

    def delete(self, name: str) -> None:
        """Forget a model. Raises NotFoundError."""
        self._version(name)
        del self._versions[name], self._current[name]

    def predict(self, name: str, asked: RowsAsked[PredictRows]) -> Prediction:
        """Ask a model. Raises NotFoundError, UnprocessableError."""
        version = self._version(name)
        return prediction(self._versions[name][version].kept.content.network, f"{name}/{version}", asked)

    def _version(self, name: str) -> int:
        if name not in self._current:
            problem = f"there is no model {name!r}"
            raise NotFoundError(problem, (FieldProblem(loc=["name"], msg=problem),))
        return self._current[name]
