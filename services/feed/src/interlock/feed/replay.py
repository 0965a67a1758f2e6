"""A recorded data set as the messages of its replay, in their order.

Of each row: feed status, the bar as the paper venue lives through it, the bar as the desk sees
it. After the last row of a moment: put/call ratios that have become known, stale instruments, and
the clock.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from interlock.feed.config import FeedConfig
from interlock.feed.core import decide, window_scale
from interlock.feed.put_call import on_put_call
from interlock.feed.state import (
    FeedSetting,
    FeedState,
    MomentPassed,
    PutCallRead,
    RowRead,
    evolve,
)
from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.replay_rows import ReplayData
from interlock.wire.base import Message, Report, root_ids
from interlock.wire.market import ReplayCounts, ReplayFinished, ReplayStarted


def waves(
    data: ReplayData,
    setting: FeedSetting,
    config: FeedConfig,
    put_calls: Sequence[PutCallRead] = (),
) -> Iterator[Message]:
    """Yield every message of the replay; the same data makes the same messages and ids.

    The consumer publishes one and lets the system settle before it asks for the next.
    """
    state = FeedState(config=config, setting=setting)
    yield _started(data, setting)
    moment = 0
    waiting = deque(put_calls)
    for row in data.rows():
        if row.ts_complete > moment:
            if moment:
                yield from _passed(state, moment, waiting)
            moment = row.ts_complete
        yield from _said(state, RowRead(row=row))
    yield from _passed(state, moment, waiting)
    yield _finished(data, state)


def _passed(state: FeedState, moment: int, waiting: deque[PutCallRead]) -> Iterator[Message]:
    while waiting and waiting[0].ts <= moment:
        yield from _said(state, waiting.popleft())
    yield from _said(state, MomentPassed(ts=moment))


def _said(state: FeedState, report: Report) -> Sequence[Message]:
    evolve(state, report)
    if isinstance(report, PutCallRead):
        said = on_put_call(state, report)
    else:
        said = decide(state, report, 0)
    for message in said:
        evolve(state, message)
    return said


def _started(data: ReplayData, setting: FeedSetting) -> ReplayStarted:
    message_id, decision_id = root_ids(ReplayStarted, setting.desk, data.dataset)
    ids = setting.instrument_ids
    return ReplayStarted(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=data.ts_first,
        desk=setting.desk,
        dataset=data.dataset,
        origin=data.origin,
        instruments=[ids.get(symbol, symbol) for symbol in data.instruments],
        bars=data.bars,
        bar_seconds=data.bar_seconds,
        ts_first=data.ts_first,
        ts_last=data.ts_last,
        cadence_ns=setting.cadence_seconds * NANOS_PER_SECOND,
        window_scale=window_scale(setting),
    )


def _finished(data: ReplayData, state: FeedState) -> ReplayFinished:
    setting = state.setting
    message_id, decision_id = root_ids(ReplayFinished, setting.desk, data.dataset)
    dropped = state.read - state.published
    return ReplayFinished(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=data.ts_last,
        desk=setting.desk,
        dataset=data.dataset,
        bars=ReplayCounts(read=state.read, published=state.published, dropped=dropped),
        ticks=state.ticks,
    )
