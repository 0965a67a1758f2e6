"""Exec, wired: the only process that talks to a venue."""

from collections.abc import Awaitable, Sequence

from interlock.exec.adapters.choosing import venue_of
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.sending import kept, open_venue, place, turn
from interlock.exec.adapters.standing import Latest, look_again, nothing_stored
from interlock.exec.adapters.switch_file import arm_at_first_start
from interlock.exec.adapters.watch import GATE_BEATS, Silence, Watch
from interlock.exec.config import ExecConfig
from interlock.exec.core import begin, decide, ready
from interlock.exec.ports import (
    AdvanceVenue,
    CancelOrder,
    LookAgain,
    OpenVenue,
    PlaceOrder,
    SignatureVerified,
    VerifySignature,
)
from interlock.exec.state import ExecState, evolve
from interlock.model.desk import DeskConfig
from interlock.runtime.clock import Clock
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.signing import VerifiesOrders, load_verifier
from interlock.venues.port import Venue
from interlock.wire.base import Effect, Report
from interlock.wire.build import build_of
from interlock.wire.catalogue import EXEC
from interlock.wire.signing import canonical_bytes


def build(
    desk: DeskConfig,
    venue: Venue,
    verifier: VerifiesOrders,
    clock: Clock,
    switch: KillSwitch | None = None,
    latest: Latest = nothing_stored,
) -> Service[ExecState]:
    """Return the service. Without a `switch` it has one that lives as long as the process.

    `latest` reads back the last messages of some kinds from the bus.
    """
    held = KillSwitch(venue) if switch is None else switch

    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        match effect:
            case VerifySignature(order=order):
                genuine = verifier.verify(canonical_bytes(order), order.signature)
                return [SignatureVerified(order=order, genuine=genuine)]
            case LookAgain():
                return look_again(latest, effect)
            case PlaceOrder(order=order):
                return kept(held, place(venue, held, order, clock.now()))
            case CancelOrder(client_order_id=name):
                return kept(held, venue.cancel(name))
            case AdvanceVenue(event=event):
                return kept(held, venue.advance(event))
            case OpenVenue():
                return open_venue(venue, held, effect)
            case _:
                return turn(held, effect)

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


async def assemble(process: Process) -> Parts[ExecState]:
    desk, state = process.desk_file.desk, process.settings.state
    config = process.desk_file.section(EXEC, ExecConfig)
    venue = venue_of(desk, config, process.desk_file.section)
    verifier = load_verifier(state / "secrets")
    arm_at_first_start(state)
    switch = KillSwitch(venue, state)
    silence = await _silence(process, config)

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    watch = Watch(switch=switch, report=tell, silence=silence)
    service = build(desk, venue, verifier, process.clock, switch, process.bus.latest)
    return Parts(service=service, work=watch.run)


async def _silence(process: Process, config: ExecConfig) -> Silence | None:
    """Listen to the gate's heartbeat; none in one process, where both live and die together."""
    if not process.settings.nats_url:
        return None
    silence = Silence(config.gate_silence_seconds, config.gate_start_seconds)
    await process.bus.listen(GATE_BEATS, lambda _: silence.hear())
    return silence


def main() -> None:
    run(EXEC, assemble)
