"""A request to the fake service, and what answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from juniper_cascor.api.chosen import ChosenRun
from juniper_cascor.runs.state_machine import Command
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.errors import UnprocessableError
from juniper_common.wire.training import Commanded, MetricRow, TrainingStarted

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Asked:
    """A request: what stands in its path, its query, and its body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def read(self, model: type[Model]) -> Model:
        """The body. Raises UnprocessableError."""
        try:
            return model.model_validate_json(self.body or b"{}")
        except ValidationError as error:
            raise UnprocessableError.from_validation(error) from None

    def ask(self, model: type[Model]) -> Model:
        """The query. Raises UnprocessableError."""
        try:
            return model.model_validate(dict(self.query))
        except ValidationError as error:
            raise UnprocessableError.from_validation(error) from None

    @property
    def run(self) -> str | None:
        """The run of `?run=`."""
        return self.ask(ChosenRun).run

    def __getitem__(self, name: str) -> str:
        """A part of the path."""
        return self.path[name]


Answer = BaseModel | list[MetricRow] | bytes | None
Answering = Callable[[FakeCascorService, Asked], Answer]
Answers = Mapping[tuple[str, str], tuple[int, Answering]]
"""By method and path: the status, and what makes the answer."""


def started(run: FakeRun) -> TrainingStarted:
    """The answer to a start."""
    return TrainingStarted(timestamp=run.record.created_at, run_id=run.run_id)


def commanding(command: Command) -> Answering:
    """Answers a command of the run of the path, of `?run=`, or of the one in the foreground."""

    def answer(service: FakeCascorService, asked: Asked) -> Commanded:
        run_id, field = (asked["run_id"], "run_id") if "run_id" in asked.path else (asked.run, "run")
        run = service.command(command, run_id, field)
        return Commanded(status=run.state.status, timestamp=service.clock(), run_id=run.run_id)

    return answer
