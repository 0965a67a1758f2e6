import msgspec
import pytest
from interlock.testkit.decisions import features
from interlock.wire.codec import UndecodableError, decode, encode
from msgspec import structs


@pytest.mark.parametrize("name", ["p_short", "p_mid"])
@pytest.mark.parametrize("value", [-0.01, 1.01, 7.0])
def test_a_forecast_that_is_no_probability_is_no_message(name, value):
    body = msgspec.to_builtins(features(1, 2.0)) | {name: value}

    with pytest.raises(UndecodableError, match=f"{name} is a probability, not {value}"):
        decode(msgspec.json.encode(body))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_probabilities_travel(value):
    message = structs.replace(features(1, 2.0), p_short=value, p_mid=1.0 - value, size_hint=-9.5)

    assert decode(encode(message)) == message
