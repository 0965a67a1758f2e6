"""A bar on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 2.0


class ReplayProgress:
    """Shows how many of `total` bars, or other `unit`, are done, on standard error."""

    def __init__(self, title: str, total: int, unit: str = "bars") -> None:
        self._title = title
        self._unit = unit
        self._total = total
        self._done = 0
        self._printed_at = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(title, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, done: int) -> None:
        """Show `done`; less than before means that nobody could be asked just now."""
        done = self._done = max(done, self._done)
        self._progress.update(self._task, completed=done)
        due = time.monotonic() - self._printed_at >= LINE_EVERY_SECONDS
        if self._progress.disable and due:
            self._printed_at = time.monotonic()
            share = 100 * done // max(self._total, 1)
            sys.stderr.write(
                f"{self._title}: {done:,} of {self._total:,} {self._unit}, {share} %\n"
            )
