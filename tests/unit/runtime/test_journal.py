import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.runtime import journal
from interlock.runtime.journal import (
    Entry,
    Journal,
    JournalError,
    Place,
    Reader,
    read,
    read_tail,
)
from interlock.runtime.journal_proof import check
from interlock.runtime.signing import Verifier, throwaway_signer

KEY = throwaway_signer()
verify = Verifier(KEY.public_key).verify


def entries(count: int, start: int = 0) -> list[Entry]:
    return [
        Entry("DESK", "evt.test", b'{"type":"test.v1","message_id":"%d"}' % (start + n))
        for n in range(count)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "journal.jsonl"


def write(path: Path, count: int) -> None:
    with Journal(path, sign=KEY.sign) as opened:
        opened.append(entries(count))


def test_rows_come_back_as_they_were_written(path: Path) -> None:
    write(path, 3)
    with Journal(path, sign=KEY.sign, verify=verify) as again:
        assert again.append(entries(2, start=3)) == 5
    rows = list(read(path))
    assert [row.body for row in rows] == [entry.body for entry in entries(5)]
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    verdict = check(path, verify)
    assert verdict.ok
    assert (verdict.rows, verdict.head_seq) == (5, 5)


@given(body=st.binary() | st.sampled_from([b'{"a": 1}', b'{"a":\n1}', b" {}", b"null", b'{"a":']))
def test_any_body_is_kept_to_the_byte(
    body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    with Journal(path) as opened:
        opened.append([Entry("DESK", 'evt."quoted".\n', body)])
    assert [(row.subject, row.body) for row in read(path)] == [('evt."quoted".\n', body)]
    assert check(path).ok


def test_a_json_body_can_be_read_by_a_person(path: Path) -> None:
    write(path, 1)
    assert b'"body":{"type":"test.v1","message_id":"0"}}\n' in path.read_bytes()


def test_a_torn_last_line_is_cut_off_and_reported(path: Path) -> None:
    write(path, 3)
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(b'{"seq":4,"prev":"')
    assert len(list(read(path))) == 3
    assert check(path, verify).torn_bytes == 17
    with Journal(path) as opened:
        assert opened.cut_bytes == 17
        assert path.read_bytes() == whole
        assert opened.append(entries(1)) == 4
    assert check(path).ok


def test_a_flipped_byte_anywhere_is_found(path: Path) -> None:
    write(path, 4)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        path.write_bytes(damaged)
        assert not check(path, verify).ok, f"byte {place}"


def test_the_first_bad_row_is_named(path: Path) -> None:
    write(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"2"', b'"9"'), *lines[3:]]))
    verdict = check(path)
    assert (verdict.ok, verdict.rows, verdict.first_bad_seq) == (False, 2, 3)
    with pytest.raises(JournalError, match="row 3"):
        Journal(path)


@pytest.mark.parametrize("order", [(0, 1, 3, 4), (0, 2, 1, 3, 4), (1, 2, 3, 4), (0, 1, 1, 2, 3, 4)])
def test_removed_repeated_and_reordered_rows_are_found(path: Path, order: tuple[int, ...]) -> None:
    write(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[n] for n in order))
    assert not check(path).ok


def test_a_missing_end_is_found(path: Path) -> None:
    write(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    verdict = check(path)
    assert (verdict.ok, verdict.first_bad_seq) == (False, 4)
    with pytest.raises(JournalError, match="ends at row 3, but its head names row 5"):
        Journal(path)


def test_a_missing_head_is_found(path: Path) -> None:
    write(path, 2)
    journal.head_path(path).unlink()
    assert not check(path).ok
    with pytest.raises(JournalError, match="missing"):
        Journal(path)


def test_a_head_signed_by_another_key_is_found(path: Path) -> None:
    with Journal(path, sign=throwaway_signer().sign) as opened:
        opened.append(entries(2))
    assert check(path).ok
    assert not check(path, verify).ok
    with pytest.raises(JournalError, match="signature"):
        Journal(path, verify=verify)


def test_a_second_writer_is_refused(path: Path) -> None:
    with Journal(path):
        with pytest.raises(JournalError, match="another process"):
            Journal(path)
        program = (
            "import sys; from pathlib import Path; from interlock.runtime.journal import Journal;"
            "Journal(Path(sys.argv[1]))"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
        )
        assert "another process" in other.stderr
    Journal(path).close()


def test_what_the_disk_refuses_is_not_acknowledged(path: Path) -> None:
    """A file size limit fails a write half done, as a full disk does."""
    with Journal(path, sign=KEY.sign) as opened:
        opened.append(entries(3))
        size = path.stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                opened.append(entries(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.stat().st_size == size
        assert opened.append(entries(2, start=3)) == 5
    assert [row.body for row in read(path)] == [entry.body for entry in entries(5)]
    assert check(path, verify).ok


def test_twenty_thousand_rows(path: Path) -> None:
    with Journal(path, sign=KEY.sign) as opened:
        for start in range(0, 20_000, 500):
            opened.append(entries(500, start))
    verdict = check(path, verify)
    assert (verdict.ok, verdict.rows, verdict.head_seq) == (True, 20_000, 20_000)
    assert sum(1 for _ in read(path)) == 20_000


def test_after_a_crash_the_head_may_lag_but_rows_stay(path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path;"
        "from interlock.runtime.journal import Entry, Journal;"
        "j = Journal(Path(sys.argv[1]), rows_per_head=10);"
        "[j.append([Entry('DESK', 'evt.x', b'{}')]) for _ in range(25)];"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    verdict = check(path)
    assert (verdict.ok, verdict.rows, verdict.head_seq) == (True, 25, 20)
    with Journal(path) as opened:
        assert opened.place.seq == 25


@pytest.mark.parametrize("tail_bytes", [1, 200, 1_000, 100_000])
def test_the_tail_ends_with_the_last_row(path: Path, tail_bytes: int) -> None:
    write(path, 20)
    seqs = [row.seq for row in read_tail(path, tail_bytes)]
    assert seqs == list(range(seqs[0], 21))


def test_closing_twice_is_harmless_and_writing_afterwards_is_not_possible(path: Path) -> None:
    opened = Journal(path)
    opened.close()
    opened.close()
    with pytest.raises(JournalError, match="closed"):
        opened.append(entries(1))


def test_a_reader_follows_the_writer_and_goes_on_where_it_stood(path: Path) -> None:
    with Journal(path) as opened:
        opened.append(entries(5))
        reader = Reader(path)
        assert [row.seq for row in reader.take(3)] == [1, 2, 3]
        durable = opened.place
        opened.append(entries(5, start=5))
        assert [row.seq for row in reader.take(10, durable)] == [4, 5]
        assert reader.take(10, durable) == []
        place = reader.place
        reader.close()
        again = Reader(path, place)
        assert [row.seq for row in again.take(10)] == [6, 7, 8, 9, 10]
        assert again.place == opened.place
        again.close()


def test_a_reader_whose_place_is_in_another_journal_starts_again(path: Path) -> None:
    write(path, 3)
    for place in (Place(10**9, 7, "a" * 64), Place(20, 1, "a" * 64)):
        reader = Reader(path, place)
        assert [row.seq for row in reader.take(9)] == [1, 2, 3]
        reader.close()


def test_a_reader_waits_for_the_rest_of_an_unfinished_line(path: Path) -> None:
    write(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    reader = Reader(path)
    assert [row.seq for row in reader.take(9)] == [1]
    path.write_bytes(whole)
    assert [row.seq for row in reader.take(9)] == [2]
    reader.close()
