"""I10: an acknowledged message that a stream has lost is found, told once, and halts the desk."""

import pytest
from interlock.ledger.stream_watch import (
    CODE,
    Mark,
    StreamWatch,
    WatermarkError,
    load_marks,
    loss,
)
from interlock.runtime.bus.condition import Condition
from interlock.runtime.errors import UnavailableError
from interlock.runtime.loop import Recorded
from interlock.testkit.desk_messages import denied
from interlock.wire.catalogue import Stream
from interlock.wire.system import TripLevel

MARK = Mark(10, "ten")


def condition(**more):
    fields = {"first_sequence": 1, "last_sequence": 12, "deleted": 0, "ack_floor": 10}
    return Condition(**fields | more)


@pytest.mark.parametrize(
    ("mark", "stands"),
    [
        (MARK, condition()),
        (MARK, condition(message_id="ten")),
        (MARK, condition(first_sequence=11)),
        (Mark(), condition(first_sequence=5, last_sequence=4, ack_floor=0)),
        (Mark(10, "ten", 3), condition(deleted=3)),
        (Mark(10), condition(message_id="another")),
    ],
)
def test_i10_a_stream_that_has_all_is_believed(mark, stands):
    assert loss(mark, stands) is None


@pytest.mark.parametrize(
    "stands",
    [
        pytest.param(condition(last_sequence=9), id="it went back"),
        pytest.param(condition(last_sequence=0, first_sequence=0, ack_floor=0), id="it is new"),
        pytest.param(condition(deleted=1), id="it has a hole"),
        pytest.param(condition(ack_floor=13), id="it is behind its own consumer"),
        pytest.param(condition(message_id="other"), id="a sequence was used again"),
        pytest.param(condition(first_sequence=12), id="it begins behind what was written down"),
    ],
)
def test_i10_a_stream_that_lost_something_is_found(stands):
    assert loss(MARK, stands) is not None


class World:
    def __init__(self, folder, marks=None, doubt=""):
        self.stands = condition()
        self.away = False
        self.said = []
        self.watch = StreamWatch(
            path=folder / "streams.json", desk="params", ask=self.ask, say=self.say,
            now=lambda: 7, marks={} if marks is None else marks, doubt=doubt, interval_seconds=60.0,
        )  # fmt: skip

    async def ask(self, _stream, _sequence):
        if self.away:
            raise UnavailableError("away")
        return self.stands

    async def say(self, message):
        self.said.append(message)


async def test_i10_a_loss_trips_a_halt_once_and_names_the_numbers(tmp_path):
    world = World(tmp_path, {Stream.DESK: MARK})
    world.stands = condition(last_sequence=4, ack_floor=4)
    await world.watch.look()
    await world.watch.look()
    (trip,) = world.said
    assert (trip.code, trip.level, trip.service) == (CODE, TripLevel.HALT, "ledger")
    assert (trip.observed, trip.limit) == ("DESK ends at 4", "at least 10")


async def test_a_broker_that_does_not_answer_has_lost_nothing(tmp_path):
    world = World(tmp_path, {Stream.DESK: MARK})
    world.away = True
    await world.watch.look()
    assert world.said == []
    assert world.watch.marks == {Stream.DESK: MARK}


def recorded(sequence, stream=Stream.DESK):
    message = denied(sequence)
    return Recorded(
        stream=stream, subject="evt.order.denied.paper-1", body=b"", message=message,
        sequence=sequence,
    )  # fmt: skip


async def test_i10_the_marks_follow_the_journal_and_outlive_the_process(tmp_path):
    world = World(tmp_path)
    world.watch.notice([recorded(3), recorded(2), recorded(9, Stream.MARKET)])
    await world.watch.save()
    kept = load_marks(tmp_path / "streams.json", journaled=5)
    assert kept == {Stream.DESK: Mark(3, denied(3).message_id)}


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"DESK":{"sequence":"x"}}', b"\xff"])
def test_i10_marks_that_are_gone_or_unreadable_are_a_doubt(tmp_path, content):
    path = tmp_path / "streams.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WatermarkError, match=r"streams\.json"):
        load_marks(path, journaled=1)


def test_a_first_start_has_no_marks(tmp_path):
    assert load_marks(tmp_path / "streams.json", journaled=0) == {}
