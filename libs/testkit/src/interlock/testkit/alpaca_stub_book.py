"""What the Alpaca stub's account holds: orders, executions, positions and cash."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

ZERO = Decimal(0)
_OPEN = frozenset({"new", "accepted", "partially_filled", "pending_cancel"})
_TIME_FIELDS = ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at", "hwm", "legs")

type Fields = dict[str, Any]


def now_text(ahead_seconds: float = 0.0) -> str:
    at = datetime.now(UTC) + timedelta(seconds=ahead_seconds)
    return at.isoformat().replace("+00:00", "Z")


class RefusedByBook(Exception):  # noqa: N818 - an answer of the stub, no failure of it
    """What the stub will not take, as HTTP status, code and words of the real one."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Fields = {"code": code, "message": message}


@dataclass(slots=True, kw_only=True)
class StubOrder:
    """An order at the stub."""

    client_order_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    time_in_force: str
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    order_id: str = field(default_factory=lambda: str(uuid4()))
    filled: Decimal = ZERO
    value: Decimal = ZERO
    status: str = "new"
    at: str = field(default_factory=now_text)

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.filled

    def body(self) -> Fields:
        """Return the order as Alpaca writes it."""
        average = self.value / self.filled if self.filled else None
        return {
            "id": self.order_id,
            "client_order_id": self.client_order_id,
            "created_at": self.at,
            "updated_at": now_text(),
            "submitted_at": self.at,
            **dict.fromkeys(_TIME_FIELDS),
            "replaced_by": None,
            "replaces": None,
            "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
            "symbol": self.symbol,
            "asset_class": "us_equity",
            "notional": None,
            "qty": str(self.quantity),
            "filled_qty": str(self.filled),
            "filled_avg_price": None if average is None else f"{average:.6f}",
            "order_class": "",
            "order_type": self.kind,
            "type": self.kind,
            "side": self.side,
            "time_in_force": self.time_in_force,
            "limit_price": _text(self.limit_price),
            "stop_price": _text(self.stop_price),
            "trail_price": _text(self.trail_price),
            "trail_percent": None,
            "status": self.status,
            "extended_hours": False,
        }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


@dataclass(slots=True)
class StubBook:
    """One account. `prices` is the last price of each symbol that has one."""

    cash: Decimal = Decimal(100_000)
    positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    orders: dict[str, StubOrder] = field(default_factory=dict[str, StubOrder])
    executions: list[Fields] = field(default_factory=list[Fields])
    prices: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    unknown: set[str] = field(default_factory=set[str])
    halted: set[str] = field(default_factory=set[str])
    closed: bool = False

    def add(self, body: Fields) -> StubOrder:
        """Take an order, or raise `RefusedByBook` in Alpaca's words."""
        order = StubOrder(
            client_order_id=body.get("client_order_id") or str(uuid4()),
            symbol=body["symbol"],
            side=body["side"],
            kind=body["type"],
            quantity=Decimal(str(body["qty"])),
            time_in_force=body["time_in_force"],
            limit_price=_number(body, "limit_price"),
            stop_price=_number(body, "stop_price"),
            trail_price=_number(body, "trail_price"),
        )
        self._judge(order)
        self.orders[order.client_order_id] = order
        return order

    def by_id(self, order_id: str) -> StubOrder | None:
        return next((each for each in self.orders.values() if each.order_id == order_id), None)

    def fill(self, order: StubOrder, quantity: Decimal, price: Decimal) -> Fields:
        """Trade a part of an order; return the event that tells of it."""
        order.filled += quantity
        order.value += quantity * price
        order.status = "filled" if order.leaves <= ZERO else "partially_filled"
        sign = 1 if order.side == "buy" else -1
        self.positions[order.symbol] = self.positions.get(order.symbol, ZERO) + sign * quantity
        self.cash -= sign * quantity * price
        kind = "fill" if order.status == "filled" else "partial_fill"
        at = now_text()
        self.executions.append(
            {
                "id": f"{datetime.now(UTC):%Y%m%d%H%M%S%f}::{uuid4()}",
                "activity_type": "FILL",
                "transaction_time": at,
                "type": kind,
                "price": str(price),
                "qty": str(quantity),
                "side": order.side,
                "symbol": order.symbol,
                "leaves_qty": str(order.leaves),
                "order_id": order.order_id,
                "cum_qty": str(order.filled),
                "order_status": order.status,
            }
        )
        return event(
            kind,
            order,
            timestamp=at,
            price=str(price),
            qty=str(quantity),
            position_qty=str(self.positions[order.symbol]),
        )

    def end(self, order: StubOrder, status: str) -> Fields:
        order.status = status
        return event(status, order)

    def position_bodies(self) -> list[Fields]:
        return [
            {
                "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
                "symbol": symbol.replace("/", ""),
                "exchange": "NASDAQ",
                "asset_class": "us_equity",
                "avg_entry_price": "100.0",
                "qty": str(quantity),
                "qty_available": str(abs(quantity) - self._held(symbol, quantity)),
                "side": "long" if quantity > ZERO else "short",
                "market_value": str(quantity * self.prices.get(symbol, Decimal(100))),
                "cost_basis": "0",
            }
            for symbol, quantity in self.positions.items()
            if quantity
        ]

    def triggered(self, symbol: str, price: Decimal) -> Iterator[StubOrder]:
        """Yield the open orders that would trade at a price."""
        for order in list(self.orders.values()):
            if order.is_open and order.symbol == symbol and _reaches(order, price):
                yield order

    def _judge(self, order: StubOrder) -> None:
        if order.client_order_id in self.orders:
            raise RefusedByBook(422, 40010001, "client_order_id must be unique")
        if order.symbol in self.unknown:
            raise RefusedByBook(422, 42210000, f'asset "{order.symbol}" not found')
        if order.symbol in self.halted:
            raise RefusedByBook(422, 42210000, f"asset {order.symbol} is not tradable: halted")
        if self.closed and order.time_in_force == "ioc":
            raise RefusedByBook(422, 42210000, "market is closed")
        if order.limit_price is not None and order.limit_price != round(order.limit_price, 2):
            raise RefusedByBook(
                422,
                42210000,
                f"invalid limit_price {order.limit_price}. sub-penny increment does not fulfill"
                " minimum pricing criteria",
            )
        self._judge_money(order)

    def _judge_money(self, order: StubOrder) -> None:
        held = self.positions.get(order.symbol, ZERO)
        closing = held > ZERO if order.side == "sell" else held < ZERO
        if closing:
            # A share can be promised to one closing order only.
            available = abs(held) - self._held(order.symbol, held)
            if order.quantity > available:
                raise RefusedByBook(
                    403,
                    40310000,
                    f"insufficient qty available for order (requested: {order.quantity},"
                    f" available: {available})",
                )
        elif order.side == "buy":
            price = order.limit_price or self.prices.get(order.symbol, ZERO)
            if price * order.quantity > self.cash:
                raise RefusedByBook(403, 40310000, "insufficient buying power")

    def _held(self, symbol: str, position: Decimal) -> Decimal:
        side = "sell" if position > ZERO else "buy"
        return sum(
            (
                each.leaves
                for each in self.orders.values()
                if each.is_open and each.symbol == symbol and each.side == side
            ),
            ZERO,
        )


def event(kind: str, order: StubOrder, **more: Any) -> Fields:
    """Return an event of the stream of order events."""
    return {
        "stream": "trade_updates",
        "data": {
            "event": kind,
            "execution_id": str(uuid4()),
            "order": order.body(),
            "timestamp": now_text(),
            **more,
        },
    }


def _number(body: Fields, name: str) -> Decimal | None:
    return None if body.get(name) is None else Decimal(str(body[name]))


def _reaches(order: StubOrder, price: Decimal) -> bool:
    buys = order.side == "buy"
    match order.kind:
        case "market":
            return True
        case "limit":
            assert order.limit_price is not None
            return price <= order.limit_price if buys else price >= order.limit_price
        case "stop":
            assert order.stop_price is not None
            return price >= order.stop_price if buys else price <= order.stop_price
        case _:
            return False
