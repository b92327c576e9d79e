"""See script/chaos. Starts PostgreSQL, Redis, web, worker and beat as processes of their own, as compose does; what ends
is started again, as compose would (`restart: unless-stopped`).
"""

import argparse
import contextlib
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent), str(Path(__file__).parents[1])]

from with_services import UNAVAILABLE, Postgres, Redis, Unavailable, on_signal  # noqa: E402

# A service that died is back after this long.
RESTART_SECONDS = 3.0
# Longer than the pause before the second try of a message that was refused twice.
REST_SECONDS = 480.0
CELERY = [sys.executable, "-m", "celery", "-A", "governance"]


class Processes:
    """The portal's processes by name, each a group of its own; whatever ends is started again until `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.starts: dict[str, int] = {}
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def start(self, name: str, command: list[str]) -> None:
        self.commands[name] = command
        self._start(name)

    def _start(self, name: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            self.commands[name], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
        self.starts[name] = self.starts.get(name, 0) + 1

    def kill(self, name: str) -> None:
        """Kill -9 to the whole group, in the middle of whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            for name, process in list(self.running.items()):
                if process.poll() is not None and not self._over.wait(RESTART_SECONDS):
                    self._start(name)

    def stop(self) -> None:
        self._over.set()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                for process in self.running.values():
                    process.wait(10)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Run:
    """One run: the stage, the mishaps in the order of the seed, and the proof."""

    def __init__(self, options: Any, folder: Path, postgres: Postgres, redis: Redis) -> None:
        self.options, self.folder, self.postgres, self.redis = options, folder, postgres, redis
        self.processes = Processes(folder)
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.0f} 秒  {text}", flush=True)

    # --- The mishaps ---

    def redis_away(self) -> None:
        self.redis.stop(signal.SIGKILL)
        self.say(f"Redis 停了，{self.options.outage:.0f} 秒后恢复")
        time.sleep(self.options.outage)
        self.redis.start()
        self.say("Redis 恢复")

    def worker_killed(self) -> None:
        self.processes.kill("worker")
        self.say("worker 被 kill -9")

    def postgres_crashed(self) -> None:
        self.postgres.stop(signal.SIGQUIT)
        self.say("PostgreSQL 崩溃，重新启动")
        self.postgres.start()
        self.say("PostgreSQL 恢复")

    def beat_doubled(self) -> None:
        self.processes.start("beat2", self.beat("beat2"))
        self.say("第二个 beat 也在跑")

    def mishaps(self) -> list[Any]:
        found = [self.redis_away, self.worker_killed, self.postgres_crashed, self.beat_doubled, self.worker_killed]
        random.Random(self.options.seed).shuffle(found)
        return found

    def beat(self, name: str) -> list[str]:
        return [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", str(self.folder / name)]

    # --- The run ---

    def play(self) -> int:
        import django
        from far_end import FarEnd

        far_end = FarEnd(self.options.seed)
        os.environ["NOTICE_SMS_URL"] = far_end.url
        django.setup()
        import proof
        from clients import Clients
        from stage import build, make_late

        people, county = build()
        port = free_port()
        self.processes.start(
            "web", [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", "-c", "gunicorn.conf.py"]
        )
        self.processes.start("worker", [*CELERY, "worker", "--loglevel", "WARNING"])
        self.processes.start("beat", self.beat("beat"))
        self._wait_for_port(port)
        self.say("web、worker、beat 已启动")
        clients = Clients(port, people, self.options.demands, self.options.clients, self.options.seed)
        clients.start()
        share = self.options.demands // (len(self.mishaps()) + 1)
        for number, mishap in enumerate(self.mishaps(), start=1):
            self._until(lambda mark=number * share: len(clients.done) >= mark, clients, make_late)
            if not clients.faults:
                mishap()
        self._until(lambda: clients.finished, clients, make_late)
        self.say(f"办完 {len(clients.done)} 条；没有得到答复 {dict(clients.silences)}，重复发送 {clients.stale} 次")
        far_end.calm = True
        rest = self._come_to_rest(proof)
        self.processes.stop()
        faults = [*clients.faults, *rest]
        faults += proof.faults(self.options.demands, clients.codes, far_end)
        faults += proof.county_faults(county)
        self._report(faults, far_end, proof)
        return 1 if faults else 0

    def _until(self, reached: Any, clients: Any, make_late: Any) -> None:
        while not reached() and not clients.faults:
            make_late(clients.make_late)
            time.sleep(0.5)

    def _come_to_rest(self, proof: Any) -> list[str]:
        """Waits for the background to catch up. What still waits then is stuck."""
        deadline = time.monotonic() + REST_SECONDS
        while waits := proof.at_rest():
            if time.monotonic() > deadline:
                return [f"{REST_SECONDS:.0f} 秒后仍在等待：{line}" for line in waits]
            time.sleep(2)
        self.say("后台任务全部办完")
        return []

    def _wait_for_port(self, port: int) -> None:
        for _try in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise Unavailable((self.folder / "web.log").read_text()[-2000:])

    def _report(self, faults: list[str], far_end: Any, proof: Any) -> None:
        from core.models import Notice, OutboxMessage
        from services.models import Demand, DemandEvent

        print(
            f"需求 {Demand.objects.count()}、办理记录 {DemandEvent.objects.count()}、信箱通知 {Notice.objects.count()}、"
        )
        outside = OutboxMessage.objects.filter(key__contains="#")
        states = {state: outside.filter(state=state).count() for state in ("done", "failed", "unsure")}
        print(f"短信 {outside.count()} 份 {states}；网关收下 {len(far_end.taken)} 份，", end="")
        print(f"拒绝 {far_end.refused} 次，收下而不答 {far_end.unanswered} 次，认出重复 {far_end.recognised} 次")
        print(f"进程启动次数 {self.processes.starts}")
        print(f"丢失、重复、卡住：{len(faults)} 处")
        for line in faults[:20]:
            print(f"  {line}")


@contextlib.contextmanager
def services(folder: Path) -> Iterator[tuple[Postgres, Redis]]:
    # A crash of the server must lose nothing that was committed; a crash of the machine is not played here.
    postgres = Postgres(folder, fsync="off", synchronous_commit="on")
    redis = Redis(folder, keep=True)
    try:
        postgres.make()
        postgres.start()
        redis.start()
        yield postgres, redis
    finally:
        postgres.stop()
        redis.stop()


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--demands", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--outage", type=float, default=60.0)
    chosen = options.parse_args()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, on_signal)
    folder = Path(tempfile.mkdtemp(prefix="jingwei-", dir="/tmp"))
    run = None
    try:
        with services(folder) as (postgres, redis):
            os.environ.update(
                DATABASE_URL=postgres.url,
                REDIS_URL=redis.url,
                DATA_DIR=str(folder / "data"),
                SECRET_KEY="c" * 60,
                AUDIT_KEY="a" * 60,
                LOG_LEVEL="ERROR",
                CELERY_VISIBILITY_SECONDS="120",
                DJANGO_SETTINGS_MODULE="governance.settings",
            )
            (folder / "data").mkdir()
            cores = len(os.sched_getaffinity(0))
            print(f"Python {platform.python_version()}，{cores} 核；{chosen.demands} 条需求，种子 {chosen.seed}")
            run = Run(chosen, folder, postgres, redis)
            return run.play()
    except Unavailable as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE
    finally:
        if run is not None:
            run.processes.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
