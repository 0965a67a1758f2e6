"""Attacks on what the desk remembers: halts, counters, marks, the store, the switch's files."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.runtime.switch_file import KILL_FILE, SWITCH_FILE, write_kill_file
from interlock.wire import codec
from interlock.wire.catalogue import EXEC, GATE, POLICY
from interlock.wire.orders import OrderRefused
from interlock.wire.parameters import BUCKET_CAP_PREFIX
from interlock.wire.policy import CommandRefused, ProposalJudged, TradingStateChanged
from msgspec.structs import replace

from tests.conformance.attack import Attack, in_folder, order, told
from tests.conformance.world import LIMITS, PARAMETER, World, codes, open_world

DAY = 86_400
CAP = f"{BUCKET_CAP_PREFIX}core"


def _configured(**changed: Any) -> Callable[[], World]:
    return lambda: open_world(gate={**LIMITS, **changed})


def _next_moment(world: World) -> None:
    world.sleep(1)
    world.market()


def _halt_and(*rooms: str) -> Callable[[World], None]:
    def halted(world: World) -> None:
        world.halt()
        for room in rooms:
            world.restart(room)
        _next_moment(world)

    return halted


def halts() -> list[Attack]:
    name = "gate restart in HALTED"
    stopped = ("state.trading", "state.switch")
    return [
        order(name, "the gate alone", *stopped, attack=_halt_and(GATE)),
        order(name, "policy, which could begin anew", *stopped, attack=_halt_and(POLICY)),
        order(name, "exec, which holds the switch", *stopped, attack=_halt_and(EXEC)),
        order(name, "all three of them", *stopped, attack=_halt_and(POLICY, GATE, EXEC)),
        order("approval lost or auto-granted at restart", "a resume by nobody", *stopped,
              attack=_resumed_by("")),
        order("approval lost or auto-granted at restart", "a resume by the policy itself",
              *stopped, attack=_resumed_by("policy")),
        order("approval lost or auto-granted at restart", "a restart is no resume", *stopped,
              attack=_halt_and(POLICY, GATE, POLICY)),
    ]  # fmt: skip


def _resumed_by(who: str) -> Callable[[World], None]:
    def resumed(world: World) -> None:
        world.halt()
        world.resume(who)
        assert [one.code for one in _said(world, CommandRefused)] == ["command.unnamed"]
        _next_moment(world)

    return resumed


def _said[M](world: World, kind: type[M]) -> list[M]:
    return [one for one in world.log if isinstance(one, kind)]


def clocks() -> list[Attack]:
    name = "clock jump backwards over midnight"
    return [
        order(name, "the day's notional does not begin anew", "cash.day",
              world=_configured(max_day_notional=Decimal(4_500)), attack=_spend_and_jump),
        order(name, "nor the day's loss", "loss.day", attack=_lose_and_jump),
        order(name, "and the orders of the last minute still count", "rate.minute",
              world=_configured(max_orders_per_minute=2), attack=_ask_and_jump),
    ]  # fmt: skip


def _jump(world: World) -> None:
    """Go back over midnight, tick there, and come back; prices are fresh again."""
    world.sleep(-DAY)
    world.tick()
    world.sleep(DAY + 1)
    world.market()


def _spend_and_jump(world: World) -> None:
    assert not codes(world.ask(world.intent(quantity=Decimal(40))))
    _jump(world)


def _ask_and_jump(world: World) -> None:
    for name in ("SPY", "AAPL"):
        assert not codes(world.ask(world.intent(instrument_id=name)))
    world.sleep(-7_200)
    world.tick()
    world.sleep(7_200)
    world.market()


def _fall(world: World, price: float = 60.0) -> None:
    """Hold 50 SPY at 100 and let the price fall: 2,000 of 30,000 are lost, and nothing is sold."""
    for size in (40, 10):
        assert not codes(world.ask(world.intent(quantity=Decimal(size))))
    for name in list(world.venue.book):
        world.hear(EXEC, world.venue.fill(name, 40, Decimal(100)))
    world.sleep(1)
    world.market(price)


def _lose_and_jump(world: World) -> None:
    _fall(world)
    _jump(world)


def losses() -> list[Attack]:
    open_trades = "drawdown computed on closed trades only"
    marks = "high-water mark forgotten after it fired"
    lenient = _configured(max_daily_loss_pct=Decimal(100), max_weekly_loss_pct=Decimal(100),
                          max_drawdown_5d_pct=Decimal(5))  # fmt: skip
    weekly = _configured(max_daily_loss_pct=Decimal(100), max_drawdown_5d_pct=Decimal(100),
                         max_weekly_loss_pct=Decimal(5))  # fmt: skip
    return [
        order(open_trades, "the day's loss, nothing sold", "loss.day", attack=_fall),
        order(open_trades, "the week's", "loss.week", world=weekly, attack=_fall),
        order(open_trades, "the five-day drawdown", "loss.drawdown", world=lenient, attack=_fall),
        order(marks, "it fired, and is asked again", "loss.drawdown", "state.trading",
              world=lenient, attack=_fire_and()),
        order(marks, "after a restart of the gate", "loss.drawdown", "state.trading",
              world=lenient, attack=_fire_and(GATE)),
        order(marks, "after a restart of everybody", "loss.drawdown", "state.trading",
              world=lenient, attack=_fire_and(POLICY, GATE, EXEC)),
        order(marks, "on the next day", "loss.drawdown", "state.trading", world=lenient,
              attack=_fire_and_sleep),
        order(marks, "the price comes back: a person has to look", "state.trading", world=lenient,
              attack=_fire_and_recover, honest={"instrument_id": "AAPL"}),
    ]  # fmt: skip


def _fire_and(*rooms: str) -> Callable[[World], None]:
    def fired(world: World) -> None:
        _fall(world)
        assert "loss.drawdown" in codes(world.ask(world.intent()))
        for room in rooms:
            world.restart(room)

    return fired


def _fire_and_sleep(world: World) -> None:
    _fire_and()(world)
    world.sleep(DAY)
    world.market(60.0)


def _fire_and_recover(world: World) -> None:
    _fire_and()(world)
    world.sleep(1)
    world.market(100.0)


def stores() -> list[Attack]:
    down, counter = "store down during the check", "error in a counter treated as zero"
    lost, files = "approval lost or auto-granted at restart", "deleting the halt or state file"
    return [
        order(down, "nothing answers", "state.policy_store", attack=World.store_down),
        order(down, "and the gate restarts", "state.policy_store", attack=_down_and_restart),
        order(counter, "the day's counter is deleted", "state.counters", attack=_no_counter),
        order(counter, "the day's counter is set back to zero", "state.counters",
              attack=_zero_counter),
        order(counter, "the day's counter is too high", "state.counters", attack=_high_counter),
        order(files, "the record of the rules is deleted", "state.policy_store",
              attack=_no_record),
        order(files, "the record of the rules is an older one", "state.policy_store",
              attack=_old_record),
        order(files, "the record of the rules is another's work", "state.policy_store",
              attack=_forged_record),
        order(lost, "policy forgets its history while halted", "state.trading", "state.switch",
              attack=_forgotten),
    ]  # fmt: skip


def _down_and_restart(world: World) -> None:
    world.store_down()
    world.restart(GATE)


def _approve_one(world: World) -> None:
    assert not codes(world.ask(world.intent()))
    # The approval is counted with the next question.
    assert not codes(world.ask(world.intent(instrument_id="AAPL")))
    assert not codes(world.ask(world.intent(instrument_id="AAPL", quantity=Decimal(1))))


def _no_counter(world: World) -> None:
    _approve_one(world)
    world.store._counts.clear()
    world.store._members.clear()


def _zero_counter(world: World) -> None:
    _approve_one(world)
    for counts in world.store._counts.values():
        counts.update(dict.fromkeys(counts, 0))


def _high_counter(world: World) -> None:
    _approve_one(world)
    for counts in world.store._counts.values():
        counts.update({name: amount + 1 for name, amount in counts.items()})


def _no_record(world: World) -> None:
    world.store._rules.clear()


def _old_record(world: World) -> None:
    """Put back what stood before the last trading state: validly signed, and too old."""
    old = _said(world, TradingStateChanged)[0]
    key = world.desk.name, TradingStateChanged
    world.store._rules[key] = (old, codec.encode(old))


def _forged_record(world: World) -> None:
    key = world.desk.name, TradingStateChanged
    genuine, _ = world.store._rules[key]
    forged = replace(genuine, reason="forged")
    world.store._rules[key] = (forged, codec.encode(forged))


def _forgotten(world: World) -> None:
    """Halt, then start policy on an empty history, as after the loss of its stream."""
    world.halt()
    world.rooms[POLICY].past.clear()
    world.rooms[POLICY].waiting.clear()
    world.restart(POLICY)
    _next_moment(world)


def models() -> list[Attack]:
    name = "model raising its own size"
    return [
        _proposal(name, "a limit of the gate by its name", "unknown_parameter",
                  parameter="max_order_notional", proposed=1e9),
        _proposal(name, "a cap of a bucket", "unknown_parameter", parameter=CAP,
                  proposed=1e9),
        _proposal(name, "a value past the hard limit", "out_of_bounds", proposed=3.1),
        _proposal(name, "a step that is too large", "step_too_large", proposed=1.3),
        order(name, "a claim the desk has no limit for", "edge.p_win", p_win=0.99),
        order(name, "a cap that policy may set, past the configured one", "position.bucket",
              world=_with_cap, fair=_with_cap, attack=_raise_cap, instrument_id="BTC/USD",
              quantity=Decimal(10)),
        order(name, "a size past the limit, however sure it is", "size.quantity",
              "size.notional", "position.notional", quantity=Decimal(51),
              reasons=["conviction 100"]),
    ]  # fmt: skip


def _proposal(name: str, how: str, *expected: str, **changed: Any) -> Attack:
    def judged(**fields: Any) -> str:
        world = open_world()
        world.publish(world.account())
        world.publish(replace(world.proposal(1.1), **fields))
        return str(_said(world, ProposalJudged)[-1].verdict)

    def control() -> str:
        verdict = judged()
        return "approved" if verdict == "accepted" else verdict

    return Attack(name=name, how=how, expected=expected, run=lambda: [judged(**changed)],
                  control=control)  # fmt: skip


def _with_cap() -> World:
    """A desk whose model may set the bucket's cap from 1 to 1,000 percent, in large steps."""
    limits = ParameterLimits(initial=20.0, lower=1.0, upper=1_000.0, max_step=1_000.0)
    base = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)
    policy = PolicyConfig(parameters={PARAMETER: base, CAP: limits}, max_accept_rate=1.0,
                          max_accepted_in_window=1_000)  # fmt: skip
    core = replace(LIMITS["buckets"]["core"], max_gross_pct=Decimal(21))
    return open_world(gate={**LIMITS, "buckets": {"core": core}}, policy=policy)


def _raise_cap(world: World) -> None:
    world.publish(world.account())
    world.publish(replace(world.proposal(1_000.0), parameter=CAP))
    assert str(_said(world, ProposalJudged)[-1].verdict) == "accepted"
    assert not codes(world.ask(world.intent(quantity=Decimal(40))))
    assert not codes(world.ask(world.intent(instrument_id="AAPL", quantity=Decimal(20))))


def kills() -> list[Attack]:
    name = "kill that cancels paper orders only"
    return [
        Attack(name=name, how="every order the venue has is cancelled", expected=("0 open",),
               run=lambda: _open_after_kill(foreign=False), control=_control_of_kill),
        Attack(name=name, how="also one that is none of ours", expected=("0 open",),
               run=lambda: _open_after_kill(foreign=True), control=_control_of_kill),
    ]  # fmt: skip


def _open_after_kill(*, foreign: bool) -> Sequence[str]:
    world = open_world()
    for name in ("SPY", "AAPL", "BTC/USD"):
        assert not codes(world.ask(world.intent(instrument_id=name)))
    if foreign:
        (first, *_) = world.venue.book.values()
        world.venue.book["somebody-elses"] = first
        world.restart(EXEC)
    world.halt()
    return [f"{len(world.venue.book)} open"]


def _control_of_kill() -> str:
    """Without the kill the orders rest where they are."""
    world = open_world()
    for name in ("SPY", "AAPL", "BTC/USD"):
        assert not codes(world.ask(world.intent(instrument_id=name)))
    return "approved" if len(world.venue.book) == 3 else f"{len(world.venue.book)} open"


def files() -> list[Attack]:
    name = "deleting the halt or state file"
    pressed = ("kill_switch",)
    return [
        _file(name, "switch.json is deleted", *pressed, attack=_delete),
        _file(name, "switch.json is empty", *pressed, attack=_write(b"")),
        _file(name, "switch.json says armed, after a halt", *pressed, attack=_halt_and_arm),
        _file(name, "switch.json has one flipped byte", *pressed, attack=_flip),
        _file(name, "KILL_SWITCH is put there and taken away", *pressed, attack=_touch),
        _file(name, "KILL_SWITCH is a folder", *pressed, attack=_folder),
    ]  # fmt: skip


def _file(name: str, how: str, *expected: str, attack: Callable[[World, Path], None]) -> Attack:
    def sent(folder: Path, *, attacked: bool) -> Sequence[str]:
        (folder / "journal").mkdir()
        world = open_world(folder=folder)
        # From now on a desk has run here.
        (folder / "journal" / "journal.jsonl").touch()
        if attacked:
            attack(world, folder)
        world.restart(EXEC)
        world.publish(world.signed())
        refused = [one.code for one in _said(world, OrderRefused)]
        return refused or [f"{len(world.venue.placed)} sent"]

    def control() -> str:
        got = in_folder(lambda folder: sent(folder, attacked=False))
        return "approved" if got == ["1 sent"] else told(got)

    return Attack(
        name=name, how=how, expected=expected,
        run=lambda: in_folder(lambda folder: sent(folder, attacked=True)), control=control,
    )  # fmt: skip


def _delete(world: World, folder: Path) -> None:
    del world
    (folder / SWITCH_FILE).unlink()


def _write(body: bytes) -> Callable[[World, Path], None]:
    return lambda _, folder: (folder / SWITCH_FILE).write_bytes(body) and None


def _flip(world: World, folder: Path) -> None:
    del world
    body = bytearray((folder / SWITCH_FILE).read_bytes())
    body[len(body) // 2] ^= 0x80
    (folder / SWITCH_FILE).write_bytes(body)


def _halt_and_arm(world: World, folder: Path) -> None:
    armed = (folder / SWITCH_FILE).read_bytes()
    world.halt()
    assert (folder / SWITCH_FILE).read_bytes() != armed
    (folder / SWITCH_FILE).write_bytes(armed)


def _touch(world: World, folder: Path) -> None:
    write_kill_file(folder, "smoke", "ada")
    world.see_files()
    (folder / KILL_FILE).unlink()


def _folder(world: World, folder: Path) -> None:
    (folder / KILL_FILE).mkdir()
    world.see_files()


ATTACKS = [
    *clocks(), *halts(), *stores(), *losses(), *kills(), *models(), *files(),
]  # fmt: skip
