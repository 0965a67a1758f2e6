"""One run of a desk, from its first server to its last."""

from dataclasses import dataclass
from pathlib import Path

from interlock.cli.errors import CliError


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskRun:
    """What `interlock up` was asked for. `speed` is a factor, none for as fast as possible."""

    desk_path: Path
    replay: str | None
    speed: float | None
    exit_at_end: bool
    state: Path
    single_process: bool
    port: int
    nats_url: str | None
    redis_url: str | None
    postgres_url: str | None
    as_json: bool


def run(wanted: DeskRun) -> int:
    """Run the desk and return the exit code."""
    raise CliError(f"{wanted.desk_path} cannot be run yet: its services are not wired")
