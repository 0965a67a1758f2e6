"""`interlock reason`: what the desk would make of a model's answer."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import JsonOption

app = typer.Typer(help="Read models' answers as the desk reads them.")

REFUSED = 1
_MAX_BYTES_PER_CHAR = 4


@app.callback()
def _group() -> None:
    """Keep `parse` a word of its own."""


@app.command()
def parse(
    schema: Annotated[str, typer.Option(help="What was asked, such as param-proposal.")],
    file: Annotated[Path | None, typer.Argument(help="The answer; without it, stdin.")] = None,
    symbols: Annotated[
        str, typer.Option(help="The instruments asked about, such as AAPL,MSFT; without it, any.")
    ] = "",
    as_json: JsonOption = False,  # noqa: ARG001 - it answers in JSON in any case
) -> None:
    """Print the answer's value, or the code of its refusal. Exits with 1 when it is refused."""
    from interlock.reasoning.reader import read, report
    from interlock.reasoning.schemas import SCHEMAS

    wanted = SCHEMAS.get(schema)
    if wanted is None:
        raise CliError(f"there is no schema {schema!r}: known are {', '.join(sorted(SCHEMAS))}")
    asked = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
    answer = report(read(_text(file), wanted.among(asked) if asked else wanted))
    print_json(answer)
    if not answer["ok"]:
        raise typer.Exit(REFUSED)


def _text(file: Path | None) -> str:
    """Read the answer; bytes that are no UTF-8 are judged like any other nonsense.

    Never more is read than shows that the answer is too long, whatever comes on.
    """
    from interlock.reasoning.answer_text import MAX_ANSWER_CHARS

    most_bytes = (MAX_ANSWER_CHARS + 1) * _MAX_BYTES_PER_CHAR
    if file is None:
        return sys.stdin.buffer.read(most_bytes).decode(errors="replace")
    try:
        with file.open("rb") as stream:
            return stream.read(most_bytes).decode(errors="replace")
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}") from error
