"""`interlock train`: the models of a desk, trained on recorded data."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import JsonOption

if TYPE_CHECKING:
    from interlock.signals.training.report import Report

DEFAULT_DATA = "stocks"
DEFAULT_OUT = Path("models")


def train(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    *,
    data: Annotated[
        str, typer.Option(help="Recorded data: a known name, or the path of a file.")
    ] = DEFAULT_DATA,
    out: Annotated[
        Path, typer.Option(help="The set goes into a folder of its name below this one.")
    ] = DEFAULT_OUT,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day the models may see, UTC."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train p_short, p_mid and the size hint, and report what they were worth out of sample."""
    from interlock.cli.desks import load_desk
    from interlock.cli.progress import ReplayProgress
    from interlock.cli.train_run import asked_of, require_extra, train_set

    require_extra()
    asked = asked_of(load_desk(desk), data, None if until is None else until.date())
    with _written_to(out):
        out.mkdir(parents=True, exist_ok=True)
    title = f"{asked.dataset} until {'its end' if asked.until is None else asked.until}"
    with ReplayProgress(title, asked.steps, unit="models") as progress:
        trained = train_set(asked, progress.show)
    with _written_to(out):
        folder = trained.write(out)
    size = sum(path.stat().st_size for path in folder.iterdir())
    one = trained.model_set
    if as_json:
        print_json({"folder": str(folder), "bytes": size, "set": one})
        return
    typer.echo(
        f"set {one.name}: {one.data.bars:,} bars from {one.trained_from} to {one.trained_to}, "
        f"{size:,} bytes in {folder}"
    )
    _show(trained.report)


@contextmanager
def _written_to(out: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise CliError(f"{out} cannot be written ({error.strerror}): give another --out") from error


def _show(report: "Report") -> None:
    typer.echo(
        f"out of sample, {report.tested_moments:,} moments in {report.folds} walk-forward folds:"
    )
    rows = [
        (
            name,
            f"{one.accuracy:.1%} ({one.plain_accuracy:.1%})",
            f"{one.brier:.4f} ({one.plain_brier:.4f})",
            f"{one.held.sharpe:.2f}",
            f"{one.held.drawdown:.1%}",
            f"{one.overfitting:.0%}",
            one.chosen,
        )
        for name, one in (("p_short", report.p_short), ("p_mid", report.p_mid))
    ]
    hint, blend, held = report.size_hint, report.blend, report.always_long
    rows += [
        (
            "size_hint",
            f"{hint.right:.1%}",
            "",
            f"{hint.held.sharpe:.2f}",
            f"{hint.held.drawdown:.1%}",
            f"{hint.overfitting:.0%}",
            hint.chosen,
        ),
        (
            "blend",
            f"{blend.accuracy:.1%} ({blend.plain_accuracy:.1%})",
            f"{blend.brier:.4f}",
            f"{blend.held.sharpe:.2f}",
            f"{blend.held.drawdown:.1%}",
            "",
            "0.4, 0.3, 0.3",
        ),
        ("always long", "", "", f"{held.sharpe:.2f}", f"{held.drawdown:.1%}", "", ""),
    ]
    print_table(("", "right (plain)", "Brier (plain)", "Sharpe", "drawdown", "PBO", "chosen"), rows)
