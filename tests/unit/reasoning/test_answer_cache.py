"""What was asked finds its answer again; anything else does not."""

from dataclasses import replace
from decimal import Decimal

import pytest
from interlock.reasoning.answer_cache import FolderCache, Kept, key_of
from interlock.reasoning.ports import Answer, Finish, Question
from interlock.reasoning.rules import Rules
from interlock.reasoning.schemas import PARAM_PROPOSAL, SCHEMAS

ASKED = Question(
    system="You tune.", prompt="?", schema=PARAM_PROPOSAL, max_tokens=9, timeout_seconds=1.0
)
KEPT = Kept(
    answer=Answer(text="{}", tokens_in=3, tokens_out=4, finish_reason=Finish.STOP, model="stub-1"),
    spent_usd=Decimal("0.001"),
    latency_ns=5,
)


def test_an_answer_is_found_again_with_its_cost_and_its_time(tmp_path):
    key = key_of(Rules(), ASKED)
    FolderCache(tmp_path / "new").put(key, KEPT)
    assert FolderCache(tmp_path / "new").get(key) == KEPT


@pytest.mark.parametrize(
    "changes",
    [
        {"system": "You audit."},
        {"prompt": "!"},
        {"max_tokens": 10},
        {"schema": SCHEMAS["sanity-judge"]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_question_has_another_key(changes):
    assert key_of(Rules(), replace(ASKED, **changes)) != key_of(Rules(), ASKED)


def test_how_long_one_would_wait_is_no_part_of_the_question():
    assert key_of(Rules(), replace(ASKED, timeout_seconds=9.0)) == key_of(Rules(), ASKED)


@pytest.mark.parametrize("body", [b"", b"{", b'{"answer": 1}', b"\xff"])
def test_a_damaged_entry_is_as_good_as_none_and_told(tmp_path, body):
    told = []
    (tmp_path / "k.json").write_bytes(body)
    assert FolderCache(tmp_path, told.append).get("k") is None
    assert len(told) == 1


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path):
    told = []
    (tmp_path / "file").write_text("no folder")
    FolderCache(tmp_path / "file" / "below", told.append).put("k", KEPT)
    assert len(told) == 1
