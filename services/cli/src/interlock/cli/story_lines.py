"""The story of a desk that escalates, as lines of the closing summary."""

from collections.abc import Iterable, Mapping

from interlock.cli.moments import show_day
from interlock.ledger.ensemble_scorecard import EnsembleScorecard
from interlock.ledger.story import KillDay, Spell, Story

type Line = tuple[str, str]
_KINDS = {"paper": "on paper", "quarantine": "quarantine"}


def story_lines(story: Story | None) -> list[Line]:
    """Return what a person is told: escalations, models, kill days, the way back."""
    if story is None:
        return []
    lines = [("escalated", _escalated(story)), ("models", _models(story))]
    lines += _headed("kill days", [_killed(one) for one in story.kill_days] or ["none"])
    if story.judged:
        stay = sum(story.judged.values())
        back = len(story.judged) - stay
        lines.append(("judged", f"stay on paper {stay:,}, go back {back:,}"))
    lines += _headed("on paper", [_spell(one) for one in story.spells])
    if story.modes:
        lines.append(("modes", _counts(story.modes)))
    return lines


def scorecard_line(card: EnsembleScorecard | None) -> list[Line]:
    if card is None:
        return []
    fails = [one.name for one in card.gates if not one.ok]
    held = len(card.gates) - len(fails)
    told = f"{held} of {len(card.gates)} gates hold" + (f"; not {', '.join(fails)}" * bool(fails))
    return [("scorecard", told)]


def _escalated(story: Story) -> str:
    if not story.fired:
        return "never"
    names = sorted({*story.granted, *story.refused})
    each = [
        f"{name} {story.granted.get(name, 0):,} + {story.refused.get(name, 0):,} refused"
        if name in story.refused
        else f"{name} {story.granted[name]:,}"
        for name in names
    ]
    total = sum(story.granted.values())
    most = f"{total:,} calls granted, at most {story.most_calls_a_day} a day"
    return f"{', '.join(each)}; {most}"


def _models(story: Story) -> str:
    answers = _counts(story.model_calls) or "nobody was asked"
    failed = f", {story.model_failures:,} gave nothing" if story.model_failures else ""
    cost = f"cost {story.cost_usd:.2f} USD"
    if story.cost_usd:
        cost += f", at most {story.most_cost_a_day_usd:.2f} on a day"
    return f"{answers}{failed}; {cost}"


def _killed(one: KillDay) -> str:
    return f"{show_day(one.day)}: -{one.loss_pct:.2f} %"


def _spell(one: Spell) -> str:
    what = f"{_KINDS[one.kind]} from {show_day(one.since)}"
    if one.until is None:
        return f"{what}, {one.sessions} sessions so far"
    return f"{what} to {show_day(one.until)}, {one.sessions} sessions; {one.ended_by}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _headed(head: str, texts: Iterable[str]) -> list[Line]:
    return [(head if place == 0 else "", text) for place, text in enumerate(texts)]
