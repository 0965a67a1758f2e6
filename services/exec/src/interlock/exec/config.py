"""Section ``[exec]`` of a desk file."""

from msgspec import Struct

from interlock.venues.paper import PaperConfig


class ExecConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The venue's settings. `paper` is used where the desk's venue is ``paper``."""

    paper: PaperConfig = PaperConfig()
