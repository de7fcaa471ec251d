"""One module for each command: its arguments, and what runs with them. What it does is not here.

A module has `add_arguments(parser)` and `run(options)`, which returns the exit code and may raise ControlError. For its
help it has `EXAMPLES`, command lines with what they do, and `EXITS`, how it may end beside `errors.COMMON`; tests hold
both against what it takes and how it ends. It is imported when its command is called, so what it imports costs no other
command anything.
"""
