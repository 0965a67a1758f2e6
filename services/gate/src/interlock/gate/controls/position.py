"""Exposure: position, all working and unknown orders and this one, worst case on each side."""

from decimal import Decimal

from interlock.gate.book import delta_of, rate_of
from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, closing_room, fail
from interlock.gate.controls.control import DESK, FIA, SEC, Control
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import ZERO, InstrumentKind
from interlock.wire.orders import ControlFailure


def currency(case: Case) -> ControlFailure | None:
    if case.instrument is None:
        return None
    own, account = case.instrument.currency, case.book.currency
    if case.intent.currency != own:
        return fail("position.currency", case.intent.currency or "none", own)
    if own == account:
        return None
    wanted = f"a fresh price of {own}/{account}"
    pair = case.book.instruments.get(f"{own}/{account}")
    if pair is None or rate_of(case.book, case.instrument) is None:
        return fail("position.currency", "no rate", wanted)
    limit = case.config.max_reference_age_seconds
    old = case.now - case.book.references[pair.instrument_id].ts_event
    if limit is None or not 0 <= old <= limit * NANOS_PER_SECOND:
        return fail("position.currency", f"{old / NANOS_PER_SECOND:.3f} s old", wanted)
    if pair.instrument_id in case.state.suspect:
        return fail("position.currency", case.state.suspect[pair.instrument_id], wanted)
    return None


def delta(case: Case) -> ControlFailure | None:
    one = case.instrument
    if one is None or one.kind is not InstrumentKind.OPTION:
        return None
    if delta_of(case.book, one) is None:
        return fail("position.delta", "none", "a delta from -1 to 1")
    if case.line.unit is None:
        return fail("position.delta", f"no price of {one.underlying or 'no underlying'}", "a price")
    return None


def notional(case: Case) -> ControlFailure | None:
    return _within("position.notional", case.gross, case.limits.max_position_notional)


def name(case: Case) -> ControlFailure | None:
    if case.caps is None:
        return None
    return _within("position.name", case.gross, case.caps.name)


def bucket(case: Case) -> ControlFailure | None:
    if case.caps is None:
        return None
    before = case.book.exposures.buckets.get(case.line.bucket, ZERO)
    return _within("position.bucket", _with_it(case, before), case.caps.gross)


def sector(case: Case) -> ControlFailure | None:
    if case.state.caps.buckets is None:
        return None
    before = case.book.exposures.sectors.get(case.line.sector, ZERO)
    return _within("position.sector", _with_it(case, before), case.state.caps.sector)


def gross(case: Case) -> ControlFailure | None:
    limit = case.config.max_gross_notional
    return _within("position.gross", _with_it(case, case.book.exposures.gross), limit)


def gross_share(case: Case) -> ControlFailure | None:
    if case.state.caps.buckets is None:
        return None
    total = _with_it(case, case.book.exposures.gross)
    return _within("position.gross_share", total, case.state.caps.gross)


def net_share(case: Case) -> ControlFailure | None:
    limit, sums = case.state.caps.net, case.book.exposures
    if case.state.caps.buckets is None:
        return None
    if limit is None or case.high is None or case.low is None:
        return _within("position.net_share", None, limit)
    high = sums.high - case.line.high + case.high
    low = sums.low - case.line.low + case.low
    return _within("position.net_share", max(high, -low), limit)


def valued(case: Case) -> ControlFailure | None:
    others = [one for one in case.book.exposures.unvalued if one != case.name]
    if not others:
        return None
    return fail("position.valued", f"{', '.join(others)} without a price", "a price of each")


def reduce_only(case: Case) -> ControlFailure | None:
    if not case.intent.reduce_only or case.quantity is None:
        return None
    room = closing_room(case)
    return None if case.quantity <= room else fail("position.reduce_only", case.quantity, room)


def _with_it(case: Case, before: Decimal) -> Decimal | None:
    return None if case.gross is None else before - case.line.gross + case.gross


def _within(code: str, exposure: Decimal | None, limit: Decimal | None) -> ControlFailure | None:
    """Hold an exposure to its limit; one that has no price was denied for that already."""
    if limit is None:
        return fail(code, UNKNOWN, NOT_CONFIGURED)
    if exposure is None or exposure <= limit:
        return None
    return fail(code, exposure, limit)


CONTROLS = (
    Control(
        "position.currency",
        "the intent's currency is the instrument's, and there is a rate to the account's",
        "currency",
        SEC,
        currency,
    ),
    Control(
        "position.delta",
        "an option's delta and the price of its underlying are known",
        "units",
        DESK,
        delta,
    ),
    Control(
        "position.notional",
        "position, all working orders and this one, in one instrument",
        "currency",
        SEC,
        notional,
    ),
    Control(
        "position.name",
        "the same, as the bucket's share of equity for one name",
        "currency",
        DESK,
        name,
    ),
    Control(
        "position.bucket",
        "the same over its bucket, as the bucket's share of equity",
        "currency",
        DESK,
        bucket,
    ),
    Control(
        "position.sector",
        "the same over its sector, as a share of equity",
        "currency",
        DESK,
        sector,
    ),
    Control(
        "position.gross",
        "the same over the account, long and short added",
        "currency",
        SEC,
        gross,
    ),
    Control(
        "position.gross_share",
        "the same over the desk, as a share of equity",
        "currency",
        DESK,
        gross_share,
    ),
    Control(
        "position.net_share",
        "the same over the desk, long and short set off",
        "currency",
        DESK,
        net_share,
    ),
    Control(
        "position.valued",
        "everything else that is held or ordered has a price",
        "price",
        SEC,
        valued,
    ),
    Control(
        "position.reduce_only",
        "a reduce-only order can only shrink a position",
        "units",
        FIA,
        reduce_only,
        binds_reducing=True,
    ),
)
