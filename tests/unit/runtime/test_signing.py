"""Keys: made once, readable by their owner, and only whole ones are used."""

import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st
from interlock.runtime.signing import (
    Verifier,
    create_keys,
    journal_signer,
    journal_verifier,
    load_signer,
    load_verifier,
    throwaway_signer,
)

SIGNER = throwaway_signer()
VERIFIER = Verifier(SIGNER.public_key)


def test_what_was_signed_verifies_and_nothing_else(tmp_path):
    create_keys(tmp_path)
    signature = load_signer(tmp_path).sign(b"ten SPY")
    verifier = load_verifier(tmp_path)
    assert verifier.key_id == load_signer(tmp_path).key_id
    assert verifier.verify(b"ten SPY", signature)
    assert not verifier.verify(b"ten SPZ", signature)
    assert not verifier.verify(b"", signature)
    assert not VERIFIER.verify(b"ten SPY", signature)


@given(st.text())
def test_any_text_in_place_of_a_signature_is_no_signature(text):
    assert not VERIFIER.verify(b"ten SPY", text)


@given(st.binary(max_size=64), st.integers(0, 511))
def test_one_flipped_bit_in_what_is_signed_breaks_the_signature(message, bit):
    signature = SIGNER.sign(message)
    assert VERIFIER.verify(message, signature)
    if message:
        index = bit % (8 * len(message))
        flipped = bytearray(message)
        flipped[index // 8] ^= 1 << index % 8
        assert not VERIFIER.verify(bytes(flipped), signature)


def test_the_private_file_is_its_owners_alone(tmp_path):
    create_keys(tmp_path / "secrets")
    journal_signer(tmp_path / "secrets")
    for name in ("gate.key", "journal.key"):
        mode = stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode)
        assert oct(mode) == "0o600"
    assert list((tmp_path / "secrets").glob("*.new")) == []


def test_a_second_start_keeps_the_keys(tmp_path):
    create_keys(tmp_path)
    first = load_signer(tmp_path).key_id
    create_keys(tmp_path)
    assert load_signer(tmp_path).key_id == load_verifier(tmp_path).key_id == first


@pytest.mark.parametrize("half", ["gate.new", "gate.pub"])
def test_a_start_that_died_with_a_key_half_written_is_made_good_by_the_next(tmp_path, half):
    (tmp_path / half).write_bytes(b"-----BEGIN PRI")
    create_keys(tmp_path)
    signature = load_signer(tmp_path).sign(b"x")
    assert load_verifier(tmp_path).verify(b"x", signature)
    assert list(tmp_path.glob("*.new")) == []


def test_a_half_written_key_left_readable_does_not_lend_its_mode_to_the_new_one(tmp_path):
    (tmp_path / "gate.new").write_bytes(b"-----")
    (tmp_path / "gate.new").chmod(0o644)
    create_keys(tmp_path)
    assert stat.S_IMODE((tmp_path / "gate.key").stat().st_mode) == 0o600


def test_the_public_half_is_written_again_when_it_is_gone(tmp_path):
    create_keys(tmp_path)
    signature = load_signer(tmp_path).sign(b"x")
    (tmp_path / "gate.pub").unlink()
    create_keys(tmp_path)
    assert load_verifier(tmp_path).verify(b"x", signature)


@pytest.mark.parametrize("body", [b"", b"-----BEGIN PRIVATE KEY-----\n"])
@pytest.mark.parametrize(("name", "load"), [("gate.key", load_signer), ("gate.pub", load_verifier)])
def test_a_key_that_is_none_is_named_and_not_silently_replaced(tmp_path, name, load, body):
    create_keys(tmp_path)
    (tmp_path / name).write_bytes(body)
    create_keys(tmp_path)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        load(tmp_path)
    assert (tmp_path / name).read_bytes() == body


def test_a_key_of_another_kind_is_refused(tmp_path):
    create_keys(tmp_path)
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "gate.key").write_bytes(pem)
    with pytest.raises(ValueError, match="no Ed25519 key"):
        load_signer(tmp_path)


def test_the_journals_key_is_another_than_the_gates(tmp_path):
    create_keys(tmp_path)
    signer = journal_signer(tmp_path)
    assert signer.key_id == journal_verifier(tmp_path).key_id != load_signer(tmp_path).key_id
    assert not load_verifier(tmp_path).verify(b"x", signer.sign(b"x"))
