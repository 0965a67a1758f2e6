"""The frame of the command line: one way to fail, one way to print JSON.

An error is one line on standard error and exit code 2; with ``--json`` it is an object on standard
output. A check that fails and a desk that refuses exit with 1, the one raised by the command.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from interlock.cli.errors import CliError

WRONG_USE = 2
INTERRUPTED = 130


class Frame(TyperGroup):
    """The root of all commands."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - it is `interlock`, however it was called
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            answer = super().main(
                words,
                "interlock",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except CliError as error:
            _report(str(error), as_json="--json" in words)
            answer = error.status
        except typer.TyperException as error:
            _report(_usage(error), as_json="--json" in words)
            answer = WRONG_USE
        except typer.Abort:
            answer = INTERRUPTED
        if standalone_mode:
            sys.exit(answer if isinstance(answer, int) else 0)
        return answer


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "interlock"
    text = error.format_message().rstrip(".")
    return f"{text[:1].lower()}{text[1:]}; see `{command} --help`"


def _report(text: str, *, as_json: bool) -> None:
    line = " ".join(text.split())
    if as_json:
        typer.echo(json.dumps({"error": line}))
    else:
        typer.echo(f"interlock: {line}", err=True)


def print_json(value: object) -> None:
    """Print `value` as one line of JSON; Structs are written as objects."""
    import msgspec

    typer.echo(msgspec.json.encode(value).decode())


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head, each column as wide as its widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
