"""What a model may answer when it is asked about a trading day that is over."""

from typing import Annotated

from msgspec import Meta, Struct

from interlock.reasoning.answer_schema import AnswerSchema, TextRule, TextsRule

MAX_CAUSE_CHARS = 500
MAX_RECOMMENDATIONS = 5
MAX_RECOMMENDATION_CHARS = 300


class PostMortemAnswer(Struct, frozen=True, kw_only=True):
    """Why the day came to what it did, and what to do about it: text for people."""

    root_cause: Annotated[str, Meta(description="One or two sentences.")]
    recommendations: Annotated[tuple[str, ...], Meta(description="One to five sentences.")]


POST_MORTEM = AnswerSchema(
    name="post-mortem",
    kind=PostMortemAnswer,
    fields={
        "root_cause": TextRule(max_chars=MAX_CAUSE_CHARS, aliases=("cause",)),
        "recommendations": TextsRule(
            most=MAX_RECOMMENDATIONS,
            max_chars=MAX_RECOMMENDATION_CHARS,
            aliases=("recommendation", "actions", "next_steps"),
        ),
    },
    identifying=("root_cause",),
)
