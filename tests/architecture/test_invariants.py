"""Every invariant of the house is held by tests that carry its number in their names."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ALWAYS = range(1, 18)


def _named() -> dict[int, list[str]]:
    """Return the tests of each invariant: `test_i2_i7_...` is one of the second and the seventh."""
    found: dict[int, list[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"\btest_(?:i\d+_)+\w+", path.read_text(encoding="utf-8")):
            numbers = re.match(r"test_((?:i\d+_)+)", name)
            assert numbers is not None
            for number in re.findall(r"i(\d+)_", numbers[1]):
                found.setdefault(int(number), []).append(f"{path.name}::{name}")
    return found


@pytest.mark.parametrize("number", ALWAYS)
def test_an_invariant_has_tests_of_its_number(number: int):
    assert _named().get(number), f"no test is called test_i{number}_..."


def test_no_test_names_an_invariant_that_is_none():
    assert set(_named()) <= set(ALWAYS)
