"""What models may answer: one type and one set of field rules per kind of question.

The type goes to the model as a strict JSON Schema and judges what came back. The rules tell the
reader what else a field may be called, in which range it lies, and how far it may be bent into
shape without guessing.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from interlock.reasoning.answer_schema import AnswerSchema, NumberRule, TextRule
from interlock.reasoning.cloud_answers import REGIME_AUDITOR, REWARD_ENGINEER, SANITY_JUDGE
from interlock.reasoning.day_answers import POST_MORTEM
from interlock.reasoning.trading_answers import ALLOCATION, DECISION, SENTIMENT

MAX_RATIONALE_CHARS = 500


class ParamProposalAnswer(Struct, frozen=True, kw_only=True):
    """Another value for the threshold, in basis points."""

    threshold_bps: Annotated[float, Meta(description="The proposed threshold in basis points.")]
    confidence: Annotated[int, Meta(ge=0, le=100, description="0 to 100, a whole number.")]
    rationale: Annotated[
        str, Meta(max_length=MAX_RATIONALE_CHARS, description="One or two sentences.")
    ]


PARAM_PROPOSAL = AnswerSchema(
    name="param-proposal",
    kind=ParamProposalAnswer,
    fields={
        "threshold_bps": NumberRule(
            lower=0.3,
            upper=3.0,
            aliases=("threshold", "new_threshold_bps", "proposed_threshold_bps", "new_threshold"),
        ),
        "confidence": NumberRule(
            lower=0, upper=100, whole=True, percent=True, aliases=("conviction", "confidence_pct")
        ),
        "rationale": TextRule(
            max_chars=MAX_RATIONALE_CHARS,
            aliases=("reason", "reasoning", "explanation", "justification", "thesis"),
        ),
    },
    identifying=("threshold_bps",),
)

SCHEMAS: dict[str, AnswerSchema] = {
    schema.name: schema
    for schema in (
        PARAM_PROPOSAL,
        DECISION,
        ALLOCATION,
        REGIME_AUDITOR,
        REWARD_ENGINEER,
        SANITY_JUDGE,
        SENTIMENT,
        POST_MORTEM,
    )
}
"""Every schema by the name `interlock reason parse --schema` knows it by."""

_KEPT_KEYS = frozenset({"type", "properties", "items", "enum", "const", "anyOf", "description"})


def strict_json_schema(kind: type[Any]) -> dict[str, Any]:
    """Return the JSON Schema of `kind` in the form that constrained decoders take.

    References are written out, every property is required, nothing else is allowed, and
    constraints are left away, because decoders reject or ignore them: what comes back is decoded
    again with the real type. The form is that of OpenAI's strict mode; Ollama's ``format`` takes
    it too.

    Raises
    ------
    ValueError
        When the type refers to itself, which has no finite form without references.
    """
    schema = msgspec.json.schema(kind)
    return _strict(schema, schema.get("$defs", {}), ())


def _strict(node: dict[str, Any], defs: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is not None:
        name = str(reference).rpartition("/")[2]
        if name in within:
            raise ValueError(f"{name} refers to itself and has no strict schema")
        return _strict(defs[name], defs, (*within, name))
    strict: dict[str, Any] = {key: node[key] for key in node if key in _KEPT_KEYS}
    if "enum" in strict and "type" not in strict:
        strict["type"] = "string"
    if "items" in strict:
        strict["items"] = _strict(strict["items"], defs, within)
    if "anyOf" in strict:
        strict["anyOf"] = [_strict(option, defs, within) for option in strict["anyOf"]]
    if strict.get("type") == "object":
        properties: dict[str, Any] = strict.get("properties", {})
        strict["properties"] = {k: _strict(v, defs, within) for k, v in properties.items()}
        strict["required"] = list(properties)
        strict["additionalProperties"] = False
    return strict
