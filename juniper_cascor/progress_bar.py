"""A bar in the terminal while a network grows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from juniper_cascor.engine.events import Progress
    from juniper_cascor.engine.parameters import Parameters

_FORMAT = "{desc}: {n_fmt} of at most {total_fmt} units |{bar}| {elapsed}{postfix}"


@contextlib.contextmanager
def progress_bar(parameters: Parameters, *, is_shown: bool) -> Iterator[Callable[[Progress], None]]:
    """What `grow` calls after each chunk. No time to go is told: growth may be done with any unit."""
    with tqdm(desc="growing", total=parameters.max_hidden_units, bar_format=_FORMAT, disable=not is_shown) as bar:

        def watch(progress: Progress) -> None:
            rows = progress.rows
            values = {"epoch": str(rows.epoch[-1]), "loss": f"{rows.train_loss[-1]:.4g}"}
            for name, column in (("accuracy", rows.train_accuracy), ("val_loss", rows.val_loss)):
                if not np.isnan(column[-1]):
                    values[name] = f"{column[-1]:.4g}"
            bar.set_postfix(values, refresh=False)
            bar.update(progress.installed is not None)

        yield watch
