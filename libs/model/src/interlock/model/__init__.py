"""Nouns of trading: ids, instruments, orders, positions. Pure."""
