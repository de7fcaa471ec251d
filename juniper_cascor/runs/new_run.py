"""From what a start asks for to the run that is recorded: nothing here touches a process or a disk."""

import secrets
import time

from juniper_cascor import versions
from juniper_cascor.engine import backends, patterns
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.datasets import FoundDataset
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import (
    RunParameters,
    StartTraining,
)


def run_parameters(spec: NetworkSpec | None, request: StartTraining) -> Parameters:
    """The loaded network's parameters, those of the request in place. Raises UnprocessableError naming the field."""
    base = network_spec.changed(spec.parameters if spec else Parameters(), request.params, ("params",))
    if request.epochs is None or request.params.model_fields_set & {"max_epochs", "epochs_max"}:
        return base
    return network_spec.changed(base, RunParameters(max_epochs=request.epochs), ("epochs",))


def check_shape(spec: NetworkSpec | None, n_inputs: int, n_outputs: int) -> None:
    """Raise UnprocessableError where the loaded network does not fit the data."""
    if spec is not None and (spec.n_inputs, spec.n_outputs) != (n_inputs, n_outputs):
        problem = (
            f"the data has {n_inputs} inputs and {n_outputs} outputs, the loaded network "
            f"{spec.n_inputs} and {spec.n_outputs}; start_fresh makes one of the data's shape"
        )
        raise UnprocessableError(problem, (FieldProblem(loc=["dataset"], msg=problem),))


def check_classes(parameters: Parameters, found: FoundDataset) -> None:
    """Raise UnprocessableError where there are not as many class weights as classes."""
    try:
        patterns.weights_of_classes(found.data.y, parameters.class_weights)
    except ParameterError as error:
        raise UnprocessableError(str(error), (FieldProblem(loc=["params", error.field], msg=error.message),)) from error


def new_record(parameters: Parameters, request: RunParameters, found: FoundDataset) -> RunRecord:
    """All that is needed to repeat the run, before its first epoch; a seed is drawn where none was given."""
    now = time.time()
    return RunRecord(
        id=time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(4),
        status="STARTED",
        created_at=now,
        ended_at=None,
        seed=secrets.randbits(32) if request.seed is None else request.seed,
        params=network_spec.as_json(parameters),
        pace=request.pace,
        dataset_id=found.dataset_id,
        dataset_checksum=found.checksum,
        backend=backends.chosen(
            len(found.data.x), found.data.x.shape[1], parameters.candidate_pool_size, parameters.max_hidden_units
        ),
        versions=versions.of_libraries(),
        epochs=0,
        hidden_units=0,
        outcome=None,
        reason=None,
    )
