"""Replay files: Parquet and CSV.

Theory of operation. The file is read into columns, judged as a whole (columns, types, time zone,
symbols), and put in order: each row's key is the latest time its symbol has reached, so sorted
data is merged by time and a late row stays right behind the row it came after. Python objects are
made a slice at a time, so memory holds the columns and not the rows.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import cast

from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.replay_arrow import Column, Table, arrow, int64s, texts
from interlock.venues.replay_columns import PRICES, SIZES, columns
from interlock.venues.replay_named import DAY_SECONDS
from interlock.venues.replay_rows import NAN, RawBar, ReplayData, ReplayError, listed

_SLICE_ROWS = 8_192
_DAY_NS = DAY_SECONDS * NANOS_PER_SECOND
_FIELDS = ("ts_start", "ts_complete", "symbol", *PRICES, "volume", "bid", "ask", *SIZES)


def _read_parquet(path: Path) -> Table:
    with arrow("parquet").ParquetFile(path) as file:
        return file.read()


def _read_csv(path: Path) -> Table:
    return arrow("csv").read_csv(path)


READERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
}


def reader_of(path: Path) -> Callable[[Path], Table] | None:
    """Return what reads a file of this name, none where nothing does."""
    name = path.name.lower()
    return next((READERS[ending] for ending in READERS if name.endswith(ending)), None)


def open_file(
    path: Path,
    instruments: Sequence[str] | None,
    first: date | None = None,
    last: date | None = None,
) -> ReplayData:
    """Open one file; see `interlock.venues.replay.open_replay`."""
    pc = arrow("compute")
    table = _select(path, columns(path, _read(path)), instruments)
    if first is not None or last is not None:
        table = _between(path, table, first or date.min, last or date.max)
    steps = _steps(table)
    bar_seconds = DAY_SECONDS
    if "ts_complete" not in table.column_names:
        bar_seconds = _bar_seconds(path, steps)
        length = int64s([bar_seconds * NANOS_PER_SECOND]).take(int64s([0] * table.num_rows))
        table = table.append_column("ts_complete", pc.add(table["ts_start"], length))
    ends = pc.min_max(table["ts_complete"]).as_py()
    ordered = _in_order(table, disordered=(pc.min(steps).as_py() or 0) < 0)
    return ReplayData(
        dataset=path.name.split(".")[0],
        origin=f"file {path}",
        instruments=tuple(sorted(pc.unique(table["symbol"]).to_pylist())),
        bars=table.num_rows,
        bar_seconds=bar_seconds,
        ts_first=ends["min"],
        ts_last=ends["max"],
        rows=lambda: _rows(ordered),
    )


def _read(path: Path) -> Table:
    reader = reader_of(path)
    if reader is None:
        raise ReplayError(f"{path} is neither Parquet nor CSV: name it .parquet, .csv or .csv.gz")
    if not path.is_file():
        raise ReplayError(f"there is no file {path}: check the path")
    unreadable = (arrow().ArrowException, OSError)
    try:
        table = reader(path)
    except unreadable as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReplayError(
            f"{path} cannot be read ({reason}): is it whole, and what its name says?"
        ) from None
    if not table.num_rows:
        raise ReplayError(f"{path} holds no rows: there is nothing to replay")
    return table


def _select(path: Path, table: Table, instruments: Sequence[str] | None) -> Table:
    if not instruments:
        return table
    pc = arrow("compute")
    present = sorted(pc.unique(table["symbol"]).to_pylist())
    absent = sorted(set(instruments) - set(present))
    if absent:
        raise ReplayError(f"{path} has no {listed(absent)}: it has {listed(present)}")
    return table.filter(pc.is_in(table["symbol"], texts(instruments)))


def _between(path: Path, table: Table, first: date, last: date) -> Table:
    pc = arrow("compute")
    begins, ends = _utc_ns(first), _utc_ns(last, days_later=1)
    inside = pc.and_(pc.greater_equal(table["ts_start"], begins), pc.less(table["ts_start"], ends))
    chosen = table.filter(inside)
    if not chosen.num_rows:
        raise ReplayError(f"{path} has no bars from {first} to {last}: choose other days")
    return chosen


def _utc_ns(day: date, days_later: int = 0) -> int:
    since_1970 = day.toordinal() - date(1970, 1, 1).toordinal() + days_later
    limit = (2**63 - 1) // _DAY_NS
    return max(-limit, min(limit, since_1970)) * _DAY_NS


def _steps(table: Table) -> Column:
    """Return the time from each row to the next of the same symbol, in nanoseconds."""
    pc = arrow("compute")
    # The sort is stable: within a symbol, rows keep the order of the file.
    by_symbol = table.take(pc.sort_indices(table["symbol"]))
    codes = by_symbol["symbol"].combine_chunks().dictionary_encode().indices
    change = pc.pairwise_diff(codes)
    same = pc.equal(change, pc.subtract(codes, codes))
    return pc.pairwise_diff(by_symbol["ts_start"].combine_chunks()).filter(same)


def _bar_seconds(path: Path, steps: Column) -> int:
    """Return the median step: holes and pauses are rarer than bars."""
    pc = arrow("compute")
    forward = steps.filter(pc.greater(steps, pc.subtract(steps, steps)))
    if not len(forward):
        raise ReplayError(f"{path} has one bar a symbol: their length needs at least two")
    median: int = pc.quantile(forward, q=0.5, interpolation="lower")[0].as_py()
    if median < NANOS_PER_SECOND:
        raise ReplayError(f"{path} has bars closer than a second: make them of 1 s or longer")
    return round(median / NANOS_PER_SECOND)


def _in_order(table: Table, *, disordered: bool) -> Table:
    reached = _reached(table) if disordered else table["ts_start"]
    keyed = arrow().table({"reached": reached, "symbol": table["symbol"]})
    by = [("reached", "ascending"), ("symbol", "ascending")]
    return table.take(arrow("compute").sort_indices(keyed, by))


def _reached(table: Table) -> Column:
    latest: dict[str, int] = {}
    keys: list[int] = []
    rows = zip(table["symbol"].to_pylist(), table["ts_start"].to_pylist(), strict=True)
    for symbol, ts in rows:
        latest[symbol] = max(ts, latest.get(symbol, ts))
        keys.append(latest[symbol])
    return int64s(keys)


def _rows(table: Table) -> Iterator[RawBar]:
    # The optional columns come last in RawBar, so those that are there stand in its order.
    present = [name for name in _FIELDS if name in table.column_names]
    for batch in table.select(present).to_batches(max_chunksize=_SLICE_ROWS):
        filled = [_filled(column) for column in batch.columns]
        for values in zip(*filled, strict=True):
            yield RawBar(*values)


def _filled(column: Column) -> list[float]:
    values: list[float | None] = column.to_pylist()
    if not column.null_count:
        return cast("list[float]", values)
    return [NAN if value is None else value for value in values]
