"""The names of policy's parameters that more than one service goes by.

What one proposes, another judges and a third obeys: a name that two of them spell differently would
change nothing, and nobody would see it.
"""

WEIGHT_PREFIX = "weight."
"""How much a voice of the meta-ensemble counts: ``weight.short``, ``weight.mid``, ``weight.rl``."""
BUCKET_CAP_PREFIX = "bucket_cap_pct."
"""A parameter of this prefix tightens a bucket's share of the equity, in percent."""
MAX_POSITION = "max_position_pct"
"""Tightens what one name may come to, in percent of the equity, in every bucket."""
STOP_ATR = "stop_atr"
TRAIL_ATR = "trail_atr"
"""Distances of an entry's stop and trailing stop, in average true ranges."""
FEATURE_PREFIX = "feature."
"""A parameter of this prefix switches an input of the models on (1) or off (0)."""
