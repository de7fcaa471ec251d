"""Networks as they are asked for."""

import pytest

from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_common.errors import UnprocessableError
from juniper_common.wire.training import ChangeParameters, CreateNetwork, EngineParameters, RunParameters


def test_what_is_left_out_keeps_its_default() -> None:
    """A bare request gets the engine's measured defaults."""
    assert network_spec.changed(Parameters(), CreateNetwork()) == Parameters()


def test_the_published_clients_words_are_known() -> None:
    """epochs_max is max_epochs; a null budget is none."""
    changed = network_spec.changed(Parameters(), CreateNetwork(epochs_max=500, candidate_epochs=None))
    assert changed == Parameters(max_epochs=500)
    assert network_spec.changed(changed, ChangeParameters(max_epochs=None)) == Parameters()


def test_every_parameter_of_the_engine_can_be_asked_for() -> None:
    """The request has the engine's parameters, their presets, and one word of the published clients."""
    assert set(EngineParameters.model_fields) == {*parameter_fields(), "preset", "epochs_max"}


def test_a_preset_takes_the_place_of_the_loaded_parameters() -> None:
    """What is asked for beside the preset is kept."""
    changed = network_spec.changed(Parameters(max_epochs=5), RunParameters(preset="quality", max_hidden_units=9))
    assert changed == Parameters.preset("quality", max_hidden_units=9)


def test_a_value_out_of_bounds_is_named_where_it_stands() -> None:
    """The error's place is the field's path in the body."""
    with pytest.raises(UnprocessableError) as caught:
        network_spec.changed(Parameters(), RunParameters(candidate_pool_size=0, seed=3), ("params",))
    (field,) = caught.value.fields
    assert field.path == "params.candidate_pool_size"
    assert "between 1 and" in field.msg


def test_parameters_that_starve_training_are_kept_with_a_warning() -> None:
    """The public services' own defaults are known not to solve the spirals."""
    spec = NetworkSpec(2, 2, Parameters(candidate_epochs=50, max_hidden_units=10))
    assert [warning.split(" is ")[0] for warning in spec.warnings()] == ["candidate_epochs", "max_hidden_units"]
    assert NetworkSpec(2, 2, Parameters()).warnings() == []


def test_parameters_survive_json() -> None:
    """A record's parameters are the run's."""
    parameters = Parameters(max_epochs=7, learning_rate=0.1)
    assert network_spec.from_json(network_spec.as_json(parameters)) == parameters


def test_an_untrained_network_answers_without_opinion() -> None:
    """Before the first epoch every output is half way."""
    network = NetworkSpec(3, 2, Parameters()).untrained()
    assert network.n_hidden_units == 0
    assert network.outputs([[1, 2, 3]]).tolist() == [[0.5, 0.5]]
