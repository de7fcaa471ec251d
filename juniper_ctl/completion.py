"""Writes the scripts that complete the command line in bash, zsh and fish, from what the parsers take."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from juniper_ctl.command_tree import Command, Value, commands


def completion(shell: str) -> str:
    """The script for one of `SHELLS`."""
    return SHELLS[shell](commands())


def _bash(all_commands: Sequence[Command]) -> str:
    return f"""# Completes juniper-ctl in bash. Written by: juniper-ctl completion bash
_juniper_ctl() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} at="" kind=free options="" words="" i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at/${{COMP_WORDS[i]}}" in
            {_paths(all_commands, "|")}) at+="/${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$at $before" in
{_lines(_cases(all_commands, _bash_value), 8)}
        *)
            case "$at" in
{_lines((f"{_at(one)}) options={_quoted(one.options)} {_bash_value(one.operands)} ;;" for one in all_commands), 16)}
            esac
            if [[ $word == -* || $kind == free ]]; then kind=words words=$options; fi
            ;;
    esac
    COMPREPLY=()
    case "$kind" in
        words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
        folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
        files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}}
complete -F _juniper_ctl juniper-ctl
"""


def _bash_value(value: Value) -> str:
    return f"kind={value.kind} words={_quoted(value.words)}"


def _zsh(all_commands: Sequence[Command]) -> str:
    tells = {one.path: one.tells for one in all_commands}

    def operands(one: Command) -> str:
        if one.operands.kind != "words":
            return _zsh_value(one.operands)
        described = {word: tells.get((*one.path, word), "") for word in one.operands.words}
        return f"kind=words found=({_described(described)})"

    return f"""#compdef juniper-ctl
# Completes juniper-ctl in zsh. Written by: juniper-ctl completion zsh
_juniper_ctl() {{
    local before=${{words[CURRENT-1]}} at="" kind=free i
    local -a found options
    for ((i = 2; i < CURRENT; i++)); do
        case "$at/${{words[i]}}" in
            ({_paths(all_commands, "|")}) at+="/${{words[i]}}" ;;
        esac
    done
    case "$at $before" in
{_lines((f"({case}" for case in _cases(all_commands, _zsh_value)), 8)}
        (*)
            case "$at" in
{_lines((f"({_at(one)}) options=({_described(one.options)}) {operands(one)} ;;" for one in all_commands), 16)}
            esac
            if [[ $PREFIX == -* || $kind == free ]]; then kind=words found=("${{options[@]}}"); fi
            ;;
    esac
    case $kind in
        (words) _describe juniper-ctl found ;;
        (folders) _files -/ ;;
        (files) _files ;;
    esac
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _juniper_ctl "$@"
else
    compdef _juniper_ctl juniper-ctl
fi
"""


def _zsh_value(value: Value) -> str:
    return f"kind={value.kind} found=({_described(dict.fromkeys(value.words, ''))})"


def _described(words: Mapping[str, str]) -> str:
    """Each with what it does behind a colon, as _describe takes it."""
    return " ".join(shlex.quote(f"{word}:{tells}" if tells else word) for word, tells in words.items())


def _fish(all_commands: Sequence[Command]) -> str:
    tells = {one.path: one.tells for one in all_commands}
    lines = []
    for one in all_commands:
        here = f"complete -c juniper-ctl -n 'test (__juniper_ctl_at) = {_at(one)}'".replace("''", '""')
        lines += [
            f"{here} {_fish_option(name)} -d {_fish_quoted(does)}{_fish_value(one.values.get(name))}"
            for name, does in one.options.items()
        ]
        if one.operands.kind != "words":
            lines += [f"{here}{_fish_value(one.operands)}"] if one.operands.kind != "free" else []
            continue
        lines += [
            f"{here} -a {word} -d {_fish_quoted(tells.get((*one.path, word), ''))}" for word in one.operands.words
        ]
    return f"""# Completes juniper-ctl in fish. Written by: juniper-ctl completion fish
function __juniper_ctl_at
    set -l at ""
    for word in (commandline -opc)[2..]
        switch $at/$word
            case {_paths(all_commands, " ")}
                set at $at/$word
        end
    end
    echo $at
end
complete -c juniper-ctl -f
{_lines(lines, 0)}
"""


def _fish_option(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def _fish_value(value: Value | None) -> str:
    if value is None:
        return ""
    return {
        "free": " -x",
        "words": f" -x -a {_fish_quoted(' '.join(value.words))}",
        "folders": " -x -a '(__fish_complete_directories)'",
        "files": " -r -F",
    }[value.kind]


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SHELLS: Mapping[str, Callable[[Sequence[Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}


def _at(command: Command) -> str:
    """How the scripts name the command that the line is at."""
    return "".join(f"/{name}" for name in command.path) or "''"


def _paths(all_commands: Sequence[Command], between: str) -> str:
    return between.join(_at(one) for one in all_commands if one.path)


def _cases(all_commands: Sequence[Command], write: Callable[[Value], str]) -> list[str]:
    """A case for each option that takes a value: what may come behind it."""
    return [
        f"{shlex.quote(f'{_at(one)} {option}' if one.path else f' {option}')}) {write(value)} ;;"
        for one in all_commands
        for option, value in one.values.items()
    ]


def _quoted(words: Sequence[str] | Mapping[str, str]) -> str:
    return shlex.quote(" ".join(words))


def _lines(lines: Iterable[str], indent: int) -> str:
    return "\n".join(" " * indent + line for line in lines)
