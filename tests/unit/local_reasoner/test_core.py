"""When a question is asked, what it says, and what becomes of the answer."""

from decimal import Decimal

import msgspec
import pytest
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.app import build
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.core import decide
from interlock.local_reasoner.ports import AskModel, ModelAnswered, ModelFailed
from interlock.local_reasoner.state import evolve
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.schemas import ParamProposalAnswer
from interlock.runtime.service import Cell, Perform, Publish
from interlock.wire.base import caused_id, root_ids
from interlock.wire.codec import decode, encode
from interlock.wire.market import ClockTicked, FeaturesComputed
from interlock.wire.policy import PolicyChanged
from interlock.wire.reasoning import (
    ParameterProposal,
    PauseReasoner,
    ReasonerFailed,
    ReasonerFailure,
    ReasonerPaused,
    ResumeReasoner,
)

SECOND = 1_000_000_000
CADENCE = 5 * SECOND
T0 = 1_700_000_000 * SECOND

DESK = DeskConfig(
    name="params",
    account="paper",
    venue="paper",
    instruments=(Instrument(instrument_id="SPY", venue="paper"),),
    cadence_seconds=5,
    equity_usd=Decimal(30_000),
)


def tick(index=1):
    message_id, decision_id = root_ids(ClockTicked, "params", index)
    at = T0 + index * CADENCE
    return ClockTicked(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=at,
        desk="params",
        index=index,
        cadence_ns=CADENCE,
        ts_desk=at,
        window_scale=1.0,
        clock_offset_ns=None,
    )


def features(instrument_id="SPY", **known):
    message_id, decision_id = root_ids(FeaturesComputed, instrument_id)
    return FeaturesComputed(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=T0,
        desk="params",
        instrument_id=instrument_id,
        bar_seconds=5,
        close=450.0,
        **known,
    )


WARM = {"volatility": 0.0002, "volatility_z": 1.0, "ret_1": 0.0001, "spread_bps": 0.4}


def policy(value=1.0, name="threshold_bps"):
    message_id, decision_id = root_ids(PolicyChanged, value)
    return PolicyChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=T0,
        desk="params",
        version=1,
        parameters={name: value},
        changes=[],
        author="configuration",
        reason="first start",
        proposal_id=None,
        config_hash="",
    )


def service(config=None):
    config = config or LocalReasonerConfig()
    store = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=None))
    return build(DESK, config, caller_of(config, store, {}))


def state_after(*heard, config=None):
    state = service(config).state
    for message in heard:
        state = evolve(state, message)
    return state


def asked(state, at=None):
    now = tick()
    return decide(state, now, now.ts_event if at is None else at)


def test_asks_once_everything_is_known():
    (effect,) = asked(state_after(policy(), features(**WARM)))
    assert isinstance(effect, AskModel)
    assert effect.current == 1.0
    assert effect.question.facts["volatility_bps"] == pytest.approx(2.0)
    assert "SPY: return 1.0" in effect.question.prompt
    assert "Current threshold_bps: 1.0000" in effect.question.prompt
    assert "between 0.3 and 3" in effect.question.system


@pytest.mark.parametrize(
    "heard",
    [
        (features(**WARM),),
        (policy(),),
        (policy(), features()),
        (policy(name="other"), features(**WARM)),
    ],
    ids=["no policy", "no features", "not warm", "another parameter"],
)
def test_asks_nothing_without(heard):
    assert asked(state_after(*heard)) == ()


def test_provider_none_asks_nothing():
    config = LocalReasonerConfig(provider=ProviderKind.NONE)
    assert asked(state_after(policy(), features(**WARM), config=config)) == ()


def word(kind, at=T0):
    message_id, decision_id = root_ids(kind, at)
    ids = {"message_id": message_id, "decision_id": decision_id, "ts_event": at}
    return kind(**ids, desk="params", by="ada", reason="because")


def test_a_person_pauses_the_asking_and_resumes_it():
    paused = state_after(policy(), features(**WARM), word(PauseReasoner))
    assert asked(paused) == ()
    (said,) = decide(paused, word(PauseReasoner), T0)
    assert (said.paused, said.by, said.message_id) == (
        True,
        "ada",
        caused_id(word(PauseReasoner), ReasonerPaused),
    )
    resumed = evolve(paused, word(ResumeReasoner))
    assert asked(resumed)
    (said,) = decide(resumed, word(ResumeReasoner), T0)
    assert said.paused is False


def test_a_tick_older_than_its_cadence_is_passed_over():
    state = state_after(policy(), features(**WARM))
    assert asked(state, at=tick().ts_event + CADENCE)
    assert asked(state, at=tick().ts_event + CADENCE + 1) == ()


def test_one_question_for_all_instruments_with_medians_for_rules():
    heard = [
        features(name, volatility=0.0001 * n) for n, name in enumerate(("A", "B", "C", "D"), 1)
    ]
    (effect,) = asked(state_after(policy(), *reversed(heard), features("COLD")))
    assert isinstance(effect, AskModel)
    lines = [line for line in effect.question.prompt.splitlines() if ": return" in line]
    assert [line[0] for line in lines] == ["A", "B", "C", "D"]
    assert effect.question.facts["volatility_bps"] == pytest.approx(2.5)
    assert "volatility_z" not in effect.question.facts


def test_prompt_for_twenty_symbols_is_below_2500_tokens():
    """At two bytes a token, the worst case: real tokenizers take three to four."""
    heard = [features(f"SYM{n:02}", **WARM, momentum_bps=-123.4, rsi=55.5) for n in range(20)]
    (effect,) = asked(state_after(policy(), *heard))
    assert isinstance(effect, AskModel)
    assert len((effect.question.system + effect.question.prompt).encode()) / 2 < 2_500


def answered(effect):
    return ModelAnswered(
        asked=effect,
        answer=ParamProposalAnswer(threshold_bps=1.2, confidence=70, rationale="why"),
        text="{...}",
        model="m-1",
        tokens_in=200,
        tokens_out=40,
        cost_usd=Decimal("0.001"),
        latency_ns=5,
    )


def test_an_answer_becomes_a_proposal_of_the_ticks_decision():
    state = state_after(policy(), features(**WARM))
    (effect,) = asked(state)
    assert isinstance(effect, AskModel)
    (proposal,) = decide(state, answered(effect), 0)
    assert isinstance(proposal, ParameterProposal)
    assert proposal.message_id == caused_id(tick(), ParameterProposal, "threshold_bps")
    assert proposal.decision_id == tick().decision_id
    assert (proposal.current, proposal.proposed) == (1.0, 1.2)
    assert proposal.ts_desk == tick().ts_desk
    assert proposal.provider == "rules"
    assert len(proposal.prompt_hash) == 64
    assert decode(encode(proposal)) == proposal


def test_a_failure_is_said_with_its_reason_and_nothing_is_proposed():
    state = state_after(policy(), features(**WARM))
    (effect,) = asked(state)
    assert isinstance(effect, AskModel)
    report = ModelFailed(
        asked=effect,
        reason=ReasonerFailure.TIMEOUT,
        detail="no answer within 10 s",
        spent_usd=Decimal("0.01"),
        latency_ns=7,
    )
    (failure,) = decide(state, report, 0)
    assert isinstance(failure, ReasonerFailed)
    assert failure.reason is ReasonerFailure.TIMEOUT
    assert failure.decision_id == tick().decision_id
    assert decode(encode(failure)) == failure


async def session():
    """Return the bytes of ten cadences with rules, each proposal accepted."""
    running = service()
    cell = Cell(running, running.state)
    said, current = [], 0.3
    for index in range(1, 11):
        for message in (policy(current), features(**WARM), tick(index)):
            reaction = cell.react(message, message.ts_event)
            step = next(reaction, None)
            while step is not None:
                try:
                    match step:
                        case Publish():
                            said.extend(step.messages)
                            step = next(reaction)
                        case Perform():
                            step = reaction.send(await running.perform(step.effect))
                except StopIteration:
                    step = None
        current = said[-1].proposed
    return [encode(message) for message in said]


async def test_rules_say_the_same_bytes_every_time():
    first = await session()
    assert len(first) == 10
    assert first == await session()
    proposals = [decode(body) for body in first]
    steps = [round(p.proposed - p.current, 4) for p in proposals]
    assert all(p.latency_ns == 0 and p.cost_usd == 0 for p in proposals)
    assert max(steps) > 0.2
    assert sum(step <= 0.2 for step in steps) >= 8


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"provider": "ollama", "base_url": "http://x"}, "needs a model"),
        ({"provider": "ollama", "model": "m"}, "needs a base_url"),
        ({"parameter": "leverage"}, "no answer schema"),
        ({"calls_per_minute": 0}, "calls_per_minute must be at least 1"),
        ({"lower": 3, "upper": 3}, "must be below"),
        ({"timeout_seconds": 0}, "timeout_seconds must be above zero"),
        ({"budget_usd_per_day": "-1"}, "finite and not negative"),
        ({"usd_per_million_in": "1"}, "belong together"),
        ({"budget": 1}, "unknown field"),
    ],
)
def test_configuration_is_judged(section, problem):
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(section, LocalReasonerConfig, strict=False)
