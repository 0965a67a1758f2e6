"""The generated files are current and valid; the examples are the compatibility test."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from interlock.wire import catalogue, codec, documents

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto"
# AsyncAPI's own meta-schema, from the npm package @asyncapi/specs 6.11.1 (Apache-2.0).
META_SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.schema.json")
EXAMPLES = sorted(PROTO.glob("examples/*/*.json"))


def test_generated_files_are_current():
    wanted = documents.render()
    found = {
        str(path.relative_to(PROTO)): path.read_text(encoding="utf-8")
        for path in [*PROTO.glob("*.json"), *PROTO.glob("*.md"), *PROTO.glob("schemas/*.json")]
    }
    assert found.keys() == wanted.keys()
    stale = [name for name, text in wanted.items() if found[name] != text]
    assert not stale, "run `make proto`"


def test_asyncapi_document_holds_its_meta_schema():
    meta = json.loads(META_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(meta).validate(documents.asyncapi())


def test_every_message_has_an_example():
    assert {path.parent.name for path in EXAMPLES} == set(catalogue.BY_TAG)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_example_reads_and_holds_its_schema(path: Path):
    body = path.read_bytes()
    message = codec.decode(body)
    entry = catalogue.entry_of(message)
    assert entry.tag == path.parent.name
    schema = documents.schema(entry)
    jsonschema.Draft202012Validator(schema).validate(json.loads(body))
    jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode(codec.encode(message)))
    assert codec.decode(codec.encode(message)) == message


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_subject_follows_the_catalogues_pattern(path: Path):
    message = codec.decode(path.read_bytes())
    pattern = catalogue.entry_of(message).pattern.split(".")
    subject = catalogue.subject_of(message).split(".")
    assert len(subject) == len(pattern)
    assert all(p.startswith("{") or p == s for p, s in zip(pattern, subject, strict=True))


def test_every_subject_lies_in_exactly_its_stream():
    for entry in catalogue.ENTRIES:
        homes = [
            spec.name
            for spec in catalogue.STREAMS
            if any(_covers(subject, entry.pattern) for subject in spec.subjects)
        ]
        assert homes == ([] if entry.stream is None else [entry.stream]), entry.tag


def test_every_line_of_the_catalogue_has_a_publisher_and_known_parties():
    known = {*catalogue.SERVICES, *catalogue.PEOPLE}
    for entry in catalogue.ENTRIES:
        assert entry.publishers, entry.tag
        assert known.issuperset({*entry.publishers, *entry.listeners}), entry.tag


def test_only_the_gate_may_publish_orders():
    assert catalogue.BY_TAG["order.submit.v1"].publishers == (catalogue.GATE,)


def _covers(stream_subject: str, pattern: str) -> bool:
    return pattern.startswith(stream_subject.removesuffix(">"))
