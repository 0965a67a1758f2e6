"""Renders the catalogue for the world outside: schemas, AsyncAPI, subject and stream tables.

Pure: `render` returns paths and texts; ``proto/generate.py`` writes them, and a test compares.
"""

import json
from typing import Any

import msgspec

from interlock.wire.catalogue import ENTRIES, STREAMS, Entry

VERSION = "0.1.0"
_REFERENCE = "#/$defs/{name}"


def render() -> dict[str, str]:
    """Return every generated file of ``proto/``: path below it, and content."""
    files = {f"schemas/{entry.tag}.json": _json(schema(entry)) for entry in ENTRIES}
    files["asyncapi.json"] = _json(asyncapi())
    files["subjects.md"] = subjects_table()
    files["streams.json"] = _json(streams())
    return files


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def schema(entry: Entry) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one message."""
    (top,), parts = msgspec.json.schema_components([entry.kind], ref_template=_REFERENCE)
    name = top["$ref"].rsplit("/", 1)[1]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"interlock:{entry.tag}",
        **parts.pop(name),
    }
    if parts:
        document["$defs"] = parts
    return document


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document: one channel per subject, one operation per party."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for entry in ENTRIES:
        key = _key(entry)
        _, parts = msgspec.json.schema_components(
            [entry.kind], ref_template="#/components/schemas/{name}"
        )
        schemas |= parts
        messages[key] = {
            "name": entry.tag,
            "title": entry.kind.__name__,
            "summary": entry.why,
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{entry.kind.__name__}"},
        }
        channels[key] = {
            "address": entry.pattern,
            "description": entry.why,
            "messages": {key: {"$ref": f"#/components/messages/{key}"}},
            "parameters": {name: {} for name in _parameters(entry)},
        }
        for action, parties in (("send", entry.publishers), ("receive", entry.listeners)):
            for party in parties:
                operations[f"{party}.{action}.{key}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{key}"},
                    "title": party,
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Interlock",
            "version": VERSION,
            "description": "Every message on the bus. Generated from the catalogue.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _key(entry: Entry) -> str:
    """Return the tag as an AsyncAPI key: its meta-schema allows no dots."""
    return entry.tag.replace(".", "_").replace("-", "_")


def _parameters(entry: Entry) -> list[str]:
    return [part[1:-1] for part in entry.pattern.split(".") if part.startswith("{")]


def subjects_table() -> str:
    """Return the catalogue as a Markdown table."""
    lines = [
        "# Subjects",
        "",
        "Generated from `interlock.wire.catalogue` by `make proto`; do not edit.",
        "",
        "| subject | message | stream | said by | heard by | why |",
        "|---|---|---|---|---|---|",
    ]
    for entry in sorted(ENTRIES, key=lambda e: e.pattern):
        cells = (
            f"`{entry.pattern}`",
            f"[{entry.tag}](schemas/{entry.tag}.json)",
            entry.stream or "not stored",
            ", ".join(entry.publishers),
            ", ".join(entry.listeners),
            entry.why,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def streams() -> list[dict[str, Any]]:
    """Return the streams as plain data, for those who set up a broker with other tools."""
    return [
        {
            "name": str(spec.name),
            "subjects": list(spec.subjects),
            "storage": "file",
            "retention": "limits",
            "fsync_before_ack": spec.durable_before_ack,
            "max_age_seconds": spec.max_age_seconds,
            "max_bytes": spec.max_bytes,
            "max_msgs_per_subject": 1 if spec.one_per_subject_for_ever else -1,
            "discard": "new" if spec.one_per_subject_for_ever else "old",
            "discard_new_per_subject": spec.one_per_subject_for_ever,
            "why": spec.why,
        }
        for spec in STREAMS
    ]
