"""When a desk runs on live data, and what it asks of a person before."""

from pathlib import Path

import pytest
from interlock.cli import live_run, replay_record
from interlock.cli.desk_run import DeskRun, run
from interlock.cli.errors import CliError
from interlock.cli.live_run import is_live
from interlock.cli.replay_record import LiveRecord, ReplayRecord
from interlock.cli.state_folder import open_state_folder
from interlock.runtime.config import load_desk_file

KEYS = ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")
SHIPPED = Path("deploy/desks/params.toml").resolve()


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keys(monkeypatch):
    for name in KEYS:
        monkeypatch.setenv(name, "x" * 20)


def wanted(tmp_path, path=SHIPPED, **changes):
    plain = {
        "desk_path": path,
        "replay": None,
        "speed": None,
        "exit_at_end": False,
        "state": tmp_path / "state",
        "single_process": False,
        "port": 5555,
        "nats_url": None,
        "redis_url": None,
        "postgres_url": None,
        "as_json": False,
    }
    return DeskRun(**(plain | changes))


def desk_file(monkeypatch, **changes):
    """Write the shipped desk with some keys of its section [desk] changed."""
    for key, value in changes.items():
        monkeypatch.setenv(f"INTERLOCK__{key}", value)
    return load_desk_file(SHIPPED)


def test_the_shipped_desk_replays_on_a_machine_without_keys(tmp_path):
    assert not is_live(wanted(tmp_path), load_desk_file(SHIPPED))


@pytest.mark.usefixtures("keys")
def test_with_keys_it_is_live_unless_something_of_a_replay_is_asked_for(tmp_path):
    file = load_desk_file(SHIPPED)
    assert is_live(wanted(tmp_path), file)
    for asked in (
        {"replay": "calm-2005"},
        {"exit_at_end": True},
        {"speed": 60.0},
        {"single_process": True},
    ):
        assert not is_live(wanted(tmp_path, **asked), file)


@pytest.mark.parametrize(
    ("key", "value"), [("DESK__DEFAULT_REPLAY", '""'), ("DESK__VENUE", "alpaca")]
)
def test_a_desk_that_can_only_be_live_says_which_keys_are_missing(
    tmp_path, monkeypatch, key, value
):
    file = desk_file(monkeypatch, **{key: value})
    assert is_live(wanted(tmp_path), file)
    with pytest.raises(CliError, match="ALPACA_API_KEY and ALPACA_SECRET_KEY"):
        run(wanted(tmp_path))
    with pytest.raises(CliError, match="are for replays"):
        run(wanted(tmp_path, exit_at_end=True))
    assert not (tmp_path / "state").exists()


def test_a_replay_trades_on_paper_only(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERLOCK__DESK__VENUE", "alpaca")
    with pytest.raises(CliError, match="a replay trades on paper"):
        run(wanted(tmp_path, replay="calm-2005"))


LIVE = {"DESK__VENUE": "alpaca", "DESK__MODE": "live", "DESK__LIVE_ALLOWED": "true"}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (None, "trades with real money: say so with --confirm-live"),
        ("yes", "'yes' is not the name of the account"),
        ("", "'' is not the name of the account"),
        ("PAPER-PARAMS", "is not the name of the account"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_real_money_needs_the_accounts_name_typed(tmp_path, monkeypatch, typed, why):
    desk_file(monkeypatch, **LIVE)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(CliError, match=why):
        run(wanted(tmp_path, confirm_live=typed))


def test_live_mode_needs_the_desk_files_leave(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERLOCK__DESK__MODE", "live")
    with pytest.raises(CliError, match="live_allowed"):
        run(wanted(tmp_path, confirm_live="paper-params"))


def test_what_was_confirmed_is_told_to_exec(monkeypatch):
    file = desk_file(monkeypatch, **LIVE)
    told = live_run._confirmed(file.desk, "paper-params")
    assert told == {"INTERLOCK_LIVE_CONFIRMED": "paper-params"}
    plain = desk_file(monkeypatch, DESK__MODE="demo")
    assert live_run._confirmed(plain.desk, None) == {}


def record(**changes):
    plain = {"desk": "d", "account": "a", "venue": "paper", "started_at": "2026-01-01T00:00:00"}
    return LiveRecord(**(plain | changes))


def replayed(state):
    (state.root / "journal").mkdir()
    replay_record._write(
        state, ReplayRecord(desk="d", source="s", config_hash="h", started_at="2025-01-01T00:00:00")
    )


def test_a_live_desk_goes_on_with_its_own_books_and_with_no_others(tmp_path):
    state = open_state_folder(tmp_path / "state")
    assert not replay_record.begin_live(state, record())
    (state.root / "journal").mkdir()
    assert replay_record.begin_live(state, record(started_at="2026-02-01T00:00:00"))
    for other in ({"desk": "e"}, {"account": "b"}, {"venue": "alpaca"}):
        with pytest.raises(CliError, match="give this one another --state"):
            replay_record.begin_live(state, record(**other))


def test_no_replay_takes_the_folder_of_a_live_desk(tmp_path):
    state = open_state_folder(tmp_path / "state")
    replay_record.begin_live(state, record())
    (state.root / "journal").mkdir()
    wants = ReplayRecord(desk="d", source="s", config_hash="h", started_at="2026-01-01T00:00:00")
    with pytest.raises(CliError, match="give a replay another --state"):
        replay_record.begin(state, wants, resumable=True)
    assert (state.root / "journal").exists()


def test_a_replays_journal_is_put_away_before_a_live_desk_begins(tmp_path):
    state = open_state_folder(tmp_path / "state")
    replayed(state)
    assert not replay_record.begin_live(state, record())
    assert not (state.root / "journal").exists()
    assert list((state.root / "past").iterdir())


@pytest.mark.usefixtures("keys")
def test_alert_route_without_its_url_is_refused_before_anybody_is_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("OPS_URL", raising=False)
    path = tmp_path / "desk.toml"
    route = '[[console.alerts]]\nname = "ops"\nurl_env = "OPS_URL"\n'
    path.write_text(f"{SHIPPED.read_text()}\n{route}")
    with pytest.raises(CliError, match="alert route ops: the environment lacks OPS_URL"):
        run(wanted(tmp_path, path=path))
    assert not (tmp_path / "state").exists()
