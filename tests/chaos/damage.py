"""One flipped bit, or one file cut short, at a place that chance names."""

from collections.abc import Iterable
from pathlib import Path
from random import Random


def damage_one(files: Iterable[Path], chance: Random) -> str:
    """Damage one of `files`, the larger the likelier, and say what was done to which."""
    known = [path for path in sorted(files) if path.stat().st_size > 0]
    path = chance.choices(known, [each.stat().st_size for each in known])[0]
    body = bytearray(path.read_bytes())
    offset = chance.randrange(len(body))
    if chance.random() < 0.5:
        bit = chance.randrange(8)
        body[offset] ^= 1 << bit
        done = f"bit {bit} of byte {offset} flipped"
    else:
        del body[offset:]
        done = f"cut to {offset} bytes"
    path.write_bytes(bytes(body))
    return f"{path.parent.name}/{path.name}: {done}"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
