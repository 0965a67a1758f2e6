"""Every attack of the list, one test each: stopped by the very code, with a control that passes."""

import pytest

from tests.conformance.attack import APPROVED, Attack, told
from tests.conformance.table import ATTACKS, KINDS

CASES = [
    pytest.param(one, id=one.case, marks=[pytest.mark.servers] if one.servers else [])
    for one in ATTACKS
]


@pytest.mark.parametrize("attack", CASES)
def test_attack_is_stopped(attack: Attack):
    assert attack.control() == APPROVED
    assert told(attack.run()) == told(attack.expected)


def test_no_two_cases_have_one_name():
    names = [one.case for one in ATTACKS]
    assert sorted(names) == sorted(set(names))


def test_every_kind_of_attack_on_the_list_is_tried():
    assert {one.name for one in ATTACKS} == set(KINDS)
