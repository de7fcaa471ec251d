import numpy as np

from juniper_canopy.state.columns import MetricColumns
from juniper_canopy.state.history import Installation, RunHistory


def rows(*epochs: int, timestamp: float | None = None, units: int = 0) -> MetricColumns:
    """Rows of these epochs, as old as their epoch says."""
    made = MetricColumns.empty(len(epochs))
    made.epoch[:] = epochs
    for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
        getattr(made, name)[:] = epochs
    made.hidden_units[:] = units
    made.timestamp[:] = epochs if timestamp is None else timestamp
    return made


def test_rows_follow_each_other() -> None:
    """Each message's rows stand after those of the last."""
    history = RunHistory("a")

    assert history.append(rows(1, 2), seq=1) == "appended"
    assert history.append(rows(3), seq=2) == "appended"

    assert history.columns.epoch.tolist() == [1, 2, 3]


def test_a_message_heard_twice_counts_once() -> None:
    """A sequence number that was heard is dropped."""
    history = RunHistory("a")
    history.append(rows(1, 2), seq=5)

    assert history.append(rows(3), seq=5) == "nothing"
    assert len(history) == 2


def test_rows_that_the_fetched_history_held_are_dropped() -> None:
    """Messages sent before the history was fetched arrive after it: only what is new in them counts."""
    history = RunHistory("a")
    history.replace(rows(1, 2, 3, 4))

    assert history.append(rows(2, 3), seq=1) == "nothing"
    assert history.append(rows(4, 5, 6), seq=2) == "appended"

    assert history.columns.epoch.tolist() == [1, 2, 3, 4, 5, 6]


def test_epochs_never_run_backwards() -> None:
    """A trainer that begins again from an earlier epoch of the same run replaces what came after it."""
    history = RunHistory("a")
    history.append(rows(1, 2, 3, 4, 5), seq=1)
    history.install(Installation(index=0, units=1, epoch=2, score=0.1))
    history.install(Installation(index=1, units=2, epoch=4, score=0.1))

    assert history.append(rows(3, 4, timestamp=99), seq=2) == "rewritten"

    assert history.columns.epoch.tolist() == [1, 2, 3, 4]
    assert [unit.index for unit in history.installations] == [0]


def test_numbers_begin_anew_after_a_refetch() -> None:
    """Another server process counts from one again, and its messages are taken."""
    history = RunHistory("a")
    history.append(rows(1), seq=500)
    history.replace(rows(1, 2))

    assert history.append(rows(3), seq=1) == "appended"


def test_what_was_heard_while_fetching_stays() -> None:
    """Rows that arrived between the question and its answer follow the fetched ones."""
    history = RunHistory("a")
    history.append(rows(4, 5, 6), seq=1)

    history.replace(rows(1, 2, 3, 4))

    assert history.columns.epoch.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_full_history_keeps_the_whole_run() -> None:
    """Rows beyond the capacity thin the older half: the first epoch stays, the newest are exact."""
    history = RunHistory("a", capacity=800)
    for seq in range(500):
        history.append(rows(*range(seq * 10 + 1, seq * 10 + 11)), seq=seq)

    epochs = history.columns.epoch
    assert len(history) <= 800
    assert epochs[0] == 1
    assert epochs[-50:].tolist() == list(range(4951, 5001))
    assert (np.diff(epochs.astype(np.int64)) > 0).all()


def test_a_fetched_history_larger_than_the_capacity_is_thinned() -> None:
    """The capacity bounds what is fetched as well."""
    history = RunHistory("a", capacity=1_000)
    history.replace(rows(*range(1, 5_001)))

    assert len(history) <= 1_000
    assert history.last_epoch == 5_000


def test_installations_are_read_from_a_fetched_history() -> None:
    """Before the number of units rises, a unit was installed; a score that was heard stays known."""
    history = RunHistory("a")
    history.install(Installation(index=0, units=1, epoch=2, score=0.7))
    fetched = rows(1, 2, 3, 4, 5)
    fetched.hidden_units[:] = [0, 0, 1, 1, 3]

    history.replace(fetched, {0: 0.6, 1: 0.5})

    assert [(unit.index, unit.epoch, unit.score) for unit in history.installations] == [
        (0, 2, 0.7),
        (1, 4, 0.5),
        (2, 4, None),
    ]


def test_a_unit_without_an_epoch_was_installed_at_the_last() -> None:
    """The snapshot taken at an installation has no row that counts the unit: the network does."""
    history = RunHistory("a")
    fetched = rows(1, 2, 3)
    fetched.hidden_units[:] = [0, 1, 1]

    history.replace(fetched, {0: 0.5, 1: 0.6}, units=2)

    assert [(unit.index, unit.epoch, unit.score) for unit in history.installations] == [(0, 1, 0.5), (1, 3, 0.6)]


def test_a_unit_is_installed_once() -> None:
    """A repeated message adds no second marker."""
    history = RunHistory("a")
    unit = Installation(index=0, units=1, epoch=3, score=0.7)

    assert history.install(unit)
    assert not history.install(unit)
    assert history.installations == [unit]


def test_a_run_that_is_set_back_has_the_units_that_its_rows_tell() -> None:
    """A replay that goes back tells everything from the beginning: units come wherever their number rises."""
    history = RunHistory("a")
    history.append(rows(1, 2, 3, 4, 5), seq=1)
    told = rows(1, 2, 3, timestamp=99)
    told.hidden_units[:] = [0, 1, 2]

    assert history.append(told, seq=2) == "rewritten"

    assert [(unit.index, unit.epoch) for unit in history.installations] == [(0, 1), (1, 2)]
