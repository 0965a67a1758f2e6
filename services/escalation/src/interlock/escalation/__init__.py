"""Decides when a question is worth the cloud model, and turns its answer into proposals."""
