"""What a person reads while a command works, in their own terms."""

import sys


def say(who: str, what: str) -> None:
    """Tell the person what just happened, at once even into a pipe."""
    print(f"{who:<10} {what}", flush=True)


def program_as_typed() -> str:
    """How to call this program again, from where the person stands."""
    called = sys.argv[0]
    return called if called.endswith("/juniper-ctl") and not called.startswith("/") else "juniper-ctl"
