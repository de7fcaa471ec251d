"""The learning curves as a picture, drawn as the dashboard draws them."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from juniper_cascor.curves import Curves


def png(curves: Curves, title: str) -> bytes:
    """Loss, and accuracy where there is one, over the epochs of the output phases, as a PNG.

    Solid is what was trained on, dashed what was held out; a line stands where each unit was installed.
    """
    panels = [("mean squared error", curves.loss, curves.val_loss)]
    if len(curves.accuracy) and curves.accuracy[-1] == curves.accuracy[-1]:  # NaN for regression
        panels.append(("accuracy", curves.accuracy, curves.val_accuracy))
    # Without pyplot: no window system is asked for, and no state is left.
    figure = Figure(figsize=(8, 3 * len(panels) + 0.5), dpi=120, layout="constrained")
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axis, (label, trained, held_out) in zip(axes, panels, strict=True):
        _draw(axis, curves, label, trained, held_out)
    axes[0].set_yscale("log")
    axes[0].legend(loc="best", frameon=False)
    axes[-1].set_xlabel("epochs of the output phases")
    figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "Juniper"})
    return buffer.getvalue()


def _draw(axis: Axes, curves: Curves, label: str, trained: NDArray[Any], held_out: NDArray[Any]) -> None:
    for i, place in enumerate(curves.installed_at):
        axis.axvline(place, color="0.8", linewidth=0.8, label="unit installed" if i == 0 else None, zorder=0)
    axis.plot(trained, color="C0", label="training")
    if curves.has_validation:
        axis.plot(held_out, color="C1", linestyle="--", label="held out")
    axis.set_ylabel(label)
    axis.grid(visible=True, axis="y", alpha=0.3)
