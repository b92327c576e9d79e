"""See script/bench. Prints what it ran on; a figure without its yardstick beside it says nothing."""

import argparse
import http.client
import json
import multiprocessing
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
CONNECTIONS, WORKERS = 4, 2
TICKS = os.sysconf("SC_CLK_TCK")
# Row -> (statements, CPU as a multiple of the bare page). The last two have no aim.
AIMS = {
    "create": (12, 16),
    "list of 25": (8, 24),
    "detail": (8, 20),
    "transition": (14, 16),
    "dispatch": (14, 16),
    "sign": (14, 16),
    "dashboard": (8, 16),
}
PARTS = ("requests", "claims", "triage", "sweep", "tree", "match", "category")
LEAST_PER_SECOND = 5000
Ask = Callable[[int], tuple[str, str, str | None, dict[str, str]]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """gunicorn with 2 workers on one application, and the CPU time its processes have used."""

    def __init__(self, application: str, folder: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", application, "-w", str(WORKERS), "-b", f"127.0.0.1:{self.port}"]
        command += [
            "--worker-tmp-dir",
            str(folder),
            "--log-level",
            "error",
            "--pythonpath",
            f"{ROOT},{Path(__file__).parent}",
        ]
        self.process = subprocess.Popen([*command, "--keep-alive", "60", "-k", "gthread", "--threads", "2"], cwd=ROOT)
        for _try in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)

    def cpu_seconds(self) -> float:
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_ticks(pid) for pid in pids) / TICKS

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _drive(port: int, ask: Ask, seconds: float, numbers: Iterator[int], done: list[int], faults: list[str]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            method, path, body, headers = ask(next(numbers))
        except IndexError:
            faults.append("已受理的需求用完了，请把 --demands 加大，或把 --seconds 减小")
            return
        line.request(method, path, body, headers)
        answer = line.getresponse()
        answer.read()
        if answer.status >= 400:
            faults.append(f"{method} {path}: {answer.status}")
            return
        done.append(1)


def _measure_in_child(port: int, ask: Ask, seconds: float, first: int, queue: Any) -> None:
    done: list[int] = []
    faults: list[str] = []
    numbers = count(first)
    asked = (port, ask, seconds, numbers, done, faults)
    threads = [threading.Thread(target=_drive, args=asked) for _each in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((len(done), faults))


def measure(server: Server, ask: Ask, seconds: float) -> tuple[float, float]:
    """Requests per second and CPU milliseconds a request, driven from a process of its own."""
    fork = multiprocessing.get_context("fork")
    first = 0
    for length in (1.0, seconds):  # the first round warms up
        queue = fork.Queue()
        before, began = server.cpu_seconds(), time.monotonic()
        child = fork.Process(target=_measure_in_child, args=(server.port, ask, length, first, queue))
        child.start()
        asked, faults = queue.get()
        child.join()
        if faults:
            raise SystemExit(faults[0])
        passed, used = time.monotonic() - began, server.cpu_seconds() - before
        first += asked + CONNECTIONS
    return asked / passed, used * 1000 / asked


def raw_transactions(seconds: float) -> float:
    """Two inserts and a commit by hand, as fast as one connection gives."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_a (id bigserial PRIMARY KEY, text text)")
        cursor.execute("CREATE TABLE bench_b (id bigserial PRIMARY KEY, text text)")
    raw = connection.connection
    raw.autocommit = False
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        with raw.cursor() as cursor:
            cursor.execute("INSERT INTO bench_a (text) VALUES (%s)", ["x" * 200])
            cursor.execute("INSERT INTO bench_b (text) VALUES (%s)", ["y" * 200])
        raw.commit()
        done += 1
    raw.autocommit = True
    return done / seconds


def statements(ask: Ask, number: int) -> int:
    """SQL statements of one request, BEGIN and COMMIT among them, counted inside this process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    for each in (number - 1, number):  # the first one fills what a process keeps
        method, path, body, headers = ask(each)
        with CaptureQueriesContext(connection) as captured:
            answer = client.generic(
                method, path, body or "", headers.get("Content-Type", "text/plain"), headers=headers
            )
    if answer.status_code >= 400:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.content[:300]!r}")
    return len(captured)


def questions(world: Any) -> dict[str, Ask]:
    from django.test import Client
    from rest_framework.authtoken.models import Token

    def key(user: Any) -> dict[str, str]:
        return {"Authorization": f"Token {Token.objects.create(user=user).key}", "Content-Type": "application/json"}

    def cookie(user: Any) -> dict[str, str]:
        client = Client()
        client.force_login(user, backend="core.backends.PhoneBackend")
        client.get("/home/")  # as after a real sign-in, the session knows that somebody is there
        return {"Cookie": "; ".join(f"{name}={value.value}" for name, value in client.cookies.items())}

    officer, street = key(world.officer), key(world.street_officer)
    desk, phone = cookie(world.officer), cookie(world.liaison)
    county = cookie(world.department)
    signers = {user.pk: key(user) for user in {user.pk: user for _code, user in world.to_sign}.values()}
    raised = json.dumps({"node": world.node.code, "category": world.category.name, "text": "楼道灯坏了"})
    return {
        "create": lambda n: ("POST", "/api/v1/demands/", raised, officer),
        "list of 25": lambda n: ("GET", "/api/v1/demands/", None, officer),
        "detail": lambda n: ("GET", f"/api/v1/demands/{world.sample}/", None, officer),
        "transition": lambda n: ("POST", f"/api/v1/demands/{world.accepted[n]}/publish/", "{}", street),
        "dispatch": lambda n: (
            "POST",
            f"/api/v1/demands/{world.to_dispatch[n][0]}/dispatch/",
            json.dumps({"unit": world.to_dispatch[n][1]}),
            street,
        ),
        "sign": lambda n: (
            "POST",
            f"/api/v1/demands/{world.to_sign[n][0]}/sign/",
            "{}",
            signers[world.to_sign[n][1].pk],
        ),
        "dashboard": lambda n: ("GET", "/dashboard/", None, county),
        "admin list": lambda n: ("GET", "/admin/services/demand/", None, desk),
        "phone page": lambda n: ("GET", "/m/", None, phone),
    }


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--demands", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--nodes", type=int, default=100_000)
    options.add_argument("--only", choices=PARTS)
    options.add_argument("--running", type=int, default=1_000_000, help="清扫时在办的需求数")
    options.add_argument("--requests", type=Path, help="表格（CSV），试它的标题和内容；只读，不复制")
    chosen = options.parse_args()
    # Each request of "transition" takes an accepted demand away; one in thirty-two is one, and as many are there to be dispatched.
    least = int(LEAST_PER_SECOND * (chosen.seconds + 1))
    if chosen.only in (None, "requests") and chosen.demands < least:
        options.error(f"--demands：量 {chosen.seconds:g} 秒至少要 {least} 条，少了不够“transition”一步步办掉")
    folder = Path(tempfile.mkdtemp())
    os.environ.update(
        DATA_DIR=str(folder),
        SECRET_KEY="b" * 60,
        AUDIT_KEY="a" * 60,
        LOG_LEVEL="ERROR",
        ALLOWED_HOSTS="127.0.0.1,testserver",
    )
    os.environ["DJANGO_SETTINGS_MODULE"] = "governance.settings"
    import django

    django.setup()
    import category
    import claims
    import match
    import sweep
    import tree
    import triage
    from django.core.management import call_command
    from django.db import connection
    from world import load

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        engine = cursor.fetchone()[0].split(" on ")[0]
    print(
        f"{platform.machine()}, {os.cpu_count()} 核；Python {platform.python_version()}，Django {django.__version__}，{engine}"
    )
    if chosen.only in (None, "requests"):
        began = time.monotonic()
        world = load(chosen.demands)
        with connection.cursor() as cursor:
            # What loading leaves to be done must not be done beside the measuring.
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        print(
            f"{chosen.demands} 条需求（装入 {time.monotonic() - began:.0f} 秒）；gunicorn {WORKERS} 进程，{CONNECTIONS} 个连接"
        )
        report(world, folder, chosen.seconds)
    if chosen.only in (None, "claims"):
        portal = Server("governance.wsgi:application", folder)
        try:
            claims.report(portal)
        finally:
            portal.stop()
    if chosen.only in (None, "triage"):
        triage.report()
    if chosen.only in (None, "sweep"):
        sweep.report(chosen.running)
    if chosen.only in (None, "tree"):
        tree.report(chosen.nodes)
    if chosen.only in (None, "match"):
        match.report()
    if chosen.only in (None, "category"):
        category.report(chosen.requests)


def report(world: Any, folder: Path, seconds: float) -> None:
    """Each row beside the bare page measured right before and right after it: the speed of a machine drifts within a run."""
    bare, portal = Server("bare:application", folder), Server("governance.wsgi:application", folder)
    try:
        bare_speed, beside = measure(bare, _bare, seconds)
        print(f"{'':12} {'SQL':>9} {'请求/秒':>10} {'CPU 毫秒':>9} {'为空白页':>9}")
        print(f"{'bare page':12} {0:>9} {bare_speed:>10.0f} {beside:>9.2f} {1:>8.1f}x")
        print(f"{'two inserts':12} {4:>9} {raw_transactions(seconds):>10.0f}")
        last = min(len(world.accepted), len(world.to_dispatch), len(world.to_sign)) - 1
        for name, ask in questions(world).items():
            sql = statements(ask, last)
            speed, cpu = measure(portal, ask, seconds)
            before, beside = beside, measure(bare, _bare, 1.0)[1]
            times = cpu / ((before + beside) / 2)
            aim = AIMS.get(name)
            words = f"   目标 SQL≤{aim[0]} CPU≤{aim[1]}x" if aim else ""
            met = "" if not aim else " 达到" if sql <= aim[0] and times <= aim[1] else " 未达到"
            print(f"{name:12} {sql:>9} {speed:>10.0f} {cpu:>9.2f} {times:>8.1f}x{words}{met}")
    finally:
        portal.stop()
        bare.stop()


def _bare(number: int) -> tuple[str, str, str | None, dict[str, str]]:
    return "GET", "/", None, {}


if __name__ == "__main__":
    main()
