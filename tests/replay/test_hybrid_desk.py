"""Desk hybrid through two crashes: what must fire on which day, held against a hand's calculation.

The calculation here knows prices, fills and fees, and nothing of the ledger, policy or escalation.
"""

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from interlock.cli.backtest_run import assemble, open_data
from interlock.cli.desks import load_desk, with_scenario
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.dataset import DATA_VARIABLE
from interlock.ledger.story import story_of
from interlock.model.equity import trading_day
from interlock.model.values import Side
from interlock.wire.market import Bar, FeaturesComputed
from interlock.wire.orders import OrderFilled
from interlock.wire.policy import TradingStateChanged
from interlock.wire.reasoning import EscalationTriggered

from tests.conftest import SHARED_DATA

ROOT = Path(__file__).parents[2]
KILL_PCT, RISK_CLEARS_PCT = 2.5, 1.5
FALL_PCT, FALL_CLEARS_PCT = 8.0, 6.0
MARKED = frozenset({Bar, FeaturesComputed, OrderFilled, TradingStateChanged, EscalationTriggered})


class Run:
    """One replay, and what was said in it of the kinds that matter here."""

    def __init__(self, replay: str) -> None:
        file = with_scenario(load_desk(str(ROOT / "deploy" / "desks" / "hybrid.toml")), replay)
        data = open_data(file, replay)
        self.heard = defaultdict(list)
        self.desk = assemble(file, data.ts_first, watch=self._hear)
        for message in open_waves(file.section("feed", FeedConfig), file.desk, data):
            self._hear(message)
            self.desk.backtest.run([message])
        self.start = file.desk.equity_usd
        self.hour = file.desk.day_starts_at_utc_hour
        self.story = story_of(self.desk.book.tally.telling)

    def _hear(self, message) -> None:
        if type(message) in MARKED:
            self.heard[type(message)].append(message)

    def days_of(self, kind, wanted=lambda _one: True) -> list[int]:
        return sorted({trading_day(m.ts_event, self.hour) for m in self.heard[kind] if wanted(m)})

    def equities(self) -> dict[int, Decimal]:
        """Return the equity at each day's close: cash, and what is held at the last prices."""
        cash, held, prices, closes = self.start, defaultdict(Decimal), {}, {}
        fills, by_day = defaultdict(list), defaultdict(list)
        for fill in {one.message_id: one for one in self.heard[OrderFilled]}.values():
            fills[trading_day(fill.ts_event, self.hour)].append(fill)
        for bar in self.heard[Bar]:
            by_day[trading_day(bar.ts_event, self.hour)].append(bar)
        for day, todays in sorted(by_day.items()):
            for fill in fills[day]:
                sign = 1 if fill.side is Side.BUY else -1
                held[fill.instrument_id] += sign * fill.last_qty
                cash -= sign * fill.last_qty * fill.last_px + fill.fee
            prices.update({bar.instrument_id: Decimal(str(bar.close)) for bar in todays})
            worth = sum((held[name] * prices[name] for name in held), Decimal(0))
            closes[day] = cash + worth
        return closes


@pytest.fixture(
    scope="module",
    params=["crash-2008", pytest.param("crash-2020", marks=pytest.mark.shared_data)],
)
def run(request) -> Run:
    if request.param == "crash-2020" and not SHARED_DATA.is_dir():
        pytest.skip("the recorded market data is not here: it is no part of the repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATA_VARIABLE, str(SHARED_DATA))
        return Run(request.param)


@pytest.fixture(scope="module")
def losses(run: Run) -> dict[int, float]:
    """Return each day's loss in percent of the close before."""
    closes = run.equities()
    return {
        day: float((closes[before] - closes[day]) / closes[before] * 100)
        for before, day in pairwise(closes)
    }


def test_s3_7_the_kill_rule_fires_on_the_days_it_must_and_on_no_other(run, losses):
    must = [day for day, loss in losses.items() if loss >= KILL_PCT]
    assert must
    assert [one.day for one in run.story.kill_days] == must
    assert [round(one.loss_pct, 2) for one in run.story.kill_days] == [
        round(losses[day], 2) for day in must
    ]
    asked = run.days_of(EscalationTriggered, lambda one: one.trigger == "kill_switch")
    assert asked == must


def test_s3_7_a_kill_day_is_followed_by_a_session_on_paper_and_a_way_back(run):
    spells = [one for one in run.story.spells if one.kind == "paper"]
    assert [one.since for one in spells] == [one.day for one in run.story.kill_days]
    assert all(one.until is not None and one.until > one.since for one in spells)


def test_s3_1_risk_is_asked_about_once_until_it_has_cleared(run, losses):
    closes, standing, must = run.equities(), False, []
    marks = list(closes.values())
    for place, (day, loss) in enumerate(losses.items(), start=1):
        highest = max(marks[max(0, place - 4) : place + 1])
        fall = float((highest - marks[place]) / highest * 100)
        if standing and loss <= RISK_CLEARS_PCT and fall <= FALL_CLEARS_PCT:
            standing = False
        if not standing and (loss > KILL_PCT or fall > FALL_PCT):
            standing = True
            must.append(day)
    assert run.days_of(EscalationTriggered, lambda one: one.trigger == "risk") == must


def test_s3_1_the_regime_is_asked_about_by_the_medians_of_the_day(run):
    latest, by_day, standing, must = {}, defaultdict(list), False, []
    for one in run.heard[FeaturesComputed]:
        by_day[trading_day(one.ts_event, run.hour)].append(one)
    for day in sorted(by_day):
        latest |= {one.instrument_id: one for one in by_day[day]}
        z = [abs_z for one in latest.values() if (abs_z := one.volatility_z) is not None]
        together = [one.correlation for one in latest.values() if one.correlation is not None]
        if not z or not together:
            continue
        volatility, correlation = abs(median(z)), median(together)
        if standing and (volatility <= 1.5 or correlation >= 0.5):
            standing = False
        if not standing and volatility > 2.0 and correlation < 0.4:
            standing = True
            must.append(day)
    assert run.days_of(EscalationTriggered, lambda one: one.trigger == "regime") == must


def test_s3_no_day_has_more_than_three_calls(run):
    calls = defaultdict(int)
    for one in run.story.fired:
        calls[one.day] += one.granted
    assert calls
    assert max(calls.values()) <= 3
