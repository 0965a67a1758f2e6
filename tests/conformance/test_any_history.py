"""Any history at all: intents, fills in any order, lost answers, deaths, halts, a store that goes.

A machine does one thing after another to a desk of policy, gate and exec, and after each the
invariants are looked at by somebody who trusts none of the three (`tests.conformance.watch`).
"""

from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from interlock.model.values import OrderType, Side, TimeInForce
from interlock.runtime.service import Step
from interlock.venues.port import VenueReport
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import OrderIntent, Protection
from msgspec.structs import replace

from tests.conformance.venue import Manner
from tests.conformance.world import ROOMS, World, open_world

NAMES = ("SPY", "AAPL", "BTC/USD", "BTC-USD", "XBTUSD")
ROOM = st.sampled_from(ROOMS)
NAME = st.sampled_from(NAMES)
SIDE = st.sampled_from(Side)
ANY = st.integers(0, 200)
EXAMPLES, STEPS = 500, 50
"""At least so many; `--hypothesis-profile nightly` asks for more."""


class AnyHistory(RuleBasedStateMachine):
    """A desk, and everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = open_world()
        self.asked: list[OrderIntent] = []
        self.untold: list[VenueReport] = []
        self.told: list[VenueReport] = []

    # A strategy asks.

    @rule(name=NAME, side=SIDE, quantity=st.integers(1, 30), stop=st.sampled_from([None, 2]))
    def ask_on_a_fresh_market(self, name: str, side: Side, quantity: int, stop: int | None) -> None:
        self.world.market()
        protection = None if stop is None else Protection(stop=Decimal(stop))
        self._ask(instrument_id=name, side=side, quantity=Decimal(quantity), protection=protection)

    @rule(
        name=NAME,
        side=SIDE,
        quantity=st.integers(1, 30),
        fills=st.integers(1, 30),
        stop=st.sampled_from([None, 2]),
    )
    def ask_and_trade(
        self, name: str, side: Side, quantity: int, fills: int, stop: int | None
    ) -> None:
        self.ask_on_a_fresh_market(name, side, quantity, stop)
        for resting in list(self.world.venue.book):
            if resting not in self.world.venue.book:
                continue  # Replaced by what protects another quantity.
            self._trade(resting, fills)
            self._tell(len(self.untold) - 1, keep=False)

    @rule(name=NAME, side=SIDE, quantity=st.integers(1, 45))
    def ask_to_reduce(self, name: str, side: Side, quantity: int) -> None:
        self._ask(instrument_id=name, side=side, quantity=Decimal(quantity), reduce_only=True)

    @rule(
        name=NAME,
        side=SIDE,
        quantity=st.integers(1, 45),
        limit=st.sampled_from(["99.9", "100", "100.1", "101.5"]),
        version=st.sampled_from([0, 0, 0, -1, 1]),
    )
    def ask_with_a_limit(
        self, name: str, side: Side, quantity: int, limit: str, version: int
    ) -> None:
        price = Decimal(limit) * Decimal(str(self.world.price)) / 100
        self._ask(
            instrument_id=name, side=side, quantity=Decimal(quantity),
            order_type=OrderType.LIMIT, limit_price=price.quantize(Decimal("0.01")),
            policy_version=self.world.version + version,
        )  # fmt: skip

    def _ask(self, **fields: Any) -> None:
        intent = self.world.intent(**fields)
        self.asked.append(intent)
        self.world.ask(intent)

    @precondition(lambda self: self.asked)
    @rule(which=ANY, another_message=st.booleans(), time_in_force=st.sampled_from(TimeInForce))
    def ask_again(self, which: int, another_message: bool, time_in_force: TimeInForce) -> None:
        intent = self.asked[which % len(self.asked)]
        if another_message:
            self.world.number += 1
            intent = replace(
                intent, message_id=f"again-{self.world.number}", time_in_force=time_in_force
            )
        self.world.publish(intent)

    # A venue answers.

    @rule(manner=st.sampled_from(Manner))
    def next_answer(self, manner: Manner) -> None:
        self.world.venue.manner = manner

    @precondition(lambda self: self.world.venue.book)
    @rule(which=ANY, most=st.integers(1, 45))
    def trade(self, which: int, most: int) -> None:
        """Trade at the venue; nobody has been told yet."""
        names = list(self.world.venue.book)
        self._trade(names[which % len(names)], most)

    def _trade(self, name: str, most: int) -> None:
        price = Decimal(str(self.world.price))
        self.untold.append(self.world.venue.fill(name, most, price))

    @precondition(lambda self: self.untold)
    @rule(which=ANY, keep=st.booleans())
    def tell(self, which: int, keep: bool) -> None:
        """Tell exec of a trade or a cancel, in any order; `keep` it to be told again."""
        self._tell(which, keep=keep)

    def _tell(self, which: int, *, keep: bool) -> None:
        report = self.untold.pop(which % len(self.untold))
        self.told.append(report)
        if keep:
            self.untold.append(report)
        self.world.hear(EXEC, report)

    @precondition(lambda self: self.told)
    @rule(which=ANY)
    def tell_again(self, which: int) -> None:
        self.world.hear(EXEC, self.told[which % len(self.told)])

    @precondition(lambda self: self.world.venue.book)
    @rule(which=ANY)
    def cancel_at_the_venue(self, which: int) -> None:
        """End an order at the venue. A trade before it may be told after it."""
        names = list(self.world.venue.book)
        name = names[which % len(names)]
        self.untold += self.world.venue.cancel(name)

    # Rooms die, are held up, and hear things twice.

    @rule(name=ROOM, unacknowledged=st.integers(0, 3))
    def restart(self, name: str, unacknowledged: int) -> None:
        self.world.restart(name, unacknowledged)

    @rule(steps=st.integers(1, 8))
    def die_in_the_next_reaction(self, steps: int) -> None:
        """Let whoever works next die after so many steps, with the last one done."""
        left = steps

        def crash(step: Step) -> bool:
            del step
            nonlocal left
            left -= 1
            return left <= 0

        self.world.crash = crash

    @rule(name=ROOM, for_long=st.booleans())
    def hold_up(self, name: str, for_long: bool) -> None:
        """Let a room hear everything late; held up for long, what was approved has expired."""
        self.world.hold_up(name)
        if for_long:
            self.world.market()
            self._ask(quantity=Decimal(1))
            self.world.sleep(3)
            self.world.let_go(name)

    @rule(store_too=st.booleans())
    def all_is_well(self, store_too: bool) -> None:
        """Let everybody work again, tell what is untold, and have a person resume."""
        if store_too:
            self.world.store_up()
        for name in ROOMS:
            self.world.let_go(name)
        while self.untold:
            self._tell(0, keep=False)
        self.world.restart(EXEC)
        self.world.resume()
        self.world.market()

    # The store, people, models, the market.

    @rule(down=st.booleans())
    def store(self, down: bool) -> None:
        if down:
            self.world.store_down()
        else:
            self.world.store_up()

    @rule(by=st.sampled_from(["", "policy", "ada", "halt"]))
    def person(self, by: str) -> None:
        """Have somebody resume the desk, or halt it."""
        if by == "halt":
            self.world.halt()
        else:
            self.world.resume(by)

    @rule(value=st.sampled_from([0.9, 1.0, 1.1, 1.2, 2.9, 3.5]))
    def propose(self, value: float) -> None:
        self.world.propose(value)

    @rule(price=st.sampled_from([None, 80.0, 100.0, 125.0, 60.0]))
    def market(self, price: float | None) -> None:
        self.world.sleep(1)
        self.world.market(price)

    @rule(seconds=st.sampled_from([0.5, 1.9, 2.0, 5, 11, 86_400]))
    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)

    @invariant()
    def i1_i2_i3_i4_i6_i7_i9_i11_i12_i14_i15_hold(self) -> None:
        self.world.watch.compare()
        assert not self.world.watch.breaches, self.world.watch.breaches

    def teardown(self) -> None:
        """Let everything come back, and look once more: I5 as well, once all has been counted."""
        self.world.come_back()
        self.world.watch.compare()
        self.world.watch.counted()
        assert not self.world.watch.breaches, self.world.watch.breaches


test_i1_i2_i3_i4_i5_i6_i7_i9_i11_i12_i14_i15_hold_in_any_history = AnyHistory.TestCase
AnyHistory.TestCase.settings = settings(
    max_examples=max(EXAMPLES, settings().max_examples), stateful_step_count=STEPS, deadline=None
)
