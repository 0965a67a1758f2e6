"""The kill switch: what a press does, what it survives, and who may take it back."""

import asyncio
from decimal import Decimal

import pytest
from interlock.exec.adapters import cancelling, kill_switch
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.ports import NEVER_SENT, PlaceOrder, SwitchMoved
from interlock.model.trading import Way
from interlock.model.values import Side, TradingState
from interlock.runtime.service import Perform
from interlock.runtime.switch_file import (
    SWITCH_FILE,
    Switch,
    SwitchState,
    read_switch,
    remove_kill_file,
    write_kill_file,
    write_switch,
)
from interlock.testkit.decisions import trading, venue_bar, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.venues.port import VenueAccepted, VenueBook, VenueCanceled, VenueFilled
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    OrderSubmitted,
    OrderUnknown,
    ReconciliationCompleted,
)
from interlock.wire.system import AlertRaised, SwitchChanged
from msgspec.structs import replace

from tests.unit.exec.desk_with_switch import (
    Exec,
    answer,
    halt,
    halted,
    name_of,
    resume,
    signed,
)


def kinds(said):
    return [type(message) for message in said]


async def pressed_by(way, exec_):
    """Press the switch by `way`, as it is pressed in life, and return what exec says."""
    match way:
        case Way.COMMAND:
            return await exec_.hear(halt())
        case Way.RULE:
            return await exec_.hear(halted(epoch=2))
        case _:
            return await exec_.told(await exec_.switch.press(way, "somebody", "why not"))


WAYS = [Way.FILE, Way.COMMAND, Way.RULE, Way.SILENCE]


@pytest.fixture
async def desk(tmp_path):
    return await Exec(tmp_path).active()


# One effect, whatever the way.


@pytest.mark.parametrize("way", WAYS)
async def test_i7_every_way_cancels_what_is_open_blocks_what_comes_and_raises_an_alert(desk, way):
    for n in (1, 2, 3):
        assert kinds(await desk.order(n)) == [OrderSubmitted, OrderAccepted]
    said = await pressed_by(way, desk)
    assert kinds(said) == [SwitchChanged, AlertRaised, *[OrderCanceled] * 3]
    assert {message.client_order_id for message in said[2:]} == {name_of(n) for n in (1, 2, 3)}
    assert desk.venue.advance(wide_bar(9)) == []
    changed, alert = said[:2]
    assert (changed.pressed, changed.way, changed.cancelled) == (True, way, 3)
    assert alert.severity == "critical"
    assert alert.code == "kill_switch.pressed"
    (refused,) = await desk.order(4, epoch=desk.cell.state.epoch)
    assert (type(refused), refused.code) == (OrderRefused, "kill_switch")


@pytest.mark.parametrize("way", WAYS)
async def test_i7_the_file_says_what_happened(desk, way):
    await desk.order()
    await pressed_by(way, desk)
    kept = read_switch(desk.folder)
    assert kept == desk.switch.standing
    assert (kept.pressed, kept.way, kept.cancelled, kept.left) == (True, way, 1, 0)
    assert 0 < kept.last_submit_at <= kept.seen_at <= kept.cancelled_at


async def test_a_second_press_changes_nothing(desk):
    await desk.hear(halt(1, by="ann"))
    before = read_switch(desk.folder)
    assert await desk.hear(halt(2, by="bob")) == []
    assert await desk.told(await desk.switch.press(Way.FILE, "eve", "me too")) == []
    assert read_switch(desk.folder) == before


async def test_a_press_with_nothing_open_is_a_press(desk):
    said = await desk.hear(halt())
    assert kinds(said) == [SwitchChanged, AlertRaised]
    assert read_switch(desk.folder).cancelled_at > 0


# The moment before the venue call.


async def test_i7_an_order_whose_row_is_written_is_not_sent_after_the_press(desk):
    async def press_before_placing(step):
        if isinstance(step, Perform) and isinstance(step.effect, PlaceOrder):
            await desk.switch.press(Way.FILE, "file", "now")

    said = await desk.hear(signed(), SECOND, press_before_placing)
    assert kinds(said) == [OrderSubmitted, OrderCanceled]
    assert said[-1].reason == NEVER_SENT
    assert desk.venue.advance(wide_bar(9)) == []
    assert desk.cell.state.orders == {}
    assert read_switch(desk.folder).last_submit_at == 0


async def test_i9_what_reduces_passes_a_pressed_switch_and_is_not_swept_away(desk):
    await desk.order(1, limit_price=None)
    await desk.hear(venue_bar(wide_bar(2)), 2 * SECOND)
    held = desk.cell.state.positions["SPY"]
    await desk.hear(halt())
    submits = read_switch(desk.folder).last_submit_at
    said = await desk.order(3, side=Side.SELL, reduce_only=True, quantity=held)
    assert kinds(said) == [OrderSubmitted, OrderAccepted]
    assert await desk.switch.sweep() == ()
    assert name_of(3) in desk.switch.orders
    assert desk.switch._last_submit_at == submits


# A venue that takes its time.


class SlowVenue:
    """Answers a cancel after a while, or never, or with a fill."""

    def __init__(self, answers=None, patience=0.0):
        self.asked, self.at_once, self.most_at_once = [], 0, 0
        self.answers, self.patience = answers or {}, patience

    keeps = frozenset()
    cancels_per_second = None
    cancels_all = False

    def look_up(self, _client_order_id):
        return ()

    def open(self, _orders, _positions, _trade_ids):
        return VenueBook(leaves={}, positions={})

    def place(self, order, _now):
        return [VenueAccepted(client_order_id=order.client_order_id, venue_order_id="v")]

    def advance(self, _event):
        return ()

    async def cancel(self, name):
        self.asked.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.patience)
        self.at_once -= 1
        said = self.answers.get(name, [])
        what = said.pop(0) if said else "gone"
        if isinstance(what, Exception):
            raise what
        if what == "gone":
            return [VenueCanceled(client_order_id=name, reason="cancelled")]
        return what


async def test_many_cancels_are_under_way_at_once_and_not_too_many(tmp_path):
    venue = SlowVenue(patience=0.001)
    desk = await Exec(tmp_path, venue).active()
    for n in range(1, 101):
        await desk.order(n)
    await desk.hear(halt())
    assert len(venue.asked) == 100
    assert venue.most_at_once == cancelling.CANCELS_AT_A_TIME
    assert read_switch(tmp_path).cancelled == 100


async def test_i12_a_cancel_without_an_answer_is_asked_for_again_and_assumed_by_nobody(tmp_path):
    venue = SlowVenue({name_of(1): [OSError("504"), ()]})
    desk = await Exec(tmp_path, venue).active()
    await desk.order(1)
    await desk.order(2)
    said = await desk.hear(halt())
    assert [message.client_order_id for message in said[2:]] == [name_of(2)]
    kept = read_switch(tmp_path)
    assert (kept.left, kept.cancelled, kept.cancelled_at) == (1, 1, 0)
    assert await desk.switch.sweep() == []
    assert name_of(1) in desk.cell.state.orders
    (canceled,) = await desk.told(await desk.switch.sweep())
    assert canceled.client_order_id == name_of(1)
    kept = read_switch(tmp_path)
    assert (kept.left, kept.cancelled) == (0, 2)
    assert kept.cancelled_at > kept.seen_at


async def test_i13_an_order_that_fills_while_it_is_cancelled_is_filled(tmp_path):
    filled = VenueFilled(
        client_order_id=name_of(1), venue_order_id="v", trade_id="t",
        quantity=Decimal(10), price=Decimal(95), fee=Decimal(0),
    )  # fmt: skip
    desk = await Exec(tmp_path, SlowVenue({name_of(1): [[filled]]})).active()
    await desk.order(1)
    said = await desk.hear(halt())
    assert kinds(said) == [SwitchChanged, AlertRaised, OrderFilled]
    assert desk.cell.state.positions == {"SPY": 10}
    kept = read_switch(tmp_path)
    assert (kept.cancelled, kept.left) == (0, 0)


async def test_i12_an_unknown_order_is_cancelled_too(tmp_path):
    venue = SlowVenue()
    desk = await Exec(tmp_path, venue).active()
    await desk.order(1)
    again = desk.die_before(OrderAccepted)
    await again.start()
    assert kinds(await again.hear(signed(1), 99 * SECOND)) == [OrderUnknown]
    assert kinds(await again.hear(halt())) == [SwitchChanged, AlertRaised, OrderCanceled]
    assert venue.asked == [name_of(1)]


async def test_a_cancel_that_never_returns_holds_up_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(cancelling, "CANCEL_SECONDS", 0.02)
    venue = SlowVenue()
    hanging = venue.cancel

    async def cancel(name):
        if name == name_of(1):
            await asyncio.Event().wait()
        return await hanging(name)

    venue.cancel = cancel
    desk = await Exec(tmp_path, venue).active()
    await desk.order(1)
    await desk.order(2)
    await desk.hear(halt())
    assert (read_switch(tmp_path).cancelled, read_switch(tmp_path).left) == (1, 1)


# Who may take it back.


@pytest.mark.parametrize("way", [Way.FILE, Way.COMMAND, Way.SILENCE])
async def test_i8_only_the_answer_to_a_persons_resume_arms_again(desk, way):
    await pressed_by(way, desk)
    assert await desk.hear(trading(epoch=5)) == []
    assert desk.switch.pressed
    person = resume()
    await desk.hear(person)
    assert desk.switch.pressed
    (armed,) = await desk.hear(answer(person, 6))
    assert (armed.pressed, armed.by, armed.reason) == (False, "bob", "calm again")
    kept = read_switch(desk.folder)
    assert (kept.pressed, kept.way, kept.by) == (False, Way.COMMAND, "bob")
    assert kinds(await desk.order(7, epoch=6)) == [OrderSubmitted, OrderAccepted]


async def test_what_a_rule_pressed_its_rule_takes_back(desk):
    await desk.hear(halted(epoch=2))
    (armed,) = await desk.hear(trading(epoch=3))
    assert not armed.pressed
    assert not read_switch(desk.folder).pressed


@pytest.mark.parametrize("way", [Way.FILE, Way.COMMAND, Way.SILENCE])
async def test_i8_a_press_by_a_rule_gives_way_to_one_that_only_a_person_takes_back(desk, way):
    await desk.hear(halted(epoch=2))
    await pressed_by(way, desk)
    await desk.hear(trading(epoch=3))
    assert read_switch(desk.folder).way == way
    assert desk.switch.pressed


async def test_i8_a_resume_from_before_the_press_does_not_count(desk):
    person = resume()
    await desk.hear(person)
    await desk.hear(halt())
    assert await desk.hear(answer(person, 6)) == []
    assert desk.switch.pressed


async def test_i8_a_resume_in_nobodys_name_does_not_count(desk):
    await desk.hear(halt())
    nobody = resume(by=" ")
    await desk.hear(nobody)
    await desk.hear(answer(nobody, 6))
    assert desk.switch.pressed


async def test_a_person_who_resumes_on_a_kill_day_is_obeyed_the_next_day(desk):
    await desk.hear(halt())
    person = resume()
    await desk.hear(person)
    await desk.hear(replace(answer(person, 6), state=TradingState.HALTED))
    assert desk.switch.pressed
    (armed,) = await desk.hear(trading(epoch=7))
    assert (armed.pressed, armed.by) == (False, "bob")


async def test_i8_a_resume_counts_once(desk):
    write_kill_file(desk.folder, "too hot", "ann")
    await pressed_by(Way.FILE, desk)
    person = resume()
    await desk.hear(person)
    await desk.hear(answer(person, 6))
    remove_kill_file(desk.folder)
    await desk.hear(trading(epoch=7))
    assert desk.switch.pressed


async def test_i14_an_answer_of_an_older_epoch_does_not_arm(desk):
    await desk.hear(halt())
    await desk.hear(halted(epoch=7))
    person = resume()
    await desk.hear(person)
    await desk.hear(answer(person, 6))
    assert desk.switch.pressed


async def test_i7_while_the_file_is_there_nobody_arms(desk):
    write_kill_file(desk.folder, "too hot", "ann")
    await pressed_by(Way.FILE, desk)
    person = resume()
    await desk.hear(person)
    assert await desk.hear(answer(person, 6)) == []
    remove_kill_file(desk.folder)
    assert desk.switch.pressed
    await desk.hear(again := resume(2))
    await desk.hear(answer(again, 7))
    assert not desk.switch.pressed


# Death and what is found afterwards.


@pytest.mark.parametrize("way", WAYS)
async def test_i7_a_press_outlives_exec(desk, way):
    await desk.order()
    await pressed_by(way, desk)
    again = desk.die()
    assert kinds(await again.start()) == [ReconciliationCompleted]
    assert again.switch.pressed
    (refused,) = await again.order(2, epoch=again.cell.state.epoch)
    assert refused.code == "kill_switch"


async def test_i7_a_press_that_was_never_said_is_said_and_cancels_after_the_restart(desk):
    """Exec dies with the bus away: the venue and the disk know, the journal does not."""
    await desk.order(1)
    await desk.order(2)
    await desk.switch.press(Way.FILE, "file", "now")
    again = desk.die(venue=Exec(desk.folder).venue)
    said = await again.start()
    assert kinds(said) == [
        ReconciliationCompleted,
        SwitchChanged,
        AlertRaised,
        *[OrderCanceled] * 2,
    ]
    assert again.venue.advance(wide_bar(9)) == []
    assert again.cell.state.orders == {}


@pytest.mark.parametrize("body", [None, b"", b"{}", b"rubbish"])
async def test_i7_a_switch_that_is_lost_while_exec_is_down_is_pressed(desk, body):
    await desk.order()
    (desk.folder / "journal").mkdir()
    (desk.folder / "journal" / "journal.jsonl").write_text("")
    file = desk.folder / SWITCH_FILE
    file.unlink()
    if body is not None:
        file.write_bytes(body)
    again = desk.die(venue=Exec(desk.folder).venue)
    said = await again.start()
    assert kinds(said) == [ReconciliationCompleted, SwitchChanged, AlertRaised, OrderCanceled]
    assert "switch.json" in said[1].reason
    assert read_switch(desk.folder) == again.switch.standing


ARMED = Switch(state=SwitchState.ARMED, way=Way.START, by="", reason="first start", seen_at=1)


async def test_i7_a_file_that_was_armed_behind_execs_back_is_found_out_at_the_start(desk):
    await desk.hear(halt())
    write_switch(desk.folder, ARMED)
    again = desk.die()
    said = await again.start()
    assert kinds(said) == [ReconciliationCompleted, SwitchChanged, AlertRaised]
    assert again.switch.pressed


async def test_a_person_who_resumed_while_nothing_ran_is_believed(desk):
    await desk.hear(halt())
    later = desk.switch.standing.seen_at + 1
    by_person = Switch(
        state=SwitchState.ARMED, way=Way.COMMAND, by="bob", reason="calm", seen_at=later
    )
    write_switch(desk.folder, by_person)
    again = desk.die()
    _, armed = await again.start()
    assert (armed.pressed, armed.by) == (False, "bob")


async def test_i8_a_resume_that_exec_died_in_is_obeyed_once(desk):
    await desk.hear(halt())
    person = resume()
    await desk.hear(person)
    said = await desk.hear(answer(person, 6))
    assert kinds(said) == [SwitchChanged]
    del desk.log[-2:]
    again = desk.die()
    assert kinds(await again.start()) == [ReconciliationCompleted, SwitchChanged]
    assert await again.hear(answer(person, 6)) == []
    await again.hear(halt(2))
    assert await again.hear(answer(person, 6)) == []
    assert again.switch.pressed


async def test_i7_an_order_that_was_under_way_at_death_is_cancelled_at_the_venue(desk):
    """Its row stands and nobody knows whether it was sent: only the venue can tell."""
    await desk.order(1)
    again = desk.die_before(OrderAccepted)
    await again.start()
    await again.hear(halted(epoch=1, cancel_orders=False))
    assert again.cell.state.trading is TradingState.HALTED
    (canceled,) = await again.hear(signed(1), SECOND)
    assert (type(canceled), canceled.reason) == (OrderCanceled, "cancelled")


# The disk.


async def test_a_disk_that_cannot_be_written_keeps_nothing_from_being_cancelled(desk, monkeypatch):
    await desk.order()
    right = kill_switch.write_switch

    def full(_folder, _switch):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kill_switch, "write_switch", full)
    assert kinds(await desk.hear(halt())) == [SwitchChanged, AlertRaised, OrderCanceled]
    person = resume()
    await desk.hear(person)
    await desk.hear(answer(person, 6))
    assert desk.switch.pressed
    assert not read_switch(desk.folder).pressed
    monkeypatch.setattr(kill_switch, "write_switch", right)
    await desk.switch.sweep()
    assert read_switch(desk.folder) == desk.switch.standing


async def test_a_switch_without_a_disk_is_a_switch(tmp_path):
    venue = Exec(tmp_path).venue
    switch = KillSwitch(venue)
    assert switch.may_send(signed())
    venue.place(signed(), 0)
    moved, canceled = await switch.press(Way.RULE, "policy", "loss")
    assert isinstance(moved, SwitchMoved)
    assert isinstance(canceled, VenueCanceled)
    assert not switch.may_send(signed(2))
