"""The sections that pages of docs show: a desk file takes them as they are written."""

import re
from pathlib import Path

import pytest
from interlock.cli.rooms import check_sections
from interlock.runtime.config import load_desk_file

ROOT = Path(__file__).parents[3]
BLOCKS = [
    block
    for page in ("venues.md", "alerts.md")
    for block in re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL
    )
]
SECTION = re.compile(r"(?m)^(?=\[)")


def headed(text):
    return {part.partition("]")[0]: part for part in SECTION.split(text) if part.startswith("[")}


@pytest.mark.parametrize("block", BLOCKS, ids=[one.partition("\n")[0] for one in BLOCKS])
def test_a_documented_section_fits_into_a_desk_file(tmp_path, block):
    shipped = headed((ROOT / "deploy" / "desks" / "coins.toml").read_text())
    path = tmp_path / "mine.toml"
    path.write_text("\n".join((shipped | headed(block)).values()))
    check_sections(load_desk_file(path, {}))


def test_every_account_is_documented():
    named = {name for block in BLOCKS for name in headed(block)}
    assert {"[alpaca", "[ccxt", "[desk"} <= named
