"""The PyTorch module says what the network says, exported or not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from juniper_cascor import CascadeCorrelationClassifier
from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.network import Network
from juniper_cascor.torch_module import CascadeModule

from .engine.data import cmu_spirals

Matrix = NDArray[np.float32]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Networks of any size, task, activations and placement, of weights as large as trainings grow."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_inputs, n_outputs = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    # Each unit sees all units before it, or so many fewer.
    unseen = draw(st.lists(st.integers(0, 20), max_size=20))
    fan_ins = [1 + n_inputs + max(0, i - fewer) for i, fewer in enumerate(unseen)]
    size = draw(st.sampled_from([0.1, 1.0, 10.0]))
    return Network(
        feature_mean=rng.normal(0, 100, n_inputs).astype(np.float32),
        feature_scale=rng.uniform(0.01, 100, n_inputs).astype(np.float32),
        hidden_weights=tuple(rng.normal(0, size, fan_in).astype(np.float32) for fan_in in fan_ins),
        activations=tuple(draw(st.sampled_from(ACTIVATIONS)) for _ in fan_ins),
        output_weights=rng.normal(0, size, (n_outputs, 1 + n_inputs + len(fan_ins))).astype(np.float32),
        task=draw(st.sampled_from(["classification", "regression"])),
    )


def patterns(network: Network, n: int = 16) -> Matrix:
    """Patterns as a network expects them, two standard deviations around its mean."""
    rng = np.random.default_rng(0)
    spread = rng.normal(0, 2, (n, network.n_inputs)).astype(np.float32)
    values: Matrix = (spread * network.feature_scale + network.feature_mean).astype(np.float32)
    return values


def answers(module: torch.nn.Module, x: Matrix) -> Matrix:
    """What a module says, as an array."""
    with torch.no_grad():
        said: Matrix = module(torch.from_numpy(x)).numpy()
    return said


@pytest.fixture(scope="module")
def spiral_network() -> Network:
    """A grown one: on the spirals weights grow to 200, and errors of rounding by as much."""
    spirals = cmu_spirals()
    parameters: dict[str, Any] = {
        "activation_function_name": "tanh+gaussian",
        "candidate_placement": "sibling-or-descendant",
    }
    fitted = CascadeCorrelationClassifier(random_state=3, **parameters).fit(spirals.x, spirals.labels)
    assert fitted.n_hidden_units_ > 5
    return fitted.network_


@settings(deadline=None, max_examples=200)
@given(networks())
def test_agrees_with_the_network(network: Network) -> None:
    """To 1e-5 of the largest output, for any network."""
    x = patterns(network)
    expected, found = network.outputs(x), answers(CascadeModule(network), x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1, float(np.abs(expected).max())))


def test_agrees_where_inputs_are_absurd(spiral_network: Network) -> None:
    """The largest values there are give finite answers, the same ones."""
    x = np.array([[3e38, -3e38], [-3e38, 0]], np.float32)
    np.testing.assert_allclose(answers(CascadeModule(spiral_network), x), spiral_network.outputs(x), atol=1e-5)


def test_estimators_have_it() -> None:
    """to_torch is the fitted network's module; its answers follow the inputs' type."""
    spirals = cmu_spirals()
    fitted = CascadeCorrelationClassifier(random_state=3).fit(spirals.x, spirals.labels)
    module = fitted.to_torch()
    np.testing.assert_allclose(answers(module, spirals.x), fitted.network_.outputs(spirals.x), atol=1e-5)
    assert module(torch.from_numpy(spirals.x.astype(np.float64))).dtype == torch.float64


def test_single_precision_where_it_is_asked_for(spiral_network: Network) -> None:
    """`.float()` computes in single precision, near the same."""
    x = patterns(spiral_network)
    module = CascadeModule(spiral_network).float()
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    np.testing.assert_allclose(answers(module, x), spiral_network.outputs(x), atol=1e-3)


def test_state_dict_is_the_network(spiral_network: Network) -> None:
    """Named as the paper speaks, and enough to make another module say the same."""
    module = CascadeModule(spiral_network)
    state = module.state_dict()
    assert {name.split(".")[0] for name in state} == {"feature_mean", "feature_scale", "hidden", "output"}
    np.testing.assert_array_equal(state["hidden.0.weight"][0], spiral_network.hidden_weights[0][1:])
    np.testing.assert_array_equal(state["hidden.0.bias"], spiral_network.hidden_weights[0][:1])
    np.testing.assert_array_equal(state["output.bias"], spiral_network.output_weights[:, 0])
    other = CascadeModule(spiral_network)
    torch.nn.init.zeros_(other.output.weight)
    other.load_state_dict(state)
    x = patterns(spiral_network)
    np.testing.assert_array_equal(answers(other, x), answers(module, x))


def test_only_the_output_layer_is_trainable(spiral_network: Network) -> None:
    """Installed units are frozen, until somebody thaws them."""
    module = CascadeModule(spiral_network)
    trainable = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    assert trainable == ["output.weight", "output.bias"]
    module.requires_grad_()
    module(torch.from_numpy(patterns(spiral_network))).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_making_one_draws_no_random_number(spiral_network: Network) -> None:
    """A training in torch around it stays reproducible."""
    before = torch.get_rng_state()
    CascadeModule(spiral_network)
    assert torch.equal(torch.get_rng_state(), before)


# torch's own deprecation, in torch's own exporter.
IGNORED = "ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"


def dynamic_rows() -> Any:
    """Any number of patterns."""
    return {"x": {0: torch.export.Dim("patterns")}}


@pytest.mark.filterwarnings(IGNORED)
def test_exported_program_agrees(spiral_network: Network) -> None:
    """torch.export traces it for any number of patterns."""
    x = patterns(spiral_network)
    program = torch.export.export(CascadeModule(spiral_network), (torch.from_numpy(x),), dynamic_shapes=dynamic_rows())
    for n in (1, 5, 16):
        np.testing.assert_allclose(answers(program.module(), x[:n]), spiral_network.outputs(x[:n]), atol=1e-5)


@pytest.mark.filterwarnings(IGNORED)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_onnx_agrees(task: Any, tmp_path: Path) -> None:
    """An ONNX runtime, which knows nothing of Juniper, says what the network says."""
    rng = np.random.default_rng(1)
    network = Network(
        feature_mean=np.array([100.0, -3.0], np.float32),
        feature_scale=np.array([10.0, 0.1], np.float32),
        hidden_weights=tuple(rng.normal(0, 2, n).astype(np.float32) for n in (3, 3, 5, 4)),
        activations=ACTIVATIONS,
        output_weights=rng.normal(0, 2, (3, 7)).astype(np.float32),
        task=task,
    )
    x = patterns(network)
    path = tmp_path / "net.onnx"
    torch.onnx.export(
        CascadeModule(network), (torch.from_numpy(x),), path, dynamo=True, dynamic_shapes=dynamic_rows(), verbose=False
    )
    session = onnxruntime.InferenceSession(path)
    for n in (1, 5, 16):
        (found,) = session.run(None, {"x": x[:n]})
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, network.outputs(x[:n]), rtol=1e-5, atol=1e-5)
