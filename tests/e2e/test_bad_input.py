"""What is wrong is said in one line with what to do, before anything starts or is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.desk import (
    PATIENCE_SECONDS,
    children,
    interlock,
    journal,
    running,
    up,
    write_slice,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

HEAD = "ts,symbol,open,high,low,close,volume"
NOBODY_THERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=60)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A state folder that holds a finished replay, which no wrong request may touch."""
    state = tmp_path_factory.mktemp("kept")
    up(state, data, "--single-process")
    return state


def ask(state: Path, replay: Path | str, *words: str, desk: str = "params", **extra: str):
    request = ("up", "--desk", desk, "--replay", str(replay), "--state", str(state), "--exit")
    told = interlock(*request, *words, **extra)
    assert told.returncode == 2, told.stderr
    return told


def refusal(state: Path, replay: Path | str, *words: str, **more: str) -> str:
    """Return what is said of a request that cannot be met; it must leave nothing running."""
    told = ask(state, replay, *words, **more)
    assert told.stdout == ""
    (line,) = told.stderr.splitlines()
    assert line.startswith("interlock: ")
    assert_nothing_runs(state)
    return line.removeprefix("interlock: ")


def assert_nothing_runs(state: Path) -> None:
    assert not (state / "run.json").exists()
    assert not list((state / "pids").glob("*"))
    assert not list(processes_of(state))


def processes_of(state: Path) -> Iterator[str]:
    """Yield the command lines of the processes that work in a state folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, known = ((process / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue
        if str(state).encode() in words + known and int(process.name) != os.getpid():
            yield words.replace(b"\0", b" ").decode()


def contents(state: Path) -> dict[str, bytes]:
    """Return what a replay left behind that a person could miss."""
    names = ("replay.json", "journal/journal.jsonl", "journal/head.json", "secrets/journal.key")
    return {name: (state / name).read_bytes() for name in names}


def lines(*rows: str) -> str:
    return "\n".join([HEAD, *rows]) + "\n"


FILES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "nothing.csv": ("", ("nothing.csv cannot be read", "is it whole")),
    "no-rows.csv": (lines(), ("no-rows.csv holds no rows",)),
    "other.csv": ("time,price\n1,2\n", ("lacks the columns", "open", "rename or add them")),
    "naive.csv": (
        lines("2020-01-02 14:30:00,AAPL,1,1,1,1,1"),
        ("ts has no time zone", "write times as"),
    ),
    "words.csv": (
        lines("2020-01-02T14:30:00Z,AAPL,one,1,1,1,1"),
        ("open holds what is no number", "correct or empty it"),
    ),
    "strangers.csv": (
        lines("2020-01-02T14:30:00Z,ZZZ,1,1,1,1,1", "2020-01-02T14:31:00Z,ZZZ,1,1,1,1,1"),
        ("none of the instruments of desk params", "ZZZ", "add one to the desk file"),
    ),
    "torn.parquet": (b"PAR1 and nothing more", ("torn.parquet cannot be read", "is it whole")),
    "table.xlsx": (b"PK", ("neither Parquet nor CSV", "name it .parquet")),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_replayed(name: str, kept: Path, tmp_path: Path):
    content, says = FILES[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = contents(kept)
    line = refusal(kept, path)
    assert all(word in line for word in says), line
    assert contents(kept) == before
    assert not (kept / "past").exists()


def test_a_file_that_is_not_there(kept: Path, tmp_path: Path):
    line = refusal(kept, tmp_path / "nowhere.csv")
    assert f"there is no file {tmp_path}/nowhere.csv: check the path" in line


def test_a_data_set_nobody_knows(kept: Path):
    line = refusal(kept, "crash-1929")
    assert "no data set 'crash-1929'" in line
    assert "crash-2008" in line


def test_a_desk_nobody_knows(kept: Path, data: Path):
    line = refusal(kept, data, desk="nobody")
    assert line == "there is no desk 'nobody': known desks are coins, hybrid, params"


def test_a_desk_file_that_is_no_toml(kept: Path, data: Path, tmp_path: Path):
    path = tmp_path / "torn.toml"
    path.write_text("[desk\n")
    assert f"{path} cannot be read" in refusal(kept, data, desk=str(path))


@pytest.mark.parametrize(
    ("override", "says"),
    [
        pytest.param(
            {"INTERLOCK__GATE__MAX_GROS_NOTIONAL": "1"},
            ("section [gate]", "max_gros_notional"),
            id="unknown key",
        ),
        pytest.param(
            {"INTERLOCK__GUARD__SIZE": "1"},
            ("nobody reads section [guard]", "known are"),
            id="unknown section",
        ),
        pytest.param(
            {"INTERLOCK__GATE__MAX_GROSS_NOTIONAL": "nan"},
            ("section [gate]", "max_gross_notional", "NaN"),
            id="nan in a limit",
        ),
        pytest.param(
            {"INTERLOCK__LOCAL_REASONER__BUDGET_USD_PER_DAY": "inf"},
            ("section [local_reasoner]", "budget_usd_per_day", "finite"),
            id="an endless budget",
        ),
        pytest.param(
            {"INTERLOCK__POLICY__PHASE": "alive"}, ("section [policy]", "phase"), id="wrong value"
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(
    override: dict[str, str], says: tuple[str, ...], kept: Path, data: Path
):
    before = contents(kept)
    line = refusal(kept, data, **override)
    assert all(word in line for word in says), line
    assert contents(kept) == before


@pytest.mark.parametrize("words", [(), ("--single-process",)], ids=["processes", "one process"])
def test_a_model_without_its_key(words: tuple[str, ...], data: Path, tmp_path: Path):
    section = {"PROVIDER": "openai", "MODEL": "m", "API_KEY_ENV": "NO_SUCH_KEY"}
    line = refusal(
        tmp_path, data, *words,
        **{f"INTERLOCK__LOCAL_REASONER__{key}": value for key, value in section.items()},
    )  # fmt: skip
    assert "provider openai needs a key: set the environment variable NO_SUCH_KEY" in line


def test_a_state_folder_that_cannot_be_written(data: Path):
    line = refusal(Path("/proc/interlock"), data)
    assert "the state folder /proc/interlock cannot be written" in line
    assert "give another --state" in line


def test_a_file_in_the_way(data: Path, tmp_path: Path):
    (tmp_path / "nats").touch()
    line = refusal(tmp_path, data)
    assert f"{tmp_path}/nats cannot be used (File exists): mend it, or give another --state" in line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk needs the right to mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_no_free_disk(small_disk: Path, data: Path):
    line = refusal(small_disk, data)
    assert f"MB are free under {small_disk}, a desk needs 200: make room" in line


@pytest.mark.parametrize(
    ("option", "url", "says"),
    [
        ("--nats", f"nats://me:secret@{NOBODY_THERE}", "Connect call failed"),
        ("--redis", f"redis://:secret@{NOBODY_THERE}/0", "Connect call failed"),
        ("--postgres", f"postgresql://me:secret@{NOBODY_THERE}/db", "Connection refused"),
    ],
)
def test_an_own_server_that_is_not_there(option: str, url: str, says: str, kept: Path, data: Path):
    before = contents(kept)
    line = refusal(kept, data, option, url)
    assert (
        f"{option} {url.replace('me:', '').replace(':secret@', '').replace('secret@', '')}" in line
    )
    assert says in line
    assert f"leave {option} out" in line
    assert "secret" not in line
    assert contents(kept) == before


@pytest.mark.parametrize("option", ["--nats", "--redis", "--postgres"])
@pytest.mark.parametrize("url", ["", "secret@localhost"])
def test_an_own_server_without_an_address(option: str, url: str, kept: Path, data: Path):
    line = refusal(kept, data, option, url)
    assert line.startswith(f"{option} is given no URL of its kind: write ")
    assert "secret" not in line


def _older_database(state: Path) -> None:
    (state / "postgres").mkdir()
    (state / "postgres" / "PG_VERSION").write_text("12\n")


def _no_room_for_streams(state: Path) -> None:
    (state / "nats").mkdir()
    (state / "nats" / "jetstream").touch()


def _torn_store(state: Path) -> None:
    (state / "valkey" / "appendonlydir").mkdir(parents=True)
    (state / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("junk\n")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (_older_database, ("was made by PostgreSQL 12", "dump and load it")),
        (_no_room_for_streams, ("nats died at start", "is not a directory", "nats.log")),
        (_torn_store, ("valkey died at start", "Invalid AOF manifest", "valkey.log")),
    ],
)
def test_a_server_that_dies_at_its_start(break_it, says, data: Path, tmp_path: Path):
    break_it(tmp_path)
    line = refusal(tmp_path, data)
    assert all(word in line for word in says), line


@pytest.mark.parametrize("wrong", ["option", "file", "own server", "server"])
def test_a_refusal_as_json_is_an_object(wrong: str, data: Path, tmp_path: Path):
    """All refusals come to one frame; these four come to it by different ways."""
    words = {"option": ("--speed", "-1"), "own server": ("--nats", f"nats://{NOBODY_THERE}")}
    if wrong == "server":
        _older_database(tmp_path)
    replay = tmp_path / "nowhere.csv" if wrong == "file" else data
    told = ask(tmp_path, replay, *words.get(wrong, ()), "--json")
    assert told.stderr == ""
    assert json.loads(told.stdout).keys() == {"error"}
    assert_nothing_runs(tmp_path)


def test_a_second_desk_in_a_state_folder(data: Path, tmp_path: Path):
    with running(tmp_path, data, "--exit", "--speed", "600000") as process:
        request = ("up", "--desk", "params", "--replay", str(data), "--state", str(tmp_path))
        told = interlock(*request)
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr == (
            f"interlock: a desk already runs in {tmp_path} (process {process.pid}): stop it with "
            f"`interlock down --state {tmp_path}`, or give another --state\n"
        )
        assert all(child["restarts"] == 0 for child in children(tmp_path).values())
        closing = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    assert process.returncode == 0
    assert closing["lost"] == 0
    assert closing["summary"]["bars"] == 60
    assert_nothing_runs(tmp_path)


NOON = datetime(2020, 1, 2, 17, tzinfo=UTC)
SOUND = (100.0, 101.0, 99.0, 100.5, 1_000.0, 100.4, 100.6)
NAN = float("nan")
# Minute, what the feed must say of AAPL's row (nothing: no change), the row where it is not sound.
FAULTY: list[tuple[int, str, tuple[float, ...]]] = [
    (0, "", SOUND),
    (1, "nan", (100.0, 101.0, 99.0, NAN, 1_000.0, 100.4, 100.6)),
    (2, "", (100.0, float("inf"), 99.0, 100.5, 1_000.0, 100.4, 100.6)),
    (3, "ok", SOUND),
    (3, "duplicate", SOUND),
    (1, "out_of_order", SOUND),
    (4, "zero", (0.0, 101.0, 0.0, 100.5, 1_000.0, 100.4, 100.6)),
    (5, "ok", SOUND),
    (6, "invalid", (100.0, 98.0, 99.0, 100.5, 1_000.0, 100.4, 100.6)),
    (7, "", (100.0, 101.0, 99.0, 100.5, -1.0, 100.4, 100.6)),
    (8, "crossed", (100.0, 101.0, 99.0, 100.5, 1_000.0, 100.6, 100.4)),
    (9, "jump", (160.0, 161.0, 159.0, 160.5, 1_000.0, 160.4, 160.6)),
    (10, "ok", (160.0, 161.0, 159.0, 160.5, 1_000.0, 160.4, 160.6)),
    (20, "gap", (160.0, 161.0, 159.0, 160.5, 1_000.0, 160.4, 160.6)),
    (21, "ok", (160.0, 161.0, 159.0, 160.5, 1_000.0, 160.4, 160.6)),
]
DROPPED = {"nan", "duplicate", "out_of_order", "zero", "invalid"}
DROPPED_ROWS = 7


def _faulty_table() -> pa.Table:
    rows = [(minute, "AAPL", row) for minute, _, row in FAULTY]
    rows += [(minute, "MSFT", SOUND) for minute in range(22)]
    rows += [(minute, "ZZZ", SOUND) for minute in range(22)]
    names = ("open", "high", "low", "close", "volume", "bid", "ask")
    times = [NOON + timedelta(minutes=minute) for minute, _, _ in rows]
    columns = {name: [row[i] for _, _, row in rows] for i, name in enumerate(names)}
    ts = pa.array(times, pa.timestamp("us", "UTC"))
    return pa.table({"ts": ts, "symbol": [symbol for _, symbol, _ in rows], **columns})


def test_rows_that_cannot_be_trusted_are_named_dropped_and_counted(tmp_path: Path):
    path = tmp_path / "faulty.parquet"
    pq.write_table(_faulty_table(), path)
    closing = up(tmp_path / "state", path, "--single-process")
    found = journal(tmp_path / "state")
    statuses = [one for one in found["feed.status-changed.v1"] if one["instrument_id"] == "AAPL"]
    said = [one["condition"] for one in statuses]
    expected = [condition for _, condition, _ in FAULTY if condition]
    expected.insert(expected.index("gap"), "stale")
    assert said == expected
    assert {one["condition"] for one in statuses if one["dropped"]} == DROPPED
    (finished,) = found["feed.replay-finished.v1"]
    read = len(FAULTY) + 22
    assert finished["bars"] == {
        "read": read, "published": read - DROPPED_ROWS, "dropped": DROPPED_ROWS
    }  # fmt: skip
    bars = found["data.bar.v1"]
    assert len(bars) == closing["summary"]["bars"] == read - DROPPED_ROWS
    assert closing["lost"] == closing["parked"] == 0
    assert_strictly_increasing([one["ts_event"] for one in bars if one["instrument_id"] == "AAPL"])
    moments = [one["ts_event"] for one in bars]
    assert moments == sorted(moments)
    assert_strictly_increasing([one["ts_event"] for one in found["data.clock.v1"]])
    assert {one["instrument_id"] for one in bars} == {"AAPL", "MSFT"}


def assert_strictly_increasing(values: list[int]) -> None:
    assert all(earlier < later for earlier, later in pairwise(values))
