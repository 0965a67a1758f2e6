"""Ports and adapters to models: rules, Ollama, OpenAI; schemas, reader, budgets."""
