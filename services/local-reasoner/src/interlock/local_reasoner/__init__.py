"""Features to parameter proposals by the local model, off the hot path."""
