"""The way to a fake service for HTTP clients, in place of the network."""

import re
from urllib.parse import unquote

import httpx
from pydantic import BaseModel
from starlette.responses import Response

from juniper_cascor.api.envelope import failure, success, success_list
from juniper_cascor.testing import faults as faulty
from juniper_cascor.testing.answers import ANSWERS
from juniper_cascor.testing.answers.asked import Answer, Answering, Asked
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_cascor.testing.faults import Faults
from juniper_common.errors import BadRequestError, NotFoundError, ServiceError
from juniper_common.requests import json_response

_PATTERNS = [
    # A word goes before a parameter in its place.
    (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), answering)
    for (method, path), answering in sorted(ANSWERS.items(), key=lambda item: item[0][1].count("{"))
]


class Transport(httpx.MockTransport):
    """Brings requests to a fake service, from threads and event loops.

    Args:
        service: what answers.
        faults: what goes wrong on the way.
    """

    def __init__(self, service: FakeCascorService, faults: Faults | None = None) -> None:
        super().__init__(self._respond)
        self._service = service
        self._faults = faults

    def _respond(self, request: httpx.Request) -> httpx.Response:
        with self._service.lock:
            if self._faults and (fault := self._faults.next()):
                return faulty.answer(fault)
            self._service.keep_time()
            response = _answer(self._service, request)
            self._service.tick()
        return httpx.Response(
            response.status_code, content=bytes(response.body), headers=dict(response.headers), request=request
        )


def _answer(service: FakeCascorService, request: httpx.Request) -> Response:
    path = request.url.raw_path.decode().partition("?")[0]
    try:
        status, answering, parts = _found(request.method, path)
        return _written(path, status, answering(service, Asked(parts, dict(request.url.params), request.content)))
    except ServiceError as error:
        return failure(error)


def _found(method: str, path: str) -> tuple[int, Answering, dict[str, str]]:
    matches = [(known, found, answer) for known, pattern, answer in _PATTERNS if (found := pattern.fullmatch(path))]
    if not matches:
        raise NotFoundError("Not Found")
    for known, found, (status, answering) in matches:
        if known == method:
            return status, answering, {name: unquote(part) for name, part in found.groupdict().items()}
    raise BadRequestError("Method Not Allowed")


def _written(path: str, status: int, answer: Answer) -> Response:
    match answer:
        case None:
            return Response(status_code=status)
        case bytes():
            return Response(answer, status, media_type="application/x-hdf5")
        case list():
            return success_list(answer)
        case BaseModel():
            return json_response(answer) if path.startswith("/v1/health") else success(answer, status)
