"""From what a start asks for to the run that is recorded: nothing here touches a process or a disk."""

import itertools
import math
import secrets
import socket
import time
from dataclasses import replace

from pydantic import JsonValue, ValidationError

from juniper_cascor import versions
from juniper_cascor.engine import backends, patterns
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.datasets import FoundDataset
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import MAX_RUNS_POSTED, Origin, RunChange, RunRecord, StartRuns
from juniper_common.wire.training import OnRestart, RunParameters


def run_parameters(base: Parameters, request: RunParameters, epochs: int | None = None) -> Parameters:
    """The base's parameters, those of the request in place. Raises UnprocessableError naming the field.

    `epochs` is the budget of a request that has it beside its parameters; a budget among them goes before it.
    """
    changed = network_spec.changed(base, request, ("params",))
    if epochs is None or request.model_fields_set & {"max_epochs", "epochs_max"}:
        return changed
    try:
        return network_spec.changed(changed, RunParameters(max_epochs=epochs))
    except UnprocessableError as error:
        problem = error.fields[0].msg
        raise UnprocessableError(f"epochs: {problem}", (FieldProblem(loc=["epochs"], msg=problem),)) from error


def spec_of(parameters: Parameters, found: FoundDataset, spec: NetworkSpec | None = None) -> NetworkSpec:
    """The network that a run grows: the loaded one with the run's parameters, or a new one of the data's shape."""
    if spec is not None:
        return replace(spec, parameters=parameters)
    return NetworkSpec(found.data.x.shape[1], found.data.y.shape[1], parameters)


def check_shape(
    spec: NetworkSpec | None, found: FoundDataset, hint: str = "start_fresh makes one of the data's shape"
) -> None:
    """Raise UnprocessableError where the network does not fit the data; the hint says what to do about it."""
    n_inputs, n_outputs = found.data.x.shape[1], found.data.y.shape[1]
    if spec is not None and (spec.n_inputs, spec.n_outputs) != (n_inputs, n_outputs):
        problem = (
            f"the data has {n_inputs} inputs and {n_outputs} outputs, the network "
            f"{spec.n_inputs} and {spec.n_outputs}; {hint}"
        )
        field = "inline_data" if found.dataset_id is None else "dataset"
        raise UnprocessableError(problem, (FieldProblem(loc=[field], msg=problem),))


def check_grows_on(network: Network, parameters: Parameters) -> None:
    """Raise UnprocessableError where the network was made for another task."""
    if network.task != parameters.task:
        problem = f"is {parameters.task}, and the network that is grown on was made for {network.task}"
        raise UnprocessableError(f"task {problem}", (FieldProblem(loc=["params", "task"], msg=problem),))


def check_task(parameters: Parameters, task: str) -> None:
    """Raise UnprocessableError where a run of a sweep has another task than the first: they share their data."""
    if parameters.task != task:
        problem = "cannot be swept over: the runs of a sweep train on the same data"
        raise UnprocessableError(f"task {problem}", (FieldProblem(loc=["sweep", "task"], msg=problem),))


def check_classes(parameters: Parameters, found: FoundDataset) -> None:
    """Raise UnprocessableError where there are not as many class weights as classes."""
    try:
        patterns.weights_of_classes(found.data.y, parameters.class_weights)
    except ParameterError as error:
        raise UnprocessableError(str(error), (FieldProblem(loc=["params", error.field], msg=error.message),)) from error


def new_record(
    parameters: Parameters,
    request: RunParameters,
    found: FoundDataset,
    *,
    on_restart: OnRestart,
    origin: Origin = "fresh",
    parent_snapshot_id: str | None = None,
) -> RunRecord:
    """All that is needed to repeat the run, before its first epoch; a seed is drawn where none was given."""
    now = time.time()
    backend = backends.chosen(
        len(found.data.x), found.data.x.shape[1], parameters.candidate_pool_size, parameters.max_hidden_units
    )
    return RunRecord(
        id=new_id(now),
        status="QUEUED",
        created_at=now,
        seed=secrets.randbits(32) if request.seed is None else request.seed,
        params=network_spec.as_json(parameters),
        pace=request.pace,
        dataset_id=found.dataset_id,
        dataset_checksum=found.checksum,
        backend=backend,
        versions={**versions.of_libraries(), **versions.of_gpu(backend)},
        host=socket.gethostname(),
        on_restart=on_restart,
        origin=origin,
        parent_snapshot_id=parent_snapshot_id,
    )


def new_id(now: float) -> str:
    """An id that sorts by time, to the second."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(4)


def changes_between(before: Parameters, after: Parameters, epoch: int) -> tuple[RunChange, ...]:
    """What is to be set at an epoch so that a training goes on with other parameters, if they are others."""
    old, new = network_spec.as_json(before), network_spec.as_json(after)
    params = {name: value for name, value in new.items() if value != old[name]}
    return (RunChange(epoch=epoch, time=time.time(), params=params),) if params else ()


def sweep(request: StartRuns) -> list[RunParameters]:
    """The parameters of each run of a post: every combination of what is swept over, for each seed.

    Raises:
        UnprocessableError: a parameter or value cannot be, or there are more than MAX_RUNS_POSTED.
    """
    if request.seeds and "seed" in request.sweep:
        problem = "is swept over already"
        raise UnprocessableError(f"seeds: seed {problem}", (FieldProblem(loc=["seeds"], msg=f"seed {problem}"),))
    axes: dict[str, list[JsonValue]] = {**request.sweep, **({"seed": list(request.seeds)} if request.seeds else {})}
    for name, values in axes.items():
        if not values:
            problem = "has no values"
            raise UnprocessableError(f"sweep.{name} {problem}", (FieldProblem(loc=["sweep", name], msg=problem),))
    if math.prod(map(len, axes.values())) > MAX_RUNS_POSTED:
        problem = f"is more than {MAX_RUNS_POSTED} runs"
        raise UnprocessableError(f"sweep {problem}", (FieldProblem(loc=["sweep"], msg=problem),))
    given = request.params.model_dump(exclude_unset=True)
    return [
        _swept(given | dict(zip(axes, combination, strict=True))) for combination in itertools.product(*axes.values())
    ]


def swept_parameters(request: StartRuns, asked: RunParameters) -> Parameters:
    """The engine's parameters of one run of a post. Raises UnprocessableError naming the field where it stands."""
    try:
        return run_parameters(Parameters(), asked, request.epochs)
    except UnprocessableError as error:
        fields = tuple(
            field.model_copy(update={"loc": ["sweep", *field.loc[1:]]}) if field.loc[-1] in request.sweep else field
            for field in error.fields
        )
        raise UnprocessableError(error.message, fields) from error


def _swept(values: dict[str, JsonValue]) -> RunParameters:
    try:
        return RunParameters.model_validate(values)
    except ValidationError as error:
        refused = UnprocessableError.from_validation(error)
        fields = tuple(field.model_copy(update={"loc": ["sweep", *field.loc]}) for field in refused.fields)
        raise UnprocessableError(refused.message, fields) from None
