"""The other end of the text messages: a gateway that counts what arrives, and now and then fails as real ones do."""

import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Shares of requests that are refused, and that are taken without an answer ever reaching the sender.
REFUSED, UNANSWERED = 0.02, 0.01


class FarEnd:
    """Listens on a free port of this machine, and knows a message it has taken by its Idempotency-Key.

    Attributes:
        taken: messages that went on to a telephone. `recognised`: repetitions of such a message, which did not.
        nameless: messages without a key, which nobody could recognise.
        calm: no more failures from here on.
    """

    def __init__(self, seed: int) -> None:
        self.taken: set[str] = set()
        self.refused = self.unanswered = self.recognised = self.nameless = 0
        self.calm = False
        self._rng, self._lock = random.Random(seed), threading.Lock()
        far_end = self

        class Gateway(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = far_end.take(self.headers.get("Idempotency-Key") or "", body)
                if status:
                    answer = b"{}"
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/sms"

    def take(self, key: str, body: dict[str, Any]) -> int:
        """The HTTP status to answer with; 0 for no answer at all. What is refused was not taken."""
        with self._lock:
            luck = 1.0 if self.calm else self._rng.random()
            if luck < REFUSED:
                self.refused += 1
                return 503
            self.nameless += not key
            self.recognised += key in self.taken
            self.taken.add(key)
            if luck < REFUSED + UNANSWERED:
                self.unanswered += 1
                return 0
            return 200
