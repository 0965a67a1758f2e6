"""The meta-ensemble's last words, as the page shows them."""

from interlock.console.plain import finite
from interlock.console.state import Live
from interlock.console.views.judgement import ScoreView
from interlock.wire.decisions import ScoreComputed


def score_view(live: Live, said: ScoreComputed) -> ScoreView:
    sentiment = live.sentiment.get(said.instrument_id)
    return ScoreView(
        message_id=said.message_id,
        decision_id=said.decision_id,
        ts_event=str(said.ts_event),
        instrument_id=said.instrument_id,
        p_short=finite(said.p_short),
        p_mid=finite(said.p_mid),
        size_hint=finite(said.size_hint),
        weights=said.weights,
        penalties=said.penalties,
        base=finite(said.base),
        score=finite(said.score),
        action=said.action,
        size_fraction=said.size_fraction,
        mode=said.mode,
        policy_version=said.policy_version,
        sentiment=None if sentiment is None else sentiment.sentiment,
    )


def scores_now(live: Live) -> list[ScoreView]:
    """Return the last score of each instrument, by name."""
    return [score_view(live, one) for _, one in sorted(live.scores.items())]
