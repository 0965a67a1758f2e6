"""Exec, wired: the only process that talks to a venue."""

from collections.abc import Awaitable, Sequence
from inspect import isawaitable

from interlock.exec.config import ExecConfig
from interlock.exec.core import begin, decide
from interlock.exec.ports import (
    AdvanceVenue,
    OpenVenue,
    PlaceOrder,
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
from interlock.venues.port import Venue
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import EXEC
from interlock.wire.signing import canonical_bytes

PAPER = "paper"


def build(
    desk: DeskConfig, venue: Venue, verifier: VerifiesOrders, clock: Clock
) -> Service[ExecState]:
    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        match effect:
            case VerifySignature(order=order):
                genuine = verifier.verify(canonical_bytes(order), order.signature)
                return [SignatureVerified(order=order, genuine=genuine)]
            case PlaceOrder(order=order):
                return venue.place(order, clock.now())
            case AdvanceVenue(event=event):
                return venue.advance(event)
            case OpenVenue():
                return _open(venue, effect)
            case _:
                raise NotImplementedError(type(effect).__name__)

    state = ExecState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        key_id=verifier.key_id,
        read_only=desk.read_only,
    )
    return Service(
        name=EXEC, state=state, evolve=evolve, decide=decide, begin=begin, perform=perform
    )


async def _open(venue: Venue, effect: OpenVenue) -> Sequence[Report]:
    book = venue.open(effect.orders, effect.positions, effect.trade_ids)
    return [VenueOpened(book=await book if isawaitable(book) else book)]


def venue_of(desk: DeskConfig, config: ExecConfig) -> Venue:
    """Return the desk's venue; raise `ConfigError` for one nobody has an adapter for."""
    if desk.venue != PAPER:
        raise ConfigError(f"there is no venue {desk.venue!r}: known is {PAPER}")
    return PaperVenue(config.paper, {one.instrument_id: one for one in desk.instruments})


async def assemble(process: Process) -> Parts[ExecState]:
    desk = process.desk_file.desk
    venue = venue_of(desk, process.desk_file.section(EXEC, ExecConfig))
    verifier = load_verifier(process.settings.state / "secrets")
    return Parts(service=build(desk, venue, verifier, process.clock))


def main() -> None:
    run(EXEC, assemble)
