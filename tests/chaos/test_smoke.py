"""Each fault with a few trials, so that `make chaos` cannot rot unseen."""

from importlib import import_module

import pytest

from tests.chaos.__main__ import SEED, modules
from tests.chaos.report import Outcome


@pytest.mark.stack
@pytest.mark.parametrize("fault", modules())
def test_fault_holds(fault: str) -> None:
    module = import_module(modules()[fault])
    if lacking := getattr(module, "missing", str)():
        pytest.skip(lacking)
    outcome: Outcome = module.run(SEED, module.SMOKE)
    assert outcome.holds, outcome
