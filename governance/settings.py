"""The one settings file. Everything that differs between places comes from the environment (governance/env.py)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from governance import env as environment
from governance.theme import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = environment.read(os.environ)

DEBUG = ENV.DEBUG
DATA_DIR = ENV.DATA_DIR.absolute()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

# --- Database -------------------------------------------------------------------------------------------------------

# Embedded: nothing configured, everything in DATA_DIR. `script/server` loads the sample county only then.
EMBEDDED = ENV.DATABASE_URL is None
_database: dict[str, Any] = dict(
    ENV.DATABASE_URL or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "jingwei.sqlite3")}
)
SQLITE = _database["ENGINE"].endswith("sqlite3")
if SQLITE:
    # WAL lets readers and one writer work side by side. IMMEDIATE takes the write lock when a transaction begins: a
    # transaction that read first and then wants to write would otherwise fail at once, whatever the timeout.
    # What is deleted is overwritten: a household that was erased must not be found in the file (docs/decisions/0017).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000; "
        "PRAGMA secure_delete=ON;",
    }
    _database["CONN_MAX_AGE"] = 60
else:
    _database["OPTIONS"] = {"connect_timeout": 5, **_database.get("OPTIONS", {})}
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Secrets --------------------------------------------------------------------------------------------------------


def _secret(name: str, given: str | None) -> str:
    """The configured secret, or one kept in DATA_DIR where that folder is the whole installation."""
    if given:
        return given
    if not SQLITE and not DEBUG:
        raise environment.EnvError(
            f"环境变量有误：\n  - 使用 PostgreSQL 时必须设置 {name}（至少 32 个字符的随机串），"
            "可用 python3 -c 'import secrets; print(secrets.token_urlsafe(48))' 生成"
        )
    return environment.kept_secret(DATA_DIR / name.lower())


SECRET_KEY = _secret("SECRET_KEY", ENV.SECRET_KEY)
# Seals the audit trail; apart from SECRET_KEY so that either can be changed or kept elsewhere on its own.
AUDIT_KEY = _secret("AUDIT_KEY", ENV.AUDIT_KEY)

# --- Addresses ------------------------------------------------------------------------------------------------------

_everywhere = {"0.0.0.0", "::"}  # noqa: S104  # compared with, not bound to
PUBLIC_URL = ENV.PUBLIC_URL or f"http://{'localhost' if ENV.HOST in _everywhere else ENV.HOST}:{ENV.PORT}"
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = list(
    dict.fromkeys([*ENV.ALLOWED_HOSTS, _public.hostname or "", ENV.HOST, "localhost", "127.0.0.1", "[::1]"])
)
TRUSTED_PROXIES = ENV.TRUSTED_PROXIES
SECURE = ENV.SECURE if ENV.SECURE is not None else _public.scheme == "https"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"

# --- Apps and middleware --------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # From the ground up: a floor's ready() may rely on what the floors below it registered.
    "core",
    "grids",
    "partybuilding",
    "services",
    "governance",
    # unfold replaces templates of the admin, so it stands before it.
    # Without a site of its own: the desk is ours (governance/admin_site.py).
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "governance.admin_config.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "mptt",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "import_export",
    "django_htmx",
    "axes",
    "csp",
]

MIDDLEWARE = [
    # First: everything after it may believe REMOTE_ADDR and request.is_secure().
    "governance.proxies.TrustedProxyMiddleware",
    "core.middleware.OriginMiddleware",
    "core.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.middleware.IdleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.AddressMiddleware",
    "core.middleware.PasswordMiddleware",
    "core.middleware.DomainErrorMiddleware",
    # Last, as axes asks: it turns a locked sign-in into the page that says so.
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

# --- Sign-in --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "core.backends.PhoneBackend"]
# The second is for first passwords of an import alone (docs/decisions/0011).
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", "core.hashers.FirstPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("phone", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/home/"

# Sessions stay in the database: a sign-out must hold even while the cache is away.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "jingwei_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 14 * 24 * 3600
# Staff are signed out after this long without a click; volunteers' phones are not (core.middleware).
SESSION_IDLE_MINUTES = ENV.SESSION_IDLE_MINUTES

# The hours in which limits count (core.working_calendar).
WORKING_HOURS = ENV.WORKING_HOURS

# A whole office shares one address, so an address alone is never locked; an account alone would let any stranger lock
# a cadre out. What is locked is this account from this address. Counters live in the database, where every process
# sees them and a cache that is away forgets nothing.
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = ENV.LOCKOUT_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=ENV.LOCKOUT_MINUTES)
# The cool-off runs from the fifth failure; trying again meanwhile must not lengthen it without end.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "governance.lockout.locked"
AXES_CLIENT_IP_CALLABLE = "governance.proxies.client_address"
# Django's forms call the field "username" whatever the model calls it (our User signs in by phone).
AXES_USERNAME_FORM_FIELD = "username"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Sign-ins are recorded in our own audit trail.
AXES_DISABLE_ACCESS_LOG = True

# --- Browser security -----------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SECURE
# Asked by the machine itself, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
# Only honoured when it comes from TRUSTED_PROXIES: the middleware drops it otherwise.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# HSTS for this name alone: what else lives under the county's domain, and lists in browsers, is not ours to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_SAMESITE = "Lax"

# --- Files ----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# No MEDIA_URL on purpose: uploads are served by views that check the scope.
MEDIA_ROOT = DATA_DIR / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"base_url": None}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
FILE_UPLOAD_PERMISSIONS = 0o600
# A body beside its files; a spreadsheet or picture is a file and has its own limit where it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Cache ----------------------------------------------------------------------------------------------------------

# Shared by all processes in either case.
CACHES: dict[str, dict[str, Any]]
if ENV.REDIS_URL:
    CACHES = {"default": {"BACKEND": "governance.cache.PatientRedisCache", "LOCATION": ENV.REDIS_URL}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(DATA_DIR / "cache"),
            "OPTIONS": {"MAX_ENTRIES": 5000},
        }
    }
CACHES["default"]["KEY_PREFIX"] = "jingwei"

# --- Background work ------------------------------------------------------------------------------------------------

CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Results are rows of ours (core.Job, events), never the broker's.
CELERY_TASK_IGNORE_RESULT = True
# A task is done when it is done: one whose worker died runs again. Every task is idempotent for this.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = ENV.CELERY_CONCURRENCY
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For as long as the broker is away: a worker that gave up would have to be started by hand.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# A request that publishes must not wait for a broker that is away: what waits is a row, and a sweeper finds it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = ENV.CELERY_VISIBILITY_SECONDS - 30
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if ENV.REDIS_URL:
    CELERY_BROKER_URL = ENV.REDIS_URL.replace("unix://", "redis+socket://", 1)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # After this long an unfinished task is given to another worker (default: an hour). Longer than any task may
        # run (the time limit above), or a slow one would run twice at once.
        "visibility_timeout": ENV.CELERY_VISIBILITY_SECONDS,
        "unacked_mutex_expire": 60,
        "socket_connect_timeout": 2,
        # A worker waits one second for a message, so an answer later than this means the broker is gone.
        "socket_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 30,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
        "global_keyprefix": "jingwei:",
    }
else:
    _queue = DATA_DIR / "queue"
    for _folder in (_queue / "messages", _queue / "control"):
        _folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.2,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")

# Task by name -> seconds between two runs.
BEAT: dict[str, float] = {
    "governance.celery.heartbeat": 15,
    "services.tasks.sweep_clocks": 60,
    "services.tasks.sweep_meetings": 60,
    "services.tasks.update_tallies": 30,
    "services.tasks.sweep_members": 3600,
    "services.tasks.sweep_commitments": 3600,
    "services.tasks.sweep_wishes": 3600,
    "services.tasks.remind_lists": 3600,
    "core.tasks.deliver_notices": 30,
    "core.tasks.send_messages": 30,
    "core.tasks.build_digests": 300,
    "core.tasks.sweep_jobs": 60,
    "core.tasks.seal_audit": 10 * 60,
    "core.tasks.clean_up": 24 * 3600,
    "core.tasks.clean_up_brief_jobs": 3600,
    "grids.tasks.sweep_care": 3600,
    "services.tasks.sweep_checkins": 3600,
    "services.tasks.sweep_cases": 3600,
    "services.tasks.sweep_proposals": 3600,
    "services.tasks.sweep_rates": 3600,
    "services.tasks.learn_categories": 24 * 3600,
    "partybuilding.tasks.sweep_party": 3600,
}
CELERY_BEAT_SCHEDULE = {
    # A run nobody took before the next one is due is worthless: it expires, so that a worker which was away for a
    # night does not start with a thousand sweeps.
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
    for name, seconds in BEAT.items()
}

# --- Notices to the outside (core.channels) -------------------------------------------------------------------------

NOTICE_WECOM_URL = ENV.NOTICE_WECOM_URL
NOTICE_DINGTALK_URL = ENV.NOTICE_DINGTALK_URL
NOTICE_DINGTALK_SECRET = ENV.NOTICE_DINGTALK_SECRET
NOTICE_FEISHU_URL = ENV.NOTICE_FEISHU_URL
NOTICE_FEISHU_SECRET = ENV.NOTICE_FEISHU_SECRET
NOTICE_SMS_URL = ENV.NOTICE_SMS_URL
NOTICE_SMS_TOKEN = ENV.NOTICE_SMS_TOKEN
NOTICE_EMAIL_TO = ENV.NOTICE_EMAIL_TO
# People's own mailboxes are offered as soon as there is a mail server.
NOTICE_EMAIL = bool(ENV.EMAIL_URL)
NOTICE_QUIET_HOURS = ENV.NOTICE_QUIET_HOURS
if NOTICE_EMAIL_TO and not ENV.EMAIL_URL:
    raise environment.EnvError("环境变量有误：\n  - 设置了 NOTICE_EMAIL_TO，还必须用 EMAIL_URL 指明发信服务器")
_mail = ENV.EMAIL_URL or {}
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = next(iter(ENV.EMAIL_FROM), EMAIL_HOST_USER if "@" in EMAIL_HOST_USER else "jingwei@localhost")

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "core.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "core.api.parsing.CarefulJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.JsonUnlessChosen",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CappedPagination",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    # REMOTE_ADDR is already the client's (governance/proxies.py).
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "经纬",
    "DESCRIPTION": "双报到双服务：县、街道、社区、网格与单位的接口。",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "DemandState": "services.models.DemandState",
        "SubOrderState": "services.models.SubOrderState",
        "MemberCheckInState": "services.models.MemberCheckInState",
        "ServiceState": "services.models.ServiceState",
        "PairingKind": "partybuilding.models.PairingKind",
        "NodeKind": "grids.models.NodeKind",
        "FacilityKind": "grids.models.FacilityKind",
        "Fate": "grids.hanging.Fate",
        "CheckInRole": "services.models.CheckInRole",
        "ApplicationState": "services.models.ApplicationState",
        "CommitmentState": "services.models.CommitmentState",
        "ActivityKind": "services.models.ActivityKind",
        "AllianceKind": "partybuilding.models.AllianceKind",
        "OrganisationKind": "partybuilding.models.OrganisationKind",
        "FreeTime": "services.models.FreeTime",
        "ResourceKind": "services.models.ResourceKind",
        "ResourceState": "services.models.ResourceState",
        "ProjectState": "services.models.ProjectState",
        "ResponsibilityState": "services.models.ResponsibilityState",
        "MeetingState": "services.models.MeetingState",
        "CaseState": "services.models.CaseState",
        "HelpKind": "services.models.HelpKind",
        "HelpState": "services.models.HelpState",
        "ItemState": "services.models.ItemState",
        "ResolutionKind": "services.models.ResolutionKind",
        "ResolutionState": "services.models.ResolutionState",
        "BulletinState": "services.models.BulletinState",
        "WishState": "services.models.WishState",
        "CareKind": "grids.models.CareKind",
    },
}

# --- Log ------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENV.LOG_LEVEL},
    "loggers": {
        "django": {"level": ENV.LOG_LEVEL},
        # A scanner that guesses host names or paths is no news.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
