"""What the fake service answers about predictions and named models: the models and checks of the real one."""

from juniper_cascor.api.rows import parsed
from juniper_cascor.testing import fake_models
from juniper_cascor.testing.answers.asked import Answers, Asked
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_cascor.testing.fake_snapshots import KeptSnapshot
from juniper_common.errors import NotFoundError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import (
    ModelCard,
    ModelDeleted,
    Prediction,
    PredictRequest,
    PredictRows,
    PromoteModel,
)

MODEL = "/v1/models/{name}"


def _predict(service: FakeCascorService, asked: Asked) -> Prediction:
    rows = parsed(asked.body, PredictRequest)
    if rows.request.run_id is None and rows.request.snapshot_id is None:
        stage = service.foreground.stage
        return fake_models.prediction(stage.loaded_network(), stage.name, rows)
    kept = _named(service, rows.request)
    return fake_models.prediction(kept.content.network, kept.id, rows)


def _promote(service: FakeCascorService, asked: Asked) -> ModelCard:
    body = asked.read(PromoteModel)
    return service.models.promote(asked["name"], _named(service, body), body.notes, service.clock())


def _model_version(service: FakeCascorService, asked: Asked) -> ModelCard:
    text = asked["version"]
    if not text.isdecimal():
        problem = f"there is no version {text!r}: versions are numbers from 1 on"
        raise NotFoundError(problem, (FieldProblem(loc=["version"], msg=problem),))
    return service.models.card(asked["name"], int(text))


def _delete_model(service: FakeCascorService, asked: Asked) -> ModelDeleted:
    service.models.delete(asked["name"])
    return ModelDeleted(name=asked["name"])


def _named(service: FakeCascorService, asked: PredictRequest | PromoteModel) -> KeptSnapshot:
    """The snapshot that is asked for, or the newest of the run that is. Raises NotFoundError naming the field."""
    try:
        if asked.snapshot_id is not None:
            return service.snapshots.find(asked.snapshot_id)
        if not (grown := service.snapshots.of_run(str(asked.run_id))):
            raise NotFoundError(f"there is no snapshot of run {asked.run_id}")
        return grown[-1]
    except NotFoundError as error:
        field = "snapshot_id" if asked.run_id is None else "run_id"
        raise NotFoundError(error.message, (FieldProblem(loc=[field], msg=error.message),)) from error


ANSWERS: Answers = {
    ("POST", "/v1/predict"): (200, _predict),
    ("GET", "/v1/models"): (200, lambda service, _: service.models.listed()),
    ("GET", MODEL): (200, lambda service, asked: service.models.info(asked["name"])),
    ("POST", MODEL): (201, _promote),
    ("DELETE", MODEL): (200, _delete_model),
    ("GET", f"{MODEL}/versions/{{version}}"): (200, _model_version),
    ("POST", f"{MODEL}/predict"): (
        200,
        lambda service, asked: service.models.predict(asked["name"], parsed(asked.body, PredictRows)),
    ),
    ("POST", f"{MODEL}/rollback"): (200, lambda service, asked: service.models.roll_back(asked["name"])),
}
