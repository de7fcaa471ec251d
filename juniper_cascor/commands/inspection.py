"""`inspect`: say what a file of a network holds."""

import argparse
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from juniper_cascor.commands.errors import Exit
from juniper_cascor.commands.predict import read_network

if TYPE_CHECKING:
    from juniper_cascor.snapshots import Snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("network", type=Path, metavar="NET.h5", help="what train, save or the training service wrote")
    parser.add_argument("--json", action="store_true", help="for programs: everything, the curves too")


def run(options: argparse.Namespace) -> int:
    """Print it. Raises CommandError where the file is damaged or none of these."""
    snapshot = read_network(options.network)
    print(json.dumps(as_json(snapshot), indent=2) if options.json else as_text(options.network, snapshot))
    return Exit.OK


def as_json(snapshot: "Snapshot") -> dict[str, Any]:
    """The card, the units and the curves; NaN and infinity are null."""
    from juniper_cascor.curves import Curves

    network, curves = snapshot.network, Curves.of(snapshot.metrics)
    named = {
        "train_loss": curves.loss,
        "train_accuracy": curves.accuracy,
        "val_loss": curves.val_loss,
        "val_accuracy": curves.val_accuracy,
    }
    return {
        **snapshot.card.model_dump(mode="json"),
        "is_whole": True,  # else it would not have been read
        "inputs": network.n_inputs,
        "outputs": network.n_outputs,
        "units": [
            {"activation": activation, "fan_in": len(weights) - 1}
            for weights, activation in zip(network.hidden_weights, network.activations, strict=True)
        ],
        "can_resume": bool(snapshot.state),
        "curves": {name: [v if math.isfinite(v) else None for v in values.tolist()] for name, values in named.items()},
        "installed_at": curves.installed_at.tolist(),
    }


def as_text(path: Path, snapshot: "Snapshot") -> str:
    """A line for each thing worth knowing."""
    from juniper_cascor.commands import summary
    from juniper_cascor.curves import Curves

    card, network = snapshot.card, snapshot.network
    made = datetime.fromtimestamp(card.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    known = {name: version for name, version in card.versions.items() if name != "cpu_features"}
    facts = {
        "file": f"{path}, format {card.format}, whole: its content matches its digest",
        "task": _listed(card.task, card.labels),
        "inputs": _listed(network.n_inputs, card.feature_names),
        "outputs": str(network.n_outputs),
        "hidden units": _listed(network.n_hidden_units, _units(snapshot)),
        "outcome": summary.outcome(card.outcome),
        "trained": f"{made}, {card.epoch} epochs, seed {card.seed}, {card.backend}",
        "dataset": card.dataset_id,
        "data sha256": card.dataset_checksum,
        "run": card.run_id,
        "parameters": _parameters(card.parameters),
        "versions": ", ".join(f"{name} {version}" for name, version in known.items()),
        "can resume": "yes" if snapshot.state else "no, it was kept to predict",
    }
    lines = [f"{name:12}  {_shown(fact)}" for name, fact in facts.items() if fact]
    return "\n".join([*lines, *summary.of_curves(Curves.of(snapshot.metrics), network.n_hidden_units)])


def _shown(fact: str) -> str:
    """In one line, and without what would command the terminal: a card's texts are whatever was written there."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in fact)


def _listed(what: object, parts: Sequence[object] | None) -> str:
    return f"{what}: {', '.join(map(str, parts))}" if parts else str(what)


def _units(snapshot: "Snapshot") -> list[str]:
    """Each unit's activation, and how many inputs and units it sees."""
    network = snapshot.network
    pairs = zip(network.activations, network.hidden_weights, strict=True)
    return [f"{activation} of {len(weights) - 1}" for activation, weights in pairs]


def _parameters(given: dict[str, Any]) -> str:
    """Those that differ from the defaults."""
    from juniper_cascor.engine.parameters import Parameters

    defaults = Parameters().as_dict()
    changed = [f"{name}={value}" for name, value in given.items() if name not in defaults or value != defaults[name]]
    return ", ".join(changed) or "the defaults"
