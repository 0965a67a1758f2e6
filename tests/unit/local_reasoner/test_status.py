"""S3.8: the desk is told when there is no model, and when there is one again."""

from decimal import Decimal

import pytest
from interlock.local_reasoner.ports import AskSentiment, ModelFailed
from interlock.wire.reasoning import ReasonerFailure, ReasonerStatusChanged

from tests.unit.local_reasoner.reasoner_cells import T0, cell, configured, news, say, tick
from tests.unit.local_reasoner.test_post_mortem import OLLAMA
from tests.unit.local_reasoner.test_sentiment import Shell, answered, report


def failing(running, asked, n, reason=ReasonerFailure.TIMEOUT):
    """Let the `n`th question fail; return what is said of the status."""
    say(running, news(f"{n}", ts_event=T0 + n))
    say(running, tick(n))
    effect = asked[-1]
    assert isinstance(effect, AskSentiment)
    heard = ModelFailed(
        asked=effect, reason=reason, detail="10 s", spent_usd=Decimal(0), latency_ns=1
    )
    return statuses(report(running, heard))


def statuses(said):
    return [(one.up, one.reason) for one in said if isinstance(one, ReasonerStatusChanged)]


def slow():
    shell = Shell()
    return cell(configured(**OLLAMA), perform=shell), shell.asked


def test_s3_8_offline_after_three_failures_in_a_row_and_up_at_the_first_success():
    running, asked = slow()
    assert failing(running, asked, 1) == []
    assert failing(running, asked, 2) == []
    assert failing(running, asked, 3) == [
        (False, "3 failures in a row, the last: timeout, 10 s")
    ]  # fmt: skip
    assert failing(running, asked, 4) == []
    say(running, news("5", ts_event=T0 + 5))
    say(running, tick(5))
    assert statuses(report(running, answered(asked[-1]))) == [(True, "it has answered again")]
    assert failing(running, asked, 6) == []


def test_a_success_between_begins_the_count_anew():
    running, asked = slow()
    for n in (1, 2, 4, 5):
        assert failing(running, asked, n) == []
        if n == 2:
            say(running, news("3", ts_event=T0 + 3))
            say(running, tick(3))
            assert statuses(report(running, answered(asked[-1]))) == []
    assert failing(running, asked, 6) != []


def test_a_budget_that_is_used_up_is_no_failure_of_the_model():
    running, asked = slow()
    for n in range(1, 10):
        assert failing(running, asked, n, ReasonerFailure.BUDGET) == []


def test_a_restart_remembers_what_was_said():
    running, asked = slow()
    said = []
    for n in (1, 2, 3):
        say(running, news(f"{n}", ts_event=T0 + n))
        say(running, tick(n))
        heard = ModelFailed(
            asked=asked[-1], reason=ReasonerFailure.NETWORK, detail="", spent_usd=Decimal(0),
            latency_ns=1,
        )  # fmt: skip
        said += report(running, heard)
    (again, perform), asked = slow()
    for message in said:
        again.recover(message, own=True)
    assert not again.state.up
    say((again, perform), news("9", ts_event=T0 + 9))
    say((again, perform), tick(9))
    assert statuses(report((again, perform), answered(asked[-1]))) == [
        (True, "it has answered again")
    ]


@pytest.mark.parametrize("limit", [1, 5])
def test_how_many_failures_it_takes_is_configured(limit):
    shell = Shell()
    running = cell(configured(**OLLAMA, offline_after_failures=limit), perform=shell)
    told = [bool(failing(running, shell.asked, n)) for n in range(1, limit + 1)]
    assert told == [False] * (limit - 1) + [True]
