"""Those who work while things break: they raise demands and take each through the loop by API, asking again whenever
an answer does not come, as people do.
"""

import http.client
import json
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

PATIENCE = 120.0
# How a demand goes, by its number: every fifth has a supporting unit, every seventh is returned once, every tenth is late.
SUPPORTED, RETURNED, LATE = 5, 7, 10


@dataclass
class People:
    """Tokens and places of the county the run plays in."""

    officer: str
    liaisons: dict[int, str]
    node: str
    category: str


class Silence(Exception):
    """No answer, or none that says what happened."""


class Line:
    """One client's connection; a request that fails for whatever reason but a refusal raises Silence."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        try:
            if self.line is None:
                self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.line.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self.line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.line = None
            raise Silence(type(error).__name__) from error
        if answer.status >= 500:
            raise Silence(str(answer.status))
        return answer.status, json.loads(content)


class Clients:
    """`count` threads that finish all demands between them. `done`: finished ones; `codes`: acknowledged by number."""

    def __init__(self, port: int, people: People, demands: int, count: int, seed: int) -> None:
        self.port, self.people, self.demands, self.seed = port, people, demands, seed
        self.waiting: queue.Queue[int] = queue.Queue()
        for number in range(demands):
            self.waiting.put(number)
        self.codes: dict[int, str] = {}
        self.done: set[int] = set()
        self.make_late: queue.Queue[str] = queue.Queue()
        self.pushed: set[int] = set()
        self.silences: Counter[str] = Counter()
        self.stale = 0
        self.faults: list[str] = []
        self.threads = [threading.Thread(target=self._work, daemon=True) for _each in range(count)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    @property
    def finished(self) -> bool:
        return len(self.done) == self.demands or bool(self.faults)

    def _work(self) -> None:
        line = Line(self.port)
        while not self.finished:
            try:
                number = self.waiting.get(timeout=1)
            except queue.Empty:
                continue
            began = time.monotonic()
            while not self.finished:
                try:
                    if self._see_to(line, number):
                        self.done.add(number)
                    else:
                        self.waiting.put(number)  # it waits for the sweeper
                    break
                except Silence as silence:
                    self.silences[str(silence)] += 1
                    if time.monotonic() - began > PATIENCE:
                        self.faults.append(f"第 {number} 条：{PATIENCE:.0f} 秒没有得到答复（{silence}）")
                    time.sleep(0.3)
                except AssertionError as fault:
                    self.faults.append(f"第 {number} 条：{fault}")

    def _see_to(self, line: Line, number: int) -> bool:
        """Takes a demand as far as it goes. True when it is closed off; False while it waits for the sweeper."""
        if number not in self.codes:
            body = {
                "node": self.people.node,
                "category": self.people.category,
                "text": f"第 {number} 件：楼道灯坏了",
                "once": f"{self.seed}-{number}",
            }
            status, answer = line.ask("POST", "/api/v1/demands/", self.people.officer, body)
            assert status == 201, f"登记 {status} {answer}"
            self.codes[number] = answer["code"]
        while True:
            status, demand = line.ask("GET", f"/api/v1/demands/{self.codes[number]}/", self.people.officer)
            assert status == 200, f"查看 {status} {demand}"
            if demand["state"] == "closed_off" and not self._unfinished(demand):
                return True
            step = self._next(line, number, demand)
            if step is None:
                return False
            self._make(line, number, *step)

    @staticmethod
    def _unfinished(demand: Any) -> list[Any]:
        return [row for row in demand["suborders"] if row["state"] not in ("finished", "returned")]

    def _make(self, line: Line, number: int, token: str, move: str, body: dict[str, Any]) -> None:
        status, answer = line.ask("POST", f"/api/v1/demands/{self.codes[number]}/{move}/", token, body)
        if status == 409:
            self.stale += 1  # the first sending had arrived after all; look again
            return
        assert status < 300, f"{move} {status} {answer}"

    def _next(self, line: Line, number: int, demand: Any) -> tuple[str, str, dict[str, Any]] | None:
        officer, state, units = self.people.officer, demand["state"], sorted(self.people.liaisons)
        mine = {"version": demand["version"]}
        if state == "registered":
            return officer, "accept", mine
        if state == "accepted":
            had = {row["unit"] for row in demand["suborders"]}
            free = [unit for unit in units if unit not in had]
            given: dict[str, Any] = {"unit": free[number % len(free)]}
            if number % SUPPORTED == 0 and not had:
                given["supporting"] = [free[(number + 1) % len(free)]]
            return officer, "dispatch", {**mine, **given}
        for row in self._unfinished(demand):
            return self._serve(line, number, demand, row)
        if state == "finished":
            return officer, "check", mine
        assert state == "checked", f"状态 {state}"
        return officer, "close_off", mine

    def _serve(self, line: Line, number: int, demand: Any, row: Any) -> tuple[str, str, dict[str, Any]] | None:
        """What the unit does next with its order; the community where it asked to give it back."""
        token = self.people.liaisons[row["unit"]]
        key = f"suborder-{row['id']}"
        body = {"on": key, "version": row["version"]}
        if row["state"] == "return_requested":
            return self.people.officer, "approve_return", body
        if row["state"] == "dispatched":
            before = [one for one in demand["suborders"] if one["state"] == "returned"]
            if number % RETURNED == 0 and row["role"] == "lead" and not before:
                return token, "request_return", {**body, "reason": "不属于本单位职责"}
            return token, "sign", body
        if row["state"] == "signed":
            return token, "report", {**body, "text": "已到现场"}
        if number % LATE == 3 and row["role"] == "lead" and not self._was_late(demand):
            if number not in self.pushed:
                self.pushed.add(number)
                self.make_late.put(demand["code"])
            return None
        return token, "finish", {**body, "text": "灯换好了"}

    @staticmethod
    def _was_late(demand: Any) -> bool:
        return any(event["name"] == "late" for event in demand["events"])
