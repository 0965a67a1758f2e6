import hashlib
from importlib.resources import files

import pytest
from interlock.reasoning.prompt import filled, prompt_hash
from interlock.reasoning.prompt_files import load_prompt


def test_prompts_are_in_the_package():
    prompt = load_prompt("param-proposal.v1")
    assert "$lower" in prompt.system
    assert "$features" in prompt.question


def test_published_prompts_do_not_change():
    """A changed prompt is a new file: old answers name this one by what it says."""
    folder = files("interlock.reasoning") / "prompts"
    names = {one.name.rsplit(".", 2)[0] for one in folder.iterdir()}
    assert {name: load_prompt(name).files for name in names} == {
        name: f"{name} {digest}" for name, digest in PUBLISHED.items()
    }


def test_hash_is_of_what_the_model_sees():
    assert prompt_hash("a", "b") == hashlib.sha256(b"a\n\nb").hexdigest()


def test_a_blank_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        filled("$unknown", {})


PUBLISHED = {
    "param-proposal.v1": "81cb7a9a84a5e2c5b6f0e06f9b80870c1370540bad5e0fa6036f52fb80a010f0",
    "post-mortem.v1": "02e83e45d951a311204ea7e85a688cd49802e964f8b533d3f3c6e721e92eb584",
    "regime-auditor.v1": "12e378029554e01b468e32f755500b7e45ebfe53e6ebab8abb8d263afc040174",
    "reward-engineer.v1": "8a6ef7979e861348c65f2330d0517d3ca53aec04728e261e76ca0769f7c4b10c",
    "sanity-judge.v1": "c2a0ad8127a0b56551f974deda88a949253cea6aa5a069107d0098433610102b",
    "sentiment.v1": "54638e51cf40fdd9fda8f6efb5162b6c582fa0a8929a6f92f20c2164a4dcafe7",
}
