"""Every environment variable the portal reads, declared once and parsed strictly.

A county's administrator sets these by hand, so a slip must stop the start with a clear sentence instead of quietly
choosing something else: a malformed value, an empty value and a name that nearly is one of ours are all errors, and
all of them are reported together. The table in docs/deploy.md is written from here (`python -m governance.env`).
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class EnvError(ImproperlyConfigured):
    """The environment is wrong; the message lists every variable at fault, its value and what is accepted."""


class Kind:
    """How one kind of value is read. `accepts` is shown in errors and in the table of docs/deploy.md."""

    def __init__(self, accepts: str, parse: Callable[[str], Any]) -> None:
        self.accepts = accepts
        self.parse = parse


def whole_number(low: int, high: int) -> Kind:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind(f"整数 {low}–{high}", parse)


def one_of(*choices: str) -> Kind:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Kind("、".join(choices), parse)


def text_of(shortest: int, accepts: str) -> Kind:
    def parse(text: str) -> str:
        if len(text) < shortest:
            raise ValueError
        return text

    return Kind(accepts, parse)


def _switch(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError
    return words[text.lower()]


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text):
            raise
        return text


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in text.split(","))
    for host in hosts:
        # A leading dot means the domain and everything under it, as in Django. "*" is refused: it would switch the
        # check off, and QR codes and password links are built from the host.
        if not re.fullmatch(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", host):
            raise ValueError
    return hosts


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if parts.path not in {"", "/"} or parts.username:
        raise ValueError
    _ = parts.port  # raises ValueError when it is not a number
    return f"{parts.scheme}://{parts.netloc}"


def _database(text: str) -> dict[str, Any]:
    """Read a database address into Django's own terms (ENGINE, NAME, ...)."""
    scheme, separator, rest = text.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        # sqlite:///data/x.sqlite3 is relative to the project, sqlite:////var/x.sqlite3 absolute.
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / unquote(rest[1:]))}
    if scheme not in {"postgres", "postgresql"}:
        raise ValueError
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    name = unquote(parts.path[1:])
    unknown = options.keys() - {"sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "user", "password"}
    if not name or "/" in name or unknown or parts.fragment:
        raise ValueError
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": options.pop("user", unquote(parts.username or "")),
        "PASSWORD": options.pop("password", unquote(parts.password or "")),
        # A socket folder cannot stand in the host part of an address: postgres:///name?host=/run/postgresql
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", str(parts.port or "")),
        "OPTIONS": options,
    }


def _redis(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "unix":
        if not parts.path.startswith("/"):
            raise ValueError
        return text
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError
    _ = parts.port
    if not re.fullmatch(r"(/[0-9]{0,3})?", parts.path):
        raise ValueError
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError
    return text


def _mail_server(text: str) -> dict[str, Any]:
    """Read a mail server's address into Django's EMAIL_* terms: smtps is TLS from the start, smtp asks for STARTTLS."""
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError
    if parts.query not in {"", "starttls=off"}:
        raise ValueError
    secure = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if secure else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and parts.query != "starttls=off",
    }


def _mailboxes(text: str) -> tuple[str, ...]:
    boxes = tuple(part.strip() for part in text.split(","))
    if not all(re.fullmatch(r"[^@\s<>]+@[A-Za-z0-9.-]+", box) for box in boxes):
        raise ValueError
    return boxes


def _working_hours(text: str) -> str:
    """Stretches of the working day, one after another; core.working_calendar reads them again."""
    clocks = [clock.strip() for stretch in text.split(",") for clock in stretch.split("-")]
    times = [time.fromisoformat(clock) for clock in clocks if re.fullmatch(r"\d\d:\d\d", clock)]
    if len(times) != len(clocks) or len(times) % 2 or any(a >= b for a, b in pairwise(times)):
        raise ValueError
    return ",".join(f"{opens}-{closes}" for opens, closes in zip(clocks[::2], clocks[1::2], strict=True))


def _quiet_hours(text: str) -> str:
    """One stretch, which may run over midnight; core.quiet reads it again."""
    if text == "off":
        return text
    begins, ends = (clock.strip() for clock in text.split("-"))
    if not all(re.fullmatch(r"\d\d:\d\d", clock) for clock in (begins, ends)):
        raise ValueError
    if time.fromisoformat(begins) == time.fromisoformat(ends):
        raise ValueError
    return f"{begins}-{ends}"


def _proxies(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))


SWITCH = Kind("true / false（1/0、yes/no、on/off 亦可）", _switch)
FOLDER = Kind("文件夹路径", lambda text: Path(text).expanduser())
HOST = Kind("IP 地址或主机名", _host)
HOSTS = Kind("以逗号分隔的主机名，不接受 *", _hosts)
PUBLIC = Kind("http:// 或 https:// 开头、不带路径的网址", _public_url)
DATABASE = Kind("postgres://用户:密码@主机:端口/库名，或 sqlite:///文件路径", _database)
REDIS = Kind("redis://主机:端口/库号、rediss://… 或 unix:///套接字", _redis)
PROXIES = Kind("以逗号分隔的 IP 或网段，如 10.0.0.2,172.18.0.0/16", _proxies)
HOURS = Kind("以逗号分隔的起止时间，先后相接不重叠，如 08:30-12:00,14:00-17:30", _working_hours)
QUIET = Kind("起止时间，可以跨过半夜，如 21:00-07:00；off 为不设", _quiet_hours)
URL = Kind("http:// 或 https:// 开头的网址", _http_url)
MAIL_SERVER = Kind("smtp://用户:密码@主机:端口（STARTTLS，内网可加 ?starttls=off）或 smtps://…", _mail_server)
MAILBOXES = Kind("以逗号分隔的邮箱", _mailboxes)
TOKEN = text_of(1, "一串字符")
SECRET = text_of(32, "至少 32 个字符的随机串")
LEVEL = one_of("DEBUG", "INFO", "WARNING", "ERROR")


def variable(kind: Kind, default: Any, help: str, *, shown: str = "", secret: bool = False) -> Any:
    """Declare one variable. `shown` is the default as the table prints it; a secret's value is never printed."""
    metadata = {"kind": kind, "help": help, "shown": shown, "secret": secret}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Env:
    """The environment, read. One field a variable, named as in the environment."""

    SECRET_KEY: str | None = variable(
        SECRET,
        None,
        "签名密钥。使用 PostgreSQL 且 DEBUG 关闭时必须设置；内置数据库时自动生成并保存在 DATA_DIR。",
        shown="自动生成（内置数据库）",
        secret=True,
    )
    AUDIT_KEY: str | None = variable(
        SECRET,
        None,
        "审计封存密钥，规则同 SECRET_KEY；更换后旧的封存无法再核验，请另行保管。",
        shown="自动生成（内置数据库）",
        secret=True,
    )
    DEBUG: bool = variable(SWITCH, False, "开发模式：显示出错细节。生产环境不得打开。")
    HOST: str = variable(HOST, "127.0.0.1", "网页服务监听的地址；要让手机访问请设为 0.0.0.0。")
    PORT: int = variable(whole_number(1, 65535), 8000, "网页服务监听的端口。")
    WEB_WORKERS: int = variable(whole_number(1, 64), 2, "网页服务进程数，每个进程 4 个线程。")
    PUBLIC_URL: str | None = variable(PUBLIC, None, "居民和干部访问的网址，二维码由它生成。", shown="http://HOST:PORT")
    ALLOWED_HOSTS: tuple[str, ...] = variable(
        HOSTS, (), "允许访问的主机名；PUBLIC_URL、HOST 的主机名和本机总在其中。", shown="空"
    )
    SECURE: bool | None = variable(
        SWITCH, None, "全站 HTTPS：安全 Cookie、跳转、HSTS。", shown="PUBLIC_URL 为 https 时打开"
    )
    TRUSTED_PROXIES: tuple[Network, ...] = variable(
        PROXIES, (), "可信反向代理；只有来自它们的 X-Forwarded-For 与 X-Forwarded-Proto 才被采信。", shown="空"
    )
    DATABASE_URL: dict[str, Any] | None = variable(
        DATABASE, None, "数据库。", shown="DATA_DIR 里的 SQLite", secret=True
    )
    REDIS_URL: str | None = variable(
        REDIS, None, "缓存与后台任务队列。不设时用 DATA_DIR 里的文件，只适合一台机器。", shown="空", secret=True
    )
    DATA_DIR: Path = variable(
        FOLDER, BASE_DIR / "data", "数据文件夹：内置数据库、上传的图片、队列、自动生成的密钥。", shown="./data"
    )
    SESSION_IDLE_MINUTES: int = variable(whole_number(1, 1440), 30, "工作人员多少分钟不操作即退出登录。")
    LOCKOUT_FAILURES: int = variable(whole_number(1, 100), 5, "连续输错多少次密码后锁定。")
    LOCKOUT_MINUTES: int = variable(whole_number(1, 1440), 10, "锁定多少分钟。")
    CELERY_CONCURRENCY: int = variable(whole_number(1, 64), 2, "后台任务并行数。")
    CELERY_VISIBILITY_SECONDS: int = variable(
        whole_number(60, 86400), 900, "后台任务多少秒没有完成即视为中断、由别的进程重做（只用于 Redis）。"
    )
    NOTICE_WECOM_URL: str | None = variable(
        URL, None, "企业微信群机器人的网址；通知的各种对外渠道都是不设即不用。", shown="空", secret=True
    )
    NOTICE_DINGTALK_URL: str | None = variable(URL, None, "钉钉群机器人的网址。", shown="空", secret=True)
    NOTICE_DINGTALK_SECRET: str | None = variable(TOKEN, None, "钉钉群机器人的加签密钥。", shown="空", secret=True)
    NOTICE_FEISHU_URL: str | None = variable(URL, None, "飞书群机器人的网址。", shown="空", secret=True)
    NOTICE_FEISHU_SECRET: str | None = variable(TOKEN, None, "飞书群机器人的签名密钥。", shown="空", secret=True)
    NOTICE_SMS_URL: str | None = variable(
        URL,
        None,
        '短信网关：以 POST 收 {"phones": […], "text": "…"}，按 Idempotency-Key 认出重复的请求。',
        shown="空",
        secret=True,
    )
    NOTICE_SMS_TOKEN: str | None = variable(TOKEN, None, "短信网关的令牌（Bearer）。", shown="空", secret=True)
    NOTICE_EMAIL_TO: tuple[str, ...] = variable(MAILBOXES, (), "接收通知的值班邮箱；须同时设置 EMAIL_URL。", shown="空")
    NOTICE_QUIET_HOURS: str = variable(
        QUIET, "21:00-07:00", "免打扰时段：不紧急的通知到时段结束再发到站外；个人可以另设自己的时段。"
    )
    EMAIL_URL: dict[str, Any] | None = variable(
        MAIL_SERVER, None, "发信服务器；设了以后，个人可以用自己的邮箱收通知。", shown="空", secret=True
    )
    EMAIL_FROM: tuple[str, ...] = variable(MAILBOXES, (), "发信人邮箱（一个）。", shown="发信服务器的用户")
    WORKING_HOURS: str = variable(HOURS, "08:30-12:00,14:00-17:30", "上班时间；办理时限按它计算。")
    LOG_LEVEL: str = variable(LEVEL, "INFO", "日志级别，日志写到标准输出。")


def _distance(one: str, other: str) -> int:
    """Edits (insert, drop, change, swap neighbours) that turn `one` into `other`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _near_miss(name: str, declared: set[str]) -> str | None:
    """The declared variable that `name` was probably meant to be, if any."""
    for known in declared:
        # Four letters apart by two are different words (HOME is always set and is no misspelt HOST).
        allowed = 2 if len(known) >= 8 else 1
        if abs(len(name) - len(known)) <= allowed and 0 < _distance(name.upper(), known) <= allowed:
            return known
        if name != known and name.upper() == known:
            return known
    return None


def read(environ: Mapping[str, str]) -> Env:
    """Read the environment.

    Raises EnvError naming every variable that is malformed, empty, or misspelt; never only the first.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    declared = {each.name: each for each in fields(Env)}
    for name, each in declared.items():
        if name not in environ:
            continue
        text, kind = environ[name], each.metadata["kind"]
        if not text.strip():
            faults.append(f"{name} 设了却是空的：请填写（{kind.accepts}），或取消设置")
            continue
        try:
            values[name] = kind.parse(text)
        except ValueError:
            shown = "（内容不显示）" if each.metadata["secret"] else repr(text)
            faults.append(f"{name} 的值 {shown} 不正确：应为 {kind.accepts}")
    for name in sorted(environ.keys() - declared.keys()):
        meant = _near_miss(name, set(declared))
        if meant:
            faults.append(f"环境变量 {name} 不认识，是不是要写 {meant}？")
    if faults:
        raise EnvError("环境变量有误：\n" + "\n".join(f"  - {fault}" for fault in faults))
    return Env(**values)


def kept_secret(path: Path) -> str:
    """The secret kept in `path`, made on first use and readable by its owner only.

    Web, worker and beat may all start at once on an empty folder: whoever links the file first decides, the others
    read what that one wrote.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    secret = path.read_text().strip()
    if len(secret) < 32:
        raise EnvError(f"密钥文件 {path} 已损坏（不足 32 个字符）：请从备份恢复")
    return secret


def table() -> str:
    """The variables as a Markdown table, as docs/deploy.md carries it."""
    lines = ["| 变量 | 接受的值 | 默认 | 说明 |", "| --- | --- | --- | --- |"]
    for each in fields(Env):
        default = each.metadata["shown"]
        if not default and each.default is not MISSING:
            default = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
        lines.append(f"| `{each.name}` | {each.metadata['kind'].accepts} | {default} | {each.metadata['help']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(" ".join(each.name for each in fields(Env)) if sys.argv[1:] == ["--names"] else table())
