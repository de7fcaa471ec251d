"""How many units and how much CPU time the two spirals take, over many seeds: ``python -m benchmarks.spirals``."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training, warm_up
from juniper_data.arrays import Split, arrange
from juniper_data.generators import GENERATORS

SETS = {
    "CMU spirals": ("cmu_spirals", {}),
    "demo spirals": ("spiral", {"n_points_per_spiral": 200, "noise": 0.15, "seed": 42}),
}


def main() -> None:
    """Print one line for each set and form of its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = range(parser.parse_args().seeds)
    warm_up()
    for name in SETS:
        patterns = made(name)
        for form, y in (("one-hot", patterns.y), ("one column", patterns.y[:, 1:])):
            sys.stdout.write(f"{name}, {form}: {figures(patterns, y, seeds)}\n")


def made(name: str) -> Split:
    """What the data service makes of the set to train on."""
    generator, params = SETS[name]
    found = GENERATORS[generator]
    parameters = found.parameters.model_validate(params)
    rng = np.random.default_rng(parameters.seed)
    return arrange(found.generate(parameters, rng), parameters, rng).train


def figures(patterns: Split, y: np.ndarray[tuple[int, int], np.dtype[np.float32]], seeds: range) -> str:
    """Trainings with the defaults, from these seeds: how many solved, units, epochs and CPU time."""
    solved, units, epochs, cpu_ms = 0, [], [], []
    for seed in seeds:
        began = time.process_time()
        training = Training.start(patterns.X, y, Parameters(), seed=seed)
        while training.finished is None:
            training.advance()
        cpu_ms.append(1e3 * (time.process_time() - began))
        solved += training.finished == "solved"
        units.append(training.network.n_hidden_units)
        epochs.append(training.epoch)
    return (
        f"{solved}/{len(seeds)} solved, median {np.median(units):g} units ({min(units)}…{max(units)}), "
        f"{np.median(epochs):.0f} epochs, {np.median(cpu_ms):.2f} ms CPU (at most {max(cpu_ms):.1f})"
    )


if __name__ == "__main__":
    main()
