"""Options that several commands share. Plain assignments: typer does not see through `type`."""

from pathlib import Path
from typing import Annotated

import typer

StateOption = Annotated[
    Path, typer.Option("--state", help="The state folder.", file_okay=False, show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

DEFAULT_STATE = Path(".interlock")
PostgresOption = Annotated[
    str | None,
    typer.Option("--postgres", help="URL of your own PostgreSQL, where the tables are there."),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Only the last 15m, 4h, 1d ... of the data; without it, all."),
]
