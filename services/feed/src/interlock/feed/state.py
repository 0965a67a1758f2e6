"""What the feed remembers: where each instrument stands, and the desk's clock."""

from dataclasses import dataclass, field

from msgspec import Struct

from interlock.feed.config import FeedConfig
from interlock.venues.replay_rows import RawBar
from interlock.wire.base import Heard, Message, Report
from interlock.wire.market import (
    Bar,
    ClockTicked,
    FeedCondition,
    FeedStatusChanged,
    PutCallRatioObserved,
    Quote,
    VenueBar,
)
from interlock.wire.system import AlertRaised

type Conditions = set[FeedCondition]


class FeedSetting(Struct, frozen=True, kw_only=True):
    """What stays the same for one replay, or one live source.

    `bar_seconds` is the length of the data's bars. `instrument_ids` maps the source's symbols to
    the desk's ids, where they differ.
    """

    desk: str
    dataset: str
    bar_seconds: int
    cadence_seconds: int
    instrument_ids: dict[str, str]
    source: str = "replay"


class RowRead(Report, frozen=True, kw_only=True):
    """The source gave a row. Live, it came `at` this moment; `from_history`, on being asked."""

    row: RawBar
    at: int = 0
    from_history: bool = False


class MomentPassed(Report, frozen=True, kw_only=True):
    """All rows complete at `ts` have been read."""

    ts: int


class PutCallRead(Report, frozen=True, kw_only=True):
    """A line of the file of put/call ratios, as it stands there; `ts` is when its day closed."""

    line: int
    as_of: str
    value: str
    ts: int


@dataclass(slots=True)
class InstrumentFeed:
    """One instrument: its last passed row (UNIX ns), its last close, what is wrong with it."""

    last_ts: int = 0
    last_close: float = 0.0
    wrong: Conditions = field(default_factory=set[FeedCondition])


@dataclass(slots=True)
class FeedState:
    """`read` counts rows; `ticks` and `ticked_at` are the desk's clock.

    `put_call_as_of` is the day of the last put/call ratio.
    """

    config: FeedConfig
    setting: FeedSetting
    instruments: dict[str, InstrumentFeed] = field(default_factory=dict[str, InstrumentFeed])
    read: int = 0
    published: int = 0
    ticks: int = 0
    ticked_at: int = 0
    put_call_as_of: str = ""

    def of(self, instrument_id: str) -> InstrumentFeed:
        """Return where an instrument stands, at its beginning where it is new."""
        feed = self.instruments.get(instrument_id)
        if feed is None:
            feed = self.instruments[instrument_id] = InstrumentFeed()
        return feed


@dataclass(slots=True)
class ReplayPosition:
    """How far a replay has come: the id of the last message that was published."""

    last_message_id: str = ""


def follow(position: ReplayPosition, heard: Heard) -> ReplayPosition:
    """Take in a message of the replay that was published before a restart."""
    # An alert may be another service's: everybody raises them on the same subject.
    if isinstance(heard, Message) and not isinstance(heard, AlertRaised):
        position.last_message_id = heard.message_id
    return position


def evolve(state: FeedState, heard: Message | Report) -> FeedState:
    """Take in a row that was read, or a message the feed itself said."""
    match heard:
        case RowRead():
            state.read += 1
        case Bar():
            state.published += 1
            feed = state.of(heard.instrument_id)
            feed.last_ts = heard.ts_event
            feed.last_close = heard.close
        case VenueBar():
            pass  # The bar itself comes next.
        case Quote():
            state.published += 1
            state.of(heard.instrument_id).last_ts = heard.ts_event
        case FeedStatusChanged(condition=FeedCondition.OK):
            state.of(heard.instrument_id).wrong.clear()
        case FeedStatusChanged():
            state.of(heard.instrument_id).wrong.add(heard.condition)
        case PutCallRatioObserved():
            state.put_call_as_of = heard.as_of
        case ClockTicked():
            state.ticks = heard.index
            state.ticked_at = heard.ts_event
        case _:
            pass
    return state
