"""Builders, strategies and stub servers. Tests only."""
