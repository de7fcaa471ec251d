"""Whose services the commands are about: this user's, or the host's (`--system`, as systemctl has it)."""

from contextvars import ContextVar
from typing import Literal

Scope = Literal["user", "system"]

_chosen: ContextVar[Scope] = ContextVar("scope", default="user")


def choose(scope: Scope) -> None:
    """Say it once, before a command runs."""
    _chosen.set(scope)


def chosen() -> Scope:
    """What was said; the user's where nothing was."""
    return _chosen.get()
