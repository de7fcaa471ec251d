"""What Prometheus is told of the runs."""

from prometheus_client import CollectorRegistry

from juniper_cascor import gauges
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.trainer_keeper import TrainerFactory
from juniper_cascor.runs.trainer_process import TrainerProcess


def make_trainer(_: int) -> TrainerFactory:
    """How trainers would be made; none is started here."""
    return lambda on_message, on_death: TrainerProcess(on_message, on_death, {})


def test_the_gauges_are_measured_when_they_are_read() -> None:
    """A watcher that comes later is counted."""
    registry, fanout = CollectorRegistry(), Fanout()
    queue = RunQueue(make_trainer, limit=1, on_begin=lambda _: None)
    gauges.register(registry, queue, fanout)
    fanout.join()
    assert registry.get_sample_value("juniper_cascor_watchers") == 1
    assert registry.get_sample_value("juniper_cascor_runs_working") == 0
