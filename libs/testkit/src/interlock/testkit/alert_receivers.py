"""Receivers of alerts on loopback, of HTTP and of SMTP. They can be down, slow or unwilling."""

import contextlib
import socketserver
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1"
_OK = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What was posted, and when (UNIX s)."""

    path: str
    headers: dict[str, str]
    body: str
    at: float


@dataclass(slots=True)
class HttpReceiver:
    """Takes every POST with `status`, after `pause_seconds`; `body` is its answer."""

    port: int = 0
    status: int = _OK
    body: str = '{"ok": true, "result": {}}'
    pause_seconds: float = 0.0
    taken: list[Request] = field(default_factory=list[Request])
    refused: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def base(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Listen, on the port of the last time where there was one."""
        self._server = ThreadingHTTPServer((LOOPBACK, self.port), _handler_of(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, request: Request) -> tuple[int, bytes]:
        time.sleep(self.pause_seconds)
        if self.status == _OK:
            self.taken.append(request)
        else:
            self.refused += 1
        return self.status, self.body.encode()


def _handler_of(receiver: HttpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            request = Request(self.path, dict(self.headers), text, time.time())
            status, answer = receiver.take(request)
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
            """Keep quiet."""

    return Handler


@contextlib.contextmanager
def http_receiver() -> Generator[HttpReceiver]:
    receiver = HttpReceiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


class _Mailbox(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Smtp)
        self.mails: list[EmailMessage] = []


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs to hand a mail over."""

    def handle(self) -> None:
        self._say("220 stub")
        while line := self.rfile.readline().decode("latin-1").strip():
            match line.split()[0].upper():
                case "EHLO":
                    self._say("250-stub", "250 AUTH PLAIN")
                case "AUTH":
                    self._say("235 welcome")
                case "DATA":
                    self._say("354 go on")
                    self._read_mail()
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _read_mail(self) -> None:
        text = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            text += line.removeprefix(b".") if line.startswith(b"..") else line
        mail = BytesParser(EmailMessage, policy=default).parsebytes(text)
        assert isinstance(self.server, _Mailbox)
        self.server.mails.append(mail)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextlib.contextmanager
def mailbox() -> Generator[tuple[int, list[EmailMessage]]]:
    """Yield the port of an SMTP server and the mails that it has taken."""
    with _Mailbox() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield int(server.server_address[1]), server.mails
        finally:
            server.shutdown()
