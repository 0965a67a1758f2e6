"""The file of put/call ratios: ``as_of,value``, a row a day, oldest first."""

import asyncio
import csv
import logging
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from interlock.feed.put_call import is_sound
from interlock.feed.state import PutCallRead
from interlock.model.ids import UnixNanos
from interlock.runtime.config import ConfigError
from interlock.venues.replay_sessions import session

_log = logging.getLogger(__name__)

COLUMNS = ("as_of", "value")
MOST_ROWS = 100_000
LOOK_AGAIN_SECONDS = 60.0


def read_put_calls(path: Path) -> list[PutCallRead]:
    """Read every row, good or not; each is of the close of its day's session.

    A row without a date stands where it stands: at the time of the row before it.

    Raises
    ------
    ConfigError
        When the file cannot be read, lacks a column, or is too long.
    """
    rows: list[PutCallRead] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{path} has no column {missing[0]}: it needs as_of,value")
            for row in reader:
                before = rows[-1].ts if rows else 0
                as_of, value = ((row[name] or "").strip() for name in COLUMNS)
                ts = _closed(as_of) or before
                rows.append(PutCallRead(line=reader.line_num, as_of=as_of, value=value, ts=ts))
                if len(rows) > MOST_ROWS:
                    raise ConfigError(f"{path} has more than {MOST_ROWS} rows")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"the put/call ratios in {path} cannot be read: {error}") from error
    return rows


def known_at(rows: Sequence[PutCallRead], ts: UnixNanos) -> Sequence[PutCallRead]:
    """Return what is to be told at a start: from the last good row by then to the file's end."""
    begin, latest = 0, ""
    for place, row in enumerate(rows):
        if not is_sound(row):
            continue
        if row.ts > ts:
            break
        if row.as_of > latest:
            begin, latest = place, row.as_of
    return rows[begin:]


async def follow_put_calls(
    path: Path, report: Callable[[PutCallRead], None], now: Callable[[], UnixNanos]
) -> None:
    """Report what the file says by now, and what is added to it, until cancelled.

    A file that cannot be read later on is read again: what was told stands.
    """
    waiting = known_at(await asyncio.to_thread(read_put_calls, path), now())
    told = 0
    while True:
        at = now()
        for row in waiting:
            if told <= row.ts <= at:
                report(row)
        told = max([told, *(row.ts + 1 for row in waiting if row.ts <= at)])
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            waiting = await asyncio.to_thread(read_put_calls, path)
        except ConfigError as error:
            _log.warning("%s; trying again", error)


def _closed(as_of: str) -> UnixNanos:
    """Return when the session of a day closed, 0 where that is no day."""
    try:
        return session(date.fromisoformat(as_of))[1]
    except (ValueError, OverflowError):
        return 0
