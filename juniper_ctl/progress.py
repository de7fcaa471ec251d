"""One line of progress."""


def say(who: str, what: str) -> None:
    """Tell the person what just happened, at once even into a pipe."""
    print(f"{who:<10} {what}", flush=True)
