"""The two commands as a person runs them: real processes, real signals, nothing left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from governance import env

ROOT = Path(__file__).resolve().parent.parent

# They start everything themselves: once, on the embedded default, is enough.
pytestmark = pytest.mark.embedded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One run of script/server, in a process group of its own like a terminal's foreground job."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = int(environ.setdefault("PORT", str(free_port())))
        self.log = folder / f"server-{self.port}-{time.monotonic_ns()}.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environ.setdefault("DATA_DIR", str(folder / "data"))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["bash", str(ROOT / "script" / "server")],
                env={**kept, **environ},
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def ends(self, seconds: float = 30) -> int:
        return self.process.wait(seconds)

    def stop_at_any_price(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def health(self, query: str = "") -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz{query}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            return 0


def assert_gone(family: list[psutil.Process], seconds: float = 20) -> None:
    _, alive = psutil.wait_procs(family, timeout=seconds)
    assert not alive


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def start(**environ: str) -> Server:
        running.append(Server(tmp_path, **environ))
        return running[-1]

    yield start
    for each in running:
        each.stop_at_any_price()


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    """An empty database that somebody configured: it is migrated, but no sample is loaded."""
    return {"DATABASE_URL": f"sqlite:///{tmp_path / 'configured.sqlite3'}"}


@pytest.fixture
def migrated(configured: dict[str, str], migrated_file: Path, tmp_path: Path) -> dict[str, str]:
    """The same when it was migrated before: a start is quick."""
    shutil.copyfile(migrated_file, tmp_path / "configured.sqlite3")
    return configured


def counties(database: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM grids_county").fetchone()[0])


def test_the_first_start_loads_the_sample_and_the_second_keeps_it(serve: Callable[..., Server], tmp_path: Path) -> None:
    first = serve()
    first.wait_for("经纬已启动", 300)
    said = first.output()
    assert f"http://127.0.0.1:{first.port}" in said
    assert re.search(r"1[3-9]\d{9}", said), "the sample sign-ins are printed"
    assert "密码" in said
    deadline = time.monotonic() + 60
    while first.health("?strict=1") != 200:
        assert time.monotonic() < deadline, "worker, beat and queue are alive too"
        time.sleep(0.2)
    family = first.family()
    assert len(family) >= 6
    # Ctrl-C reaches the whole foreground group.
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.ends() == 0
    assert_gone(family)
    loaded = counties(tmp_path / "data" / "jingwei.sqlite3")
    assert loaded >= 1

    second = serve()
    second.wait_for("经纬已启动", 60)
    assert "载入示例县" not in second.output()
    assert "建立或升级数据库" not in second.output()
    assert second.health() == 200
    second.process.terminate()
    assert second.ends() == 0
    assert counties(tmp_path / "data" / "jingwei.sqlite3") == loaded


def test_a_configured_database_gets_no_sample_and_one_dead_process_ends_all(
    serve: Callable[..., Server], configured: dict[str, str], tmp_path: Path
) -> None:
    server = serve(**configured)
    server.wait_for("经纬已启动", 120)
    assert counties(tmp_path / "configured.sqlite3") == 0
    family = server.family()
    beat = next(each for each in family if "beat" in each.cmdline())
    beat.kill()
    assert server.ends() == 1
    assert "beat" in server.output()
    assert_gone(family)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_killing_the_server_outright_leaves_no_process(serve: Callable[..., Server], migrated: dict[str, str]) -> None:
    server = serve(**migrated)
    server.wait_for("经纬已启动", 120)
    family = server.family()
    server.process.kill()
    assert_gone(family)


def test_a_second_server_on_the_same_data_is_refused(
    serve: Callable[..., Server], migrated: dict[str, str], tmp_path: Path
) -> None:
    first = serve(**migrated)
    first.wait_for("经纬已启动", 120)
    second = serve(**migrated)
    assert second.ends(60) == 1
    assert str(tmp_path / "data") in second.output()
    assert first.health() == 200


def test_a_busy_port_is_said_in_one_sentence(serve: Callable[..., Server], migrated: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        server = serve(**migrated, PORT=port)
        assert server.ends(60) == 1
    assert port in server.output()
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("wrong", [{"DEBUG": "ture"}, {"DATABASE_ULR": "x"}, {"DATABASE_URL": "mysql://u@h/n"}])
def test_a_typo_stops_the_start_before_anything_is_made(
    serve: Callable[..., Server], wrong: dict[str, str], tmp_path: Path
) -> None:
    server = serve(**wrong)
    assert server.ends(60) == 1
    assert next(iter(wrong)) in server.output()
    assert "Traceback" not in server.output()
    assert not (tmp_path / "data").exists()


def test_without_a_fitting_python_the_reason_is_clear(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "script", tmp_path / "project" / "script")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "cksum", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    script = tmp_path / "project" / "script" / "server"
    ended = subprocess.run(
        [str(tools / "bash"), str(script)], env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "Python 3.11" in ended.stderr
    assert not (tmp_path / "project" / ".venv").exists()


def test_the_private_services_answer_and_leave_nothing() -> None:
    code = (
        "import os, psycopg2, redis; from urllib.parse import unquote; url = os.environ['DATABASE_URL'];"
        "c = psycopg2.connect(host=unquote(url.partition('host=')[2]), user='jingwei', dbname='postgres').cursor();"
        "c.execute('select 6 * 7'); print(c.fetchone()[0], redis.from_url(os.environ['REDIS_URL']).ping(), url)"
    )
    helper = str(ROOT / "script" / "lib" / "with_services.py")
    ended = subprocess.run(
        [sys.executable, helper, sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("42 True ")
    folder = re.search(r"%2Ftmp%2F(jingwei-[^%]+)", ended.stdout)
    assert folder is not None
    assert not Path("/tmp", folder[1]).exists()
    left = [each for each in psutil.process_iter(["cmdline"]) if folder[1] in " ".join(each.info["cmdline"] or [])]
    assert left == []


def test_the_tests_refuse_a_phase_they_do_not_have() -> None:
    ended = subprocess.run(
        ["bash", str(ROOT / "script" / "test"), "everything"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "everything" in ended.stderr


def composed() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def test_compose_has_every_part_and_no_default_secret() -> None:
    compose = composed()
    assert {"web", "worker", "beat", "postgres", "redis", "migrate"} <= set(compose["services"])
    for name in ("web", "worker", "postgres", "redis"):
        assert "healthcheck" in compose["services"][name] or name == "web"  # web's is in the Dockerfile
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in ("SECRET_KEY", "AUDIT_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "PUBLIC_URL"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert all(line.endswith("=") for line in example.splitlines() if line and not line.startswith("#"))


def test_compose_sets_only_variables_the_portal_reads() -> None:
    for name in ("migrate", "web", "worker", "beat"):
        environment = dict.fromkeys(composed()["services"][name]["environment"], "")
        assert environment.keys() <= set(env.Env.__dataclass_fields__)
