"""What the reader makes of real answers is held against labels made by hand first."""

from collections import Counter

import pytest

from tests.bench.reader_corpus import ANSWERS, PUBLISHED, REFUSE, compared, labels, recorded
from tests.bench.reader_questions import ASKED, OURS, TRADES
from tests.bench.reader_table import PAGE, measured, page

here = pytest.mark.skipif(not ANSWERS.is_dir(), reason=f"no recorded answers in {ANSWERS}")


def test_labels_cover_kinds_questions_and_outcomes():
    read = labels()
    assert len({label.id for label in read}) >= 200
    assert len({(label.id, label.schema) for label in read}) == len(read)
    known = {schema.name for schema in (*ASKED.values(), *OURS.values(), TRADES)}
    assert {label.schema for label in read} == known
    kinds = Counter(label.kind for label in read)
    assert len(kinds) == 9
    assert min(kinds.values()) >= 10
    outcomes = Counter(label.label == REFUSE for label in read)
    assert min(outcomes.values()) >= 200


@pytest.mark.shared_data
@here
def test_nothing_is_read_wrongly():
    """A refusal of what is readable is counted in `docs/reader.md`; this may never be."""
    by_id = {answer.id: answer for answer in recorded()}
    assert len(by_id) == 2_754
    results = [compared(by_id[label.id], label) for label in labels()]
    assert [each for each in results if each.refused is None and not each.agrees] == []
    right = [each for each in results if each.refused is None]
    assert len(right) >= 170


@pytest.mark.shared_data
@here
def test_published_tables_are_current():
    assert PAGE.read_text(encoding="utf-8") == page(measured()), f"run `{PUBLISHED}`"
