"""The signature of backtests: the gate and exec in one process share one secret.

Two keys keep exec from signing, and there is no such wall inside one process: whoever can read the
one half can read the other. What a signature does besides, namely to show that no field was changed
since the gate looked at it, a keyed hash does as well, in 2 us instead of the 130 us of Ed25519's
sign and verify. Nothing but a backtest is wired with it: `load_signer` and `load_verifier` know no
other keys than the gate's.
"""

import secrets
from hashlib import blake2b

_SECRET_BYTES = 32


class Seal:
    """Signs and verifies with a secret that lives as long as this object."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        self.key_id = "seal"

    def sign(self, message: bytes) -> str:
        return blake2b(message, key=self._secret).hexdigest()

    def verify(self, message: bytes, signature: str) -> bool:
        """Return whether `signature` is this seal's over `message`."""
        return secrets.compare_digest(self.sign(message).encode(), signature.encode())
