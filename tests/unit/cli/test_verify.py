"""`interlock verify` and `interlock keys`, as a person calls them."""

import json
import os
from pathlib import Path

import pytest
from interlock.cli.main import app
from interlock.cli.state_folder import StateFolder, locked
from interlock.ledger.app import journal_path
from interlock.runtime.anchors import Occasion, anchors_file, drop_anchor
from interlock.runtime.config import ConfigError
from interlock.runtime.journal import Entry, Journal, first_row
from interlock.runtime.signing import (
    PUBLIC_KEY_FILE,
    create_keys,
    journal_signer,
    known_verifiers,
    load_signer,
)
from interlock.testkit.desk_messages import bar, tick
from interlock.wire import catalogue, codec
from typer.testing import CliRunner


@pytest.fixture
def state(tmp_path):
    """Return a state folder with a short journal, anchored once."""
    folder = tmp_path / "state"
    create_keys(folder / "secrets")
    key = journal_signer(folder / "secrets")
    with Journal(journal_path(folder), sign=key.sign) as journal:
        messages = [bar(1, 1.0), tick(2), bar(3, 1.0)]
        journal.append(
            Entry("MARKET", catalogue.subject_of(one), codec.encode(one)) for one in messages
        )
        first = first_row(journal.path)
        file = anchors_file(Path(os.environ["INTERLOCK_ANCHORS"]), "params", first.hash, key.key_id)
        drop_anchor(file, journal.place, 1, Occasion.CLOSE, key.sign)
    return folder


def call(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def test_a_whole_journal_is_one_line_and_exit_0(state):
    answer = call("verify", "--state", state)
    assert answer.exit_code == 0
    assert answer.stdout.startswith("OK: 3 rows, 1 anchors")
    found = json.loads(call("verify", "--state", state, "--json").stdout)
    assert (found["ok"], found["rows"], found["unlisted"]) == (True, 3, 3)


def test_a_bad_row_is_named_in_one_line_with_exit_1(state):
    path = journal_path(state)
    path.write_bytes(path.read_bytes().replace(b'"index":2', b'"index":3'))
    answer = call("verify", "--state", state)
    assert answer.exit_code == 1
    (line,) = answer.stdout.splitlines()
    assert line == "NOT OK: journal.chain: row 2 does not have the hash it names"
    found = json.loads(call("verify", "--state", state, "--json").stdout)
    assert (found["ok"], found["code"], found["first_bad_seq"]) == (False, "journal.chain", 2)


def test_a_journal_without_anchors_is_not_ok(state, tmp_path):
    answer = call("verify", "--state", state, "--anchors", tmp_path)
    assert answer.exit_code == 1
    assert "journal.anchor" in answer.stdout


def test_a_cut_journal_is_seen_by_verify_and_by_the_doctor(state):
    assert "3 rows, anchored at" in call("doctor", "--state", state).stdout
    path = journal_path(state)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    answer = call("verify", "--state", state)
    assert "the journal ends at row 2, but its head names row 3" in answer.stdout
    assert "is not whole (it ends at row 2" in call("doctor", "--state", state).stdout


@pytest.mark.parametrize("words", [["verify"], ["keys", "rotate"]])
def test_a_folder_without_a_desk_is_one_line_and_exit_2(tmp_path, words):
    answer = call(*words, "--state", tmp_path)
    assert answer.exit_code == 2
    (line,) = answer.stderr.splitlines()
    assert "give the --state of a desk" in line


def test_a_rotated_key_signs_and_the_old_one_still_verifies(state):
    secrets = state / "secrets"
    old = load_signer(secrets)
    signature = old.sign(b"an order")
    answer = call("keys", "rotate", "--state", state, "--json")
    assert answer.exit_code == 0
    named = json.loads(answer.stdout)
    assert (named["old_key_id"], named["new_key_id"]) == (old.key_id, load_signer(secrets).key_id)
    known = known_verifiers(secrets, PUBLIC_KEY_FILE)
    assert set(known) == {named["old_key_id"], named["new_key_id"]}
    assert known[old.key_id].verify(b"an order", signature)
    assert (secrets / "gate.key").stat().st_mode & 0o777 == 0o600
    again = call("keys", "rotate", "--state", state)
    assert len(known_verifiers(secrets, PUBLIC_KEY_FILE)) == 3
    assert again.stdout.count("\n") == 1


def test_the_key_of_a_running_desk_is_left_alone(state):
    before = load_signer(state / "secrets").key_id
    with locked(StateFolder(state)):
        answer = call("keys", "rotate", "--state", state)
    assert answer.exit_code == 2
    assert "a desk already runs" in answer.stderr
    assert load_signer(state / "secrets").key_id == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700])
def test_a_key_that_others_can_read_is_refused(state, mode):
    private = state / "secrets" / "gate.key"
    private.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_signer(state / "secrets")
