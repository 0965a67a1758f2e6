"""`interlock strategy`: what the engine would make of a bar."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import JsonOption

if TYPE_CHECKING:
    from interlock.cli.strategy_score import Scored

app = typer.Typer(help="Ask the strategy, without starting anything.")


@app.callback()
def _group() -> None:
    """Keep `score` a word of its own."""


@app.command()
def score(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    inputs: Annotated[Path, typer.Option(help="Bars: a JSON object, a list, or one a line.")],
    as_json: JsonOption = False,
) -> None:
    """Print the meta-ensemble's score of each bar, one a line.

    A bar is an object: p_short, p_mid (0 to 1), size_hint, volatility_z, sentiment, liquidity,
    correlation, instrument_id or bucket, data_stalled, reasoner_up, bucket_used (a fraction of the
    equity), parameters {name: value} of the policy, cap_scales {bucket: 0 to 1} of the stage. What
    is missing is not known.
    """
    from interlock.cli.desks import load_desk, read_section
    from interlock.cli.strategy_score import read, scores
    from interlock.strategy.config import StrategyConfig

    file = load_desk(desk)
    config = read_section(file, "strategy", StrategyConfig)
    if config.ensemble is None:
        raise CliError(
            f"desk {file.desk.name} runs the {config.kind} engine, which scores nothing: "
            'name a desk with kind = "ensemble" in [strategy]'
        )
    try:
        for one in scores(file.desk, config, read(inputs.read_bytes())):
            if as_json:
                print_json(one)
            else:
                typer.echo(score_line(one))
    except OSError as error:
        raise CliError(f"{inputs} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CliError(f"{inputs}, {error}") from error


def score_line(one: "Scored") -> str:
    """Return a score for people: what is to be done, and the sum behind it."""
    what = f"{one.action:<4} {one.instrument_id}"
    if one.score is None:
        return f"{what}: no score; mode {one.mode}"
    parts = [f"{name} {value:.4f}" for name, value in one.components.items()]
    parts += [f"{name} {points:+.2f}" for name, points in one.penalties.items()]
    size = f"size {one.size:.4%} of equity"
    return f"{what}: score {one.score:.4f} = {', '.join(parts)}; {size}; mode {one.mode}"
