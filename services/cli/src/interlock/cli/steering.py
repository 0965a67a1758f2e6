"""A person's commands to a running desk: sent as the operator, and answered by the policy service.

Theory of operation. A command is stored on the bus before it is answered, so it is not lost where
the policy service is away: it will obey when it is back. Its answer is the change of the trading
state that derives from the command's id, so that nobody else's change is taken for it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from interlock.cli.bus_reader import BusReader, reading
from interlock.cli.errors import CliError
from interlock.cli.run_record import running
from interlock.cli.state_folder import StateFolder
from interlock.runtime.bus.port import MESSAGE_ID_HEADER
from interlock.wire import catalogue, codec, subjects
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.market import ClockTicked
from interlock.wire.policy import HaltTrading, ResumeTrading, TradingStateChanged

STORE_SECONDS = 2.0
ANSWER_SECONDS = 5.0

type Command = HaltTrading | ResumeTrading


@dataclass(frozen=True, kw_only=True, slots=True)
class Obeyed:
    """The desk's answer, and how long it took from sending to hearing it."""

    change: TradingStateChanged
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


async def steer(state: StateFolder, command_at: Callable[[str, int], Command]) -> Obeyed:
    """Send a command to the running desk and wait for what it brings about.

    Parameters
    ----------
    state
        The state folder of the running desk.
    command_at
        Makes the command, given the desk and the moment on the desk's clock.

    Raises
    ------
    CliError
        When no desk runs there, its bus cannot be reached, or nobody answers.
    """
    record = running(state)
    if "nats" not in record.servers:
        raise CliError(
            f"desk {record.desk} runs in one process and hears no commands: stop it with "
            f"`interlock down --state {state.root}`"
        )
    async with reading(state, record) as bus:
        command = command_at(record.desk, await _moment(bus, record.desk))
        return await _sent(bus, command)


async def _moment(bus: BusReader, desk: str) -> int:
    """Return the time on the desk's clock.

    The machine's would throw a replay's clocks forward: they follow the latest moment heard. Where
    no cadence has passed yet, zero moves none of them.
    """
    entry = catalogue.BY_KIND[ClockTicked]
    assert entry.stream is not None
    subject = entry.pattern.format(desk=subjects.token(desk))
    try:
        last = await bus.streams.get_last_msg(entry.stream, subject)
    except NotFoundError:
        return 0
    return codec.decode(last.data or b"").ts_event


async def _sent(bus: BusReader, command: Command) -> Obeyed:
    changes: asyncio.Queue[TradingStateChanged] = asyncio.Queue()

    async def hear(stored: Msg) -> None:
        message = codec.decode(stored.data)
        if isinstance(message, TradingStateChanged):
            await changes.put(message)

    await bus.client.subscribe(catalogue.BY_KIND[TradingStateChanged].filter, cb=hear)
    await bus.client.flush()
    began = time.perf_counter_ns()
    await _store(bus, command)
    wanted = caused_id(command, TradingStateChanged)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while (change := await changes.get()).message_id != wanted:
                pass
    except TimeoutError:
        raise CliError(
            f"the command is stored, but policy has not obeyed it within {ANSWER_SECONDS:g} s: "
            "it will when it is back; look at `interlock status`"
        ) from None
    return Obeyed(change=change, latency_ns=time.perf_counter_ns() - began)


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
