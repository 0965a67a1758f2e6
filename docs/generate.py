"""Write the generated parts of the documents. Run by ``make proto``.

A generated part stands between ``<!-- NAME: generated -->`` and ``<!-- NAME: end -->``; everything
around it is written by hand and kept.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from interlock.gate.controls.table import CONTROLS
from interlock.model import trading
from interlock.model.order import CLOSED, TRANSITIONS, OrderStatus
from interlock.model.trading import LETS_THROUGH, NOTHING_TO_DO, Standing, Trigger
from interlock.wire.catalogue import ENTRIES, PEOPLE, SERVICES, Entry

ROOT = Path(__file__).parents[1]


def render() -> dict[str, str]:
    """Return every document with a generated part: path below the root, and content."""
    documents = {"docs/order-states.md": order_states()}
    documents["docs/trading-states.md"] = trading_states()
    documents["services/console/src/interlock/console/controls.json"] = control_lines()
    documents["README.md"] = _filled("README.md", {"controls": controls()})
    for service in (*SERVICES, *PEOPLE):
        path = f"services/{service}/README.md"
        documents[path] = _filled(path, {"hears": hears(service), "says": says(service)})
    return documents


def order_states() -> str:
    """Return the order's transition table as a Mermaid state diagram."""
    arrows = [f"    [*] --> {OrderStatus.INITIALIZED}"]
    arrows += [f"    {now} --> {after}: {trigger}" for (now, trigger), after in TRANSITIONS.items()]
    arrows += [f"    {status} --> [*]" for status in OrderStatus if status in CLOSED]
    lines = [
        "# The life of an order",
        "",
        "Generated from `interlock.model.order.TRANSITIONS` by `make proto`; do not edit. What the",
        "table does not list cannot happen: it raises `IllegalTransitionError`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *arrows,
        "```",
        "",
        "`unknown` means: sent, and no answer. Only the venue's word ends it; until then the order",
        "counts as exposure.",
    ]
    return "\n".join(lines) + "\n"


def trading_states() -> str:
    """Return the table of a desk's standings as a Mermaid state diagram and as a table."""
    arrows = [f"    [*] --> {Standing.STARTING}"]
    for (now, trigger), after in trading.TRANSITIONS.items():
        arrows.append(f"    {now} --> {after}: {trigger}")
    lines = [
        "# The standing of a desk",
        "",
        "Generated from `interlock.model.trading` by `make proto`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *arrows,
        "```",
        "",
        _table(
            ("standing", "the gate sees", *Trigger),
            [
                (f"`{now}`", LETS_THROUGH[now], *(_after(now, trigger) for trigger in Trigger))
                for now in Standing
            ],
        ),
        "",
        "A dash means that there is nothing to do; *refused*, that a person is told why.",
    ]
    return "\n".join(lines) + "\n"


def _after(now: Standing, trigger: Trigger) -> str:
    if (now, trigger) in NOTHING_TO_DO:
        return "-"
    after = trading.TRANSITIONS.get((now, trigger))
    return "*refused*" if after is None else f"`{after}`"


def controls() -> str:
    """Return the gate's controls as a Markdown table, in the order they are asked."""
    rows = [
        (
            f"`{c.code}`",
            c.definition,
            c.unit,
            c.source,
            c.level,
            "too" if c.binds_reducing else "not",
        )
        for c in CONTROLS
    ]
    return _table(("code", "holds that", "unit", "source", "level", "reduce-only"), rows)


def control_lines() -> str:
    """Return the same for the console, which does not import the gate."""
    lines = [
        {
            "code": c.code,
            "definition": c.definition,
            "unit": c.unit,
            "source": c.source,
            "level": c.level,
            "binds_reducing": c.binds_reducing,
        }
        for c in CONTROLS
    ]
    return json.dumps(lines, indent=2) + "\n"


def hears(service: str) -> str:
    entries = [entry for entry in ENTRIES if service in entry.listeners]
    if not entries:
        return "Nothing."
    head = ("subject", "message", "from", "why")
    return _table(head, [_cells(entry, entry.publishers) for entry in entries])


def says(service: str) -> str:
    entries = [entry for entry in ENTRIES if service in entry.publishers]
    head = ("subject", "message", "to", "why")
    return _table(head, [_cells(entry, entry.listeners) for entry in entries])


def _cells(entry: Entry, parties: Sequence[str]) -> tuple[str, ...]:
    schema = f"[{entry.tag}](../../proto/schemas/{entry.tag}.json)"
    others = "every service" if set(SERVICES) <= set(parties) else ", ".join(parties)
    return f"`{entry.pattern}`", schema, others, entry.why


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _filled(path: str, parts: dict[str, str]) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    for name, part in parts.items():
        first, last = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
        before, opened, rest = text.partition(first)
        _, closed, after = rest.partition(last)
        if not opened or not closed:
            raise ValueError(f"{path} must hold {first} and, after it, {last}")
        text = f"{before}{first}\n{part}\n{last}{after}"
    return text


def main() -> None:
    for path, text in render().items():
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
