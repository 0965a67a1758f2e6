"""What every route may answer besides its answer."""

from litestar.openapi.datastructures import ResponseSpec

from interlock.console.views.base import ProblemView

_CODES = {
    400: "the question cannot be read",
    401: "nobody is logged in, or the page is stale",
    403: "this role may not",
    404: "there is no such thing",
    409: "it was refused",
    413: "the question is too large",
    421: "this address is not ours",
    429: "too many wrong tokens",
    503: "a server is away",
}

PROBLEMS: dict[int, ResponseSpec] = {
    status: ResponseSpec(
        ProblemView,
        description=text,
        media_type="application/problem+json",
        generate_examples=False,
    )
    for status, text in _CODES.items()
}
