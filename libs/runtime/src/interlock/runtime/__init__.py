"""The imperative shell: service loop, bus, clock, stores, journal, telemetry."""
