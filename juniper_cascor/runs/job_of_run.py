"""What a trainer is told of a run: from its beginning, or from its newest checkpoint on."""

from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.growth import Growth
from juniper_cascor.runs.job import Change, Job
from juniper_cascor.runs.surroundings import Surroundings


def job_of(run: Growth, around: Surroundings) -> Job:
    """The run's job. It reads the newest snapshot.

    Args:
        run: as it stands.
        around: where snapshots and data are kept.
    """
    record, folder = run.record, around.snapshots
    parent = snapshot_folder.parent_path(folder, run.run_id)
    newest, _ = snapshot_folder.newest_path(folder, run.run_id) or (None, None)
    return Job(
        run_id=record.id,
        data_folder=around.datasets,
        snapshot_folder=folder,
        parameters=record.params,
        seed=record.seed,
        pace=record.pace,
        dataset_id=record.dataset_id,
        dataset_checksum=record.dataset_checksum,
        backend=record.backend,
        versions=record.versions,
        changes=[
            Change(
                epoch=change.epoch,
                parameters=change.params,
                dataset_id=change.dataset_id,
                dataset_checksum=change.dataset_checksum,
            )
            for change in run.changes
        ],
        grow_from=parent if record.origin == "grow_on" and newest is None else None,
        resume_from=newest or (parent if record.origin == "resume" else None),
        seen_epoch=run.state.epoch,
        recorded_epoch=max(run.state.epoch, run.recorded_epoch, *(change.epoch for change in run.changes)),
        is_paused=run.state.is_held,
        checkpoint_s=around.checkpoint_s,
    )
