"""A person's commands to a running desk: sent as the operator, and answered by the policy service.

Theory of operation. A command is stored on the bus before it is answered, so it is not lost where
the policy service is away: it will obey when it is back. Its answer is the trading state, the
policy version or the refusal that derives from the command's id: nobody else's is taken for it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from interlock.cli.bus_reader import BusReader, reading
from interlock.cli.errors import CliError, RefusedError
from interlock.cli.run_record import running
from interlock.cli.state_folder import StateFolder
from interlock.runtime.bus.port import MESSAGE_ID_HEADER
from interlock.wire import catalogue, codec, subjects
from interlock.wire.approvals import ApprovalCounted, GiveApproval, RejectApproval
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.market import ClockTicked
from interlock.wire.policy import (
    ClearQuarantine,
    CommandRefused,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    PolicyChanged,
    PromotionAssessed,
    ResumeTrading,
    RollBackPolicy,
    SetStage,
    TradingStateChanged,
)
from interlock.wire.reasoning import PauseReasoner, ReasonerPaused, ResumeReasoner

STORE_SECONDS = 2.0
ANSWER_SECONDS = 5.0

type Command = (
    HaltTrading
    | ResumeTrading
    | EnableStrategy
    | ClearQuarantine
    | SetStage
    | ForceDemo
    | RollBackPolicy
)
type Word = GiveApproval | RejectApproval
type Rules = TradingStateChanged | PolicyChanged
type Answer = Rules | ApprovalCounted | ReasonerPaused

ANSWERS = (TradingStateChanged, PolicyChanged, ApprovalCounted, ReasonerPaused, CommandRefused)


@dataclass(frozen=True, kw_only=True, slots=True)
class Obeyed:
    """The desk's answer, and how long it took from sending to hearing it."""

    change: TradingStateChanged
    latency_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What a command has put in force, and how long it took from sending to hearing it."""

    rules: Rules
    latency_ns: int


def halt(desk: str, by: str, reason: str, ts_event: int) -> HaltTrading:
    message_id, decision_id = root_ids(HaltTrading, desk, by, time.time_ns())
    return HaltTrading(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts_event,
        desk=desk,
        by=by,
        reason=reason,
    )


def resume(desk: str, by: str, reason: str, ts_event: int) -> ResumeTrading:
    message_id, decision_id = root_ids(ResumeTrading, desk, by, time.time_ns())
    return ResumeTrading(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts_event,
        desk=desk,
        by=by,
        reason=reason,
    )


def command[C: Message](
    kind: type[C], desk: str, by: str, reason: str, ts_event: int, fields: Mapping[str, object]
) -> C:
    """Return a command of `kind` with its own `fields`; each call makes another one."""
    message_id, decision_id = root_ids(kind, desk, by, time.time_ns())
    make: Any = kind
    made: C = make(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts_event,
        desk=desk,
        by=by,
        reason=reason,
        **fields,
    )
    return made


async def steer(state: StateFolder, command_at: Callable[[str, int], Command]) -> Obeyed:
    """Send a command that changes the trading state; otherwise as `ask`."""
    answered = await ask(state, command_at)
    assert isinstance(answered.rules, TradingStateChanged)
    return Obeyed(change=answered.rules, latency_ns=answered.latency_ns)


async def ask(state: StateFolder, command_at: Callable[[str, int], Command]) -> Answered:
    """Send a command to the running desk and wait for what it brings about.

    Parameters
    ----------
    state
        The state folder of the running desk.
    command_at
        Makes the command, given the desk and the moment on the desk's clock.

    Raises
    ------
    RefusedError
        When the policy service will not do it.
    CliError
        When no desk runs there, its bus cannot be reached, or nobody answers.
    """
    async with _desk_bus(state) as (bus, desk):
        command = command_at(desk, await _moment(bus, desk))
        answer, latency_ns = await _sent(bus, command)
        assert isinstance(answer, TradingStateChanged | PolicyChanged)
        return Answered(rules=answer, latency_ns=latency_ns)


async def say(state: StateFolder, word_at: Callable[[str, int], Word]) -> ApprovalCounted:
    """Tell the running desk a person's word on a request and return what it came to.

    Otherwise as `ask`.
    """
    async with _desk_bus(state) as (bus, desk):
        answer, _ = await _sent(bus, word_at(desk, await _moment(bus, desk)))
        assert isinstance(answer, ApprovalCounted)
        return answer


async def tell_models(
    state: StateFolder, word_at: Callable[[str, int], PauseReasoner | ResumeReasoner]
) -> ReasonerPaused:
    """Have models asked no more, or again; otherwise as `ask`."""
    async with _desk_bus(state) as (bus, desk):
        answer, _ = await _sent(bus, word_at(desk, await _moment(bus, desk)))
        assert isinstance(answer, ReasonerPaused)
        return answer


async def standing(state: StateFolder) -> tuple[TradingStateChanged, PromotionAssessed | None]:
    """Return the standing of the desk that runs, and what it has shown, as policy said it last.

    Of a desk that has had no account yet, nothing was said of what it has shown.
    """
    async with _desk_bus(state) as (bus, desk):
        trading = await _last(bus, desk, TradingStateChanged)
        if trading is None:
            raise CliError(f"desk {desk} has no standing yet: wait until it has started")
        return trading, await _last(bus, desk, PromotionAssessed)


async def _last[M: Message](bus: BusReader, desk: str, kind: type[M]) -> M | None:
    """Return the last message of a kind that the desk's bus holds."""
    entry = catalogue.BY_KIND[kind]
    assert entry.stream is not None
    subject = entry.pattern.format(desk=subjects.token(desk))
    try:
        last = await bus.streams.get_last_msg(entry.stream, subject)
    except NotFoundError:
        return None
    said = codec.decode(last.data or b"")
    assert isinstance(said, kind)
    return said


@asynccontextmanager
async def _desk_bus(state: StateFolder) -> AsyncGenerator[tuple[BusReader, str]]:
    """Connect to the bus of the desk that runs; yield it with the desk's name."""
    record = running(state)
    if "nats" not in record.servers:
        raise CliError(
            f"desk {record.desk} runs in one process and hears no commands: stop it with "
            f"`interlock down --state {state.root}`"
        )
    async with reading(state, record) as bus:
        yield bus, record.desk


async def _moment(bus: BusReader, desk: str) -> int:
    """Return the time on the desk's clock.

    The machine's would throw a replay's clocks forward: they follow the latest moment heard. Where
    no cadence has passed yet, zero moves none of them.
    """
    tick = await _last(bus, desk, ClockTicked)
    return 0 if tick is None else tick.ts_event


async def _sent(
    bus: BusReader, command: Command | Word | PauseReasoner | ResumeReasoner
) -> tuple[Answer, int]:
    """Return the answer, and how long it took from sending to hearing it, in nanoseconds."""
    answers: asyncio.Queue[Answer | CommandRefused] = asyncio.Queue()

    async def hear(stored: Msg) -> None:
        message = codec.decode(stored.data)
        if isinstance(message, ANSWERS):
            await answers.put(message)

    for kind in ANSWERS:
        await bus.client.subscribe(catalogue.BY_KIND[kind].filter, cb=hear)
    await bus.client.flush()
    began = time.perf_counter_ns()
    await _store(bus, command)
    wanted = {caused_id(command, kind) for kind in ANSWERS}
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while (answer := await answers.get()).message_id not in wanted:
                pass
    except TimeoutError:
        raise CliError(
            f"the command is stored, but nobody has obeyed it within {ANSWER_SECONDS:g} s: "
            "who is to will when it is back; look at `interlock status`"
        ) from None
    if isinstance(answer, CommandRefused):
        raise RefusedError(answer.code, answer.reason)
    return answer, time.perf_counter_ns() - began


async def _store(bus: BusReader, command: Message) -> None:
    entry = catalogue.entry_of(command)
    try:
        await bus.streams.publish(
            catalogue.subject_of(command),
            codec.encode(command),
            timeout=STORE_SECONDS,
            stream=entry.stream,
            headers={MESSAGE_ID_HEADER: command.message_id},
        )
    except (NatsError, TimeoutError) as error:
        refused = bus.denied.result() if bus.denied.done() else str(error) or "no answer"
        raise CliError(f"the command was not stored ({refused}): try again") from error
