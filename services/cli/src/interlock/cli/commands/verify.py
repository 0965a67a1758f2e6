"""`interlock verify`: whether a desk's journal is what was written, and leads to its verdicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.audit.run import Audit

FAILED = 1


def verify(
    state: StateOption = DEFAULT_STATE,
    anchors: Annotated[
        Path | None,
        typer.Option(help="Where the anchors lie, if not where the ledger writes them."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the journal, its orders and all verdicts. Exits with 1 at the first bad row."""
    from interlock.cli.audit.run import audit, rows_of
    from interlock.cli.progress import ReplayProgress
    from interlock.cli.state_folder import StateFolder
    from interlock.runtime.anchors import anchors_folder

    folder = StateFolder(state.resolve())
    with ReplayProgress("verifying", rows_of(folder), unit="rows") as progress:
        found = audit(folder, anchors or anchors_folder(), progress.show)
    if as_json:
        print_json(found)
    else:
        typer.echo(_line(found))
    if not found.ok:
        raise typer.Exit(FAILED)


def _line(found: "Audit") -> str:
    if not found.ok:
        return f"NOT OK: {found.code}: {found.reason}"
    rate = found.rows / max(found.seconds, 1e-9)
    return (
        f"OK: {found.rows:,} rows, {found.anchors:,} anchors, {found.signatures:,} signatures, "
        f"{found.approvals:,} approvals, {found.verdicts:,} verdicts computed again to the same "
        f"bytes; {found.seconds:.1f} s, {rate:,.0f} rows/s"
    )
