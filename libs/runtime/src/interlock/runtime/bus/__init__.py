"""The bus: one port, a NATS and a memory adapter, one contract suite for both."""
