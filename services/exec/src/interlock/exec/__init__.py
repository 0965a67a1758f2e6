"""Signed orders to the venue; the order life cycle."""
