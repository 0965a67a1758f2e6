"""Runs a service's cell without a loop: each reaction to its end, or to where a crash cuts it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from inspect import iscoroutine
from typing import Any

from interlock.runtime.service import Cell, Perform, Reaction, Service, Step
from interlock.wire.base import Effect, Message, Report
from interlock.wire.orders import GateHeard

type Performer = Callable[[Effect], Sequence[Report] | Awaitable[Sequence[Report]]]
type Crash = Callable[[Step], bool]


class CrashError(Exception):
    """The process ended here."""


def cell_of[S](service: Service[S]) -> Cell[S]:
    return Cell(service, service.state)


def react[S](cell: Cell[S], message: Message, now: int) -> list[Message]:
    """Return what the service says to `message`; what a gate lists as heard has its own tests."""
    said = drive(cell.react(message, now), cell.service.perform)
    return [one for one in said if not isinstance(one, GateHeard)]


def begin[S](cell: Cell[S], now: int) -> list[Message]:
    """Return what the service says at its start."""
    return drive(cell.begin(now), cell.service.perform)


def drive(
    reaction: Reaction,
    perform: Performer,
    *,
    said: list[Message] | None = None,
    before: Crash | None = None,
    after: Crash | None = None,
) -> list[Message]:
    """Carry out a reaction and return what it published, in order.

    `said` is filled as it goes. `before` and `after` say where the process dies: instead of a
    step, or with the step done and nobody told.

    Raises
    ------
    CrashError
        Where `before` or `after` say so.
    """
    published: list[Message] = [] if said is None else said
    reports: Sequence[Report] | None = None
    while True:
        try:
            step = reaction.send(reports)
        except StopIteration:
            return published
        if before is not None and before(step):
            raise CrashError
        reports = _carry_out(step, perform, published)
        if after is not None and after(step):
            raise CrashError


def _carry_out(step: Step, perform: Performer, said: list[Message]) -> Sequence[Report] | None:
    if not isinstance(step, Perform):
        said.extend(step.messages)
        return None
    result = perform(step.effect)
    return finish(result) if iscoroutine(result) else result  # type: ignore[return-value]


def finish[T](work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise AssertionError("the coroutine waited for something")
