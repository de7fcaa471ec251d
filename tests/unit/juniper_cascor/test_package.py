"""The package is light: what is heavy is loaded when it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import juniper_cascor
from juniper_cascor import estimator

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("numba", "torch", "cupy", "sklearn", "scipy", "pandas", "matplotlib", "tqdm")


@pytest.mark.parametrize(
    "modules", ["juniper_cascor", "juniper_cascor.engine.training", "juniper_cascor.app", "juniper_cascor.__main__"]
)
def test_importing_it_loads_nothing_heavy(modules: str) -> None:
    """Neither the package, nor the engine, nor what the training service runs."""
    code = f"import sys, {modules}; print(sorted(set({HEAVY}) & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_estimators_are_the_package_s() -> None:
    """By name, and in what it says that it has."""
    assert juniper_cascor.CascadeCorrelationClassifier is estimator.CascadeCorrelationClassifier
    assert juniper_cascor.CascadeCorrelationRegressor is estimator.CascadeCorrelationRegressor
    assert {"CascadeCorrelationClassifier", "CascadeCorrelationRegressor"} <= set(dir(juniper_cascor))


def test_it_has_nothing_else() -> None:
    """A name that is not there is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="module 'juniper_cascor' has no attribute 'Regressor'"):
        _ = juniper_cascor.Regressor
