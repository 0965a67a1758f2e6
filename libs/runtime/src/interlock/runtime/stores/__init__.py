"""Adapters to the stores: Redis and Postgres."""
