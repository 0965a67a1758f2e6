"""The `interlock` command. Modules with weight are imported by the command that needs them."""

import typer

from interlock.cli.commands import bus, doctor, down, status, up
from interlock.cli.frame import Frame

app = typer.Typer(
    cls=Frame,
    help="Interlock lets language models take part in trading without holding the trigger.",
    # Markup and pretty tracebacks load rich: 0.4 s for each call.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("down")(down.down)
app.add_typer(bus.app, name="bus")
