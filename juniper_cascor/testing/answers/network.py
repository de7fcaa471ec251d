"""What the fake service answers about the loaded network: the models and checks of the real one."""

from collections.abc import Iterator
from contextlib import contextmanager

from juniper_cascor.api.network import Deleted
from juniper_cascor.engine.editing import HiddenUnitChange, with_hidden_unit, with_weights, without_hidden_unit
from juniper_cascor.engine.errors import EditError
from juniper_cascor.engine.network import Network
from juniper_cascor.runs import views
from juniper_cascor.testing.answers.asked import Answers, Asked
from juniper_cascor.testing.fake_foreground import FakeForeground
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.errors import NotFoundError, UnprocessableError
from juniper_common.wire.editing import AddHiddenUnit, ChangeWeights
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import (
    CreateNetwork,
    NetworkSummary,
    Topology,
)


def _create_network(service: FakeCascorService, asked: Asked) -> NetworkSummary:
    service.create_network(asked.read(CreateNetwork))
    return _summary(service.foreground)


def _delete_network(service: FakeCascorService, _: Asked) -> Deleted:
    service.foreground.loaded_spec()
    service.foreground.check_idle("delete the network")
    service.foreground.unload()
    return Deleted()


def _change_weights(service: FakeCascorService, asked: Asked) -> Topology:
    body = asked.read(ChangeWeights)
    changes = [HiddenUnitChange(unit.id, unit.weights, unit.bias) for unit in body.hidden_units]

    def change(network: Network) -> Network:
        return with_weights(
            network, hidden_units=changes, output_weights=body.output_weights, output_bias=body.output_bias
        )

    with _refused():
        return views.topology(service.foreground.edit(change))


def _add_hidden_unit(service: FakeCascorService, asked: Asked) -> Topology:
    body = asked.read(AddHiddenUnit)

    def add(network: Network) -> Network:
        return with_hidden_unit(network, body.weights, body.bias, body.activation, body.output_weights)

    with _refused():
        return views.topology(service.foreground.edit(add))


def _remove_hidden_unit(service: FakeCascorService, asked: Asked) -> Topology:
    try:
        index = int(asked["idx"])
        return views.topology(service.foreground.edit(lambda network: without_hidden_unit(network, index)))
    except EditError as error:
        raise NotFoundError(error.message, (FieldProblem(loc=["idx"], msg=error.message),)) from None


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except EditError as error:
        raise UnprocessableError(str(error), (FieldProblem(loc=[*error.place], msg=error.message),)) from None


def _summary(watched: FakeForeground | FakeRun) -> NetworkSummary:
    return watched.loaded_spec().summary(watched.loaded_network())


ANSWERS: Answers = {
    ("POST", "/v1/network"): (201, _create_network),
    ("GET", "/v1/network"): (200, lambda service, asked: _summary(service.watched(asked.run))),
    ("DELETE", "/v1/network"): (200, _delete_network),
    ("GET", "/v1/network/topology"): (
        200,
        lambda service, asked: views.topology(service.watched(asked.run).loaded_network()),
    ),
    ("GET", "/v1/network/stats"): (
        200,
        lambda service, asked: views.stats(service.watched(asked.run).loaded_network()),
    ),
    ("PATCH", "/v1/network/weights"): (200, _change_weights),
    ("POST", "/v1/network/hidden-units"): (201, _add_hidden_unit),
    ("DELETE", "/v1/network/hidden-units/{idx}"): (200, _remove_hidden_unit),
}
