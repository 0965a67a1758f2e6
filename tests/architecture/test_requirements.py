"""Every row of the desk's tables is held by tests, and `docs/requirements.md` says by which."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (S[\d.]+).*?\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = {
    head: [line for line in text.splitlines() if line.startswith("| ")][2:]
    for head, text in re.findall(
        r"^## (S[\d.]+).*?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
}


def _tests() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))
    return found


@pytest.mark.parametrize("section", ["S3.1", "S3.3", "S3.8", "S3.9"])
def test_each_row_names_tests_that_are_there(section: str):
    rows, prefix = SECTIONS[section], f"test_{section.lower().replace('.', '_')}_"
    assert rows
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= _tests(), row
        assert any(name.startswith(prefix) for name in named), row
