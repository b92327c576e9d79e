"""What script/server runs once the packages are there: prepare the database, start three processes, watch over them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

PATIENCE = 15.0
PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """A signal asked us to stop."""


def on_signal(number: int, frame: FrameType | None) -> None:
    # A second signal must not break off the orderly end that the first began.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(signal.Signals(number).name)


def fail(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(1)


# --- Prepare ---------------------------------------------------------------------------------------------------------


def hold_data_folder(folder: Path) -> IO[str]:
    """Two servers on one data folder would run two beats and two queues over each other: the second one gives up.

    The lock goes with the process, however it ends. Returns the open file, to be kept.
    """
    file = (folder / "server.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        fail(f"错误：数据文件夹 {folder} 已被另一个正在运行的 script/server 使用。请先停止它，或另设 DATA_DIR。")
    return file


def check_port(host: str, port: int) -> None:
    """Better said now in one sentence than by gunicorn after five attempts."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            fail(f"错误：无法监听 {host}:{port}（{error.strerror}）。请停止占用它的程序，或另设 PORT、HOST。")


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("==> 建立或升级数据库", flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Copy and hash the static files, only when one of them changed."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    if settings.DEBUG:
        return
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    stamp = settings.STATIC_ROOT / ".stamp"
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    # Servers with data folders of their own share this one.
    with stamp.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if file.read() == digest.hexdigest():
            return
        print("==> 收集静态文件", flush=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        file.truncate(0)
        file.write(digest.hexdigest())


def load_sample() -> None:
    """The sample county, into an empty embedded database only: never into one that somebody configured."""
    from django.conf import settings
    from django.core.management import call_command

    if not settings.EMBEDDED:
        return
    from grids.models import County

    if not County.objects.exists():
        print("==> 载入示例县（不到一分钟）", flush=True)
        call_command("load_sample")


def prepare() -> IO[str]:
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db.utils import OperationalError

    try:
        django.setup()
        from django.conf import settings
        from django.core.checks import Error, run_checks

        check_port(settings.ENV.HOST, settings.ENV.PORT)
        lock = hold_data_folder(settings.DATA_DIR)
        errors = [each for each in run_checks() if isinstance(each, Error)]
        if errors:
            fail("错误：\n" + "\n".join(str(each) for each in errors))
        migrate()
        collect_static()
        load_sample()
    except ImproperlyConfigured as error:
        fail(f"错误：{error}")
    except OperationalError as error:
        fail(f"错误：无法使用数据库：{error}")
    return lock


# --- Serve -----------------------------------------------------------------------------------------------------------


def die_with_parent() -> None:
    """Runs in the child. On Linux it is told to stop even when this process is killed outright (kill -9)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(name: str, *arguments: str) -> tuple[str, subprocess.Popen[bytes]]:
    """Start one process in a group of its own: Ctrl-C reaches it through us, once, and its children end with it."""
    environment = dict(os.environ)
    # Celery's three paragraphs about root: in a container that is the ordinary case, elsewhere it changes nothing here.
    environment.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    child = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509  # no thread runs yet
    )
    return name, child


def start_all(children: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    celery = ("celery", "-A", "governance", "--quiet", "--skip-checks")
    children.append(start("web", "gunicorn"))
    children.append(start("worker", *celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"))
    children.append(start("beat", *celery, "beat", "--loglevel", "WARNING", "--pidfile", ""))


def signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def stop_all(children: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    for _, child in children:
        if child.poll() is None:
            # The head of the group only: it ends its own workers in order (celery finishes the task at hand).
            child.terminate()
    deadline = time.monotonic() + PATIENCE
    for _, child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
    for _, child in children:
        # Whatever is left, also of a group whose head was killed.
        signal_group(child, signal.SIGKILL)
        child.wait()


def announce(url: str, probe: str, started: float, hint: str) -> None:
    """Say the address once it answers."""
    while True:
        try:
            urllib.request.urlopen(probe, timeout=5).close()
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
    print(f"==> 经纬已启动：{url} （用时 {time.monotonic() - started:.1f} 秒，按 Ctrl-C 停止）{hint}", flush=True)


def watch(children: list[tuple[str, subprocess.Popen[bytes]]]) -> int:
    """Wait until one of them ends; that is a failure, whichever it is and whatever it says."""
    while True:
        for name, child in children:
            code = child.poll()
            if code is not None:
                print(f"错误：{name} 进程意外退出（{code}），其余进程随之停止。", file=sys.stderr, flush=True)
                return 1
        time.sleep(0.2)


def main() -> int:
    started = time.monotonic()
    children: list[tuple[str, subprocess.Popen[bytes]]] = []
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, on_signal)
    lock = None
    try:
        lock = prepare()
        from django.conf import settings
        from django.db import connections

        connections.close_all()
        start_all(children)
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.ENV.HOST, settings.ENV.HOST)
        probe = f"http://{host}:{settings.ENV.PORT}/healthz"
        hint = ""
        if settings.ENV.HOST in {"0.0.0.0", "::"} and not (settings.ENV.PUBLIC_URL or settings.ENV.ALLOWED_HOSTS):
            hint = "\n    其他设备要访问，请把它们使用的网址设为 PUBLIC_URL，例如 PUBLIC_URL=http://10.1.2.3:8000"
        args = (settings.PUBLIC_URL, probe, started, hint)
        threading.Thread(target=announce, args=args, daemon=True).start()
        return watch(children)
    except Stopped:
        print("\n==> 正在停止", flush=True)
        return 0
    finally:
        stop_all(children)
        del lock


if __name__ == "__main__":
    sys.exit(main())
