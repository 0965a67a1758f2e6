"""A policy store with signed rules in it, and who believes them."""

from interlock.runtime.rules_records import RulesReader, sign_rules
from interlock.runtime.seal import Seal
from interlock.runtime.stores.rules import MemoryRulesStore, Rules, Saved
from interlock.testkit.cells import finish
from interlock.testkit.desk_messages import DESK

SEAL = Seal()
"""Signs what these tests put into a store, and verifies it."""


def signed(rules: Rules) -> Rules:
    return sign_rules(rules, SEAL)


def reader(desk: str = DESK) -> RulesReader:
    return RulesReader(desk=desk, verifier=SEAL)


def store_of(*rules: Rules) -> MemoryRulesStore:
    """Return a store of one process in which `rules` stand, signed."""
    store = MemoryRulesStore()
    for one in rules:
        assert finish(store.save(signed(one))) is Saved.TAKEN
    return store
