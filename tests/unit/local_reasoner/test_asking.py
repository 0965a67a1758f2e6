"""Live, a model that hangs delays nothing but its own answer."""

import asyncio

from interlock.local_reasoner.adapters.asking import Asking
from interlock.local_reasoner.app import build
from interlock.local_reasoner.ports import (
    AskModel,
    ModelAnswered,
    ModelFailed,
    QuestionKind,
    QuestionSent,
)
from interlock.reasoning.ports import Question
from interlock.reasoning.schemas import PARAM_PROPOSAL
from interlock.runtime.service import Cell
from interlock.testkit.stub_model import Say, StubModel
from interlock.wire.reasoning import ReasonerFailure

from tests.unit.local_reasoner.reasoner_cells import caller, configured, desk, news, say, tick


def parameter_question(index):
    question = Question(
        system="s", prompt="p", schema=PARAM_PROPOSAL, max_tokens=100, timeout_seconds=30.0
    )
    return AskModel(tick=tick(index), current=1.0, question=question)


async def test_s3_a_model_that_hangs_delays_nothing_else():
    """The first question hangs; cadences go on, the second is answered, nothing is asked twice."""
    reports = asyncio.Queue()
    hangs = Say('{"sentiment": 0, "confidence": 0}', after_seconds=3_600)
    answers = Say('{"threshold_bps": 1.1, "confidence": 50, "rationale": "calm"}')
    async with StubModel([hangs, answers]) as stub:
        config = configured(provider="ollama", model="stub-1", base_url=stub.ollama_url)
        model = caller(config)
        asking = Asking(model, reports.put_nowait)
        service = build(desk(), config, model, asking)
        running = Cell(service, service.state), service.perform
        say(running, news())
        say(running, tick(1))
        assert running[0].state.busy == {QuestionKind.SENTIMENT}
        while not stub.requests:
            await asyncio.sleep(0.001)
        say(running, news("2"))
        assert say(running, tick(2)) == []
        assert isinstance(asking.ask(parameter_question(2))[0], QuestionSent)
        heard = await reports.get()
        assert isinstance(heard, ModelAnswered)
        assert heard.asked.kind is QuestionKind.PARAMETER
        assert len(stub.requests) == 2
        assert reports.empty()
        await asking.close()
        await model.close()


class Broken:
    """A caller whose code is wrong."""

    class provider:  # noqa: N801 - stands where a provider does
        metered = True

    async def ask(self, _question, call_id):
        raise KeyError(call_id)


async def test_a_question_that_breaks_is_over_all_the_same():
    reports = asyncio.Queue()
    asking = Asking(Broken(), reports.put_nowait)
    asking.ask(parameter_question(1))
    heard = await reports.get()
    assert isinstance(heard, ModelFailed)
    assert (heard.reason, heard.detail) == (ReasonerFailure.PROVIDER, "broken: KeyError")


async def test_in_a_replay_the_answer_is_waited_for():
    answers = Say('{"threshold_bps": 1.1, "confidence": 50, "rationale": "calm"}')
    async with StubModel([answers]) as stub:
        config = configured(provider="ollama", model="stub-1", base_url=stub.ollama_url)
        model = caller(config)
        sent, answer = await Asking(model).ask(parameter_question(1))
        await model.close()
    assert isinstance(sent, QuestionSent)
    assert isinstance(answer, ModelAnswered)
