import hashlib

import pytest
from interlock.reasoning.prompt import filled, prompt_hash
from interlock.reasoning.prompt_files import load_prompt


def test_prompts_are_in_the_package():
    prompt = load_prompt("param-proposal.v1")
    assert "$lower" in prompt.system
    assert "$features" in prompt.question


def test_published_prompts_do_not_change():
    """A changed prompt is a new file: old proposals name this one by what it says."""
    prompt = load_prompt("param-proposal.v1")
    assert prompt_hash(prompt.system, prompt.question) == PARAM_PROPOSAL_V1


def test_hash_is_of_what_the_model_sees():
    assert prompt_hash("a", "b") == hashlib.sha256(b"a\n\nb").hexdigest()


def test_a_blank_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        filled("$unknown", {})


PARAM_PROPOSAL_V1 = "81cb7a9a84a5e2c5b6f0e06f9b80870c1370540bad5e0fa6036f52fb80a010f0"
