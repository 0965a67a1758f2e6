"""What a replay is made of, whatever it was read from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from msgspec import Struct

from interlock.model.ids import UnixNanos

NAN = float("nan")


class ReplayError(ValueError):
    """The data cannot be replayed. The text is one line: what is wrong, and what to do."""


class RawBar(Struct, frozen=True, gc=False):
    """One row as the source has it, unjudged. What the source does not have is NaN.

    `ts_start` is the first moment of the bar, `ts_complete` the first moment at which all of it
    is known. `bid` and `ask` are the closing quote. A row in which nothing traded has a quote
    and no prices.
    """

    ts_start: UnixNanos
    ts_complete: UnixNanos
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float = NAN
    ask: float = NAN
    bid_size: float = NAN
    ask_size: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayData:
    """A data set that can be replayed.

    Attributes
    ----------
    dataset : str
        Its short name; ids of messages derive from it.
    origin : str
        Where the data comes from, for a person.
    bars : int
        Number of rows.
    bar_seconds : int
        Length of a bar; 86,400 where a row is one session.
    ts_first, ts_last : int
        Earliest and latest completion, UNIX ns.
    rows : Callable[[], Iterator[RawBar]]
        The rows from the start, each time it is called. Symbols are merged by time, then name;
        rows of one symbol keep the order of the source, so that disorder stays visible.
    """

    dataset: str
    origin: str
    instruments: tuple[str, ...]
    bars: int
    bar_seconds: int
    ts_first: UnixNanos
    ts_last: UnixNanos
    rows: Callable[[], Iterator[RawBar]]


def listed(names: list[str], shown: int = 8) -> str:
    """Return `names` as text for an error: at most `shown` of them, then how many there are."""
    text = ", ".join(names[:shown])
    return text if len(names) <= shown else f"{text}, ... ({len(names)} in all)"
