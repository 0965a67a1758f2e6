"""Whatever is done to a journal, its head or its anchors is found, and the first bad row named."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interlock.runtime.anchors import (
    Occasion,
    anchors_file,
    anchors_folder,
    drop_anchor,
    find_anchors,
    read_anchors,
)
from interlock.runtime.journal import (
    Entry,
    Head,
    Journal,
    JournalError,
    Place,
    head_bytes,
    head_path,
    parse,
    read,
    render_head,
    render_row,
    row_after,
)
from interlock.runtime.journal_proof import check
from interlock.runtime.signing import Verifier, throwaway_signer

KEY, OTHER_KEY = throwaway_signer(), throwaway_signer()
verify = Verifier(KEY.public_key).verify
ROWS, ANCHORED = 12, (1, 6, 10)


def entry(n):
    return Entry("DESK", "evt.test", b'{"type":"test.v1","message_id":"%d"}' % n)


class Kept:
    """A journal of twelve rows, anchored three times."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal" / "journal.jsonl"
        with Journal(self.path, sign=KEY.sign) as journal:
            for n in range(1, ROWS + 1):
                journal.append([entry(n)])
                if n == 1:
                    first = next(read(self.path)).hash
                    self.anchors = anchors_file(folder / "anchors", "desk", first, KEY.key_id)
                if n in ANCHORED:
                    occasion = Occasion.START if n == 1 else Occasion.MINUTE
                    drop_anchor(self.anchors, journal.place, n, occasion, KEY.sign)
        self.rows = list(read(self.path))
        self.lines = self.path.read_bytes().splitlines(keepends=True)

    def write(self, lines):
        self.path.write_bytes(b"".join(lines))

    def check(self):
        try:
            anchors = read_anchors(self.anchors, verify)
        except JournalError as error:
            return str(error), error.seq
        found = check(self.path, verify, anchors)
        return ("" if found.ok else found.reason), found.first_bad_seq

    def forge(self, changed, *, key=None):
        """Change a row and hash all that follow anew, with a new head where a key is at hand."""
        prev, lines = parse(self.lines[0], "row 1").prev, []
        for n in range(1, ROWS + 1):
            body = b'{"forged":true}' if n == changed else entry(n).body
            row = row_after(n - 1, prev, Entry("DESK", "evt.test", body))
            prev = row.hash
            lines.append(render_row(row))
        self.write(lines)
        if key is not None:
            head = Head(ROWS, prev, key.sign(head_bytes(ROWS, prev)))
            head_path(self.path).write_bytes(render_head(head))


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    return folder, Kept(folder)


def test_what_was_kept_is_whole(kept):
    assert kept.check() == ("", None)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["journal", "head", "anchors"]), st.integers(0, 10**6), st.integers(1, 255))
def test_any_single_byte_changed_anywhere_is_found(original, which, place, change):
    _, kept = original
    path = {"journal": kept.path, "head": head_path(kept.path), "anchors": kept.anchors}[which]
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[place % len(whole)] ^= change
    path.write_bytes(damaged)
    try:
        assert kept.check()[0], (which, place % len(whole), change)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        pytest.param(lambda a: [*a[:4], a[4].replace(b'"5"', b'"9"'), *a[5:]], 5, id="changed"),
        pytest.param(lambda a: [*a[:4], *a[5:]], 5, id="removed"),
        pytest.param(lambda a: [*a[:4], a[5], a[4], *a[6:]], 5, id="reordered"),
        pytest.param(lambda a: [*a[:4], a[3], *a[4:]], 5, id="inserted"),
        pytest.param(lambda a: a[:-2], ROWS - 1, id="truncated"),
        pytest.param(lambda a: a[1:], 1, id="beginning removed"),
    ],
)
def test_the_first_bad_row_is_named(kept, lines, named):
    kept.write(lines(kept.lines))
    reason, seq = kept.check()
    assert reason
    assert seq == named


@pytest.mark.parametrize("changed", range(1, ROWS + 1))
def test_a_forgery_hashed_anew_without_the_key_is_found_by_the_head(kept, changed):
    kept.forge(changed)
    assert not check(kept.path, verify).ok
    kept.forge(changed, key=OTHER_KEY)
    assert "signature" in check(kept.path, verify).reason


@pytest.mark.parametrize("changed", range(1, ANCHORED[-1] + 1))
def test_a_forgery_with_the_ledgers_own_key_is_found_by_the_next_anchor(kept, changed):
    kept.forge(changed, key=KEY)
    assert check(kept.path, verify).ok
    reason, seq = kept.check()
    next_anchor = min(n for n in ANCHORED if n >= changed)
    assert seq == next_anchor
    assert f"row {max([0, *(n for n in ANCHORED if n < changed)])} was written anew" in reason


def test_a_journal_cut_off_with_its_own_key_is_found_by_the_last_anchor(kept):
    kept.write(kept.lines[:8])
    last = kept.rows[7]
    head_path(kept.path).write_bytes(
        render_head(Head(8, last.hash, KEY.sign(head_bytes(8, last.hash))))
    )
    assert check(kept.path, verify).ok
    reason, seq = kept.check()
    assert "ends at row 8, but row 10 was anchored" in reason
    assert seq == 9


def test_anchors_that_go_back_or_contradict_each_other_are_found(kept):
    whole = kept.anchors.read_bytes()
    for place in (Place(0, 5, kept.rows[4].hash), Place(0, 10, kept.rows[4].hash)):
        kept.anchors.write_bytes(whole)
        drop_anchor(kept.anchors, place, 99, Occasion.MINUTE, KEY.sign)
        assert kept.check()[0]


def test_an_anchor_signed_by_another_key_is_found(kept):
    place = Place(0, ROWS, kept.rows[-1].hash)
    drop_anchor(kept.anchors, place, 99, Occasion.HALT, OTHER_KEY.sign)
    assert "valid signature" in kept.check()[0]


def test_an_anchor_the_machine_died_in_hides_none_after_it(kept):
    whole = kept.anchors.read_bytes()
    line = whole.splitlines(keepends=True)[-1]
    for length in range(8, len(line) - 2):
        kept.anchors.write_bytes(whole + line[:length])
        assert kept.check() == ("", None), line[:length]
        drop_anchor(kept.anchors, Place(0, ROWS, kept.rows[-1].hash), 99, Occasion.CLOSE, KEY.sign)
        assert kept.check() == ("", None)
        assert read_anchors(kept.anchors)[-1].seq == ROWS


def test_missing_anchors_are_said_to_be_missing(kept):
    kept.anchors.unlink()
    assert "cannot be read" in kept.check()[0]


def test_anchors_are_durable_and_their_owners_only(kept):
    assert kept.anchors.stat().st_mode & 0o777 == 0o600
    assert kept.anchors.parent.stat().st_mode & 0o777 == 0o700
    assert [one.seq for one in read_anchors(kept.anchors, verify)] == list(ANCHORED)


def test_a_full_second_place_is_an_error(kept):
    shutil.rmtree(kept.anchors.parent)
    kept.anchors.parent.write_text("no folder")
    with pytest.raises(OSError, match=r"exists|director"):
        drop_anchor(kept.anchors, Place(0, 1, "a"), 1, Occasion.HALT, KEY.sign)


def test_the_second_place_is_named_by_the_environment(tmp_path):
    assert anchors_folder({"INTERLOCK_ANCHORS": str(tmp_path)}) == tmp_path
    kept = anchors_folder({"XDG_STATE_HOME": str(tmp_path)})
    assert kept == tmp_path / "interlock" / "anchors"
    assert anchors_folder({}) == Path.home() / ".local" / "state" / "interlock" / "anchors"


def test_a_journals_anchors_are_found_by_its_first_row(kept):
    assert find_anchors(kept.anchors.parent, kept.rows[0].hash, KEY.key_id) == kept.anchors
    for first, key in (("0" * 64, KEY), (kept.rows[0].hash, OTHER_KEY)):
        assert find_anchors(kept.anchors.parent, first, key.key_id) is None
    assert msgspec.json.decode(kept.anchors.read_bytes().splitlines()[0])["occasion"] == "start"


def test_tests_write_no_anchors_into_the_real_home():
    assert os.environ["INTERLOCK_ANCHORS"]
    assert Path.home() not in anchors_folder().parents


def test_two_journals_of_the_same_rows_are_two_journals(tmp_path):
    """Two replays of one data set have the same rows, and each its own anchors."""
    one, other = Kept(tmp_path / "one"), Kept(tmp_path / "other")
    bodies = [[parse(line, "a row").body for line in kept.lines] for kept in (one, other)]
    assert bodies[0] == bodies[1]
    assert parse(one.lines[0], "row 1").hash != parse(other.lines[0], "row 1").hash
