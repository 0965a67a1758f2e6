"""Market events to features."""
