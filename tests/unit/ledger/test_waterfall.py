from interlock.ledger.waterfall import lines, waterfall
from interlock.wire.system import SpanRow

MS = 1_000_000


def span(span_id: str, parent: str, start_ms: int, end_ms: int, **more) -> SpanRow:
    fields = {
        "trace_id": "t" * 32,
        "span_id": span_id,
        "parent_span_id": parent,
        "service": "gate",
        "name": f"span-{span_id}",
        "started_at": start_ms * MS,
        "ended_at": end_ms * MS,
        "failed": False,
        "attributes": {},
    }
    return SpanRow(**(fields | more))


def test_children_stand_under_their_parents_by_time():
    spans = [span("c", "a", 7, 9), span("b", "a", 2, 5), span("d", "b", 3, 4), span("a", "", 0, 10)]
    steps = waterfall(spans)
    assert [(s.span_id, s.depth) for s in steps] == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]
    assert [(s.start_ms, s.duration_ms) for s in steps] == [(0, 10), (2, 3), (3, 1), (7, 2)]


def test_no_span_is_lost_to_a_missing_parent_or_a_ring():
    spans = [span("a", "gone", 0, 1), span("x", "y", 2, 3), span("y", "x", 3, 4)]
    assert [s.span_id for s in waterfall(spans)] == ["a", "x", "y"]


def test_a_span_told_twice_is_shown_once():
    assert len(waterfall([span("a", "", 0, 1), span("a", "", 0, 1)])) == 1


def test_the_text_shows_depth_time_and_failure():
    spans = [span("a", "", 0, 10), span("b", "a", 5, 10, failed=True)]
    first, second = lines(waterfall(spans), bar_width=10)
    assert first.startswith("gate span-a ")
    assert "|██████████|" in first
    assert second.startswith("  gate span-b ")
    assert "5.000 ms" in second
    assert second.endswith("|     █████| failed")


def test_nothing_and_instants_can_be_shown():
    assert waterfall([]) == []
    assert lines([]) == []
    (line,) = lines(waterfall([span("a", "", 5, 5)]), bar_width=10)
    assert "|█         |" in line
