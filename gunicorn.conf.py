"""How gunicorn serves the portal; read from here by script/server and by the container alike."""

import gc
import os
from typing import Any

from governance.env import read

_env = read(os.environ)

bind = f"[{_env.HOST}]:{_env.PORT}" if ":" in _env.HOST else f"{_env.HOST}:{_env.PORT}"
wsgi_app = "governance.wsgi"
workers = _env.WEB_WORKERS
# Threads keep a slow phone from holding a whole process.
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 8
keepalive = 5
reload = _env.DEBUG
# Heartbeat files of the workers belong in memory where there is such a place: on a busy disk they stall the worker.
_memory = "/dev/shm"  # noqa: S108
worker_tmp_dir = _memory if os.access(_memory, os.W_OK) else None
# The access log would hold follow-up codes and addresses of residents; the audit trail holds what must be kept.
accesslog = None
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """The code and its tables live as long as the worker: the collector need not walk through them with every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
