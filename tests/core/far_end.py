"""The other end of the outside channels, on this machine: a web server for robots and text messages, and a mail server.

Both take what comes over a real socket, answer as told, and can hold their answer back for as long as a test likes.
"""

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Held:
    """What both ends know: who is waiting for an answer, and whether it is held back."""

    def prepare(self) -> None:
        self.arrived, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def hold(self) -> None:
        """From now on whatever arrives waits for its answer."""
        self.arrived.clear()
        self.may_answer.clear()

    def wait_for_one(self) -> None:
        assert self.arrived.wait(60), "nothing arrived"

    def release(self) -> None:
        self.may_answer.set()

    def took_one(self) -> None:
        self.arrived.set()
        self.may_answer.wait(60)


class WebEnd(_Held, ThreadingHTTPServer):
    """`answer` is JSON, or raw bytes; `drop` hangs up instead of answering."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _WebHandler)
        self.prepare()
        self.received: list[tuple[str, dict[str, str], Any]] = []
        self.status: int = 200
        self.answer: Any = {"errcode": 0, "code": 0}
        self.headers: dict[str, str] = {}
        self.drop = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/send?key=secret"

    @property
    def texts(self) -> list[str]:
        return [body.get("text") or body["content"]["text"] for _path, _headers, body in self.received]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client is what some tests are about."""


class _WebHandler(BaseHTTPRequestHandler):
    server: WebEnd

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if isinstance(body.get("text"), dict):
            body["text"] = body["text"]["content"]
        self.server.received.append((self.path, dict(self.headers), body))
        self.server.took_one()
        if self.server.drop:
            self.close_connection = True
            return
        answer = self.server.answer
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(data)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


class MailEnd(_Held, socketserver.ThreadingTCPServer):
    """As much of SMTP as it takes to receive a mail. `says` changes its answer to a command: {"RCPT": "550 no"}."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.prepare()
        self.received: list[tuple[list[str], bytes]] = []
        self.says: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailEnd

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def handle(self) -> None:
        to: list[str] = []
        self.say("220 here")
        while line := self.rfile.readline():
            command = line.split()[0].upper().decode() if line.split() else ""
            if command == "RCPT":
                to.append(line.decode().partition("<")[2].partition(">")[0])
            if command == "DATA" and "DATA" not in self.server.says:
                self.say("354 go on")
                self.take(to)
                to = []
                continue
            self.say(self.server.says.get(command, "221 bye" if command == "QUIT" else "250 fine"))
            if command == "QUIT":
                return

    def take(self, to: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.received.append((to, b"".join(lines)))
        self.server.took_one()
        if self.server.says.get("END") == "hang up":
            self.connection.close()
            return
        self.say(self.server.says.get("END", "250 taken"))


@contextlib.contextmanager
def running(end: Any) -> Iterator[Any]:
    """The end, serving in a thread of its own."""
    thread = threading.Thread(target=end.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield end
    finally:
        end.release()
        end.shutdown()
        thread.join()
        end.server_close()
