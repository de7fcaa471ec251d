"""Grows cascade-correlation networks (Fahlman & Lebiere 1990) and keeps what was grown."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from juniper_cascor.estimator import CascadeCorrelationClassifier, CascadeCorrelationRegressor

__all__ = ["CascadeCorrelationClassifier", "CascadeCorrelationRegressor"]


def __getattr__(name: str) -> Any:
    """Load the estimators, and scikit-learn with them, when they are asked for: the services never do."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from juniper_cascor import estimator

    return getattr(estimator, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
