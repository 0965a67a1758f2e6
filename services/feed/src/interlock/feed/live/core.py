"""What a live source says to market data, news, feed status and the desk's clock.

Theory of operation. Bars are judged as in a replay, quotes one by one as they come; the latest good
quote of each instrument is passed on at the next beat. Time is the machine's: every beat looks for
silence and ticks the desk's clock. While the link is down every instrument is stale. When it is up
again the hole is asked for first; what history and the stream both tell is passed on once.
"""

from collections.abc import Iterator, Sequence

from interlock.feed.checks import Fault, faults_of, hole_limit
from interlock.feed.core import (
    fine_again,
    is_quoted,
    known_size,
    market_data,
    status_of,
)
from interlock.feed.live.news import news_of
from interlock.feed.live.quotes import judge_quote, jump_fault, late_fault
from interlock.feed.live.reports import (
    FillHole,
    HoleFilled,
    LinkMoved,
    NewsRead,
    QuoteRead,
    TakeMore,
    TellCounts,
    TradeRead,
)
from interlock.feed.live.state import Link, LiveState
from interlock.feed.live.timing import is_ahead, wrong_length
from interlock.feed.put_call import on_put_call
from interlock.feed.state import MomentPassed, PutCallRead, RowRead
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.values import Severity
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawQuote
from interlock.wire.base import Heard, Said, root_ids
from interlock.wire.catalogue import FEED
from interlock.wire.market import (
    ClockTicked,
    FeedCondition,
    FeedStatusChanged,
    Quote,
    VenueBar,
)
from interlock.wire.system import AlertRaised

_ENDED_BY_A_QUOTE = frozenset(
    {
        FeedCondition.STALE,
        FeedCondition.CROSSED,
        FeedCondition.ZERO,
        FeedCondition.NOT_A_NUMBER,
        FeedCondition.OUT_OF_ORDER,
    }
)


def begin(state: LiveState, now: int) -> Sequence[Said]:
    """Say that nothing is known yet: a price of before the start is no price."""
    return list(_all_stale(state, now, state.link_reason))


def decide(state: LiveState, heard: Heard, now: int) -> Sequence[Said]:
    match heard:
        case QuoteRead():
            return _on_quote(state, heard)
        case MomentPassed(ts=ts):
            return _on_beat(state, ts)
        case TradeRead():
            return _on_finished(state, heard.at)
        case RowRead():
            return _on_row(state, heard, now)
        case NewsRead():
            known = heard.news.news_id in state.news_ids
            return () if known else [news_of(state.rows.setting, heard)]
        case PutCallRead():
            # After a restart the file's last row is read again.
            known = heard.as_of == state.rows.put_call_as_of
            return () if known else on_put_call(state.rows, heard)
        case LinkMoved():
            return _on_link(state, heard)
        case HoleFilled() if heard.reason:
            return [_alert(state, "feed.hole", heard.reason, heard.at)]
        case _:
            return ()


def _on_row(state: LiveState, heard: RowRead, now: int) -> Sequence[Said]:
    row = heard.row
    instrument_id = state.instrument_of(row.symbol)
    # Where bars are made of trades, the source's own would be a second kind of them.
    passed_over = state.builds_bars and not heard.from_history
    if instrument_id is None or passed_over or state.is_known(heard):
        return ()
    return _on_bar(state, instrument_id, row, heard.at or now, live=not heard.from_history)


def _on_bar(
    state: LiveState, instrument_id: str, row: RawBar, at: UnixNanos, *, live: bool
) -> Sequence[Said]:
    rows = state.rows
    feed, setting = rows.of(instrument_id), rows.setting
    fault = wrong_length(row, state.bar_ns) or is_ahead(row.ts_complete, at, rows.config)
    faults = (
        faults_of(row, feed.last_ts, feed.last_close, setting.bar_seconds, rows.config)
        if fault is None
        else [fault]
    )
    said: list[Said] = [
        status_of(rows, instrument_id, row.ts_complete, one)
        for one in faults
        if one.condition not in feed.wrong
    ]
    trusted = live and state.link is Link.UP
    if not faults and feed.wrong and trusted:
        said.append(status_of(rows, instrument_id, row.ts_complete, fine_again(feed)))
    if not any(one.drops for one in faults):
        made = market_data(setting, instrument_id, row, quoted=is_quoted(row, faults))
        # A paper order must not fill on a price from before it.
        simulate = state.simulate_bars and trusted
        said += [one for one in made if simulate or not isinstance(one, VenueBar)]
    return said


def _on_finished(state: LiveState, at: UnixNanos) -> Sequence[Said]:
    """Pass on the bars that trades have made; ask for the history of one that is not whole."""
    said: list[Said] = []
    partial: list[RawBar] = []
    for bar in state.finished:
        instrument_id = state.instrument_of(bar.symbol)
        if instrument_id is None:
            continue
        if state.is_whole(bar):
            said += _on_bar(state, instrument_id, bar, at, live=True)
        else:
            partial.append(bar)
    # Where the link has just moved, the whole hole is asked for.
    if partial and state.link is Link.UP:
        since = {bar.symbol: bar.ts_start for bar in partial}
        said.append(FillHole(since=since, until=at))
    return said


def _on_quote(state: LiveState, heard: QuoteRead) -> Sequence[Said]:
    quote, rows = heard.quote, state.rows
    instrument_id = state.instrument_of(quote.symbol)
    if instrument_id is None:
        return ()
    feed = rows.of(instrument_id)
    late = quote.ts < state.quoted_at.get(instrument_id, 0)
    fault = (
        judge_quote(quote, heard.at, rows.config)
        or late_fault(quote, state.quoted_at.get(instrument_id, 0))
        or jump_fault(quote, feed.last_close, rows.config)
    )
    if fault is not None:
        if fault.condition in feed.wrong:
            return ()
        return [status_of(rows, instrument_id, heard.at, fault)]
    if late or not feed.wrong or not _ends(state, instrument_id, heard.at):
        return ()
    return [status_of(rows, instrument_id, heard.at, fine_again(feed))]


def _ends(state: LiveState, instrument_id: str, at: UnixNanos) -> bool:
    """Return whether a good quote ends all that is wrong with the instrument."""
    if state.link is not Link.UP or _overdue(state, instrument_id, at) is not None:
        return False
    return state.rows.of(instrument_id).wrong <= _ENDED_BY_A_QUOTE


def _on_beat(state: LiveState, ts: UnixNanos) -> Sequence[Said]:
    said: list[Said] = list(_on_finished(state, ts))
    if state.link is Link.UP:
        said += [_quote(state, name, quote) for name, quote in state.waiting.items()]
        said += _silent(state, ts)
    index = ts // state.cadence_ns
    if index > state.last_index:
        said.append(_tick(state, index, ts))
    if state.counts_due:
        said.append(TellCounts(counts=state.counts.table()))
    said.append(TakeMore())
    return said


def _quote(state: LiveState, instrument_id: str, quote: RawQuote) -> Quote:
    setting = state.rows.setting
    message_id, decision_id = root_ids(
        Quote, setting.dataset, instrument_id, quote.ts, quote.bid, quote.ask
    )
    return Quote(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=quote.ts,
        instrument_id=instrument_id,
        source=setting.source,
        bid=quote.bid,
        ask=quote.ask,
        bid_size=known_size(quote.bid_size),
        ask_size=known_size(quote.ask_size),
    )


def _silent(state: LiveState, ts: UnixNanos) -> Iterator[FeedStatusChanged]:
    """Say which instruments are stale: all where the source is silent, else by their bars."""
    rows = state.rows
    limit_ns = _patience_ns(state)
    longest = limit_ns if rows.config.quotes or state.builds_bars else limit_ns + state.bar_ns
    if ts - state.heard_at > longest:
        silent = (ts - state.heard_at) / NANOS_PER_SECOND
        yield from _all_stale(
            state, ts, f"the source has said nothing for {silent:g} s", silent, longest
        )
        return
    for instrument_id in rows.setting.instrument_ids.values():
        if FeedCondition.STALE in rows.of(instrument_id).wrong:
            continue
        fault = _overdue(state, instrument_id, ts)
        if fault is not None:
            yield status_of(rows, instrument_id, ts, fault)


def _patience_ns(state: LiveState) -> int:
    return state.rows.config.silent_after_cadences * state.cadence_ns


def _overdue(state: LiveState, instrument_id: str, ts: UnixNanos) -> Fault | None:
    rows = state.rows
    bar_seconds = rows.setting.bar_seconds
    last = max(rows.of(instrument_id).last_ts, state.up_since)
    waited = (ts - last) / NANOS_PER_SECOND
    limit = hole_limit(bar_seconds, rows.config.stale_after_bars, rows.config)
    limit += _patience_ns(state) / NANOS_PER_SECOND
    if waited <= limit:
        return None
    return Fault(
        condition=FeedCondition.STALE,
        detail=f"no bar for {waited:g} s",
        observed=waited,
        limit=limit,
    )


def _all_stale(
    state: LiveState,
    ts: UnixNanos,
    why: str,
    observed: float | None = None,
    limit_ns: int | None = None,
) -> Iterator[FeedStatusChanged]:
    fault = Fault(
        condition=FeedCondition.STALE,
        detail=why,
        observed=observed,
        limit=None if limit_ns is None else limit_ns / NANOS_PER_SECOND,
    )
    for instrument_id in state.rows.setting.instrument_ids.values():
        if FeedCondition.STALE not in state.rows.of(instrument_id).wrong:
            yield status_of(state.rows, instrument_id, ts, fault)


def _on_link(state: LiveState, moved: LinkMoved) -> Sequence[Said]:
    if moved.up:
        return [FillHole(since=_hole(state, moved.at), until=moved.at)]
    text = f"the link to {state.rows.setting.source} is down: {moved.reason}"
    return [
        *_all_stale(state, moved.at, text),
        _alert(state, "feed.source_down", text, moved.at),
    ]


def _hole(state: LiveState, at: UnixNanos) -> dict[str, UnixNanos]:
    """Return where the history of each symbol begins that is to be asked for."""
    config, rows = state.rows.config, state.rows
    earliest = at - int(config.longest_hole_hours * 3600) * NANOS_PER_SECOND
    at_first = (at // state.bar_ns - config.warm_up_bars) * state.bar_ns
    return {
        symbol: max(earliest, rows.of(instrument_id).last_ts or at_first)
        for symbol, instrument_id in rows.setting.instrument_ids.items()
    }


def _tick(state: LiveState, index: int, ts: UnixNanos) -> ClockTicked:
    """Return a cadence of the desk: its number counts from 1970, so that none is told twice."""
    setting = state.rows.setting
    message_id, decision_id = root_ids(ClockTicked, setting.desk, setting.dataset, index)
    return ClockTicked(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts,
        desk=setting.desk,
        index=index,
        cadence_ns=state.cadence_ns,
        ts_desk=ts,
        window_scale=1.0,
        clock_offset_ns=state.clock_offset_ns,
    )


def _alert(state: LiveState, code: str, text: str, ts: UnixNanos) -> AlertRaised:
    desk = state.rows.setting.desk
    message_id, decision_id = root_ids(AlertRaised, desk, FEED, code, ts)
    return AlertRaised(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts,
        desk=desk,
        service=FEED,
        severity=Severity.WARNING,
        code=code,
        text=text,
        dedupe_key=f"{FEED}.{code}",
    )
