"""Rows to market data, feed status and the desk's clock.

Theory of operation. A condition is announced once per instrument, when its first row shows it. It
lasts until a row shows no fault at all; then ``ok`` ends whatever was wrong. So a listener
needs one rule: after ``ok`` all is well, after anything else it is not. A hole is ``stale`` while
it lasts, where other instruments show that time goes on, and ``gap`` at the row that ends it.
"""

from collections.abc import Iterator, Sequence

from interlock.feed.checks import (
    Fault,
    faults_of,
    has_quote,
    hole_limit,
    is_quote_only,
    is_session_break,
)
from interlock.feed.state import FeedSetting, FeedState, InstrumentFeed, MomentPassed, RowRead
from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.replay_rows import RawBar
from interlock.wire.base import Message, Report, caused_id, root_ids
from interlock.wire.market import (
    Bar,
    ClockTicked,
    FeedCondition,
    FeedStatusChanged,
    Quote,
    VenueBar,
)

LONGEST_REAL_TIME_BAR = 60
"""On longer bars (seconds) one cadence of the desk is one bar: its windows would hold too few."""


def decide(state: FeedState, heard: Message | Report, _now: int) -> Sequence[Message]:
    """Answer a row with what is published of it, and a passed moment with the clock."""
    match heard:
        case RowRead(row=row):
            return _on_row(state, row)
        case MomentPassed(ts=ts):
            return _on_moment(state, ts)
        case _:
            return ()


def window_scale(setting: FeedSetting) -> float:
    """Return by how much the desk's windows are stretched: 1 where the data's times are real."""
    return 1.0 if _is_real_time(setting) else setting.bar_seconds / setting.cadence_seconds


def _is_real_time(setting: FeedSetting) -> bool:
    return setting.bar_seconds <= LONGEST_REAL_TIME_BAR


def _on_row(state: FeedState, row: RawBar) -> Sequence[Message]:
    setting = state.setting
    instrument_id = setting.instrument_ids.get(row.symbol, row.symbol)
    feed = state.of(instrument_id)
    faults = faults_of(row, feed.last_ts, feed.last_close, setting.bar_seconds, state.config)
    said: list[Message] = [
        status_of(state, instrument_id, row.ts_complete, fault)
        for fault in faults
        if fault.condition not in feed.wrong
    ]
    if not faults and feed.wrong:
        said.append(status_of(state, instrument_id, row.ts_complete, fine_again(feed)))
    if not any(fault.drops for fault in faults):
        said += market_data(setting, instrument_id, row, quoted=is_quoted(row, faults))
    return said


def is_quoted(row: RawBar, faults: Sequence[Fault]) -> bool:
    """Return whether the row has a quote that may be passed on."""
    return has_quote(row) and not any(fault.spoils_quote for fault in faults)


def fine_again(feed: InstrumentFeed) -> Fault:
    return Fault(condition=FeedCondition.OK, detail=f"after {', '.join(sorted(feed.wrong))}")


def status_of(state: FeedState, instrument_id: str, ts: int, fault: Fault) -> FeedStatusChanged:
    setting = state.setting
    # The count of rows keeps apart two late rows of one time with a good one between them.
    message_id, decision_id = root_ids(
        FeedStatusChanged,
        setting.desk,
        setting.dataset,
        instrument_id,
        ts,
        state.read,
        fault.condition,
    )
    return FeedStatusChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts,
        desk=setting.desk,
        instrument_id=instrument_id,
        condition=fault.condition,
        detail=fault.detail,
        dropped=fault.drops,
        observed=fault.observed,
        limit=fault.limit,
    )


def market_data(
    setting: FeedSetting, instrument_id: str, row: RawBar, *, quoted: bool
) -> Sequence[Message]:
    """Return the messages of a sound row: a quote, or a bar as the venue and as the desk see it."""
    if is_quote_only(row):
        return (_quote(setting, instrument_id, row),)
    bar = _bar(setting, instrument_id, row, quoted=quoted)
    lived = VenueBar(
        message_id=caused_id(bar, VenueBar),
        decision_id=bar.decision_id,
        ts_event=bar.ts_event,
        bar=bar,
    )
    return (lived, bar)


def _bar(setting: FeedSetting, instrument_id: str, row: RawBar, *, quoted: bool) -> Bar:
    message_id, decision_id = root_ids(
        Bar, setting.dataset, instrument_id, setting.bar_seconds, row.ts_complete
    )
    return Bar(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=row.ts_complete,
        instrument_id=instrument_id,
        source=setting.source,
        bar_seconds=setting.bar_seconds,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        bid=row.bid if quoted else None,
        ask=row.ask if quoted else None,
    )


def _quote(setting: FeedSetting, instrument_id: str, row: RawBar) -> Quote:
    message_id, decision_id = root_ids(
        Quote, setting.dataset, instrument_id, setting.bar_seconds, row.ts_complete
    )
    return Quote(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=row.ts_complete,
        instrument_id=instrument_id,
        source=setting.source,
        bid=row.bid,
        ask=row.ask,
        bid_size=known_size(row.bid_size),
        ask_size=known_size(row.ask_size),
    )


def known_size(value: float) -> float:
    """Return 0 for a size the source does not give: nothing may be taken to be there."""
    return value if value > 0 else 0.0


def _on_moment(state: FeedState, ts: int) -> Sequence[Message]:
    if ts <= state.ticked_at:
        return ()
    said: list[Message] = list(_stale(state, ts))
    cadence_ns = state.setting.cadence_seconds * NANOS_PER_SECOND
    if state.ticked_at and ts // cadence_ns == state.ticked_at // cadence_ns:
        return said
    said.append(_tick(state, ts, cadence_ns))
    return said


def _stale(state: FeedState, ts: int) -> Iterator[FeedStatusChanged]:
    bar_seconds, config = state.setting.bar_seconds, state.config
    limit = hole_limit(bar_seconds, config.stale_after_bars, config)
    for instrument_id, feed in state.instruments.items():
        silent = (ts - feed.last_ts) / NANOS_PER_SECOND
        if silent <= limit or not feed.last_ts or FeedCondition.STALE in feed.wrong:
            continue
        if is_session_break(silent, bar_seconds, config):
            continue
        fault = Fault(
            condition=FeedCondition.STALE,
            detail=f"no row for {silent:g} s",
            observed=silent,
            limit=limit,
        )
        yield status_of(state, instrument_id, ts, fault)


def _tick(state: FeedState, ts: int, cadence_ns: int) -> ClockTicked:
    setting = state.setting
    index = state.ticks + 1
    message_id, decision_id = root_ids(ClockTicked, setting.desk, setting.dataset, index)
    return ClockTicked(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts,
        desk=setting.desk,
        index=index,
        cadence_ns=cadence_ns,
        ts_desk=ts if _is_real_time(setting) else index * cadence_ns,
        window_scale=window_scale(setting),
        clock_offset_ns=0,
    )
