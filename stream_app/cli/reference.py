"""``python -m stream_app.cli.reference``: the reference page of all commands, from their own help."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from stream_app.cli import main

_WIDTH = 100
_INTRODUCTION = """# Command line

<!-- Made by `make reference`; a test keeps it in step. Change the commands instead. -->

Exit codes: 0 done; 1 it did not work, and the message says what to do; 2 the command line or the configuration is wrong.
`deskpulse worker` documents its own. Results go to standard output, everything else to standard error.
"""


def command_line_markdown() -> str:
    """A section for every command and subcommand, in the order of ``deskpulse --help``."""
    sections = (f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps("deskpulse", main, None))
    return _INTRODUCTION + "".join(sections)


def _helps(name: str, command: click.Command, above: click.Context | None) -> Iterator[tuple[str, str]]:
    """Full name and help text, depth first. Raises ``ClickException`` where a command can not be imported."""
    settings = dict(command.context_settings) | {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = click.Context(command, info_name=name.rsplit(maxsplit=1)[-1], parent=above, **settings)
    yield name, _trimmed(command.get_help(context))
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _helps(f"{name} {inner}", found, context)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(command_line_markdown())
