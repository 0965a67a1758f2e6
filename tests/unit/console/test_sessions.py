"""Tokens, sessions, and how fast tokens may be guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.console.sessions import NANOS_PER_SECOND, LoginRate, Sessions
from interlock.console.tokens import (
    FIRST_TOKEN_FILE,
    TOKENS_FILE,
    TokenError,
    add_token,
    first_token,
    read_tokens,
    revoke,
)
from interlock.console.views.people import Role

HOUR = 3_600 * NANOS_PER_SECOND


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sessions(folder, clock) -> Sessions:
    return Sessions(folder, hours=12, now_ns=clock)


def test_the_first_start_leaves_one_token_with_every_right(tmp_path):
    path = first_token(tmp_path)
    assert path == tmp_path / FIRST_TOKEN_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    (kept,) = read_tokens(tmp_path)
    assert kept.role is Role.APPROVER
    said = path.read_text()
    assert first_token(tmp_path).read_text() == said, "a later start makes no other"
    assert said.strip() not in (tmp_path / TOKENS_FILE).read_text(), "only the hash is kept"


@pytest.mark.parametrize("name", ["", "  ", "policy", "x" * 61, "a\u202eb", "a\x00"])
def test_a_token_is_a_persons(tmp_path, name):
    with pytest.raises(TokenError):
        add_token(tmp_path, name, Role.VIEWER)


def test_damaged_tokens_let_nobody_in(tmp_path, clock):
    token = add_token(tmp_path, "ada", Role.VIEWER)
    (tmp_path / TOKENS_FILE).write_text("[")
    with pytest.raises(TokenError):
        sessions(tmp_path, clock).log_in(token)


def test_damaged_tokens_end_what_was_open(tmp_path, clock):
    held = sessions(tmp_path, clock)
    _, sealed = held.log_in(add_token(tmp_path, "ada", Role.VIEWER))
    assert held.holds(sealed)
    (tmp_path / TOKENS_FILE).write_text("[")
    assert not held.holds(sealed)


def test_a_session_lives_on_in_another_process_until_its_time(tmp_path, clock):
    token = add_token(tmp_path, "ada", Role.OPERATOR)
    found = sessions(tmp_path, clock).log_in(token)
    assert found is not None
    session, sealed = found
    assert sessions(tmp_path, clock).of(sealed) == session
    clock.now = 12 * HOUR - 1
    assert sessions(tmp_path, clock).of(sealed) is not None
    clock.now = 12 * HOUR
    assert sessions(tmp_path, clock).of(sealed) is None


def test_a_logout_outlives_a_restart_and_is_forgotten_with_the_session(tmp_path, clock):
    token = add_token(tmp_path, "ada", Role.OPERATOR)
    session, sealed = sessions(tmp_path, clock).log_in(token)
    sessions(tmp_path, clock).log_out(session)
    assert sessions(tmp_path, clock).of(sealed) is None
    clock.now = 13 * HOUR
    later, _ = sessions(tmp_path, clock).log_in(token)
    sessions(tmp_path, clock).log_out(later)
    assert set(json.loads((tmp_path / "console-ended.json").read_text())) == {later.session_id}


def test_who_loses_the_token_loses_the_session(tmp_path, clock):
    held = sessions(tmp_path, clock)
    _, sealed = held.log_in(add_token(tmp_path, "ada", Role.OPERATOR))
    _, other = held.log_in(add_token(tmp_path, "ben", Role.VIEWER))
    assert revoke(tmp_path, "ada") == 1
    assert held.of(sealed) is None
    assert held.of(other).name == "ben"


@given(cookie=st.text(max_size=300))
def test_no_cookie_of_ones_own_making_is_a_session(tmp_path_factory, cookie):
    held = sessions(tmp_path_factory.getbasetemp(), Clock())
    assert held.of(cookie) is None


@given(place=st.integers(0, 250), bit=st.integers(0, 7))
def test_no_bit_of_a_cookie_may_change(tmp_path_factory, place, bit):
    folder = tmp_path_factory.getbasetemp()
    held = sessions(folder, Clock())
    session, sealed = held.log_in(add_token(folder, "ada", Role.VIEWER))
    changed = bytearray(sealed.encode())
    changed[place % len(changed)] ^= 1 << bit
    found = held.of(changed.decode("latin-1"))
    assert found is None or found == session, "the last digit of base64 has spare bits"


def test_a_role_covers_those_before_it():
    covered = {role: [other for other in Role if role.covers(other)] for role in Role}
    assert covered == {
        Role.VIEWER: [Role.VIEWER],
        Role.OPERATOR: [Role.VIEWER, Role.OPERATOR],
        Role.APPROVER: [Role.VIEWER, Role.OPERATOR, Role.APPROVER],
    }


def test_guessing_is_bounded_by_address_and_over_all():
    now = [0.0]
    rate = LoginRate(per_address=2, overall=3, window_seconds=60, now=lambda: now[0])
    rate.failed("a")
    now[0] = 10
    assert rate.wait_seconds("a") == 0
    rate.failed("a")
    assert rate.wait_seconds("a") == 50
    assert rate.wait_seconds("b") == 0
    rate.failed("b")
    assert rate.wait_seconds("c") == 50
    now[0] = 60
    assert rate.wait_seconds("a") == rate.wait_seconds("c") == 0


def test_many_addresses_take_no_more_room():
    rate = LoginRate(addresses=10, overall=10**9)
    for number in range(100):
        rate.failed(str(number))
    assert len(rate._by_address) == 10
