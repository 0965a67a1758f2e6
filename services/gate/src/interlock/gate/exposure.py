"""What the desk may come to hold and to owe: position, working and unknown orders, worst case.

Theory of operation. Each instrument has a `Line`: what is held, what may still be bought and sold,
and what one unit counts, signed where it moves against its underlying. `high` and `low` are the
line's exposure when every open purchase fills and no sale does, and the other way round; `gross`
is the larger of their sizes. The sums over bucket, sector and desk run along with the lines: a
decision adds one order to sums that are there already. Only `count` changes a line's share in them,
and it takes out exactly what it put in, with a context that does not round.
"""

from dataclasses import dataclass, field
from decimal import Context, Decimal

from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, Side

EXACT = Context(prec=100)
"""A sum that runs along must not round: what was lost would be missing from it for ever."""


@dataclass(slots=True, kw_only=True)
class Line:
    """One instrument.

    Parameters
    ----------
    held
        Signed quantity.
    buying, selling
        What all open orders may still buy and sell.
    orders
        The open orders, by client order id.
    unit
        What one unit adds to the exposure in the account's currency: price, multiplier, delta and
        rate. None where one of them is not known.
    mark
        What one unit is worth: the same without delta, at the last price that was one.
    gross, high, low, worth, claims
        What the line adds to the sums.
    """

    name: str
    bucket: str = ""
    sector: str = ""
    held: Decimal = ZERO
    buying: Decimal = ZERO
    selling: Decimal = ZERO
    orders: dict[str, WorkingOrder] = field(default_factory=dict[str, WorkingOrder])
    unit: Decimal | None = None
    mark: Decimal | None = None
    gross: Decimal = ZERO
    high: Decimal = ZERO
    low: Decimal = ZERO
    worth: Decimal = ZERO
    claims: Decimal = ZERO

    @property
    def is_flat(self) -> bool:
        return not (self.held or self.buying or self.selling)

    def span(self, side: Side, quantity: Decimal, unit: Decimal) -> tuple[Decimal, Decimal]:
        """Return the line's high and low with one more order of `quantity` on `side`."""
        most, least = self.held + self.buying, self.held - self.selling
        if side is Side.BUY:
            most += quantity
        else:
            least -= quantity
        one, other = most * unit, least * unit
        return (one, other) if one >= other else (other, one)


@dataclass(slots=True, kw_only=True)
class Exposures:
    """All lines and their sums, in the account's currency.

    `claims` is what short positions owe, and what they and all open sales may come to owe.
    `unvalued` and `unmarked` name the lines whose exposure, or worth, nobody knows.
    """

    lines: dict[str, Line]
    gross: Decimal = ZERO
    high: Decimal = ZERO
    low: Decimal = ZERO
    worth: Decimal = ZERO
    claims: Decimal = ZERO
    buckets: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    sectors: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    unvalued: dict[str, None] = field(default_factory=dict[str, None])
    unmarked: dict[str, None] = field(default_factory=dict[str, None])

    def line(self, name: str) -> Line:
        """Return the line of an instrument; one the desk does not know has no bucket."""
        line = self.lines.get(name)
        if line is None:
            line = self.lines[name] = Line(name=name)
        return line

    def count(self, line: Line) -> None:
        """Bring the sums up to what the line is now."""
        gross, high, low = _exposure(line)
        worth, claims = _worth(line)
        add = EXACT.add
        if gross != line.gross:
            change = EXACT.subtract(gross, line.gross)
            self.gross = add(self.gross, change)
            self.buckets[line.bucket] = add(self.buckets.get(line.bucket, ZERO), change)
            self.sectors[line.sector] = add(self.sectors.get(line.sector, ZERO), change)
        self.high = add(self.high, EXACT.subtract(high, line.high))
        self.low = add(self.low, EXACT.subtract(low, line.low))
        self.worth = add(self.worth, EXACT.subtract(worth, line.worth))
        self.claims = add(self.claims, EXACT.subtract(claims, line.claims))
        line.gross, line.high, line.low, line.worth, line.claims = gross, high, low, worth, claims
        _note(self.unvalued, line.name, missing=line.unit is None and not line.is_flat)
        _note(self.unmarked, line.name, missing=line.mark is None and bool(line.held))


def _exposure(line: Line) -> tuple[Decimal, Decimal, Decimal]:
    if line.unit is None:
        return ZERO, ZERO, ZERO
    high, low = line.span(Side.BUY, ZERO, line.unit)
    return max(high, -low), high, low


def _worth(line: Line) -> tuple[Decimal, Decimal]:
    """Return what the position is worth, and what it and all open sales claim of the cash."""
    if line.mark is None:
        return ZERO, ZERO
    owed = max(-line.held, ZERO) + max(line.selling - line.held, ZERO)
    return line.held * line.mark, owed * line.mark


def _note(names: dict[str, None], name: str, *, missing: bool) -> None:
    if missing:
        names[name] = None
    else:
        names.pop(name, None)
