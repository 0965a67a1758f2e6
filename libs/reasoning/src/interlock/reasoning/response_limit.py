"""How much of an HTTP response a model adapter will read."""

MAX_RESPONSE_BYTES = 1_048_576


class ResponseTooLargeError(Exception):
    """The server goes on and on. The SDKs would read it all into memory."""

    def __init__(self) -> None:
        super().__init__(f"the response is larger than {MAX_RESPONSE_BYTES} bytes")
