"""How an error names the fields that it is about."""

from pydantic import BaseModel
from pydantic_core import ErrorDetails


class FieldProblem(BaseModel):
    """One refused field: `loc` is its path in the body or query, outermost first."""

    loc: list[str | int]
    msg: str
    type: str = "value_error"

    @property
    def path(self) -> str:
        """The field's path in one word, as in `params.noise`."""
        return ".".join(str(part) for part in self.loc) or "body"


def reason(problem: ErrorDetails) -> str:
    """What Pydantic found wrong. Before the words of a validator of ours it writes `Value error, `."""
    return problem["msg"].removeprefix("Value error, ")
