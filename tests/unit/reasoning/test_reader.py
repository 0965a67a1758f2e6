"""The truth table of the reader: what is read, what is refused and with which code."""

import gzip
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.reasoning.answer_text import MAX_ANSWER_CHARS
from interlock.reasoning.reader import read, report
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.reasoning.schemas import MAX_RATIONALE_CHARS, PARAM_PROPOSAL, ParamProposalAnswer

GOOD = '{"threshold_bps": 1.2, "confidence": 70, "rationale": "x"}'
READ = ParamProposalAnswer(threshold_bps=1.2, confidence=70, rationale="x")
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "llm_outputs"


def answer(threshold="1.2", confidence="70", rationale='"x"'):
    return f'{{"threshold_bps": {threshold}, "confidence": {confidence}, "rationale": {rationale}}}'


TOLERATED = {
    "whole": GOOD,
    "in prose": f"Given volatility, I propose {GOOD} for the next bars.",
    "fenced": f"```json\n{GOOD}\n```",
    "fenced without a language": f"Here:\n```\n{GOOD}\n```\nGood luck!",
    "after a thought": f'<think>perhaps {{"threshold_bps": 2}}</think>\n{GOOD}',
    "after a thought without its beginning": f"hm, {{1.3}}</think>{GOOD}",
    "list of one": f"[{GOOD}]",
    "the same twice": f"{GOOD}\nOnce more: {GOOD}",
    "wrapped": f'{{"proposal": {GOOD}}}',
    "keyed by the parameter": '{"threshold_bps": {"value": 1.2, "confidence": 70}, "reason": "x"}',
    "parameter and value": (
        '{"parameter": "threshold_bps", "value": 1.2, "confidence": 70, "reason": "x"}'
    ),
    "nested thesis": '{"threshold_bps": 1.2, "confidence": 70, "thesis": {"summary": "x"}}',
    "other names": '{"newThreshold": 1.2, "Conviction": 70, "reasoning": "x"}',
    "numbers as strings": answer('"1.2"', '"70"'),
    "percent sign": answer(confidence='"70%"'),
    "percent as a fraction": answer(confidence="0.7"),
    "whole number as a float": answer(confidence="70.0"),
    "single quotes": "{'threshold_bps': 1.2, 'confidence': 70, 'rationale': 'x'}",
    "trailing comma": GOOD.replace("}", ",}"),
    "bare keys": '{threshold_bps: 1.2, confidence: 70, rationale: "x"}',
    "comment": GOOD.replace("70,", "70, // high\n"),
    "JSON in a JSON string": json.dumps(GOOD),
    "braces of prose": f"The set {{a, b}} and \\boxed{{1}} and {{ lead to {GOOD}",
}

REFUSED = {
    "": ReadRefusal.EMPTY,
    " \n": ReadRefusal.EMPTY,
    "<think>so much to think about": ReadRefusal.EMPTY,
    "I would leave it at 1.2.": ReadRefusal.NO_JSON,
    "[]": ReadRefusal.MISSING,
    '{"rsi": 40}': ReadRefusal.MISSING,
    '{"threshold_bps": 1.2}': ReadRefusal.MISSING,
    answer("null"): ReadRefusal.MISSING,
    GOOD[:-1]: ReadRefusal.TRUNCATED,
    '{"alternatives": ' + GOOD: ReadRefusal.TRUNCATED,
    answer("NaN"): ReadRefusal.NOT_FINITE,
    answer("Infinity"): ReadRefusal.NOT_FINITE,
    answer("1e999"): ReadRefusal.NOT_FINITE,
    answer('"nan"'): ReadRefusal.NOT_FINITE,
    answer("1" * 400): ReadRefusal.NOT_FINITE,
    answer("99"): ReadRefusal.OUT_OF_RANGE,
    answer("-1.2"): ReadRefusal.OUT_OF_RANGE,
    answer(confidence="101"): ReadRefusal.OUT_OF_RANGE,
    answer("true"): ReadRefusal.WRONG_TYPE,
    answer('"high"'): ReadRefusal.WRONG_TYPE,
    answer('"1,2"'): ReadRefusal.WRONG_TYPE,
    answer('"1_2"'): ReadRefusal.WRONG_TYPE,
    answer('"1.2%"'): ReadRefusal.WRONG_TYPE,
    answer(confidence="70.5"): ReadRefusal.WRONG_TYPE,
    answer(rationale="7"): ReadRefusal.WRONG_TYPE,
    f"{GOOD} or rather {answer('1.4')}": ReadRefusal.CONFLICT,
    f"[{GOOD}, {answer(confidence='71')}]": ReadRefusal.CONFLICT,
    GOOD[:-1] + ', "threshold_bps": 1.4}': ReadRefusal.CONFLICT,
    GOOD[:-1] + ', "threshold": 1.4}': ReadRefusal.CONFLICT,
    GOOD[:-1] + ', "was": {"threshold_bps": 1.0}}': ReadRefusal.CONFLICT,
    answer("1. 2"): ReadRefusal.BAD_JSON,
    answer("~1.2"): ReadRefusal.BAD_JSON,
    answer("1,5"): ReadRefusal.BAD_JSON,
    answer("1.2 to 1.4"): ReadRefusal.BAD_JSON,
    "{'threshold_bps': 1, 'threshold_bps': 2, 'confidence': 7}": ReadRefusal.CONFLICT,
    "[" * 100_000: ReadRefusal.TOO_DEEP,
    '{"a":' * 40_000: ReadRefusal.TOO_DEEP,
    '{"a":' * 100 + GOOD + "}" * 100: ReadRefusal.TOO_DEEP,
    "x" * (MAX_ANSWER_CHARS + 1): ReadRefusal.TOO_LONG,
}


@pytest.mark.parametrize("text", TOLERATED.values(), ids=TOLERATED.keys())
def test_reads(text):
    assert read(text, PARAM_PROPOSAL) == READ


@pytest.mark.parametrize(
    ("text", "code"), REFUSED.items(), ids=[f"{c}:{t[:40]}" for t, c in REFUSED.items()]
)
def test_refuses(text, code):
    reading = read(text, PARAM_PROPOSAL)
    assert isinstance(reading, Unreadable)
    assert reading.code is code


def test_range_is_the_desks():
    schema = PARAM_PROPOSAL.narrowed("threshold_bps", 0.3, 1.0)
    assert read(GOOD, schema) == Unreadable(
        code=ReadRefusal.OUT_OF_RANGE, reason="threshold_bps is 1.2, not within 0.3 to 1"
    )


def test_rationale_is_capped_and_made_harmless():
    hidden = '"buy\\u202e\\u200bnow' + "!" * 1_000 + '"'
    reading = read(answer(rationale=hidden), PARAM_PROPOSAL)
    assert isinstance(reading, ParamProposalAnswer)
    assert reading.rationale.startswith("buynow!")
    assert len(reading.rationale) <= MAX_RATIONALE_CHARS


def test_report_is_what_the_command_prints():
    assert report(read(GOOD, PARAM_PROPOSAL)) == {
        "ok": True,
        "value": {"threshold_bps": 1.2, "confidence": 70, "rationale": "x"},
    }
    assert report(read("", PARAM_PROPOSAL)) == {
        "ok": False,
        "code": "empty",
        "reason": "the answer is empty",
    }


@given(st.text(alphabet="{}[]\":,\\ \n'/*<>think0123456789.-+eEnatrufls_%threshold_bpsconfidence"))
def test_never_raises(text):
    assert read(text, PARAM_PROPOSAL) is not None


@given(st.text() | st.builds(answer, st.text(), st.text(), st.text().map(json.dumps)))
def test_i16_whatever_a_model_writes_is_a_code_or_within_the_limits(text):
    match read(text, PARAM_PROPOSAL):
        case Unreadable(code=code):
            assert code in ReadRefusal
        case reading:
            assert isinstance(reading, ParamProposalAnswer)
            assert 0.3 <= reading.threshold_bps <= 3.0
            assert reading.confidence in range(101)
            assert len(reading.rationale) <= MAX_RATIONALE_CHARS


@given(
    st.floats(min_value=0.3, max_value=3.0),
    st.integers(min_value=0, max_value=100),
    st.text(min_size=1, max_size=40),
)
def test_reads_back_what_was_written(threshold, confidence, prose):
    text = json.dumps({"threshold_bps": threshold, "confidence": confidence, "rationale": "x"})
    around = re.sub(r"[{<\[]", "", prose)
    reading = read(f"{around}\n{text}", PARAM_PROPOSAL)
    assert reading == ParamProposalAnswer(
        threshold_bps=threshold, confidence=confidence, rationale="x"
    )


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no recorded model outputs in {SHARED}")
def test_recorded_answers_are_refused_by_code_only():
    """None of them answers our question, so none may be taken for an answer."""
    durations, codes = [], {}
    for path in sorted(SHARED.glob("raw_responses_*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            text = json.loads(line)["text"]
            begin = time.perf_counter()
            reading = read(text, PARAM_PROPOSAL)
            durations.append(time.perf_counter() - begin)
            assert isinstance(reading, Unreadable), text
            codes[reading.code.value] = codes.get(reading.code.value, 0) + 1
    durations.sort()
    p99 = durations[int(len(durations) * 0.99)]
    print(f"{len(durations)} answers, p99 {p99 * 1e3:.2f} ms, {codes}")  # noqa: T201
    assert len(durations) == 2_754
