"""The records of the rules: signed by the policy service, believed by whoever verified them."""

from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from interlock.runtime.signing import SignsOrders, VerifiesOrders
from interlock.runtime.stores.rules import Rules, Standing, number_of
from interlock.wire import codec
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.signing import rules_bytes


def sign_rules[R: PolicyChanged | TradingStateChanged](rules: R, signer: SignsOrders) -> R:
    """Return `rules` with the policy service's signature over all the rest of it."""
    named = replace(rules, key_id=signer.key_id, signature="")
    return replace(named, signature=signer.sign(rules_bytes(named)))


class Believed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands, verified; none where no record stands, `error` where one is not believed."""

    version: int | None = None
    epoch: int | None = None
    policy: PolicyChanged | None = None
    trading: TradingStateChanged | None = None
    error: str = ""


class _DisbeliefError(Exception):
    """A record that is not to be believed, and why."""


@dataclass(kw_only=True, slots=True)
class RulesReader:
    """Reads what a store holds for `desk`. A record it verified is known again by its bytes."""

    desk: str
    verifier: VerifiesOrders
    _known: dict[str, tuple[bytes, Rules]] = field(default_factory=dict[str, tuple[bytes, Rules]])

    def read(self, standing: Standing) -> Believed:
        """Return the rules that stand, or in one line why they are not believed."""
        try:
            policy = self._rules("policy", standing.policy, standing.version)
            trading = self._rules("trading state", standing.trading, standing.epoch)
        except _DisbeliefError as error:
            return Believed(error=str(error))
        if isinstance(policy, TradingStateChanged) or isinstance(trading, PolicyChanged):
            return Believed(error="the policy store has a record in the place of the other")
        return Believed(
            version=None if policy is None else policy.version,
            epoch=None if trading is None else trading.epoch,
            policy=policy,
            trading=trading,
        )

    def _rules(self, what: str, record: bytes | None, number: bytes | None) -> Rules | None:
        if record is None:
            if number is not None:
                raise _DisbeliefError(f"the {what} in the policy store has no record")
            return None
        known = self._known.get(what)
        if known is None or known[0] != record:
            known = record, self._verified(what, record)
            self._known[what] = known
        rules = known[1]
        if number != b"%d" % number_of(rules):
            shown = "no number" if number is None else repr(number[:40].decode(errors="replace"))
            raise _DisbeliefError(
                f"the {what} in the policy store is fenced by {shown}, its record says "
                f"{number_of(rules)}"
            )
        return rules

    def _verified(self, what: str, record: bytes) -> Rules:
        try:
            rules = codec.decode(record)
        except codec.UndecodableError as error:
            raise _DisbeliefError(
                f"the {what} in the policy store is unreadable: {error}"
            ) from None
        if not isinstance(rules, PolicyChanged | TradingStateChanged):
            raise _DisbeliefError(f"the {what} in the policy store is another kind of message")
        if rules.desk != self.desk:
            raise _DisbeliefError(f"the {what} in the policy store is of desk {rules.desk[:40]!r}")
        if rules.key_id != self.verifier.key_id:
            raise _DisbeliefError(
                f"the {what} in the policy store is signed with key {rules.key_id[:16]!r}, "
                f"not {self.verifier.key_id!r}"
            )
        if not self.verifier.verify(rules_bytes(rules), rules.signature):
            raise _DisbeliefError(f"the {what} in the policy store has a bad signature")
        if codec.encode(rules) != record:
            # Readers pass over fields they do not know, and what they read would be signed.
            raise _DisbeliefError(f"the {what} in the policy store holds more than was signed")
        return rules
