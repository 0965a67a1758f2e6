"""When which question is asked; an answer becomes a message, a failure a count.

Theory of operation. Everything hangs on a cadence or on a day's end. Of each kind one question is
under way at a time: a parameter's is not asked while one is, news waits for its turn and the newest
stays, a day waits until it is written about. The sentiment of several instruments is asked one
after the other; a failure ends the row until the next cadence.
"""

from collections.abc import Sequence

from interlock.local_reasoner.answers import failure_of, message_of, written_by_rules
from interlock.local_reasoner.day_question import day_question
from interlock.local_reasoner.news_question import news_question
from interlock.local_reasoner.ports import (
    AskModel,
    AskPostMortem,
    AskSentiment,
    ModelAnswered,
    ModelFailed,
    QuestionKind,
)
from interlock.local_reasoner.question import question_of
from interlock.local_reasoner.state import ReasonerState, counts_as_offline
from interlock.reasoning.day_figures import figures_of
from interlock.reasoning.endpoint import ProviderKind
from interlock.wire.accounts import DaySummarised
from interlock.wire.base import Heard, Message, Said, caused_id
from interlock.wire.market import ClockTicked
from interlock.wire.reasoning import (
    PauseReasoner,
    ReasonerPaused,
    ReasonerStatusChanged,
    ResumeReasoner,
)


def decide(state: ReasonerState, heard: Heard, now_ns: int) -> Sequence[Said]:
    if isinstance(heard, PauseReasoner | ResumeReasoner):
        return (_told(state, heard, now_ns),)
    if state.reasoner.config.provider is ProviderKind.NONE:
        return ()
    match heard:
        case ClockTicked() | DaySummarised() if state.paused:
            return ()
        case ClockTicked():
            return (*_ask(state, heard, now_ns), *_ask_about_day(state), *_ask_about_news(state))
        case DaySummarised():
            return _ask_about_day(state)
        case ModelAnswered():
            return _answered(state, heard)
        case ModelFailed():
            return _failed(state, heard)
        case _:
            return ()


def _told(
    state: ReasonerState, word: PauseReasoner | ResumeReasoner, now_ns: int
) -> ReasonerPaused:
    """Answer a person's word. What was asked already is still answered."""
    return ReasonerPaused(
        message_id=caused_id(word, ReasonerPaused),
        decision_id=word.decision_id,
        ts_event=now_ns,
        desk=word.desk,
        paused=state.paused,
        by=word.by,
        reason=word.reason,
    )


def _ask(state: ReasonerState, tick: ClockTicked, now_ns: int) -> Sequence[Said]:
    """Ask, unless there is nothing to ask about.

    A tick older than its cadence is passed over: while a slow model answered, a newer one came.
    On a replay's clock no tick is ever old.
    """
    if QuestionKind.PARAMETER in state.busy or state.current is None:
        return ()
    if now_ns - tick.ts_event > tick.cadence_ns:
        return ()
    warm = [one for one in state.features.values() if one.volatility is not None]
    if not warm:
        return ()
    warm.sort(key=lambda one: one.instrument_id)
    question = question_of(state.reasoner, tick, state.current, warm)
    return (AskModel(tick=tick, current=state.current, question=question),)


def _ask_about_news(state: ReasonerState) -> Sequence[Said]:
    """Ask about the first instrument that has news ready."""
    config, tick = state.reasoner.config.sentiment, state.tick
    if config is None or tick is None or not state.ready or QuestionKind.SENTIMENT in state.busy:
        return ()
    name = min(state.ready)
    items = state.ready[name][::-1]
    return (
        AskSentiment(
            tick=tick,
            instrument_id=name,
            news_ids=[item.news_id for item in items],
            question=news_question(state.reasoner.prompts.sentiment, config, name, items),
        ),
    )


def _ask_about_day(state: ReasonerState) -> Sequence[Said]:
    config, day = state.reasoner.config.post_mortem, state.day
    if config is None or day is None or QuestionKind.POST_MORTEM in state.busy:
        return ()
    figures = figures_of(day)
    question = day_question(state.reasoner.prompts.post_mortem, config, day, figures)
    return (AskPostMortem(day=day, figures=figures, question=question),)


def _answered(state: ReasonerState, heard: ModelAnswered) -> Sequence[Said]:
    said: list[Said] = [message_of(state.reasoner, heard)]
    if not state.up:
        said.append(_status(state, heard.asked.cause, up=True, reason="it has answered again"))
    if isinstance(heard.asked, AskSentiment):
        said += _ask_about_news(state)
    return said


def _failed(state: ReasonerState, heard: ModelFailed) -> Sequence[Said]:
    """Say that there is no answer; a day is written about all the same, from its figures."""
    said: list[Said] = [failure_of(state.reasoner, heard)]
    failures = state.failures + counts_as_offline(heard.reason)
    if state.up and failures >= state.reasoner.config.offline_after_failures:
        reason = f"{failures} failures in a row, the last: {heard.reason}, {heard.detail}"
        said.append(_status(state, heard.asked.cause, up=False, reason=reason))
    if isinstance(heard.asked, AskPostMortem):
        said.append(written_by_rules(heard.asked))
    return said


def _status(
    state: ReasonerState, cause: Message, *, up: bool, reason: str
) -> ReasonerStatusChanged:
    return ReasonerStatusChanged(
        message_id=caused_id(cause, ReasonerStatusChanged, up),
        decision_id=cause.decision_id,
        ts_event=cause.ts_event,
        desk=state.reasoner.desk,
        up=up,
        reason=reason,
    )
