"""Which build of the words a service speaks: services of two builds do not trade together."""

import json
from functools import cache
from hashlib import blake2b

from interlock.wire.catalogue import ENTRIES
from interlock.wire.documents import VERSION, schema


@cache
def build_of() -> str:
    """Return the version and eight hexadecimal digits of all message schemas."""
    digest = blake2b(digest_size=4)
    for entry in sorted(ENTRIES, key=lambda e: e.tag):
        digest.update(json.dumps(schema(entry), sort_keys=True).encode())
    return f"{VERSION}+{digest.hexdigest()}"
