"""Whether there is a market price to judge by, and whether the order's price is near it."""

from math import isfinite

from interlock.gate.book import BPS, is_amount
from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import DESK, FIA, RTS6, Control
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.instrument import on_step
from interlock.model.values import ENTRY_TYPES, OrderType
from interlock.wire.orders import ControlFailure


def number(case: Case) -> ControlFailure | None:
    price, kind = case.intent.limit_price, case.intent.order_type
    fits = (price is None) == (kind is OrderType.MARKET) and kind in ENTRY_TYPES
    if fits and (price is None or is_amount(price)):
        return None
    return fail("price.number", price, f"a price above zero for {OrderType.LIMIT}, else none")


def tick(case: Case) -> ControlFailure | None:
    price = case.intent.limit_price
    if price is None or not is_amount(price) or case.instrument is None:
        return None
    if on_step(price, case.instrument.tick):
        return None
    return fail("price.tick", price, f"steps of {case.instrument.tick}")


def reference(case: Case) -> ControlFailure | None:
    if case.reference is not None:
        return None
    known = case.book.references.get(case.name)
    observed = "none" if known is None else known.price
    return fail("price.reference", observed, "a price above zero")


def age(case: Case) -> ControlFailure | None:
    limit = case.config.max_reference_age_seconds
    if limit is None:
        return fail("price.stale", UNKNOWN, NOT_CONFIGURED)
    if case.reference is None:
        return None
    old = case.now - case.reference.ts_event
    if 0 <= old <= limit * NANOS_PER_SECOND:
        return None
    return fail("price.stale", f"{old / NANOS_PER_SECOND:.3f} s", f"0 to {limit} s")


def quality(case: Case) -> ControlFailure | None:
    wrong = case.state.suspect.get(case.name)
    if wrong is None:
        return None
    return fail("price.quality", wrong, "a feed without fault")


def collar(case: Case) -> ControlFailure | None:
    limit = case.config.collar_bps
    if limit is None:
        return fail("price.collar", UNKNOWN, NOT_CONFIGURED)
    if case.reference is None:
        return None
    market = case.reference.price
    for price in (case.intent.limit_price, case.intent.reference_price):
        if price is None:
            continue
        if not is_amount(price):
            return fail("price.collar", price, f"{limit} bps")
        distance = abs(price - market)
        if distance * BPS > limit * market:
            return fail("price.collar", f"{distance / market * BPS:.2f} bps", f"{limit} bps")
    return None


def lowest(case: Case) -> ControlFailure | None:
    limit = None if case.bucket is None else case.bucket.min_price
    if limit is None or case.reference is None or case.reference.price >= limit:
        return None
    return fail("price.lowest", case.reference.price, limit)


def spread(case: Case) -> ControlFailure | None:
    limit = None if case.bucket is None else case.bucket.max_spread_bps
    if limit is None:
        return None
    known = None if case.features is None else case.features.spread_bps
    if known is not None and isfinite(known) and 0 <= known <= limit:
        return None
    return fail("price.spread", UNKNOWN if known is None else f"{known} bps", f"{limit} bps")


def liquidity(case: Case) -> ControlFailure | None:
    limit = None if case.bucket is None else case.bucket.min_adv_notional
    if limit is None:
        return None
    known = None if case.features is None else case.features.adv
    if known is not None and isfinite(known) and known >= limit:
        return None
    return fail("price.liquidity", UNKNOWN if known is None else known, limit)


CONTROLS = (
    Control(
        "price.number",
        "a limit order has a price above zero, a market order none",
        "price",
        RTS6,
        number,
        binds_reducing=True,
    ),
    Control(
        "price.tick",
        "the price is on the instrument's grid",
        "price",
        FIA,
        tick,
        binds_reducing=True,
    ),
    Control("price.reference", "there is a market price", "price", RTS6, reference),
    Control("price.stale", "the market price is fresh", "seconds", FIA, age),
    Control(
        "price.quality",
        "the feed reports no jump, gap, crossed or stale data for it",
        "condition",
        RTS6,
        quality,
    ),
    Control(
        "price.collar",
        "limit price and the strategy's price are near the market",
        "basis points",
        RTS6,
        collar,
    ),
    Control("price.lowest", "it is no cheaper than its bucket allows", "price", DESK, lowest),
    Control(
        "price.spread", "bid and ask are as near as its bucket asks", "basis points", DESK, spread
    ),
    Control(
        "price.liquidity",
        "as much of it is traded a day as its bucket asks",
        "own currency",
        DESK,
        liquidity,
    ),
)
