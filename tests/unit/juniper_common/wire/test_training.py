"""What is told to the training service, and what it says."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from juniper_common.wire.training import (
    CandidateProgress,
    ChangeParameters,
    CreateNetwork,
    InlineData,
    RunParameters,
    StartTraining,
)


@pytest.mark.parametrize("model", [CreateNetwork, StartTraining, ChangeParameters])
def test_nothing_need_be_said(model: type[BaseModel]) -> None:
    """A bare create and a bare start use the measured defaults; what was left out is told from what is null."""
    assert model.model_validate_json("{}").model_fields_set == set()


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (CreateNetwork, '{"input_sise": 2}'),
        (CreateNetwork, '{"input_size": 0}'),
        (StartTraining, '{"epochs": 0}'),
        (StartTraining, '{"params": {"learning_rte": 1}}'),
        (StartTraining, '{"dataset": {"source": "ftp"}}'),
        (RunParameters, '{"seed": -1}'),
        (RunParameters, '{"seed": 9223372036854775808}'),
        (RunParameters, '{"pace": 0}'),
        (RunParameters, '{"pace": NaN}'),
        (ChangeParameters, '{"seed": 1}'),
        (InlineData, '{"train_x": [["a"]], "train_y": [1]}'),
        (InlineData, '{"train_x": [[1]]}'),
    ],
)
def test_wrong_request_is_refused(model: type[BaseModel], body: str) -> None:
    """Unknown fields, values out of bounds, and what cannot change while a run trains."""
    with pytest.raises(ValidationError):
        model.model_validate_json(body)


@pytest.mark.parametrize("labels", ["[0, 1]", "[[0], [1]]", "[[1, 0], [0, 1]]"])
def test_labels_come_in_three_forms(labels: str) -> None:
    """Values, rows of one, and one-hot rows."""
    data = InlineData.model_validate_json(f'{{"train_x": [[1, 2], [3, 4]], "train_y": {labels}}}')
    assert len(data.train_y) == 2


def test_what_is_not_defined_is_null() -> None:
    """On the wire, and read back as None."""
    written = CandidateProgress(epoch=1, scores=[math.nan, 0.5], best_score=0.5).model_dump_json()
    assert CandidateProgress.model_validate_json(written).scores == [None, 0.5]
