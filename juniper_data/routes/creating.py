"""How a dataset is asked for, by itself or as an item of a batch."""

import hashlib

from pydantic import Field
from starlette.requests import Request

from juniper_common.errors import BadRequestError
from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import KeyReusedError, UnknownGeneratorError
from juniper_data.jobs import Job, Jobs
from juniper_data.routes.making_answers import MakingHeaders
from juniper_data.stores.protocol import Stored


class CreateHeaders(MakingHeaders):
    """How a dataset is asked for."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="The same request with the same key within a day is the same dataset, its seed null or not",
    )


async def create(
    jobs: Jobs, request: Request, asked: CreateDatasetRequest, key: str | None, patience_s: float, item: str = ""
) -> Stored | Job:
    """The dataset that is asked for, or the job that makes it; errors are told in the words of the request.

    Args:
        jobs: make it.
        request: says who asks: an idempotency key is each caller's own.
        asked: what is to be made.
        key: as it came.
        patience_s: how long to wait.
        item: which one of those that came under this key.
    """
    own_key = None
    if key is not None:
        # No header has a line break, and no key a space.
        words = f"{request.headers.get('x-api-key', '')}\n{key} {item}"
        own_key = hashlib.sha256(words.encode()).hexdigest()
    try:
        return await jobs.create(asked, own_key, patience_s)
    except UnknownGeneratorError as error:
        raise BadRequestError(str(error), (FieldProblem(loc=["generator"], msg=str(error)),)) from error
    except KeyReusedError as error:
        raise KeyReusedError(key or "") from error
