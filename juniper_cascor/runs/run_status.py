"""Where a run stands, as it goes over the wire: a pure function of what is known of it."""

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.state_machine import State
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import Monitor, StateMachine, TrainingState, TrainingStatus


def status_of(
    record: RunRecord,
    state: State,
    parameters: Parameters,
    *,
    dataset_id: str | None,
    hidden_units: int,
    total_metrics: int,
    network_loaded: bool,
) -> TrainingStatus:
    """All that is to be said of a run; `parameters` and `dataset_id` are those of its next phase."""
    return TrainingStatus(
        state_machine=StateMachine(
            status=state.status,
            phase=state.phase,
            paused_phase=state.paused_phase,
            has_candidate_state=state.is_active and state.phase == "CANDIDATE",
        ),
        monitor=Monitor(
            is_training=state.status == "STARTED",
            current_epoch=state.epoch,
            current_hidden_units=hidden_units,
            current_phase=state.phase,
            total_metrics=total_metrics,
        ),
        training_state=TrainingState(
            outcome=state.outcome, reason=state.reason, started_at=record.started_at, ended_at=record.ended_at
        ),
        network_loaded=network_loaded,
        training_active=state.is_active,
        run_id=record.id,
        dataset_id=dataset_id,
        seed=record.seed,
        pace=record.pace,
        params=network_spec.as_json(parameters),
    )
