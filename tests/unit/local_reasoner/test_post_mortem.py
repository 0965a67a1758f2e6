"""S3.10: each day that is over is written about, by the model or from its figures."""

from decimal import Decimal

import pytest
from interlock.local_reasoner.ports import ModelAnswered, ModelFailed
from interlock.reasoning.day_figures import figures_of
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import Unreadable
from interlock.reasoning.rules_of_days import post_mortem_of
from interlock.reasoning.schemas import SCHEMAS
from interlock.wire.codec import decode, encode
from interlock.wire.reasoning import (
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailed,
    ReasonerFailure,
)

from tests.unit.local_reasoner.reasoner_cells import NAMES, cell, configured, day, line, say, tick
from tests.unit.local_reasoner.test_sentiment import Shell, report

OLLAMA = {"provider": ProviderKind.OLLAMA, "model": "m", "base_url": "http://127.0.0.1:1"}


def slow(**changes):
    shell = Shell()
    return cell(configured(**(OLLAMA | changes)), perform=shell), shell.asked


def written_by_model(effect):
    return ModelAnswered(
        asked=effect,
        answer=SCHEMAS["post-mortem"].kind(root_cause="IBM fell.", recommendations=["Hold less."]),
        text="{...}",
        model="m-1",
        tokens_in=400,
        tokens_out=90,
        cost_usd=Decimal(0),
        latency_ns=5,
    )


def failed(effect, reason=ReasonerFailure.TIMEOUT):
    return ModelFailed(
        asked=effect, reason=reason, detail="10 s", spent_usd=Decimal(0), latency_ns=7
    )


def test_s3_10_rules_write_about_the_day_before():
    (written,) = say(cell(), day(killed=True))
    assert isinstance(written, PostMortemWritten)
    assert (written.day, written.source) == (14_215, PostMortemSource.RULES)
    assert written.root_cause == (
        "The kill rule ended the day at -2.71 % of equity: IBM -2.03 %, MSFT -0.67 %."
    )
    assert written.recommendations[1] == "Hold less of IBM: it brought 75 % of what was lost."
    assert written.figures["day_pnl_pct"] == -2.708
    assert decode(encode(written)) == written


def test_s3_10_a_local_model_writes_it_and_is_named():
    running, asked = slow()
    assert say(running, day()) == []
    (effect,) = asked
    assert "pnl_pct.IBM: -2.034" in effect.question.prompt
    (written,) = report(running, written_by_model(effect))
    assert (written.source, written.model, written.tokens_in) == (
        PostMortemSource.LOCAL, "m-1", 400,
    )  # fmt: skip
    assert written.recommendations == ["Hold less."]


def test_s3_10_a_model_that_fails_leaves_no_day_without_a_post_mortem():
    running, asked = slow()
    say(running, day())
    failure, written = report(running, failed(asked[0]))
    assert isinstance(failure, ReasonerFailed)
    assert failure.question == "post-mortem"
    assert (written.source, written.day) == (PostMortemSource.RULES, 14_215)
    assert say(running, tick()) == []
    assert len(asked) == 1


def test_s3_10_a_day_is_asked_about_again_where_a_restart_cut_the_answer_off():
    running, asked = slow()
    say(running, day())
    (restarted, perform), again = slow()
    restarted.recover(day(), own=False)
    assert say((restarted, perform), tick()) == []
    assert [one.day for one in again] == [day()]
    assert again[0].call_id == asked[0].call_id
    (written,) = report(running, written_by_model(asked[0]))
    (third, perform), none = slow()
    third.recover(day(), own=False)
    third.recover(written, own=True)
    say((third, perform), tick())
    assert none == []


def test_without_its_section_or_a_provider_no_day_is_written_about():
    assert say(cell(configured(post_mortem=None)), day()) == []
    assert say(cell(configured(provider=ProviderKind.NONE)), day()) == []


def told(**more):
    return post_mortem_of(figures_of(day(**more)))


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({}, "The day lost 2.71 % of equity: IBM -2.03 %, MSFT -0.67 %."),
        (
            {"pnl": "300", "instruments": [line("IBM", "310"), line("MSFT", "-10")]},
            "The day brought 1.00 % of equity: IBM +1.03 %.",
        ),
        (
            {"trips_by_code": {"loss.day": 1}},
            (
                "A limit stopped the desk (loss.day); the day came to -2.71 %: IBM -2.03 %, "
                "MSFT -0.67 %."
            ),
        ),
        (
            {"pnl": "0", "fills": 0, "instruments": [], "denials_by_code": {"size.notional": 12}},
            (
                "Nothing was traded: 12 intents, none filled, and size.notional stood in the way "
                "12 times."
            ),
        ),
        (
            {"pnl": "0", "fills": 0, "intents": 0, "instruments": []},
            "Nothing was traded and nothing held: the strategy asked for nothing.",
        ),
    ],
    ids=["a loss", "a profit", "a trip", "all denied", "idle"],
)
def test_rules_name_the_root_cause(more, cause):
    assert told(**more)["root_cause"] == cause


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"instruments": [line("IBM", "-812.4", worth="27000")]}, "with 90 % of equity"),
        ({"instruments": [line(name, "-9") for name in "ABC"]}, "all 3 names lost together"),
        ({"drawdown_5d_pct": 3.0}, "3.00 % below its high of five days"),
        ({"denials_by_code": {"size.notional": 9, "pace.minute": 2}}, "9 of 12 intents (75 %)"),
        (
            {"instruments": [line("IBM", "-1", losers=3), line("MSFT", "-1", winners=1)]},
            "3 of 4 closed trades lost",
        ),
        ({"pnl": "-3", "fees": Decimal(2)}, "Trade less often"),
        ({"failures": {"timeout": 4}}, "gave nothing 4 times (timeout)"),
        ({"trips_by_code": {"loss.day": 2}}, "loss.day: it tripped 2 times"),
    ],
    ids=["exposure", "breadth", "drawdown", "denials", "losers", "fees", "failures", "trips"],
)
def test_rules_recommend_what_the_figures_show(more, words):
    assert any(words in text for text in told(**more)["recommendations"])


def test_rules_recommend_nothing_where_nothing_shows_and_five_things_at_most():
    quiet = told(pnl="10", instruments=[line("IBM", "10")], drawdown_5d_pct=0.0)
    assert quiet["recommendations"] == ["Nothing in the figures asks for a change."]
    everything = told(
        killed=True,
        trips_by_code={"loss.day": 1},
        denials_by_code={"size.notional": 9},
        failures={"timeout": 4},
        fees=Decimal(400),
        instruments=[line("IBM", "-812", worth="29000", losers=4)],
    )
    assert len(everything["recommendations"]) == 5


def test_a_day_of_a_desk_without_equity_has_figures():
    figures = figures_of(day(equity_at_day_start=Decimal(0)))
    assert figures["day_pnl_pct"] == 0.0
    assert post_mortem_of(figures)["root_cause"]


def test_what_matters_most_is_told_of_many_instruments_and_codes():
    lines = [line(name, str(-n)) for n, name in enumerate((*NAMES, "A", "B", "C"))]
    codes = {f"code.{n}": n for n in range(1, 40)}
    figures = figures_of(day(instruments=lines, denials_by_code=codes))
    told_of = [name for name in figures if name.startswith("pnl_pct.")]
    assert (len(told_of), told_of[0]) == (20, "pnl_pct.C")
    assert sum(name.startswith("denied.") for name in figures) == 10
    assert figures["denied.code.39"] == 39.0


@pytest.mark.parametrize(
    ("text", "recommendations"),
    [
        ('{"root_cause": "x", "recommendations": ["a", "b"]}', ["a", "b"]),
        ('{"root_cause": "x", "recommendations": "a"}', ["a"]),
        ('{"rootCause": "x", "actions": ["1", "2", "3", "4", "5", "6"]}', list("12345")),
    ],
)
def test_an_answer_is_read_tolerantly(text, recommendations):
    answer = read(text, SCHEMAS["post-mortem"])
    assert not isinstance(answer, Unreadable), answer
    assert (answer.root_cause, [*answer.recommendations]) == ("x", recommendations)


@pytest.mark.parametrize("text", ['{"root_cause": "x"}', '{"recommendations": ["a"]}', "[]"])
def test_half_an_answer_is_none(text):
    assert isinstance(read(text, SCHEMAS["post-mortem"]), Unreadable)
