"""Recorded market data, opened by name or by path."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from interlock.venues.replay_files import READERS, open_file, reader_of
from interlock.venues.replay_named import NAMED_SETS, open_named
from interlock.venues.replay_rows import ReplayData, ReplayError


def open_replay(
    source: str,
    instruments: Sequence[str] | None = None,
    *,
    first: date | None = None,
    last: date | None = None,
) -> ReplayData:
    """Open a named data set, or a Parquet or CSV file.

    Parameters
    ----------
    source : str
        A name (see `NAMED_SETS`) or the path of a file. A file has a column ``ts`` (start of the
        bar, with a time zone) or ``date`` (one session a row), ``open, high, low, close`` and
        perhaps ``symbol`` (else the file's name), ``volume`` and the closing quote as
        ``bid_close, ask_close`` or ``bid, ask``. Further columns are ignored.
    instruments : sequence of str, optional
        Only these symbols, as the source spells them.
    first, last : date, optional
        Only the bars that begin on these UTC days or between them.

    Raises
    ------
    ReplayError
        One line that says what is wrong and what to do.
    """
    if source in NAMED_SETS:
        return open_named(source, instruments, first, last)
    path = Path(source)
    if reader_of(path) is None and not path.exists():
        raise ReplayError(
            f"there is no data set {source!r}: name one of {', '.join(sorted(NAMED_SETS))}, "
            f"or a file that ends in {' or '.join(sorted(READERS))}"
        )
    return open_file(path, instruments, first, last)
