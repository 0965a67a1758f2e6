"""Ports and adapters to the market: replay files, the paper venue."""
