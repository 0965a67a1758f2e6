"""Exec, wired: the only process that talks to a venue."""

from collections.abc import Awaitable, Sequence

from interlock.exec.adapters.asking import Asking
from interlock.exec.adapters.choosing import venue_of
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.sending import at_venue, open_venue, turn
from interlock.exec.adapters.standing import Latest, look_again, nothing_stored
from interlock.exec.adapters.venue_link import VenueLink, both
from interlock.exec.adapters.watch import GATE_BEATS, Silence, Watch
from interlock.exec.config import USUAL_CONFIG, ExecConfig
from interlock.exec.core import begin, decide, ready
from interlock.exec.ports import (
    AdvanceVenue,
    CancelOrder,
    CheckGuards,
    GuardsDue,
    LookAgain,
    LookUp,
    OpenVenue,
    PlaceOrder,
    PlaceProtection,
    PriceSeen,
    SignatureVerified,
    VerifySignature,
    WatchPrice,
)
from interlock.exec.state import ExecState, evolve
from interlock.model.desk import DeskConfig
from interlock.runtime.clock import Clock
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.signing import VerifiesOrders, load_verifier
from interlock.runtime.switch_file import arm_at_first_start
from interlock.venues.port import Venue
from interlock.venues.registry import PAPER
from interlock.wire.base import Effect, Report
from interlock.wire.build import build_of
from interlock.wire.catalogue import EXEC
from interlock.wire.signing import canonical_bytes

type Reports = Sequence[Report] | Awaitable[Sequence[Report]]


def build(
    desk: DeskConfig,
    venue: Venue,
    verifier: VerifiesOrders,
    clock: Clock,
    config: ExecConfig = USUAL_CONFIG,
    switch: KillSwitch | None = None,
    latest: Latest = nothing_stored,
    asking: Asking | None = None,
) -> Service[ExecState]:
    """Return the service. Without a `switch` it has one that lives as long as the process.

    `latest` reads back the last messages of some kinds from the bus. Without `asking` a venue that
    does not answer at once is waited for.
    """
    held = KillSwitch(venue) if switch is None else switch
    asks = Asking(held.hear) if asking is None else asking

    def perform(effect: Effect) -> Reports:
        match effect:
            case VerifySignature(order=order):
                genuine = verifier.verify(canonical_bytes(order), order.signature)
                return [SignatureVerified(order=order, genuine=genuine)]
            case LookAgain():
                return look_again(latest, effect)
            case CheckGuards(instrument_id=name):
                return [GuardsDue(instrument_id=name)]
            case WatchPrice(event=event):
                return [PriceSeen(event=event)]
            case OpenVenue():
                return open_venue(venue, held, asks, effect)
            case PlaceOrder() | PlaceProtection() | CancelOrder() | LookUp() | AdvanceVenue():
                return at_venue(venue, held, asks, effect, clock.now())
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
        simulated=desk.venue == PAPER,
        keeps=venue.keeps,
        instruments={one.instrument_id: one for one in desk.instruments},
        tolerance=config.tolerance,
        max_clock_offset_ns=config.max_clock_offset_ms * 1_000_000,
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
    read = None if process.settings.replay else process.desk_file.section
    venue = venue_of(desk, config, read)
    verifier = load_verifier(state / "secrets")
    arm_at_first_start(state)
    switch = KillSwitch(venue, state)
    silence = await _silence(process, config)

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    asking = Asking(switch.hear, None if desk.venue == PAPER else tell)
    latest = process.bus.latest
    service = build(desk, venue, verifier, process.clock, config, switch, latest, asking)
    process.closers += [venue.close, asking.close]
    watch = Watch(switch=switch, report=tell, silence=silence)
    if desk.venue == PAPER:
        return Parts(service=service, work=watch.run)
    return Parts(service=service, work=both(watch.run, VenueLink(venue, switch, tell).run))


async def _silence(process: Process, config: ExecConfig) -> Silence | None:
    """Listen to the gate's heartbeat; none in one process, where both live and die together."""
    if not process.settings.nats_url:
        return None
    silence = Silence(config.gate_silence_seconds, config.gate_start_seconds)
    await process.bus.listen(GATE_BEATS, lambda _: silence.hear())
    return silence


def main() -> None:
    run(EXEC, assemble)
