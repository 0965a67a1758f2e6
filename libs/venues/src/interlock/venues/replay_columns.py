"""The columns of a replay file: which must be there, and what they may hold."""

from pathlib import Path

from interlock.venues.replay_arrow import Column, Table, arrow, first_empty, int64s, texts
from interlock.venues.replay_rows import ReplayError, listed
from interlock.venues.replay_sessions import session

PRICES = ("open", "high", "low", "close")
SIZES = ("bid_size", "ask_size")
_QUOTES = (("bid_close", "ask_close"), ("bid", "ask"))
_EXAMPLE = "2020-01-02T14:30:00Z"


def columns(path: Path, raw: Table) -> Table:
    """Return the columns that matter, under our names and in our types.

    Times are UNIX ns, numbers are floats and may be empty. ``ts_complete`` is there only where
    the file has dates: a file of times does not say how long its bars are.

    Raises
    ------
    ReplayError
        When a column is absent, there twice, or holds what it should not.
    """
    found = [name.strip().lower() for name in raw.column_names]
    _require(path, found)
    raw = raw.rename_columns(found)
    named = _times(path, raw)
    named["symbol"] = _symbol(path, raw)
    for name in PRICES:
        named[name] = _number(path, raw, name)
    if "volume" in found:
        named["volume"] = _number(path, raw, "volume")
    else:
        named["volume"] = int64s([0] * raw.num_rows).cast(arrow().float64())
    for bid, ask in _QUOTES:
        if bid in found and ask in found:
            named["bid"], named["ask"] = _number(path, raw, bid), _number(path, raw, ask)
            if set(SIZES) <= set(found):
                named |= {name: _number(path, raw, name) for name in SIZES}
            break
    return arrow().table(named)


def _require(path: Path, found: list[str]) -> None:
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise ReplayError(f"{path} has the column {twice[0]} twice: drop one")
    lacking = [name for name in PRICES if name not in found]
    if not {"ts", "date"} & set(found):
        lacking.insert(0, "ts (or date)")
    if lacking:
        raise ReplayError(
            f"{path} lacks the columns {', '.join(lacking)}: rename or add them; "
            f"it has {listed(found, 20)}"
        )


def _times(path: Path, raw: Table) -> dict[str, Column]:
    pa = arrow()
    name = "ts" if "ts" in raw.column_names else "date"
    column = raw[name]
    if column.null_count:
        row = first_empty(column)
        raise ReplayError(f"{path}: {name} is empty in row {row}: give every row a time")
    if name == "date":
        return _dates(path, column)
    if pa.types.is_date(column.type):
        raise ReplayError(f"{path}: ts holds dates: name the column date if a row is a session")
    if not pa.types.is_timestamp(column.type):
        raise ReplayError(f"{path}: ts holds {column.type}, not times: write them as {_EXAMPLE}")
    if column.type.tz is None:
        raise ReplayError(
            f"{path}: ts has no time zone: write times as {_EXAMPLE}, or with their UTC offset"
        )
    try:
        return {"ts_start": column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())}
    except pa.ArrowInvalid:
        raise ReplayError(f"{path}: ts lies outside the years 1678 to 2261: correct it") from None


def _dates(path: Path, column: Column) -> dict[str, Column]:
    pa = arrow()
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise ReplayError(f"{path}: date holds {column.type}: write dates as 2020-01-02")
    days = column.cast(pa.date32())
    if not days.cast(column.type).equals(column):
        raise ReplayError(f"{path}: date holds times of day: name the column ts")
    days = days.combine_chunks().dictionary_encode()
    sessions = [session(day) for day in days.dictionary.to_pylist()]
    return {
        "ts_start": int64s(opens for opens, _ in sessions).take(days.indices),
        "ts_complete": int64s(closes for _, closes in sessions).take(days.indices),
    }


def _symbol(path: Path, raw: Table) -> Column:
    if "symbol" not in raw.column_names:
        return texts([path.name.split(".")[0]]).take(int64s([0] * raw.num_rows))
    column = raw["symbol"].cast(arrow().string())
    if column.null_count:
        row = first_empty(column)
        raise ReplayError(f"{path}: symbol is empty in row {row}: name one in every row")
    return column


def _number(path: Path, raw: Table, name: str) -> Column:
    pa = arrow()
    try:
        return raw[name].cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ReplayError(f"{path}: {name} holds what is no number: correct or empty it") from None
