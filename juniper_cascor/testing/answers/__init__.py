"""What the fake service answers to each request."""

from juniper_cascor.testing.answers import models, network, runs, service, snapshots, training, watching
from juniper_cascor.testing.answers.asked import Answers

ANSWERS: Answers = {
    **models.ANSWERS,
    **network.ANSWERS,
    **runs.ANSWERS,
    **service.ANSWERS,
    **snapshots.ANSWERS,
    **training.ANSWERS,
    **watching.ANSWERS,
}
