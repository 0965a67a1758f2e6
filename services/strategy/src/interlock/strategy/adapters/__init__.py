"""What the strategy notices outside the bus's streams."""
