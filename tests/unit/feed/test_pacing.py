from decimal import Decimal

import pytest
from interlock.feed.app import build, open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.pacing import ResumeError, run_replay
from interlock.feed.state import MomentPassed, RowRead
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.venues.replay import open_replay
from interlock.wire.market import Bar

DESK = DeskConfig(
    name="params",
    account="paper",
    venue="paper",
    instruments=(Instrument(instrument_id="APPLE", venue="paper", aliases=("AAPL",)),),
    cadence_seconds=5,
    equity_usd=Decimal(30_000),
)
DATA = open_replay("calm-2005", ["AAPL"])


def messages():
    return open_waves(FeedConfig(), DESK, DATA)


class Waited:
    """A clock that only moves when it is waited for."""

    def __init__(self):
        self.pauses = []

    def now(self):
        return sum(self.pauses)

    async def wait(self, seconds):
        self.pauses.append(seconds)


async def published(**options):
    heard = []

    async def publish(message):
        heard.append(message)

    await run_replay(messages(), publish, **options)
    return heard


async def test_publishes_every_message_in_order_without_waiting():
    waited = Waited()

    assert await published(wait=waited.wait, now=waited.now) == list(messages())
    assert waited.pauses == []


async def test_waits_as_long_as_the_data_did():
    waited = Waited()
    await published(speed=86_400.0, wait=waited.wait, now=waited.now)
    days = (DATA.ts_last - DATA.ts_first) / 86_400e9

    assert waited.now() == pytest.approx(days)
    assert max(waited.pauses) == pytest.approx(4)


async def test_tells_how_far_it_is():
    told = []
    await published(progress=lambda done, total: told.append((done, total)))

    assert told[0] == (1, DATA.bars)
    assert told[-1] == (DATA.bars, DATA.bars)


async def test_goes_on_after_the_last_message_that_was_published():
    whole = list(messages())
    told = []
    rest = await published(
        resume_after=whole[99].message_id, progress=lambda done, _total: told.append(done)
    )

    assert rest == whole[100:]
    assert told[-1] == DATA.bars


async def test_does_not_go_on_in_other_data():
    with pytest.raises(ResumeError, match="start with a fresh state folder"):
        await published(resume_after="of another data set")


def test_the_desks_names_are_used():
    bars = [message for message in messages() if isinstance(message, Bar)]

    assert {bar.instrument_id for bar in bars} == {"APPLE"}


def test_as_a_service_it_says_what_the_replay_says():
    service = build(FeedConfig(), DESK, DATA)
    state, said = service.state, []
    for row in DATA.rows():
        for report in (RowRead(row=row), MomentPassed(ts=row.ts_complete)):
            state = service.evolve(state, report)
            for message in service.decide(state, report, 0):
                state = service.evolve(state, message)
                said.append(message)

    assert said == list(messages())[1:-1]
