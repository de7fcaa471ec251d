"""What the fake service answers about snapshots and their replay: the models and checks of the real one."""

from juniper_cascor.api.watching import PlaneQuery
from juniper_cascor.testing.answers.asked import Answers, Asked, started
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.wire.run_queries import SnapshotQuery
from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest, ReplayStatus, ResumeSnapshot, RetrainSnapshot
from juniper_common.wire.training import DecisionBoundary

SNAPSHOT = "/v1/snapshots/{snapshot_id}"


def _delete_snapshot(service: FakeCascorService, asked: Asked) -> None:
    kept = service.snapshots.find(asked["snapshot_id"])
    service.actions.check_unused(kept)
    service.snapshots.delete(asked["snapshot_id"])


def _boundary(service: FakeCascorService, asked: Asked) -> DecisionBoundary:
    query = asked.ask(PlaneQuery)
    return service.actions.decision_boundary(asked["snapshot_id"], query.resolution, query.features)


def _control_replay(service: FakeCascorService, asked: Asked) -> ReplayStatus:
    replay, command = service.foreground.replaying(), asked.read(ReplayCommand)
    replay.obey(command)
    if command.action == "stop":
        service.foreground.end_replay()
    else:
        service.foreground.show_replay(replay)
    return replay.status()


ANSWERS: Answers = {
    ("GET", "/v1/snapshots"): (200, lambda service, asked: service.snapshots.listed(**dict(asked.ask(SnapshotQuery)))),
    ("POST", "/v1/snapshots"): (201, lambda service, _: service.actions.take()),
    ("GET", SNAPSHOT): (200, lambda service, asked: service.snapshots.find(asked["snapshot_id"]).detail),
    ("DELETE", SNAPSHOT): (204, _delete_snapshot),
    ("GET", f"{SNAPSHOT}/file"): (200, lambda service, asked: service.snapshots.find(asked["snapshot_id"]).file),
    ("GET", f"{SNAPSHOT}/decision-boundary"): (200, _boundary),
    ("POST", f"{SNAPSHOT}/restore"): (200, lambda service, asked: service.actions.restore(asked["snapshot_id"])),
    ("POST", f"{SNAPSHOT}/resume"): (
        200,
        lambda service, asked: started(service.actions.resume(asked["snapshot_id"], asked.read(ResumeSnapshot))),
    ),
    ("POST", f"{SNAPSHOT}/retrain"): (
        200,
        lambda service, asked: started(service.actions.retrain(asked["snapshot_id"], asked.read(RetrainSnapshot))),
    ),
    ("POST", f"{SNAPSHOT}/replay"): (
        200,
        lambda service, asked: service.actions.replay(asked["snapshot_id"], asked.read(ReplayRequest)),
    ),
    ("GET", "/v1/replay"): (200, lambda service, _: service.foreground.replaying().status()),
    ("POST", "/v1/replay"): (200, _control_replay),
}
