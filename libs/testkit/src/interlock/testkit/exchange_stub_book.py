"""The accounts and orders of the stub exchange, in the words of Binance's spot API."""

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
STEP = Decimal("0.00000001")
_ENDED = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def text(value: Decimal) -> str:
    return format(value.quantize(STEP), "f")


@dataclass(slots=True, kw_only=True)
class StubTrade:
    """A fill of a stub order. The fee is in `fee_asset`."""

    trade_id: int
    order_id: int
    symbol: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    time_ms: int


@dataclass(slots=True, kw_only=True)
class StubOrder:
    """An order as the stub exchange keeps it."""

    order_id: int
    client_order_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal
    time_in_force: str
    stop_price: Decimal
    time_ms: int
    status: str = "NEW"
    trades: list[StubTrade] = field(default_factory=list[StubTrade])

    @property
    def filled(self) -> Decimal:
        return sum((trade.quantity for trade in self.trades), ZERO)

    @property
    def cost(self) -> Decimal:
        return sum((trade.quantity * trade.price for trade in self.trades), ZERO)

    @property
    def ended(self) -> bool:
        return self.status in _ENDED

    def body(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "orderId": self.order_id,
            "orderListId": -1,
            "clientOrderId": self.client_order_id,
            "price": text(self.price),
            "origQty": text(self.quantity),
            "executedQty": text(self.filled),
            "cummulativeQuoteQty": text(self.cost),
            "status": self.status,
            "timeInForce": self.time_in_force,
            "type": self.kind,
            "side": self.side,
            "stopPrice": text(self.stop_price),
            "icebergQty": "0.00000000",
            "time": self.time_ms,
            "updateTime": now_ms(),
            "transactTime": self.time_ms,
            "isWorking": True,
            "workingTime": self.time_ms,
            "origQuoteOrderQty": "0.00000000",
            "selfTradePreventionMode": "NONE",
        }

    def placed_body(self) -> dict[str, Any]:
        """Return the answer to an order, of the type FULL."""
        fills = [
            {
                "price": text(trade.price),
                "qty": text(trade.quantity),
                "commission": text(trade.fee),
                "commissionAsset": trade.fee_asset,
                "tradeId": trade.trade_id,
            }
            for trade in self.trades
        ]
        return {**self.body(), "fills": fills}

    def event(self, execution: str, trade: StubTrade | None = None) -> dict[str, Any]:
        """Return an `executionReport`."""
        ended = execution == "CANCELED"
        return {
            "e": "executionReport",
            "E": now_ms(),
            "s": self.symbol,
            "c": f"web-{self.order_id}" if ended else self.client_order_id,
            "S": self.side,
            "o": self.kind,
            "f": self.time_in_force,
            "q": text(self.quantity),
            "p": text(self.price),
            "P": text(self.stop_price),
            "F": "0.00000000",
            "g": -1,
            "C": self.client_order_id if ended else "",
            "x": execution,
            "X": self.status,
            "r": "NONE",
            "i": self.order_id,
            "l": text(trade.quantity if trade else ZERO),
            "z": text(self.filled),
            "L": text(trade.price if trade else ZERO),
            "n": text(trade.fee if trade else ZERO),
            "N": trade.fee_asset if trade else None,
            "T": now_ms(),
            "t": trade.trade_id if trade else -1,
            "w": not self.ended,
            "m": False,
            "O": self.time_ms,
            "Z": text(self.cost),
            "Y": text(trade.quantity * trade.price if trade else ZERO),
            "Q": "0.00000000",
            "V": "NONE",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StubMarket:
    """A spot market. Sizes and prices outside its steps are refused as the exchange does."""

    base: str
    quote: str
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.0001")
    min_notional: Decimal = Decimal(5)

    @property
    def symbol(self) -> str:
        return self.base + self.quote

    def info(self) -> dict[str, Any]:
        kinds = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"]
        return {
            "symbol": self.symbol,
            "status": "TRADING",
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": kinds,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": format(self.tick, "f"),
                    "maxPrice": "1000000.00",
                    "tickSize": format(self.tick, "f"),
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": format(self.lot, "f"),
                    "maxQty": "9000.0",
                    "stepSize": format(self.lot, "f"),
                },
                {
                    "filterType": "NOTIONAL",
                    "minNotional": format(self.min_notional, "f"),
                    "applyMinToMarket": True,
                },
            ],
        }
