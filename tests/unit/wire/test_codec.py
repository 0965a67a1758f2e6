"""Bytes that are no message are named as such, whatever they are; subjects hold no surprises."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from interlock.testkit.decisions import (
    account,
    approved,
    features,
    policy,
    proposal,
    quote,
    reconciled,
    trading,
    wanted,
    wide_bar,
)
from interlock.testkit.desk_messages import accepted, denied, fill, judged, submitted, tick
from interlock.wire import catalogue, subjects
from interlock.wire.codec import UndecodableError, decode, decode_on, encode

MESSAGES = [
    account(1), approved(1), features(1, 2.0), policy(), proposal(1, 1.1), quote(1, 99.0, 101.0),
    reconciled(["one"]), trading(), wanted(1), wide_bar(1), accepted(1), denied(1), fill(1),
    judged(1), submitted(1), tick(1),
]  # fmt: skip
TAGS = sorted(catalogue.BY_TAG)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def attempt(body):
    """Decode: the answer is a message or the one error that a loop expects."""
    try:
        message = decode(body)
    except UndecodableError as error:
        return str(error)
    assert type(message) in catalogue.BY_KIND
    return message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was_sent(message):
    assert decode(encode(message)) == message
    assert json.loads(encode(message))["type"] == message.__struct_config__.tag


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_believed_on_its_own_subject_only(message):
    body, subject = encode(message), catalogue.subject_of(message)
    assert decode_on(subject, body) == message
    with pytest.raises(UndecodableError, match=r"not on doc\.order-intent"):
        decode_on("doc.order-intent.params.elsewhere", body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_undecodable(body):
    attempt(body)


@given(JSON)
def test_any_json_is_a_message_or_undecodable(document):
    attempt(json.dumps(document).encode())


@given(st.sampled_from(TAGS), st.dictionaries(st.text(max_size=12), JSON, max_size=6))
def test_any_body_of_a_known_type_is_a_message_or_undecodable(tag, fields):
    attempt(json.dumps({**fields, "type": tag}).encode())


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_one_field_of_another_kind_is_a_message_or_undecodable(message, data):
    document = json.loads(encode(message))
    name = data.draw(st.sampled_from(sorted(document)))
    attempt(json.dumps({**document, name: data.draw(JSON)}).encode())


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_that_was_cut_short_is_undecodable(message, data):
    body = encode(message)
    assert isinstance(attempt(body[: data.draw(st.integers(0, len(body) - 1))]), str)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"type":' * 200_000,
        b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b',"type":"order.intent.v1"}',
        b'{"type":"order.intent.v1","reasons":' + b"[" * 200_000,
        b'{"type":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
        b'{"type":null}',
        b'{"type":"order.intent.v2"}',
        b'{"type":"order.intent.v1","type":"order.denied.v1"}',
    ],
    ids=range(11),
)
def test_poison_is_undecodable_and_no_crash(body):
    assert isinstance(attempt(body), str)


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        (approved(1), "quantity", "NaN"),
        (approved(1), "quantity", "sNaN"),
        (approved(1), "quantity", "Infinity"),
        (approved(1), "quantity", "0"),
        (approved(1), "quantity", "-1"),
        (approved(1), "limit_price", "NaN"),
        (approved(1), "side", "both"),
        (approved(1), "expires_at", 1.5),
        (fill(1), "last_px", "0"),
        (fill(1), "last_qty", "NaN"),
        (fill(1), "leaves_qty", "-1"),
        (fill(1), "fee", "NaN"),
        (proposal(1, 1.0), "proposed", None),
        (proposal(1, 1.0), "cost_usd", "-1"),
        (wide_bar(1), "close", None),
        (wide_bar(1), "close", "100"),
    ],
)
def test_a_number_that_is_none_does_not_get_in_and_is_named(message, field, value):
    document = {**json.loads(encode(message)), field: value}
    problem = attempt(json.dumps(document).encode())
    assert isinstance(problem, str)
    assert field in problem


def test_a_field_nobody_knows_yet_is_let_through():
    document = {**json.loads(encode(wanted(1))), "added_later": 1}
    assert attempt(json.dumps(document).encode()) == wanted(1)


def test_numbers_keep_every_digit_on_the_wire():
    exact = msgspec.structs.replace(approved(1), limit_price=msgspec.json.decode(
        b'"0.10000000000000000000000000000000000001"', type=type(approved(1).quantity)
    ))  # fmt: skip
    assert str(decode(encode(exact)).limit_price) == "0.10000000000000000000000000000000000001"


@given(st.text())
@example("")
@example("%")
@example("\x00")
@example("a.b")
@example("> *")
def test_any_text_is_one_token(text):
    token = subjects.token(text)
    assert token
    assert not set(token) & set(". *>\t\r\n\x00")
    assert subjects.token(text) == token


TRICKY = st.text(alphabet=st.sampled_from("%02E.a\x00é"), max_size=5)


@given(st.one_of(TRICKY, st.text()), TRICKY)
@example("", "\x00")
@example("%00", "\x00")
@example(".", "%2E")
def test_different_texts_have_different_tokens(one, other):
    assert (subjects.token(one) == subjects.token(other)) is (one == other)


@given(st.text(max_size=5), st.text(max_size=5))
def test_what_is_in_an_id_cannot_move_a_message_to_another_subject(name, intent_id):
    order = approved(1, account=name, intent_id=intent_id)
    subject = catalogue.subject_of(order)
    assert len(subject.split(".")) == 5
    assert subject.startswith("cmd.exec.submit-order.")


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(1, "1s"), (5, "5s"), (60, "1m"), (90, "90s"), (3_600, "1h"), (86_400, "1d")],
)
def test_a_bar_is_named_by_its_length(seconds, name):
    assert subjects.interval(seconds) == name
