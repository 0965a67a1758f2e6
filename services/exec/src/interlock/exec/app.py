"""Exec, wired: the only process that talks to a venue."""

from collections.abc import Awaitable, Sequence
from inspect import isawaitable

from interlock.exec.adapters.kill_switch import KillSwitch, never_sent
from interlock.exec.adapters.switch_file import arm_at_first_start
from interlock.exec.adapters.watch import GATE_BEATS, Silence, Watch
from interlock.exec.config import ExecConfig
from interlock.exec.core import begin, decide, ready
from interlock.exec.ports import (
    AdvanceVenue,
    ArmSwitch,
    CancelOrder,
    OpenVenue,
    PlaceOrder,
    PressSwitch,
    RestoreSwitch,
    SignatureVerified,
    VenueOpened,
    VerifySignature,
)
from interlock.exec.state import ExecState, evolve
from interlock.model.desk import DeskConfig
from interlock.runtime.clock import Clock
from interlock.runtime.config import ConfigError
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.signing import VerifiesOrders, load_verifier
from interlock.venues.paper import PaperVenue
from interlock.venues.port import Reports, Venue, VenueReport
from interlock.wire.base import Effect, Report
from interlock.wire.build import build_of
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import SubmitOrder
from interlock.wire.signing import canonical_bytes

PAPER = "paper"


def build(
    desk: DeskConfig,
    venue: Venue,
    verifier: VerifiesOrders,
    clock: Clock,
    switch: KillSwitch | None = None,
) -> Service[ExecState]:
    """Return the service. Without a `switch` it has one that lives as long as the process."""
    held = KillSwitch(venue) if switch is None else switch

    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        match effect:
            case VerifySignature(order=order):
                genuine = verifier.verify(canonical_bytes(order), order.signature)
                return [SignatureVerified(order=order, genuine=genuine)]
            case PlaceOrder(order=order):
                return _kept(held, _place(venue, held, order, clock.now()))
            case CancelOrder(client_order_id=name):
                return _kept(held, venue.cancel(name))
            case AdvanceVenue(event=event):
                return _kept(held, venue.advance(event))
            case OpenVenue():
                return _open(venue, held, effect)
            case _:
                return _switch(held, effect)

    state = ExecState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        key_id=verifier.key_id,
        read_only=desk.read_only,
        mode=desk.mode,
        build=build_of(),
    )
    return Service(
        name=EXEC,
        state=state,
        evolve=evolve,
        decide=decide,
        ready=ready,
        begin=begin,
        perform=perform,
    )


def _place(venue: Venue, switch: KillSwitch, order: SubmitOrder, now: int) -> Reports:
    """Send `order`, unless the switch is pressed: it is asked last of all.

    What may be at the venue from an earlier life is cancelled there instead.
    """
    known = order.client_order_id in switch.orders
    if switch.may_send(order):
        return venue.place(order, now)
    return venue.cancel(order.client_order_id) if known else [never_sent(order)]


def _kept(switch: KillSwitch, reports: Reports) -> Reports:
    """Let the switch know which orders have ended."""
    if isawaitable(reports):
        return _kept_later(switch, reports)
    switch.orders.hear(reports)
    return reports


async def _kept_later(
    switch: KillSwitch, reports: Awaitable[Sequence[VenueReport]]
) -> Sequence[VenueReport]:
    answered = await reports
    switch.orders.hear(answered)
    return answered


async def _open(venue: Venue, switch: KillSwitch, effect: OpenVenue) -> Sequence[Report]:
    opened = venue.open(effect.orders, effect.positions, effect.trade_ids)
    book = await opened if isawaitable(opened) else opened
    switch.orders.remember(effect.orders, effect.trade_ids)
    switch.orders.add_foreign(book.leaves)
    return [VenueOpened(book=book)]


def _switch(switch: KillSwitch, effect: Effect) -> Awaitable[Sequence[Report]]:
    match effect:
        case PressSwitch(way=way, by=by, reason=reason):
            return switch.press(way, by, reason)
        case ArmSwitch(by=by, reason=reason, by_person=by_person):
            return switch.arm(by, reason, by_person=by_person)
        case RestoreSwitch(pressed_at=pressed_at):
            return switch.restore(pressed_at)
        case _:
            raise NotImplementedError(type(effect).__name__)


def venue_of(desk: DeskConfig, config: ExecConfig) -> Venue:
    """Return the desk's venue; raise `ConfigError` for one nobody has an adapter for."""
    if desk.venue != PAPER:
        raise ConfigError(f"there is no venue {desk.venue!r}: known is {PAPER}")
    return PaperVenue(config.paper, {one.instrument_id: one for one in desk.instruments})


async def assemble(process: Process) -> Parts[ExecState]:
    desk, state = process.desk_file.desk, process.settings.state
    config = process.desk_file.section(EXEC, ExecConfig)
    venue = venue_of(desk, config)
    verifier = load_verifier(state / "secrets")
    arm_at_first_start(state)
    switch = KillSwitch(venue, state)
    silence = await _silence(process, config)

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    watch = Watch(switch=switch, report=tell, silence=silence)
    return Parts(service=build(desk, venue, verifier, process.clock, switch), work=watch.run)


async def _silence(process: Process, config: ExecConfig) -> Silence | None:
    """Listen to the gate's heartbeat; none in one process, where both live and die together."""
    if not process.settings.nats_url:
        return None
    silence = Silence(config.gate_silence_seconds, config.gate_start_seconds)
    await process.bus.listen(GATE_BEATS, lambda _: silence.hear())
    return silence


def main() -> None:
    run(EXEC, assemble)
