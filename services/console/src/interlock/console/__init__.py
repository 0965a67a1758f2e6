"""The desk's page: what it does and why, and a person's word to it."""
