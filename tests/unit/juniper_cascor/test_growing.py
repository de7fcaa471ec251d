"""Ctrl-C ends a training between two chunks, and what was grown is kept."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from juniper_cascor.growing import grow

from .engine.data import FAST, noisy_points

ROOT = Path(__file__).resolve().parents[3]

# Values that follow from nothing, so that no network is ever done with them.
ENDLESS = """
import json, signal, warnings
import numpy as np
from juniper_cascor import CascadeCorrelationRegressor
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
rng = np.random.default_rng(0)
x, y = rng.normal(size=(4000, 8)), rng.normal(size=4000)
estimator = CascadeCorrelationRegressor(
    max_hidden_units=10_000, error_threshold=1e-6, verbose=1, random_state=0
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    estimator.fit(x, y)
handler = signal.getsignal(signal.SIGINT)
print(json.dumps({
    "outcome": estimator.outcome_,
    "units": estimator.n_hidden_units_,
    "epochs": [estimator.n_iter_, len(estimator.metrics_["epoch"])],
    "answers": bool(np.isfinite(estimator.predict(x)).all()),
    "warnings": [[w.category.__name__, str(w.message), w.filename == "<string>"] for w in caught],
    "is_restored": handler is signal.default_int_handler,
}))
"""


@pytest.fixture
def endless_training() -> Iterator[subprocess.Popen[str]]:
    """A process that trains, and has installed a unit."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TQDM_MININTERVAL": "0"}
    command = [sys.executable, "-W", "error", "-c", ENDLESS]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            seen = ""
            while " 1 of at most 10000 units" not in seen:
                part = process.stderr.read(20) if process.stderr else ""
                assert part, f"it ended before it installed a unit: {seen}"
                seen += part
            yield process
        finally:
            process.kill()


def test_interrupted_fit_keeps_what_was_grown(endless_training: subprocess.Popen[str]) -> None:
    """One SIGINT: fit returns with a whole network, a warning at the caller's line, and Python's handler is back."""
    endless_training.send_signal(signal.SIGINT)
    output, _ = endless_training.communicate(timeout=120)
    assert endless_training.returncode == 0
    told = json.loads(output)
    assert (told["outcome"], told["answers"], told["is_restored"]) == ("interrupted", True, True)
    assert told["units"] >= 1
    assert told["epochs"][0] == told["epochs"][1] > 0
    (warning,) = told["warnings"]
    assert warning == [
        "ConvergenceWarning",
        f"Training interrupted by user; what was grown is kept: {told['units']} hidden units.",
        True,
    ]


def test_what_is_told_is_what_was_measured() -> None:
    """A row of metrics for each epoch, in order, with the units there were."""
    x, y = noisy_points(40)
    growth = grow(Training.start(x, y, FAST, seed=0))
    metrics = growth.metrics
    assert metrics["epoch"].tolist() == list(range(1, growth.epochs + 1))
    assert growth.network.n_hidden_units == metrics["hidden_units"].max()
    assert set(metrics["phase"].tolist()) == {0, 1}
    assert np.isnan(metrics["val_loss"]).all()
    assert growth.ending == "max_hidden_units"


def test_a_handler_of_somebody_else_stays() -> None:
    """Who handles SIGINT otherwise, as a service does, goes on handling it while a network grows."""
    seen = []

    def watch(_: object) -> None:
        seen.append(signal.getsignal(signal.SIGINT))

    def own(_number: int, _frame: object) -> None:
        """Do nothing."""

    before = signal.signal(signal.SIGINT, own)
    try:
        x, y = noisy_points(40)
        grow(Training.start(x, y, Parameters(max_hidden_units=0), seed=0), watch)
    finally:
        signal.signal(signal.SIGINT, before)
    assert set(seen) == {own}
