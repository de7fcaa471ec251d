"""The pages for the person who runs a host: a test types each of their commands, and none of the program is missing."""

import re

import pytest

from juniper_ctl.errors import MEANINGS
from juniper_ctl.main import COMMANDS
from tests.host.doc_commands import DOCS, HOW_TO, PAGES, commands_of

TEXTS = {page: (DOCS / page).read_text(encoding="utf-8") for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_each_line_of_each_block_is_collected(page: str) -> None:
    """A fence that is indented, or not closed, would hide its commands from the test that types them."""
    is_in_block, lines = False, []
    for line in TEXTS[page].splitlines():
        if line.strip().startswith("```"):
            is_in_block = line.strip() == "```sh"
        elif is_in_block and line.strip() and not line.lstrip().startswith("#"):
            lines.append(line)
    assert [line for command in commands_of(TEXTS[page]) for line in command.text.splitlines()] == lines != []


def test_each_command_of_the_program_is_on_a_page() -> None:
    """Whoever reads the pages has seen all that it can do."""
    text = "".join(TEXTS[page] for page in HOW_TO)
    assert set(COMMANDS) - set(re.findall(r"juniper-ctl (?:--system )?(\w+)", text)) == set()


def test_the_exit_codes_are_those_of_the_program() -> None:
    """Their table says what the program's help says."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", TEXTS["operate.md"], re.MULTILINE)
    assert rows == [(str(int(code)), meaning) for code, meaning in MEANINGS.items()]


def test_each_expected_end_is_an_exit_code() -> None:
    """A comment that names none would be a command that cannot pass; other programs have codes of their own."""
    commands = [command for page in PAGES for command in commands_of(TEXTS[page])]
    expected = {command.exit_code for command in commands if "juniper-ctl" in command.text}
    assert expected <= set(MEANINGS)
