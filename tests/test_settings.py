"""The environment is read strictly, and what the settings promise holds in a running portal."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import Celery, current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve

from core.models import User
from governance import celery as background
from governance import env, health
from governance.cache import PatientRedisCache
from governance.proxies import TrustedProxyMiddleware

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "红旗-渠水-2026"


# --- Reading the environment ----------------------------------------------------------------------------------------


def test_an_empty_environment_gives_the_embedded_defaults() -> None:
    read = env.read({})
    assert read.DATABASE_URL is None
    assert read.REDIS_URL is None
    assert (read.HOST, read.PORT, read.DEBUG) == ("127.0.0.1", 8000, False)
    assert (read.SESSION_IDLE_MINUTES, read.LOCKOUT_FAILURES, read.LOCKOUT_MINUTES) == (30, 5, 10)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("DEBUG", "True", True),
        ("DEBUG", "off", False),
        ("PORT", "65535", 65535),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("HOST", "::", "::"),
        ("PUBLIC_URL", "https://xx.gov.cn/", "https://xx.gov.cn"),
        ("ALLOWED_HOSTS", "a.gov.cn, .b.gov.cn", ("a.gov.cn", ".b.gov.cn")),
        ("REDIS_URL", "redis://:secret@cache:6379/1", "redis://:secret@cache:6379/1"),
        ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("LOG_LEVEL", "WARNING", "WARNING"),
        ("WORKING_HOURS", "09:00-12:00, 13:00-17:00", "09:00-12:00,13:00-17:00"),
    ],
)
def test_a_correct_value_is_read(name: str, value: str, read: object) -> None:
    assert getattr(env.read({name: value}), name) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "ture"),
        ("WORKING_HOURS", "9-17"),
        ("WORKING_HOURS", "12:00-08:00"),
        ("WORKING_HOURS", "08:00-12:00,11:00-17:00"),
        ("WORKING_HOURS", "08:00-25:00"),
        ("DEBUG", "2"),
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80 80"),
        ("PORT", "-1"),
        ("HOST", "http://x"),
        ("PUBLIC_URL", "xx.gov.cn"),
        ("PUBLIC_URL", "https://xx.gov.cn/portal"),
        ("PUBLIC_URL", "https://xx.gov.cn:port"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "a.gov.cn,,b.gov.cn"),
        ("ALLOWED_HOSTS", "https://a.gov.cn"),
        ("DATABASE_URL", "mysql://a/b"),
        ("DATABASE_URL", "postgres:/a/b"),
        ("DATABASE_URL", "postgres://host"),
        ("DATABASE_URL", "postgres://u:p@host:port/name"),
        ("DATABASE_URL", "postgres://u:p@host/name?sslmod=require"),
        ("DATABASE_URL", "sqlite://x.sqlite3"),
        ("DATABASE_URL", "sqlite:///"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost:6379"),
        ("REDIS_URL", "redis://localhost:6379/x"),
        ("REDIS_URL", "unix://run"),
        ("SECRET_KEY", "short"),
        ("TRUSTED_PROXIES", "10.0.0.1/99"),
        ("TRUSTED_PROXIES", "proxy"),
        ("SESSION_IDLE_MINUTES", "0"),
        ("LOCKOUT_FAILURES", "five"),
        ("SECURE", "maybe"),
        ("LOG_LEVEL", "LOUD"),
        ("NOTICE_WECOM_URL", "qyapi.weixin.qq.com/x"),
        ("NOTICE_EMAIL_TO", "值班室"),
        ("EMAIL_URL", "mail.gov.cn:25"),
        ("EMAIL_URL", "smtp://mail.gov.cn?starttls=maybe"),
        ("DATABASE_URL", ""),
        ("PORT", " "),
    ],
)
def test_a_malformed_value_is_refused_with_its_name_and_what_is_accepted(name: str, value: str) -> None:
    with pytest.raises(env.EnvError) as caught:
        env.read({name: value})
    kind = env.Env.__dataclass_fields__[name].metadata["kind"]
    assert name in str(caught.value)
    assert kind.accepts in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("DATABASE_ULR", "DATABASE_URL"),
        ("DATABASEURL", "DATABASE_URL"),
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"),
        ("REDIS_URI", "REDIS_URL"),
        ("DEBG", "DEBUG"),
        ("database_url", "DATABASE_URL"),
        ("SECRETKEY", "SECRET_KEY"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_right_one(wrong: str, meant: str) -> None:
    with pytest.raises(env.EnvError, match=f"{wrong}.*{meant}"):
        env.read({wrong: "x"})


@pytest.mark.parametrize("name", ["HOME", "PATH", "HOSTNAME", "LOGNAME", "PWD", "LANG", "SHELL", "PGDATA", "_", "TERM"])
def test_names_of_others_are_left_alone(name: str) -> None:
    assert env.read({name: "whatever"}) == env.read({})


def test_all_faults_are_told_at_once_and_no_secret_is_shown() -> None:
    environ = {"DEBUG": "ture", "PORT": "abc", "DATABASE_URL": "postgers://u:hunter2@h/n", "REDIS_ULR": "x"}
    with pytest.raises(env.EnvError) as caught:
        env.read(environ)
    for name in environ:
        assert name in str(caught.value)
    assert "ture" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_database_address_is_taken_apart() -> None:
    read = env.read({"DATABASE_URL": "postgres://li%40w:p%2Fw@db.local:5433/jingwei?sslmode=require"}).DATABASE_URL
    assert read is not None
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
        "li@w",
        "p/w",
        "db.local",
        "5433",
        "jingwei",
    )
    assert read["OPTIONS"] == {"sslmode": "require"}
    by_socket = env.read({"DATABASE_URL": "postgresql://me@/jingwei?host=%2Frun%2Fpg"}).DATABASE_URL
    assert by_socket is not None
    assert by_socket["HOST"] == "/run/pg"


def test_a_sqlite_address_is_relative_with_three_strokes_and_absolute_with_four() -> None:
    relative = env.read({"DATABASE_URL": "sqlite:///data/x.sqlite3"}).DATABASE_URL
    absolute = env.read({"DATABASE_URL": "sqlite:////var/x.sqlite3"}).DATABASE_URL
    assert relative is not None
    assert absolute is not None
    assert relative["NAME"] == str(ROOT / "data/x.sqlite3")
    assert absolute["NAME"] == "/var/x.sqlite3"


def test_the_documented_table_is_the_declared_one() -> None:
    assert env.table() in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


# --- Secrets --------------------------------------------------------------------------------------------------------


def test_a_kept_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    first = env.kept_secret(path)
    assert len(first) >= 32
    assert env.kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret_key"]
    assert env.kept_secret(tmp_path / "other") != first


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    gate, seen = threading.Barrier(8), []

    def make() -> None:
        gate.wait()
        seen.append(env.kept_secret(tmp_path / "secret_key"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_a_damaged_secret_is_not_silently_replaced(tmp_path: Path) -> None:
    (tmp_path / "audit_key").write_text("")
    with pytest.raises(env.EnvError, match="audit_key"):
        env.kept_secret(tmp_path / "audit_key")
    assert (tmp_path / "audit_key").read_text() == ""


def evaluate(expression: str, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Import the real settings in a process of its own, with nothing but `environ`, and print one expression."""
    code = (
        f"import django; django.setup(); from django.conf import settings; import json; print(json.dumps({expression}))"
    )
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    whole = {**kept, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "governance.settings", **environ}
    return subprocess.run(
        [sys.executable, "-c", code], env=whole, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_postgres_without_keys_does_not_start(tmp_path: Path) -> None:
    refused = evaluate("1", tmp_path, DATABASE_URL="postgres://u@h/n")
    assert refused.returncode != 0
    assert "SECRET_KEY" in refused.stderr
    refused = evaluate("1", tmp_path, DATABASE_URL="postgres://u@h/n", SECRET_KEY="k" * 40)
    assert refused.returncode != 0
    assert "AUDIT_KEY" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_default_keeps_everything_in_its_data_folder(tmp_path: Path) -> None:
    printed = evaluate("[settings.DATABASES['default']['NAME'], str(settings.MEDIA_ROOT), settings.DEBUG]", tmp_path)
    assert json.loads(printed.stdout) == [str(tmp_path / "jingwei.sqlite3"), str(tmp_path / "uploads"), False]
    assert (tmp_path / "secret_key").read_text() != (tmp_path / "audit_key").read_text()


def test_https_follows_from_the_public_address(tmp_path: Path) -> None:
    expression = "[settings.SESSION_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS > 0]"
    assert json.loads(evaluate(expression, tmp_path, PUBLIC_URL="https://a.gov.cn").stdout) == [True, True, True]
    assert json.loads(evaluate(expression, tmp_path).stdout) == [False, False, False]


def test_mail_follows_from_its_address(tmp_path: Path) -> None:
    expression = "[settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_SSL, settings.DEFAULT_FROM_EMAIL]"
    url = "smtps://duty%40xx.gov.cn:p%2Fw@mail.xx.gov.cn"
    printed = evaluate(expression, tmp_path, EMAIL_URL=url, NOTICE_EMAIL_TO="a@xx.gov.cn")
    assert json.loads(printed.stdout) == ["mail.xx.gov.cn", 465, True, "duty@xx.gov.cn"]
    refused = evaluate("1", tmp_path, NOTICE_EMAIL_TO="a@xx.gov.cn")
    assert refused.returncode != 0
    assert "EMAIL_URL" in refused.stderr


# --- Pages ----------------------------------------------------------------------------------------------------------


def policy(response: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.django_db
def test_scripts_come_from_the_portal_alone_and_nothing_is_evaluated(client: Client) -> None:
    page, admin = policy(client.get("/healthz")), policy(client.get("/admin/login/"))
    for directives in (page, admin):
        assert directives["default-src"] == "'self'"
        assert "unsafe" not in " ".join(directives.values())
        assert directives["object-src"] == "'none'"
        assert "http" not in " ".join(directives.values())


@pytest.mark.parametrize("path", ["/media/x.jpg", "/uploads/x.jpg", "/data/x.jpg", "/static/../data/secret_key"])
def test_uploads_have_no_open_address(path: str) -> None:
    assert settings.MEDIA_URL in {"", "/"}
    with pytest.raises(Resolver404):
        resolve(path)


@pytest.fixture
def proxy(settings: Any) -> Any:
    settings.TRUSTED_PROXIES = env.read({"TRUSTED_PROXIES": "10.0.0.0/24,::1"}).TRUSTED_PROXIES

    def seen(peer: str, forwarded: str | None = None, proto: str = "https") -> tuple[str, bool]:
        headers = {"HTTP_X_FORWARDED_PROTO": proto} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
        request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
        TrustedProxyMiddleware(lambda _: None)(request)  # type: ignore[arg-type, return-value]
        return request.META["REMOTE_ADDR"], request.is_secure()

    return seen


def test_a_stranger_cannot_invent_an_address_or_https(proxy: Any) -> None:
    assert proxy("203.0.113.9", "1.2.3.4") == ("203.0.113.9", False)


def test_a_trusted_proxy_is_believed_as_far_as_it_can_know(proxy: Any) -> None:
    assert proxy("10.0.0.2", "203.0.113.9") == ("203.0.113.9", True)
    # What the caller itself wrote in front stays unbelieved.
    assert proxy("10.0.0.2", "1.2.3.4, 203.0.113.9, 10.0.0.3") == ("203.0.113.9", True)
    assert proxy("10.0.0.2", "1.2.3.4, nonsense") == ("10.0.0.2", True)
    assert proxy("::ffff:10.0.0.2", "203.0.113.9") == ("203.0.113.9", True)
    assert proxy("10.0.0.2", None, "http") == ("10.0.0.2", False)


# --- Lock-out -------------------------------------------------------------------------------------------------------


def sign_in(phone: str, password: str, address: str = "203.0.113.9") -> tuple[int, str]:
    """Try once; status and page. 302 is in, 200 the form again, 429 locked."""
    response = Client(REMOTE_ADDR=address).post("/admin/login/?next=/admin/", {"username": phone, "password": password})
    return response.status_code, response.content.decode()


@pytest.fixture
def keeper(db: None) -> User:
    return User.objects.create_superuser("13800000001", "系统维护", PASSWORD)


def test_five_failures_lock_this_account_from_this_address_for_ten_minutes(keeper: User) -> None:
    colleague = User.objects.create_superuser("13800000002", "同事", PASSWORD)
    with time_machine.travel("2026-03-05 09:00 +0800", tick=False) as clock:
        for _ in range(4):
            assert sign_in(keeper.phone, "wrong")[0] == 200
        status, page = sign_in(keeper.phone, "wrong")
        assert status == 429
        assert "锁定" in page
        assert "10 分钟" in page
        assert sign_in(keeper.phone, PASSWORD)[0] == 429
        # The same office, another person; the same person, another place.
        assert sign_in(colleague.phone, PASSWORD)[0] == 302
        assert sign_in(keeper.phone, PASSWORD, address="198.51.100.7")[0] == 302
        clock.shift(9 * 60)
        assert sign_in(keeper.phone, PASSWORD)[0] == 429
        clock.shift(61)
        assert sign_in(keeper.phone, PASSWORD)[0] == 302


def test_a_success_clears_the_count(keeper: User) -> None:
    for _ in range(2):
        for _ in range(4):
            assert sign_in(keeper.phone, "wrong")[0] == 200
        assert sign_in(keeper.phone, PASSWORD)[0] == 302


def test_the_session_cookie_is_out_of_reach_of_scripts(keeper: User) -> None:
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": keeper.phone, "password": PASSWORD})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


# --- Health ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_health_is_ok_with_a_database_and_a_fresh_heartbeat(client: Client) -> None:
    background.heartbeat()
    response = client.get("/healthz")
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ok"
    assert body["database"] == {"ok": True, "pending_migrations": 0}
    assert body["worker"]["heartbeat_age_seconds"] <= 5


@pytest.mark.django_db
def test_a_silent_worker_degrades_but_takes_no_page_away(client: Client) -> None:
    cache.set(background.HEARTBEAT, time.time() - health.STALE_SECONDS - 5)
    response = client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert client.get("/healthz?strict=1").status_code == 503
    cache.delete(background.HEARTBEAT)
    assert client.get("/healthz").json()["worker"] == {"ok": False, "heartbeat_age_seconds": None}


@pytest.mark.django_db
def test_a_database_that_is_not_migrated_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    app, name = MigrationRecorder.Migration.objects.values_list("app", "name").filter(app="axes").last()
    MigrationRecorder(connection).record_unapplied(app, name)
    response = client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (503, "down")
    assert response.json()["database"]["pending_migrations"] == 1


def test_a_database_that_is_away_is_down_and_nothing_is_given_away(tmp_path: Path) -> None:
    expression = "(lambda r: [r.status_code, r.content.decode()])(__import__('django.test').test.Client().get('/healthz', SERVER_NAME='localhost'))"
    keys = {"SECRET_KEY": "k" * 40, "AUDIT_KEY": "a" * 40}
    printed = evaluate(expression, tmp_path, DATABASE_URL="postgres://u:hunter2@127.0.0.1:1/n", **keys)
    status, body = json.loads(printed.stdout)
    assert status == 503
    assert json.loads(body)["status"] == "down"
    assert "hunter2" not in body
    assert "127.0.0.1" not in body


# --- Cache and broker -----------------------------------------------------------------------------------------------


@pytest.fixture
def silent_server() -> Any:
    """A port that takes connections and never answers: the worst kind of outage."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(20)
        yield server.getsockname()[1]


def test_a_cache_that_is_away_reads_as_empty_and_costs_its_timeout_once(silent_server: int) -> None:
    away = PatientRedisCache(f"redis://127.0.0.1:{silent_server}/0", {})
    PatientRedisCache._paused_until = 0.0
    began = time.monotonic()
    assert away.get("x", "default") == "default"
    first = time.monotonic() - began
    away.set("x", 1)
    assert away.add("x", 1) is True
    assert away.incr("x") == 1
    assert away.get_many(["x"]) == {}
    assert away.delete("x") is False
    away.set_many({"x": 1})
    assert time.monotonic() - began - first < 0.5
    assert first < 4
    PatientRedisCache._paused_until = 0.0


@pytest.mark.redis
def test_a_cache_that_is_there_is_used() -> None:
    cache.set("x", {"a": 1}, 60)
    assert cache.get("x") == {"a": 1}
    assert cache.incr("n", 1) if cache.add("n", 1) else False
    assert cache.get("n") == 2


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_neither_fails_nor_stalls_the_request(silent_server: int) -> None:
    # Set up exactly as with REDIS_URL; the settings of this run may have the other broker.
    app = Celery(
        "away", task_cls=background.PatientTask, set_as_current=False, broker=f"redis://127.0.0.1:{silent_server}"
    )
    options = {"socket_connect_timeout": 2, "socket_timeout": 3, "max_retries": 1, "interval_start": 0}
    app.conf.update(task_publish_retry=False, broker_connection_timeout=2, broker_transport_options=options)
    done = []

    @app.task(name="away.nothing")
    def task() -> None:
        done.append(1)

    background.PatientTask._paused_until = 0.0
    began = time.monotonic()
    with transaction.atomic():
        task.delay_on_commit()
    first = time.monotonic() - began
    for _ in range(20):
        task.delay_on_commit()
    assert time.monotonic() - began - first < 0.5
    assert first < 8
    assert done == []
    background.PatientTask._paused_until = 0.0


def test_every_scheduled_task_exists() -> None:
    assert set(settings.BEAT) <= set(current_app.tasks)
