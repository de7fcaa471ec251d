"""The steps of the pace slider: epochs a second, and full speed at its end."""

STEPS: tuple[float | None, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, None)
WATCHABLE = STEPS.index(50)
"""The demo's pace, at which a person can follow each phase."""


def step_of(pace: float | None) -> int:
    """The step nearest to a pace."""
    if pace is None:
        return len(STEPS) - 1
    slower = [step for step, value in enumerate(STEPS) if value is not None and value <= pace]
    return slower[-1] if slower else 0


def in_words(step: int) -> str:
    """What the slider's label says."""
    pace = STEPS[step]
    return "full speed" if pace is None else f"{pace:g} epochs/s"
