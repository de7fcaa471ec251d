"""The running service's sockets against the document that it gives of them."""

import httpx
import orjson
from websockets.sync.client import connect

from juniper_cascor.api.asyncapi import PATH
from juniper_cascor.api.channels import TRAINING
from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining


def test_each_message_of_a_training_is_one_that_the_document_tells_of(cascor_service: str) -> None:
    """From the greeting to the end of a run, a resumption among it, and the data of each is of its model."""
    seen: set[str] = set()
    start = StartTraining(dataset=DatasetSource(generator="xor"), params=RunParameters(seed=1), start_fresh=True)
    with connect(cascor_service.replace("http", "ws") + TRAINING.path) as socket:
        socket.send(orjson.dumps({"type": "ping"}).decode())
        socket.send(orjson.dumps({"type": "resume", "data": {}}).decode())
        with JuniperCascorClient(cascor_service) as client:
            client.start(start)
        while "event" not in seen:
            message = StreamMessage.model_validate_json(socket.recv(timeout=60))
            TRAINING.sends.models[message.type].model_validate(message.data)
            seen.add(message.type)
    assert {"connection_established", "initial_status", "initial_metrics", "pong", "resume_failed", "state"} <= seen


def test_page_of_the_service_leads_to_the_document(cascor_service: str) -> None:
    """Whoever reads about the routes finds the sockets."""
    assert f'href="{PATH}"' in httpx.get(f"{cascor_service}/docs").text
    assert TRAINING.name in httpx.get(f"{cascor_service}{PATH}").json()["channels"]
