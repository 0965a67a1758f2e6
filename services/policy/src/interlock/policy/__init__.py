"""The only writer of rules: judges proposals, keeps versions."""
