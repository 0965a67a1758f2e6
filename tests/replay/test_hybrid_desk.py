"""Desk hybrid through two crashes: what must fire on which day, held against a hand's calculation.

The calculation here knows prices, scores, fills and fees, and nothing of the ledger, policy or
escalation. What it came to is kept as well, so that a mistake in both would be seen.
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean, median, stdev

import pytest
from interlock.cli.backtest_run import assemble, open_data
from interlock.cli.desks import load_desk, with_scenario
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.dataset import DATA_VARIABLE
from interlock.gate.config import GateConfig
from interlock.ledger.config import LedgerConfig
from interlock.ledger.story import story_of
from interlock.model.equity import trading_day
from interlock.model.values import Side
from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import Bar, FeaturesComputed
from interlock.wire.orders import OrderFilled
from interlock.wire.reasoning import EscalationTriggered

from tests.conftest import SHARED_DATA

ROOT = Path(__file__).parents[2]
CRASH_2020 = pytest.param("crash-2020", marks=pytest.mark.shared_data)
KILLED = {
    "crash-2008": {
        "2008-02-01": 2.52, "2008-09-17": 5.32, "2008-09-29": 6.92, "2008-10-07": 4.24,
        "2008-10-08": 2.58, "2008-10-21": 3.21, "2008-11-05": 3.90, "2008-11-12": 3.39,
        "2008-11-19": 4.58, "2008-12-11": 3.03,
    },
    "crash-2008-unforced": {"2007-11-08": 3.04},
    "crash-2020": {"2020-02-24": 2.66, "2020-09-03": 2.73},
}  # fmt: skip
"""The kill days, and what each lost in percent."""
QUARANTINED = {"crash-2008": [("2008-10-08", "2008-10-20")]}
KILL_DAYS, IN_SESSIONS, QUARANTINE_SESSIONS = 3, 10, 7
BASELINE_PCT, SCORES, FEWEST_SCORES = 52, 200, 50
RETURNS, FEWEST_RETURNS = 60, 20
KILL_PCT, RISK_CLEARS_PCT = 2.5, 1.5
FALL_PCT, FALL_CLEARS_PCT = 8.0, 6.0
MARKED = frozenset({Bar, FeaturesComputed, ScoreComputed, OrderFilled, EscalationTriggered})


class Run:
    """One replay, and what was said in it of the kinds that matter here."""

    def __init__(self, replay: str) -> None:
        file = with_scenario(load_desk(str(ROOT / "deploy" / "desks" / "hybrid.toml")), replay)
        data = open_data(file, replay)
        self.heard = defaultdict(list)
        self.desk_file = file
        self.desk = assemble(file, data.ts_first, watch=self._hear)
        for message in open_waves(file.section("feed", FeedConfig), file.desk, data):
            self._hear(message)
            self.desk.backtest.run([message])
        self.start = file.desk.equity_usd
        self.hour = file.desk.day_starts_at_utc_hour
        self.replay = replay
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


def iso(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


@pytest.fixture(
    scope="module",
    params=["crash-2008", "crash-2008-unforced", CRASH_2020],
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


def test_s3_7_the_days_are_those_that_were_kept(run, losses):
    found = {iso(day): round(loss, 2) for day, loss in losses.items() if loss >= KILL_PCT}
    assert found == KILLED[run.replay]


def test_s3_7_a_kill_day_is_followed_by_a_session_on_paper_and_a_way_back(run, losses):
    expected, since, last = [], None, 0
    for place, (day, loss) in enumerate(losses.items()):
        if loss >= KILL_PCT:
            since, last = since or day, place
        elif since is not None and place - last > 1:
            expected.append((since, day))
            since = None
    assert spells_of(run, "paper") == expected


def test_s3_7_three_kill_days_in_ten_sessions_are_a_quarantine_and_that_ends(run, losses):
    expected, since, began, killed = [], None, 0, []
    for place, (day, loss) in enumerate(losses.items()):
        if loss >= KILL_PCT:
            killed.append(place)
            if len([one for one in killed if place - one < IN_SESSIONS]) >= KILL_DAYS:
                since, began = since or day, place
        if since is not None and place - began > QUARANTINE_SESSIONS:
            expected.append((since, day))
            since = None
    assert spells_of(run, "quarantine") == expected
    assert [(iso(a), iso(b)) for a, b in expected] == QUARANTINED.get(run.replay, [])


def spells_of(run: Run, kind: str) -> list[tuple[int, int | None]]:
    return [(one.since, one.until) for one in run.story.spells if one.kind == kind]


def test_s3_7_nothing_is_held_at_the_close_after_a_kill_day_and_nothing_bought_before(run, losses):
    held, after_kill = defaultdict(Decimal), False
    fills = defaultdict(list)
    for fill in {one.message_id: one for one in run.heard[OrderFilled]}.values():
        fills[trading_day(fill.ts_event, run.hour)].append(fill)
    for day in run.equities():
        for fill in fills[day]:
            assert not (after_kill and fill.side is Side.BUY)
            held[fill.instrument_id] += fill.side.sign * fill.last_qty
        assert not (after_kill and any(held.values()))
        after_kill = losses.get(day, 0) >= KILL_PCT


@pytest.mark.parametrize("run", [CRASH_2020], indirect=True, scope="module")
def test_the_losses_of_2020_stay_within_the_limits_of_the_desk(run):
    gate = run.desk_file.section("gate", GateConfig)
    card = run.desk_file.section("ledger", LedgerConfig).scorecard
    closes = [float(one) for one in run.equities().values()]
    assert 0 < fall_pct(closes) < float(card.drawdown_below_pct)
    fives = [closes[max(0, place - 4) : place + 1] for place in range(len(closes))]
    assert max(map(fall_pct, fives)) < float(gate.max_drawdown_5d_pct)
    assert max(map(fall_pct, fives)) < float(gate.max_weekly_loss_pct)


def fall_pct(marks: list[float]) -> float:
    """Return the largest fall from a high before it."""
    return max((max(marks[: place + 1]) - mark) / max(marks[: place + 1]) * 100
               for place, mark in enumerate(marks))  # fmt: skip


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


def test_s3_1_model_decay_is_asked_about_by_hits_and_by_the_sharpe_ratio(run):
    scores = {(one.instrument_id, one.ts_event): one.score for one in run.heard[ScoreComputed]}
    by_day, closes, hits, standing, must = defaultdict(list), {}, [], False, []
    for bar in run.heard[Bar]:
        by_day[trading_day(bar.ts_event, run.hour)].append(bar)
    starts = [run.start]
    for day, worth in run.equities().items():
        for bar in by_day[day]:
            before = closes.get(bar.instrument_id)
            closes[bar.instrument_id] = bar
            score = before and scores.get((before.instrument_id, before.ts_event))
            if score is not None and score != 0.5 and bar.close != before.close:
                hits.append((score > 0.5) == (bar.close > before.close))
        below = ratio = None
        if len(hits) >= FEWEST_SCORES:
            below = BASELINE_PCT - 100 * sum(hits[-SCORES:]) / len(hits[-SCORES:])
        returns = [float(b / a) - 1 for a, b in pairwise(starts[-(RETURNS + 1) :])]
        if len(returns) >= FEWEST_RETURNS and stdev(returns) > 0:
            ratio = fmean(returns) / stdev(returns) * sqrt(252)
        starts.append(worth)
        known = [one for one in (below, ratio) if one is not None]
        over = (below is None or below <= 4) and (ratio is None or ratio >= 0.8)
        if standing and known and over:
            standing = False
        bad = (below is not None and below >= 7) or (ratio is not None and ratio < 0.6)
        if not standing and bad:
            standing = True
            must.append(day)
    assert must
    assert run.days_of(EscalationTriggered, lambda one: one.trigger == "model_decay") == must


def test_s3_no_day_has_more_than_three_calls(run):
    calls = defaultdict(int)
    for one in run.story.fired:
        calls[one.day] += one.granted
    assert calls
    assert max(calls.values()) <= 3
