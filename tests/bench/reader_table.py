"""`python -m tests.bench.reader_table`: what the reader makes of 2,754 recorded answers.

Writes the tables into `docs/reader.md`. The answers are no part of the repository, so neither
are these tables of what `make proto` writes.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tests.bench.reader_corpus import ANSWERS, REFUSE, ROOT, compared, labels, outcome, recorded
from tests.bench.reader_questions import asked, ours

PAGE = ROOT / "docs" / "reader.md"
FIRST, LAST = "<!-- measured: generated -->", "<!-- measured: end -->"


def measured() -> str:
    """Return the generated part: the outcomes by kind and model, and how they were checked."""
    by_id = {answer.id: answer for answer in recorded()}
    kinds: defaultdict[tuple[str, str, str, str], tuple[Counter[str], Counter[str]]]
    kinds = defaultdict(lambda: (Counter(), Counter()))
    for answer in by_id.values():
        questions = asked(answer.kind, answer.source), ours(answer.kind, answer.source)
        names = [schema.name for schema in questions]
        counters = kinds[answer.kind, answer.model, names[0], names[1]]
        for counter, schema in zip(counters, questions, strict=True):
            counter[outcome(answer, schema)] += 1
    totals = Counter[str](), Counter[str]()
    rows: list[tuple[str, ...]] = []
    for (kind, model, theirs, our), counters in sorted(kinds.items()):
        cells = [cell for counter in counters for cell in _cells(counter)]
        count = str(counters[0].total())
        rows.append((kind, model, count, f"`{theirs}`", *cells[:3], f"`{our}`", *cells[3:]))
        for total, counter in zip(totals, counters, strict=True):
            total.update(counter)
    cells = [cell for total in totals for cell in _cells(total)]
    rows.append(("all", "", str(len(by_id)), "", *cells[:3], "", *cells[3:]))
    head = ("kind", "model", "answers")
    head += ("was asked", "read", "abstains", "refused")
    head += ("of ours", "read", "abstains", "refused")
    results = [compared(by_id[label.id], label) for label in labels()]
    checked: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in results:
        if each.refused is None:
            verdict = "read right" if each.agrees else "WRONGLY READ"
        else:
            verdict = "refused, rightly" if each.label.label == REFUSE else "refused, readable"
        checked[each.label.kind, each.label.schema][verdict] += 1
    verdicts = ("read right", "refused, rightly", "refused, readable", "WRONGLY READ")
    lines = [
        (kind, f"`{schema}`", str(counter.total()), *(str(counter[each]) for each in verdicts))
        for (kind, schema), counter in sorted(checked.items())
    ]
    sums = sum(checked.values(), Counter[str]())
    lines.append(("all", "", str(sums.total()), *(str(sums[each]) for each in verdicts)))
    texts = len({each.label.id for each in results})
    return "\n".join(
        [
            f"### What became of {len(by_id):,} answers",
            "",
            _table(head, rows),
            "",
            f"### {texts} of them, labelled by hand first",
            "",
            _table(("kind", "question", "labels", *verdicts), lines),
        ]
    )


def page(part: str) -> str:
    """Return `docs/reader.md` with its measured part replaced."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(FIRST)
    _, _, after = rest.partition(LAST)
    return f"{before}{FIRST}\n{part}\n{LAST}{after}"


def _cells(counter: Counter[str]) -> tuple[str, str, str]:
    codes = sorted((code, n) for code, n in counter.items() if code not in {"read", "abstains"})
    refused = ", ".join(f"`{code}` {n}" for code, n in codes) or "-"
    return str(counter["read"]), str(counter["abstains"]), refused


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> int:
    if not ANSWERS.is_dir():
        sys.stderr.write(f"there are no recorded answers in {ANSWERS}\n")
        return 1
    PAGE.write_text(page(measured()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
