"""Which records of the rules are believed, and that counting in one process is exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.counting import Counted, total
from interlock.runtime.rules_records import sign_rules
from interlock.runtime.seal import Seal
from interlock.runtime.stores.rules import MemoryRulesStore, Saved
from interlock.testkit.cells import finish
from interlock.testkit.decisions import policy, trading
from interlock.testkit.desk_messages import DESK
from interlock.testkit.rules import reader, signed, store_of
from interlock.wire.codec import encode
from msgspec.structs import replace

STANDING = finish(store_of(policy(3), trading(epoch=2)).read(DESK))


def believed(**changed):
    return reader().read(replace(STANDING, **changed))


def test_what_stands_is_believed_and_the_same_bytes_are_believed_again():
    reads = reader()
    for _ in range(2):
        answer = reads.read(STANDING)
        assert (answer.version, answer.epoch, answer.error) == (3, 2, "")


def test_an_empty_store_is_believed_to_be_empty():
    answer = believed(version=None, policy=None, epoch=None, trading=None)
    assert (answer.version, answer.epoch, answer.error) == (None, None, "")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"policy": None}, "the policy in the policy store has no record"),
        ({"trading": None}, "the trading state in the policy store has no record"),
        ({"version": None}, "is fenced by no number, its record says 3"),
        ({"version": b"2"}, "is fenced by '2', its record says 3"),
        ({"version": b"03"}, "is fenced by '03', its record says 3"),
        ({"epoch": b"\xff"}, "its record says 2"),
        ({"policy": b""}, "is unreadable"),
        ({"policy": b"{}"}, "is unreadable"),
        ({"policy": STANDING.trading}, "is fenced by '3', its record says 2"),
        ({"policy": STANDING.trading, "version": b"2"}, "in the place of the other"),
        ({"policy": encode(policy(3))}, "is signed with key ''"),
        ({"policy": encode(sign_rules(policy(3), Seal()))}, "has a bad signature"),
        ({"policy": encode(replace(signed(policy(3)), desk="crypto"))}, "is of desk 'crypto'"),
        ({"policy": encode(replace(signed(policy(3)), signature="AAAA"))}, "bad signature"),
        ({"policy": encode(replace(signed(policy(3)), key_id="else"))}, "signed with key 'else'"),
        ({"trading": encode(replace(signed(trading()), epoch=2))}, "bad signature"),
        ({"policy": STANDING.policy[:-1] + b',"more":1}'}, "holds more than was signed"),
    ],
)
def test_i9_a_record_that_is_not_what_policy_signed_is_named_and_not_believed(changed, why):
    answer = believed(**changed)
    assert (answer.version, answer.epoch) == (None, None)
    assert why in answer.error
    assert "\n" not in answer.error


@given(st.integers(0), st.integers(0, 255))
def test_i9_no_flipped_byte_of_a_record_goes_unnoticed(place, value):
    record = bytearray(STANDING.trading)
    place %= len(record)
    was, record[place] = record[place], value
    answer = believed(trading=bytes(record))
    assert answer.error or value == was


def test_i9_a_record_that_was_believed_is_not_believed_once_it_is_changed():
    reads = reader()
    assert not reads.read(STANDING).error
    broken = STANDING.policy.replace(b'"version":3', b'"version":4')
    assert "bad signature" in reads.read(replace(STANDING, policy=broken, version=b"4")).error


NAMES = st.sampled_from([f"intent-{n}" for n in range(8)])
COUNTED = st.builds(
    lambda member, amount: Counted(member=member, amounts={"approvals": 1, "micros": amount}),
    NAMES, st.integers(0, 10**18),
)  # fmt: skip


@given(st.lists(st.tuples(st.lists(COUNTED, max_size=4), st.integers(1, 3), st.booleans())))
def test_i14_whatever_is_counted_again_or_too_late_the_sums_are_exact(steps):
    """A step counts some things under an epoch, after the standing epoch has grown or not."""
    store, standing, first = MemoryRulesStore(), 0, dict[str, Counted]()
    for things, epoch, grows in steps:
        if grows:
            standing += 1
            assert finish(store.save(trading(epoch=standing))) is Saved.TAKEN
        taken = finish(store.count(DESK, "day", things, epoch=epoch))
        assert taken == (epoch >= standing)
        if taken:
            for one in things:
                first.setdefault(one.member, one)
        assert finish(store.read(DESK, "day")).counts == total(first)
