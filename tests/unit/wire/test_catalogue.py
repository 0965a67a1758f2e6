"""Who runs for which desk, and that nothing is made or awaited for a room that does not run."""

import pytest
from interlock.wire.catalogue import ESCALATION, FEED, OPTIONAL, SERVICES, services_of


def test_a_desk_without_optional_sections_has_the_eight_rooms():
    names = services_of({"feed": {}, "gate": {}})
    assert len(names) == 8
    assert not OPTIONAL & set(names)
    assert names == services_of()


def test_a_section_brings_its_room_in_its_place_of_the_starting_order():
    names = services_of({"escalation": {}})
    assert names == tuple(one for one in SERVICES if one not in OPTIONAL or one == ESCALATION)
    assert names[-1] == FEED, "nobody speaks before those who must hear listen"


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_room_is_a_service(name):
    assert name in SERVICES
