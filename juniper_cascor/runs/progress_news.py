"""What a progress report of the trainer is for the watchers: a value, made of the report and what was known before."""

from dataclasses import dataclass

from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.history import ROW, Rows, metrics_message
from juniper_cascor.runs.views import topology
from juniper_common.wire.training import CandidateProgress, CascadeAdd


@dataclass(frozen=True, eq=False)
class News:
    """What is new in a report."""

    network: Network
    rows: Rows
    messages: tuple[tuple[str, BaseModel], ...]  # kind and data, in order


def of(report: Message, seen: int, network: Network | None) -> News:
    """The news of a report.

    Args:
        report: the trainer's `progress`.
        seen: the last epoch that was known.
        network: as it was known.
    """
    rows: Rows = report.arrays["rows"].view(ROW)
    rows = rows[rows["epoch"] > seen]
    grown = Network.from_arrays(report.arrays, report.text("task"))
    messages: list[tuple[str, BaseModel]] = []
    if len(rows):
        messages.append(("metrics", metrics_message(rows)))
    if scores := report.arrays["scores"].tolist():
        progress = CandidateProgress(epoch=report.integer("epoch"), scores=scores, best_score=max(scores))
        messages.append(("candidate_progress", progress))
    installed = report.fields["installed"]
    units = map(_Installed.model_validate, installed if isinstance(installed, list) else [])
    messages += [("cascade_add", unit.as_message()) for unit in units if unit.epoch > seen]
    if network is None or network.n_hidden_units != grown.n_hidden_units:
        messages.append(("topology", topology(grown)))
    return News(grown, rows, tuple(messages))


class _Installed(BaseModel):
    index: int
    score: float
    epoch: int

    def as_message(self) -> CascadeAdd:
        return CascadeAdd(
            hidden_unit_index=self.index, correlation=self.score, total_hidden_units=self.index + 1, epoch=self.epoch
        )
