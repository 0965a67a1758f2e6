"""Brings the market in, live or replayed, and watches its quality."""
