"""Live market data: what the feed makes of a source that goes on by itself."""
