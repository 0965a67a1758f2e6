"""The state folder: private, locked, with secrets made once."""

import stat

import pytest
from interlock.cli.errors import CliError
from interlock.cli.state_folder import is_locked, locked, open_state_folder, write_private


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_private(tmp_path):
    state = open_state_folder(tmp_path / "deep" / "state")
    first = state.secret("valkey")
    assert len(first) == 48
    assert open_state_folder(state.root).secret("valkey") == first
    assert state.secret("other") != first
    assert mode(state.secrets / "valkey") == 0o600
    assert mode(state.secrets) == 0o700


def test_an_empty_secret_is_made_again(tmp_path):
    state = open_state_folder(tmp_path)
    (state.secrets / "valkey").touch()
    assert len(state.secret("valkey")) == 48


def test_a_file_in_the_way_is_one_clear_line(tmp_path):
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(CliError, match=r"cannot be written .* another --state"):
        open_state_folder(tmp_path / "state")


def test_a_second_holder_is_refused_and_told_what_to_do(tmp_path):
    state = open_state_folder(tmp_path)
    assert not is_locked(state)
    with locked(state):
        assert is_locked(state)
        with (
            pytest.raises(CliError, match=r"already runs .*`interlock down"),
            locked(state),
        ):
            pass
    assert not is_locked(state)
    with locked(state):
        pass


def test_a_private_file_is_replaced_whole(tmp_path):
    path = tmp_path / "run.json"
    write_private(path, "one")
    write_private(path, "two", durable=False)
    assert path.read_text() == "two"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]
