"""S3.11, gate by gate: at the edge of each, and what is not known fails."""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
from interlock.cli.commands.scorecard import gate_cells
from interlock.cli.model_set import known_models
from interlock.ledger.config import ScorecardConfig
from interlock.ledger.day_rows import DayRow
from interlock.ledger.ensemble_scorecard import (
    Bought,
    ModelsKnown,
    Seen,
    Share,
    ensemble_scorecard,
    entries_only,
)
from interlock.wire.accounts import DayLine, PositionLine
from msgspec.structs import replace

CONFIG = ScorecardConfig()
BUCKETS = {"IBM": "core", "MSFT": "core", "TINY": "penny", "CALL": "fno"}
MULTIPLIERS = {"CALL": Decimal(100)}
CAPS = {"core": Decimal(90), "penny": Decimal(2), "fno": Decimal(5)}
MODELS = ModelsKnown(name="m-2006", last_day=99, overfitting={"p_short": 0.2, "p_mid": 0.4})
START = Decimal(30_000)
GATES = [
    "sharpe", "hit_rate", "drawdown", "overfitting.p_mid", "overfitting.p_short", "uptime",
    "order_time", "cloud_calls", "kills", "bucket_compliance", "stop_execution",
]  # fmt: skip


def day(n, pnl="30", **more):
    fields = {
        "message_id": f"m{n}", "decision_id": "d", "ts_event": n, "desk": "hybrid",
        "account": "paper", "currency": "USD", "day": n, "equity_at_day_start": START,
        "equity": START + Decimal(pnl), "day_pnl": Decimal(pnl), "fees": Decimal(0),
        "drawdown_5d_pct": 0.0, "max_drawdown_pct": 0.0, "cadences": 10, "intents": 1,
        "approvals": 1, "fills": 1, "killed": False, "escalations": 1, "proposals_applied": 0,
        "instruments": [line("IBM", winners=2, losers=1)], "denials_by_code": {},
        "trips_by_code": {}, "failures": {},
    }  # fmt: skip
    return DayRow(**(fields | more))


def line(name, winners=0, losers=0):
    return DayLine(
        instrument_id=name, pnl=Decimal(0), worth=Decimal(0), fills=winners + losers,
        winners=winners, losers=losers,
    )  # fmt: skip


def position(name, quantity, avg_px=100, mark=100):
    return PositionLine(
        instrument_id=name, quantity=Decimal(quantity), avg_px=Decimal(avg_px),
        mark=Decimal(mark), unrealised_pnl=Decimal(0),
    )  # fmt: skip


def bought(name, *positions, equity=START):
    return Bought(instrument_id=name, equity_at_day_start=equity, positions=list(positions))


GOOD = Seen(
    days=[day(n, "60" if n % 2 else "-10") for n in range(100, 130)],
    drawdown=0.02,
    models=MODELS,
    uptime=Share(held=1_000, of=1_000),
    order_ms=12.0,
    orders=40,
    bought=[bought("IBM", position("IBM", 100))],
    protected=Share(held=7, of=7),
    stops_waiting=0,
)


def judged(config=CONFIG, **changes):
    return ensemble_scorecard(replace(GOOD, **changes), config, BUCKETS, MULTIPLIERS, CAPS)


def gate(name, config=CONFIG, **changes):
    return next(one for one in judged(config, **changes).gates if one.name == name)


def test_s3_11_a_desk_that_holds_every_gate_passes():
    card = judged()
    assert card.ok, card
    assert [one.name for one in card.gates] == GATES
    assert card.sessions == 30


def test_s3_11_of_nothing_everything_is_not_known_and_fails():
    nothing = Seen(
        days=[], drawdown=None, models="no set of models is named", uptime=Share(held=0, of=0),
        order_ms=None, orders=0, bought=[], protected=Share(held=0, of=0), stops_waiting=0,
    )  # fmt: skip
    card = ensemble_scorecard(nothing, CONFIG, BUCKETS, MULTIPLIERS, CAPS)
    assert not card.ok
    assert all(not one.ok and one.value is None and one.detail for one in card.gates)
    assert {gate_cells(one)[2] for one in card.gates} == {"not known"}
    assert {gate_cells(one)[1] for one in card.gates} == {"FAIL"}


def test_s3_11_sharpe_above_0_9_out_of_sample():
    assert gate("sharpe").ok
    weak = [day(n, "100" if n % 2 else "-99") for n in range(100, 130)]
    found = gate("sharpe", days=weak)
    assert not found.ok
    assert 0 < found.value <= 0.9
    flat = gate("sharpe", days=[day(n) for n in range(100, 130)])
    assert (flat.ok, flat.value, flat.detail) == (False, None, "the returns do not vary")


def test_s3_11_days_the_models_have_seen_do_not_count_for_sharpe():
    lucky = [day(n, "3000" if n % 2 else "2000") for n in range(1, 100)]
    few = gate("sharpe", days=[*lucky, *GOOD.days[:10]])
    assert (few.ok, few.value) == (False, None)
    assert few.detail == "10 sessions out of sample, needed 20"
    assert gate("sharpe", days=[*lucky, *GOOD.days]).value == gate("sharpe").value


def test_s3_11_sharpe_is_not_known_where_nobody_says_what_the_models_have_seen():
    found = gate("sharpe", models="there is no set of models x")
    assert (found.ok, found.value) == (False, None)
    assert "there is no set of models x" in found.detail


@pytest.mark.parametrize(("won", "lost", "ok"), [(53, 47, True), (52, 48, False)])
def test_s3_11_hit_rate_above_52_per_cent(won, lost, ok):
    days = [*GOOD.days[1:], day(200, instruments=[line("IBM", won, lost)])]
    days = [replace(one, instruments=[]) for one in days[:-1]] + days[-1:]
    found = gate("hit_rate", days=days)
    assert (found.ok, found.value) == (ok, pytest.approx(won))


def test_s3_11_hit_rate_is_of_liquid_names_and_of_enough_trades():
    lines = [line("IBM", 2, 1), line("TINY", 0, 50), line("GONE", 0, 50)]
    days = [day(n, instruments=lines) for n in range(100, 130)]
    assert gate("hit_rate", days=days).value == pytest.approx(200 / 3)
    few = gate("hit_rate", days=days[:9])
    assert (few.value, few.detail) == (None, "27 closed trades in liquid names, needed 30")
    wide = ScorecardConfig(liquid_buckets=("core", "penny"))
    assert not gate("hit_rate", wide, days=days).ok


@pytest.mark.parametrize(("fall", "ok"), [(0.0999, True), (0.1, False), (0.3, False)])
def test_s3_11_drawdown_below_10_per_cent(fall, ok):
    assert gate("drawdown", drawdown=fall).ok is ok


@pytest.mark.parametrize(("mid", "ok"), [(0.49, True), (0.5, False), (0.82, False)])
def test_s3_11_each_models_probability_of_overfitting_is_low(mid, ok):
    models = replace(MODELS, overfitting={"p_short": 0.1, "p_mid": mid})
    assert gate("overfitting.p_mid", models=models).ok is ok
    assert gate("overfitting.p_short", models=models).ok


def test_s3_11_overfitting_that_no_report_tells_is_not_known():
    found = gate("overfitting", models=replace(MODELS, overfitting={}))
    assert (found.ok, found.value) == (False, None)
    assert "does not say" in found.detail


@pytest.mark.parametrize(("held", "ok"), [(9_951, True), (9_950, False)])
def test_s3_11_uptime_above_99_5_per_cent(held, ok):
    assert gate("uptime", uptime=Share(held=held, of=10_000)).ok is ok


@pytest.mark.parametrize(("took", "ok"), [(99.9, True), (100.0, False)])
def test_s3_11_order_generation_below_100_ms(took, ok):
    assert gate("order_time", order_ms=took).ok is ok


@pytest.mark.parametrize(("calls", "ok"), [(2, True), (3, False)])
def test_s3_11_less_than_3_cloud_calls_a_day(calls, ok):
    found = gate("cloud_calls", days=[replace(one, escalations=calls) for one in GOOD.days])
    assert (found.ok, found.value) == (ok, calls)
    one_bad = [replace(GOOD.days[0], escalations=3), *GOOD.days[1:]]
    assert (
        gate("cloud_calls", days=one_bad).detail
        == "on average, post-mortems apart; 3 on the worst day"
    )


@pytest.mark.parametrize(("sessions", "ok"), [(21, False), (22, True)])
def test_s3_11_less_than_1_kill_a_month(sessions, ok):
    days = [day(n, killed=n == 5) for n in range(sessions)]
    assert gate("kills", days=days).ok is ok


def test_s3_11_kills_of_too_few_sessions_are_not_known():
    found = gate("kills", days=GOOD.days[:19])
    assert (found.ok, found.value, found.detail) == (False, None, "19 sessions, needed 20")


@pytest.mark.parametrize(
    ("after", "ok"),
    [
        (bought("IBM", position("IBM", 270)), True),
        (bought("IBM", position("IBM", 271)), True),
        (bought("IBM", position("IBM", 272)), False),
        (bought("IBM", position("IBM", 150), position("MSFT", -150)), False),
        (bought("IBM", position("IBM", 250), position("TINY", 200)), True),
        (bought("TINY", position("TINY", 6)), True),
        (bought("TINY", position("TINY", 7)), False),
        (bought("CALL", position("CALL", 1, 15, 15)), True),
        (bought("CALL", position("CALL", 1, 16, 16)), False),
        (bought("IBM", position("IBM", 250, 100, 150)), True),
        (bought("IBM", position("IBM", 300, 100, 50)), True),
        (bought("WILD", position("WILD", 1)), False),
        (bought("IBM", position("IBM", 1), equity=Decimal(0)), False),
    ],
)
def test_s3_11_every_entry_leaves_its_bucket_within_its_cap(after, ok):
    found = gate("bucket_compliance", bought=[*GOOD.bought, after])
    assert (found.ok, found.value) == (ok, 100.0 if ok else 50.0)


def test_what_only_shrinks_a_position_is_no_entry():
    held = bought("IBM", position("IBM", 10))
    short = bought("IBM", position("IBM", -10))
    flat = bought("IBM")
    fills = [("IBM", 1, held), ("IBM", -1, held), ("IBM", -1, short), ("IBM", 1, flat)]
    assert entries_only(fills) == [held, short]


@pytest.mark.parametrize(
    ("protected", "waiting", "ok"), [((7, 7), 0, True), ((6, 7), 0, False), ((7, 7), 1, False)]
)
def test_s3_11_every_entry_has_its_stop_and_none_waits(protected, waiting, ok):
    share = Share(held=protected[0], of=protected[1])
    assert gate("stop_execution", protected=share, stops_waiting=waiting).ok is ok


@dataclass
class Sets:
    folder: object

    def write(self, meta, name="set"):
        path = self.folder / name
        path.mkdir()
        text = meta if isinstance(meta, str) else json.dumps(meta)
        (path / "meta.json").write_text(text)
        return path


META = {
    "name": "stocks-2006-12-31",
    "trained_to": "2006-12-31",
    "seed": 7,
    "report": {
        "folds": 5,
        "p_short": {"accuracy": 0.52, "overfitting": 0.2294},
        "blend": {"accuracy": 0.49},
    },
}


def test_a_set_of_models_says_what_it_has_seen_and_how_likely_it_overfits(tmp_path):
    path = Sets(tmp_path).write(META)
    wanted = ModelsKnown(name="stocks-2006-12-31", last_day=13_513, overfitting={"p_short": 0.2294})
    assert known_models(str(path)) == wanted
    assert known_models(str(path / "meta.json")) == wanted


@pytest.mark.parametrize(
    "meta",
    ["", "{", "[]", {"name": "x"}, {**META, "trained_to": "soon"}, {**META, "report": 5}],
)
def test_a_set_that_cannot_be_read_is_not_known_and_says_why(tmp_path, meta):
    path = Sets(tmp_path).write(meta)
    found = known_models(str(path))
    assert isinstance(found, str)
    assert "cannot be read" in found


def test_a_set_that_is_not_there_or_not_named_is_not_known(tmp_path):
    assert known_models("") == (
        "no set of models is named: set model_set in section [ledger.scorecard]"
    )
    assert known_models(str(tmp_path / "none")).startswith("there is no set of models")
    assert known_models("no-such-set").startswith("there is no set of models")
