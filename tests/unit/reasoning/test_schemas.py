from typing import Literal

import pytest
from interlock.reasoning.schemas import PARAM_PROPOSAL, SCHEMAS, ParamProposalAnswer
from interlock.reasoning.schemas import strict_json_schema as strict
from msgspec import Struct


class Inner(Struct):
    side: Literal["long", "short"]


class Outer(Struct):
    inner: Inner
    many: list[Inner]
    note: str | None = None


class Endless(Struct):
    below: list["Endless"]


def test_param_proposal_is_strict():
    schema = strict(ParamProposalAnswer)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["threshold_bps", "confidence", "rationale"]
    assert schema["properties"]["confidence"].keys() == {"type", "description"}


def test_references_are_written_out_and_enums_typed():
    schema = strict(Outer)
    inner = {
        "type": "object",
        "properties": {"side": {"enum": ["long", "short"], "type": "string"}},
        "required": ["side"],
        "additionalProperties": False,
    }
    assert schema["properties"]["inner"] == inner
    assert schema["properties"]["many"] == {"type": "array", "items": inner}
    assert schema["required"] == ["inner", "many", "note"]
    assert "$ref" not in str(schema)
    assert "default" not in str(schema)


def test_endless_type_is_refused():
    with pytest.raises(ValueError, match="Endless refers to itself"):
        strict(Endless)


def test_every_rule_names_a_field_of_its_type():
    assert SCHEMAS["param-proposal"] is PARAM_PROPOSAL
    for schema in SCHEMAS.values():
        if schema.rows is not None:
            assert schema.kind.__struct_fields__ == (schema.rows.field,)
            schema = schema.rows.row  # noqa: PLW2901 - its rows have the fields
        assert tuple(schema.fields) == schema.kind.__struct_fields__
        assert set(schema.identifying) <= set(schema.fields)
