"""Why there are no models."""


class TrainingError(ValueError):
    """The models cannot be trained. The text is one line: what is wrong, and what to do."""
