"""`interlock reason`: what the desk would make of a model's answer, and whether it asks any."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.commands.standing import ByOption, ReasonOption
from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.wire.reasoning import PauseReasoner, ResumeReasoner

app = typer.Typer(help="Read models' answers as the desk reads them; have models asked, or not.")

REFUSED = 1
_MAX_BYTES_PER_CHAR = 4


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


@app.command()
def pause(
    by: ByOption,
    reason: ReasonOption = "paused at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Have no model asked any more, near or far, until it is resumed. The desk trades on."""
    from interlock.wire.reasoning import PauseReasoner

    _tell(PauseReasoner, state, by, reason, as_json=as_json)


@app.command()
def resume(
    by: ByOption,
    reason: ReasonOption = "resumed at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Have the desk's models asked again."""
    from interlock.wire.reasoning import ResumeReasoner

    _tell(ResumeReasoner, state, by, reason, as_json=as_json)


def _tell(
    kind: "type[PauseReasoner | ResumeReasoner]",
    state: StateOption,
    by: str,
    reason: str,
    *,
    as_json: bool,
) -> None:
    import asyncio

    from interlock.cli.state_folder import StateFolder
    from interlock.cli.steering import command, tell_models

    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise CliError(f"{name} is empty: say who and why")
    told = asyncio.run(
        tell_models(
            StateFolder(state.resolve()),
            lambda desk, now: command(kind, desk, by.strip(), reason.strip(), now, {}),
        )
    )
    if as_json:
        names = ("desk", "paused", "by", "reason", "decision_id")
        print_json({name: getattr(told, name) for name in names})
        return
    models = "models are not asked" if told.paused else "models are asked"
    typer.echo(f"desk {told.desk}: {models}, by {told.by} ({told.reason})")
