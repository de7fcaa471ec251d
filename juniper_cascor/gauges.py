"""What Prometheus is told of the runs, beside what every service tells it."""

from prometheus_client import CollectorRegistry, Gauge

from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.run_queue import RunQueue


def register(registry: CollectorRegistry, queue: RunQueue, fanout: Fanout) -> None:
    """Measure whenever the registry is read."""
    gauges = {
        "juniper_cascor_runs_working": ("Runs that have a trainer.", lambda: len(queue.working)),
        "juniper_cascor_runs_waiting": ("Runs that wait for a trainer.", lambda: len(queue.waiting)),
        "juniper_cascor_trainer_restarts": (
            "Deaths of trainer processes since the start of the service.",
            lambda: sum(keeper.restarts for keeper in queue.trainers),
        ),
        "juniper_cascor_watchers": ("Clients of /ws/training.", lambda: len(fanout)),
        "juniper_cascor_epochs": (
            "Epochs that the runs with a trainer have come to.",
            lambda: sum(session.state.epoch for session in queue.working),
        ),
    }
    for name, (tells, measure) in gauges.items():
        Gauge(name, tells, registry=registry).set_function(measure)
