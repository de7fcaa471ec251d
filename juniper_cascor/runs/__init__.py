"""One training from request to record: state machine, trainer process, run store, snapshots, fan-out."""
