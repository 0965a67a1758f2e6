"""A person's own servers: asked, before anything starts, whether a desk can use them."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from interlock.cli.errors import CliError

ANSWER_SECONDS = 3.0
RETRY_SECONDS = 0.1
PROBLEM_CHARS = 160

type Ask = Callable[[str], Awaitable[None]]


class _NoUseError(Exception):
    """The server is there and cannot be used. The text says why."""


def without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def require_own_servers(nats: str | None, redis: str | None, postgres: str | None) -> None:
    """Return when each server that was given has answered in its own protocol.

    Raises
    ------
    CliError
        When a URL is none of its kind, or its server is away or lets us in not.
    """
    given: list[tuple[str, str | None, tuple[str, ...], Ask]] = [
        ("nats", nats, ("nats", "tls"), _ask_nats),
        ("redis", redis, ("redis", "rediss"), _ask_redis),
        ("postgres", postgres, ("postgresql", "postgres"), _ask_postgres),
    ]
    for option, url, schemes, ask in given:
        if url is not None:
            _require_url(option, url, schemes)
            asyncio.run(_answered(option, url, ask))


def _require_url(option: str, url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        # What was given is not repeated: nobody knows where in it a password stands.
        raise CliError(f"--{option} is given no URL of its kind: write {schemes[0]}://HOST:PORT")


async def _answered(option: str, url: str, ask: Ask) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await ask(url)
    except TimeoutError:
        problem = f"no answer within {ANSWER_SECONDS:g} s"
    except (_NoUseError, OSError) as error:
        problem = str(error).removeprefix("nats: ")[:PROBLEM_CHARS] or type(error).__name__
    else:
        return
    raise CliError(
        f"--{option} {without_password(url)} cannot be used ({problem}): start it or correct the "
        f"URL, or leave --{option} out and a server is started for you"
    )


async def _ask_nats(url: str) -> None:
    from interlock.runtime.bus.tcp_only import BusError, Client  # isort: skip
    from nats.js.errors import ServiceUnavailableError

    met: list[Exception] = []

    async def meet(error: Exception) -> None:
        met.append(error)

    client = Client()
    try:
        await client.connect(
            url,
            # None would be for ever, and 0 is none.
            max_reconnect_attempts=1,
            reconnect_time_wait=RETRY_SECONDS,  # type: ignore[arg-type]
            error_cb=meet,
        )
        await client.jetstream().account_info()
    except ServiceUnavailableError as error:
        raise _NoUseError("its JetStream is off") from error
    except BusError as error:
        # The first error says more than that there is no server left to try.
        raise _NoUseError(str(met[0] if met else error)) from error
    finally:
        await client.close()


async def _ask_redis(url: str) -> None:
    import redis.asyncio
    from redis.exceptions import RedisError

    client = redis.asyncio.Redis.from_url(url, retry=None, retry_on_error=[])
    try:
        # Typed for the synchronous client as well.
        await client.execute_command("PING")  # type: ignore[no-untyped-call]
    except (RedisError, ValueError) as error:
        raise _NoUseError(str(error)) from error
    finally:
        await client.aclose()


async def _ask_postgres(url: str) -> None:
    import psycopg

    try:
        await (await psycopg.AsyncConnection.connect(url)).close()
    except psycopg.ProgrammingError:
        raise _NoUseError("it is no connection URL") from None
    except psycopg.Error as error:
        raise _NoUseError(str(error).partition("\n")[0]) from error
