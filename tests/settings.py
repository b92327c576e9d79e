"""The portal's settings as the suite runs them: the real ones, on a data folder of this worker's own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
# A folder per run, so that two runs on one machine keep apart; the workers of a run inherit its name.
if "TEST_DATA_DIR" not in os.environ:
    os.environ["TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="jingwei-tests-")
    atexit.register(shutil.rmtree, os.environ["TEST_DATA_DIR"], ignore_errors=True)
_root = Path(os.environ["TEST_DATA_DIR"])
os.environ["DATA_DIR"] = str(_root / _worker)
os.environ.setdefault("LOG_LEVEL", "WARNING")


def _own_redis(address: str) -> str:
    """The same Redis, a database of this worker's own: emptying the cache empties the whole database, and would take
    away what a test beside this one has just written, key prefix or not."""
    number = int(_worker[2:]) % 15 + 1 if _worker.startswith("gw") else 0
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?{urlencode({**dict(parse_qsl(parts.query)), 'db': number})}"
    return parts._replace(path=f"/{number}").geturl()


if os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = _own_redis(os.environ["REDIS_URL"])
# On PostgreSQL the real settings ask for them.
os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("AUDIT_KEY", "only-for-audit-tests-" * 4)

from governance.settings import *  # noqa: E402, F403
from governance.settings import CACHES, DATA_DIR, DATABASES, SQLITE, STORAGES  # noqa: E402

if SQLITE:
    # A file, as in production: threads that race for a row must really race.
    DATABASES["default"]["TEST"] = {"NAME": str(_root / "test.sqlite3")}
    # A crash of the machine may eat the test database; nobody minds, and every commit is quicker.
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON;"
    )
# Two workers must not see each other's entries.
CACHES["default"]["KEY_PREFIX"] = f"test-{_worker}"
# Pages name their assets without a collected, hashed copy of them.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
# Looked up when asked for: each client of a test would go through every file of the portal beforehand.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Hundreds of users are made: one round of hashing is enough, the real hasher is Django's own business.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "core.hashers.FirstPasswordHasher"]
