"""What is said of runs that cannot be had, wherever one is asked for."""

from juniper_common.errors import NotFoundError
from juniper_common.wire.errors import FieldProblem


def no_such_run(run_id: str, field: str = "run_id") -> NotFoundError:
    """The error for an id, named by `field`, under which no run is recorded."""
    problem = f"there is no run {run_id!r}"
    return NotFoundError(problem, (FieldProblem(loc=[field], msg=problem),))
