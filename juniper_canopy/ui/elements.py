"""The small parts that the page's forms are made of."""

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from juniper_common.http import UnreachableError


def title(text: str, identifier: str) -> None:
    """A panel's heading."""
    TextElement(tag="h2", text=text).classes("panel-title").props(f'id="{identifier}"')


def push_button(text: str, marker: str, action: Callable[[], Any], *, icon: str | None = None) -> ui.button:
    """A button in the page's own look."""
    button = ui.button(text, icon=icon, color=None, on_click=action)
    return button.props("unelevated no-caps").classes("button").mark(marker)


def alert_line(marker: str) -> ui.label:
    """A line for what went wrong, hidden until something does."""
    line = ui.label().classes("alert").props('role="alert"').mark(marker)
    return line.bind_visibility_from(line, "text", backward=bool)


def in_words(action: str, error: Exception) -> str:
    """An error as a person reads it."""
    if isinstance(error, UnreachableError):
        return f"Could not {action}: the service does not answer ({error})."
    return f"Could not {action}: {error}"
