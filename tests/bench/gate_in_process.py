"""The gate's decision with all controls, in process: the pure part, and with the signature."""

import time
from collections.abc import Iterator
from decimal import Decimal

from interlock.gate.app import build
from interlock.gate.config import GateConfig
from interlock.gate.ports import OrderSigned, PolicyStoreAnswered, SignOrder
from interlock.gate.rules_store import GateRules
from interlock.gate.state import GateState
from interlock.model.ids import derive_id
from interlock.runtime.rules_records import RulesReader
from interlock.runtime.seal import Seal
from interlock.runtime.service import Service
from interlock.runtime.signing import throwaway_signer
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.wire.orders import OrderFilled, SubmitOrder

from tests.bench.desk import measured_desk
from tests.bench.market_for_gate import NOW, intent, opening
from tests.bench.report import Line, micros, percentile

DECISIONS = 20_000
RATE_TARGET = 40_000
P50_TARGET, P99_TARGET = 25e-6, 60e-6


def measure() -> Iterator[Line]:
    pure = sorted(_measure(signing=False))
    rate = len(pure) / sum(pure)
    p50, p99 = percentile(pure, 0.5), percentile(pure, 0.99)
    yield Line(
        what="gate decide, all controls, in process",
        p50=micros(p50),
        p99=micros(p99),
        rate=f"{rate:,.0f}/s",
        target="<= 25 us, <= 60 us, >= 40,000/s",
        met=p50 <= P50_TARGET and p99 <= P99_TARGET and rate >= RATE_TARGET,
    )
    signing = sorted(_measure(signing=True))
    yield Line(
        what="gate decide and sign, in process",
        p50=micros(percentile(signing, 0.5)),
        p99=micros(percentile(signing, 0.99)),
        rate=f"{len(signing) / sum(signing):,.0f}/s",
    )


def _measure(*, signing: bool) -> list[float]:
    file = measured_desk()
    config = file.section("gate", GateConfig)
    reader = RulesReader(desk=file.desk.name, verifier=Seal())
    rules = GateRules(desk=file.desk.name, store=MemoryRulesStore(), reader=reader)
    service = build(file.desk, config, file.config_hash, rules, throwaway_signer())
    state = service.state
    for message in opening(file.desk):
        state = service.evolve(state, message)
    taken: list[float] = []
    for number in range(DECISIONS):
        asked = intent(file.desk, number)
        state = service.evolve(state, asked)
        answer = PolicyStoreAnswered(
            intent=asked, version=1, epoch=1, approvals=len(state.tally.approvals),
            notional_micros=state.tally.notional_micros,
        )  # fmt: skip
        state = service.evolve(state, answer)
        began = time.perf_counter()
        (verdict,) = service.decide(state, answer, NOW)
        assert isinstance(verdict, SignOrder), verdict
        order = _signed(service, verdict) if signing else verdict.order
        taken.append(time.perf_counter() - began)
        state = _filled(service, state, order)
    return taken


def _signed(service: Service[GateState], effect: SignOrder) -> SubmitOrder:
    (report,) = service.perform(effect)
    assert isinstance(report, OrderSigned)
    return report.order


def _filled(service: Service[GateState], state: GateState, order: SubmitOrder) -> GateState:
    fill = OrderFilled(
        message_id=derive_id("fill", order.intent_id), decision_id=order.decision_id, ts_event=NOW,
        desk=order.desk, account=order.account, venue=order.venue,
        client_order_id=order.client_order_id, intent_id=order.intent_id,
        instrument_id=order.instrument_id, venue_order_id="v", trade_id=f"t{order.intent_id}",
        side=order.side, last_qty=order.quantity, last_px=Decimal(100), cum_qty=order.quantity,
        leaves_qty=Decimal(0), avg_px=Decimal(100), fee=Decimal(0),
    )  # fmt: skip
    return service.evolve(service.evolve(state, order), fill)
