"""Write the generated parts of the documents. Run by ``make proto``.

A generated part stands between ``<!-- NAME: generated -->`` and ``<!-- NAME: end -->``; everything
around it is written by hand and kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from interlock.escalation.config import EscalationConfig
from interlock.gate.controls.table import CONTROLS
from interlock.model import trading
from interlock.model.order import CLOSED, TRANSITIONS, OrderStatus
from interlock.model.trading import LETS_THROUGH, NOTHING_TO_DO, Standing, Trigger
from interlock.policy.config import SOURCE_KILL_RULE
from interlock.reasoning.answer_schema import (
    ChoiceRule,
    FieldRule,
    FlagRule,
    GroupRule,
    LabelRule,
    NamesRule,
    NumberRule,
    SymbolRule,
    TextRule,
    TextsRule,
)
from interlock.reasoning.endpoint import EndpointConfig, ProviderKind
from interlock.reasoning.refusal import MEANING
from interlock.reasoning.schemas import SCHEMAS
from interlock.signals.adapters.serving import folders_of
from interlock.signals.config import ModelsConfig
from interlock.signals.inputs import INPUTS
from interlock.signals.model_sets import META_FILE, ModelSet
from interlock.strategy.ensemble.config import EnsembleConfig
from interlock.strategy.ensemble.modes import FAILURES, heeded_in
from interlock.strategy.ensemble.score import PENALTIES
from interlock.wire.catalogue import ENTRIES, PEOPLE, SERVICES, Entry
from interlock.wire.decisions import Mode

ROOT = Path(__file__).parents[1]


def render() -> dict[str, str]:
    """Return every document with a generated part: path below the root, and content."""
    documents = {"docs/order-states.md": order_states()}
    documents["docs/trading-states.md"] = trading_states()
    parts = {"codes": refusals(), "questions": questions()}
    documents["docs/reader.md"] = _filled("docs/reader.md", parts)
    documents["docs/models.md"] = _filled(
        "docs/models.md", {"inputs": inputs(), "sets": sets(), "calibration": calibration()}
    )
    ensemble = "docs/ensemble.md"
    documents[ensemble] = _filled(ensemble, {"penalties": penalties(), "modes": modes()})
    documents["services/console/src/interlock/console/controls.json"] = control_lines()
    documents["services/console/src/interlock/console/defaults.json"] = console_defaults()
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


def refusals() -> str:
    """Return the codes with which an answer is refused as a Markdown table."""
    return _table(("code", "the answer"), [(f"`{code}`", text) for code, text in MEANING.items()])


def questions() -> str:
    """Return each kind of answer, and what its fields may hold."""
    parts: list[str] = []
    for name, schema in SCHEMAS.items():
        rows = _rows_of(schema.rows.row.fields if schema.rows else schema.fields)
        most = f", at most {schema.rows.most} {schema.rows.field} of" if schema.rows else ""
        head = ("field", "holds", "also called")
        parts.append(f"**{name}**{most}\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def _rows_of(fields: Mapping[str, FieldRule], within: str = "") -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, rule in fields.items():
        if isinstance(rule, GroupRule):
            rows += _rows_of(rule.fields, f"{within}{name}.")
            continue
        aliases = ", ".join(f"`{alias}`" for alias in rule.aliases if alias != name)
        rows.append((f"`{within}{name}`", _holds(rule), aliases or "-"))
    return rows


def _holds(rule: FieldRule) -> str:
    match rule:
        case NumberRule():
            start = "above " if rule.above else ""
            unit = ", or a percentage of it" if rule.percent else ""
            kind = "whole number, " if rule.whole else ""
            return f"{kind}{start}{rule.lower:g} to {rule.upper:g}{unit}"
        case ChoiceRule():
            return ", ".join(f"`{value}`" for value in rule.values)
        case SymbolRule():
            return "an instrument that was asked about"
        case NamesRule():
            of = "instruments" if rule.symbols else "names"
            return f"a list of at most {rule.most} {of}"
        case LabelRule():
            return "a short name"
        case FlagRule():
            return "true or false"
        case TextRule():
            return f"text, cut at {rule.max_chars} characters"
        case TextsRule():
            return f"at most {rule.most} texts, cut at {rule.max_chars} characters"
        case GroupRule():
            return "an object"


def inputs() -> str:
    """Return what the models are shown, in their order."""
    rows = [(f"`{one.name}`", f"`{one.definition}`") for one in INPUTS]
    return _table(("input", "made of"), rows)


def _shipped() -> list[ModelSet]:
    folders = folders_of(ModelsConfig(shipped=True))
    return [msgspec.json.decode((one / META_FILE).read_bytes(), type=ModelSet) for one in folders]


def sets() -> str:
    """Return what the shipped models were worth out of sample, from their own files."""
    head = ("", "chosen", "rows", "right", "plain", "Brier", "plain", "Sharpe", "drawdown", "PBO")
    parts: list[str] = []
    for one in _shipped():
        report = one.report
        blend, always, hint = report["blend"], report["always_long"], report["size_hint"]
        rows = [
            (
                f"`{name}`",
                report[name]["chosen"],
                f"{report[name]['count']:,}",
                f"{report[name]['accuracy']:.1%}",
                f"{report[name]['plain_accuracy']:.1%}",
                f"{report[name]['brier']:.4f}",
                f"{report[name]['plain_brier']:.4f}",
                *_held(report[name]["held"]),
                f"{report[name]['overfitting']:.0%}",
            )
            for name in ("p_short", "p_mid")
        ]
        rows += [
            (
                "`size_hint`", hint["chosen"], f"{hint['count']:,}", f"{hint['right']:.1%}", "", "",
                "", *_held(hint["held"]), f"{hint['overfitting']:.0%}",
            ),
            (
                "blend", "0.4, 0.3, 0.3", f"{blend['count']:,}", f"{blend['accuracy']:.1%}",
                f"{blend['plain_accuracy']:.1%}", f"{blend['brier']:.4f}", "",
                *_held(blend["held"]), "",
            ),
            ("always long", "", "", "", "", "", "", *_held(always), ""),
        ]  # fmt: skip
        bars = (
            f"{one.data.bars:,} bars of {', '.join(one.data.instruments)}, {one.trained_from} to "
            f"{one.trained_to}; the last {report['tested_moments']:,} days of them tested."
        )
        parts += [
            f"### {one.name}",
            "",
            bars,
            "",
            _table(head, rows),
            "",
        ]
    return "\n".join(parts[:-1])


def _held(held: dict[str, float]) -> tuple[str, str]:
    return f"{held['sharpe']:.2f}", f"{held['drawdown']:.1%}"


def calibration() -> str:
    """Return what came of the shipped models' probabilities, by tenths."""
    rows = [
        (
            one.name,
            f"`{name}`",
            f"{row['lower']:.1f} to {row['upper']:.1f}",
            f"{row['count']:,}",
            f"{row['forecast']:.3f}",
            f"{row['came_true']:.3f}",
        )
        for one in _shipped()
        for name in ("p_short", "p_mid")
        for row in one.report[name]["calibration"]
    ]
    return _table(("set", "model", "said", "rows", "mean", "came true"), rows)


def penalties() -> str:
    """Return what the meta-ensemble takes off a score, as a Markdown table."""
    config = EnsembleConfig(buckets={})
    rows: list[tuple[str, ...]] = []
    for one in PENALTIES:
        rule = one.rule_of(config)
        past = "above" if one.is_past(1.0, 0.0) else "below"
        rows.append((f"`{one.name}`", f"{past} {rule.limit:g}", f"{-rule.points:+.2f}"))
    return _table(("penalty", "where it is", "points"), rows)


def modes() -> str:
    """Return the failure modes of the meta-ensemble as a Markdown table."""
    rows = [(f"`{Mode.FULL}`", "all three", "whole", "", "")]
    for mode, failure in FAILURES.items():
        heeded = ", ".join(sorted(heeded_in(mode)))
        size = "none" if not failure.may_act else "half" if failure.halves else "whole"
        voices = heeded if failure.may_act else "nobody"
        rows.append((f"`{mode}`", voices, size, failure.begins, failure.ends))
    return _table(("mode", "who is heeded", "sizes", "alert as it begins", "as it ends"), rows)


def control_lines() -> str:
    """Return the controls for the console, which does not import the gate."""
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


def console_defaults() -> str:
    """Return what services take where a desk file is silent, for the console, which imports none.

    A desk has no kill rule of its own accord; those that have one take the sources'.
    """
    ensemble = EnsembleConfig(buckets={})
    escalation = EscalationConfig(cloud=EndpointConfig(provider=ProviderKind.RULES))
    found = {
        "buy_at": ensemble.buy_at,
        "sell_at": ensemble.sell_at,
        "kill_window_days": SOURCE_KILL_RULE.window_days,
        "cloud_calls_per_day": escalation.max_calls_per_day,
    }
    return json.dumps(found, indent=2) + "\n"


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
