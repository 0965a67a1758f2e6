"""Features and parameters to order intents."""
