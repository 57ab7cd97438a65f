"""All settings, top to bottom.

Values come from config.env; the environment is the only difference between deployments.
"""

import sys
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from config import env, openapi
from config.loopback import must_stay_here

ROOT = Path(__file__).resolve().parent.parent

# -- which deployment ---------------------------------------------------------------------------------------------
DJANGO_ENV = env.text("DJANGO_ENV", "production")
if DJANGO_ENV not in {"production", "demonstration", "test"}:
    raise env.MissingSetting(f"DJANGO_ENV must be production, demonstration or test, not {DJANGO_ENV!r}.")
IS_PRODUCTION = DJANGO_ENV == "production"
IS_DEMONSTRATION = DJANGO_ENV == "demonstration"

DEBUG = False
SECRET_KEY = env.secret(
    "AUTHZ_SECRET_KEY", how="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
)
ALLOWED_HOSTS = env.words("AUTHZ_ALLOWED_HOSTS", "" if IS_PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
BASE_URL = env.text("AUTHZ_BASE_URL", None if IS_PRODUCTION else "http://127.0.0.1:8000").rstrip("/")
if IS_DEMONSTRATION:
    _told = [*sys.argv[1:], *env.text("GUNICORN_CMD_ARGS", "").split()]
    must_stay_here(base_url=BASE_URL, hosts=ALLOWED_HOSTS, words=_told)
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# -- the product --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "authz.apps.AuthzConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_linear_migrations",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django.contrib.humanize",  # in allauth's pages
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "authz.web.content_security.ContentSecurity",
    "authz.web.compression.CompressedPages",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "authz.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "authz/web/templates", ROOT / "authz/notifications/templates"],
        "APP_DIRS": True,  # the API explorer brings its own page
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "authz.web.context.deployment",
            ],
            "builtins": ["authz.web.page_tags"],
        },
    },
]
LOGIN_URL = "/log-in/"
# Who is in the demonstration: log_ins() and password() of this module fill the log-in page's role picker.
DEMONSTRATION_PEOPLE = "authz.demonstration.people"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/log-in/"
LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# -- PostgreSQL is the truth --------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", how="Give a libpq URL, such as postgresql://authz@db/authz, or use `make run`.")


def _database(url: str) -> dict[str, Any]:
    parts: dict[str, Any] = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings = {name: parts.pop(part, "") for name, part in named.items()}
    # The pool belongs to processes with threads, web and courier: in a worker of processes, Celery closes it at every
    # task boundary.
    pool = {"pool": {"min_size": 1, "max_size": env.number("AUTHZ_WEB_THREADS", 8) + 2}} if _HAS_POOL else {}
    # A worker goes on with its connection from task to task; where there is a pool, the pool keeps them.
    age = 0 if _HAS_POOL else 300
    # A server that vanished without a word is noticed within a minute, rather than after hours.
    patience = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
    parts = patience | parts
    # What is asked again and again the server plans once. A pooler between the two must know how to keep that.
    prepared: dict[str, Any] = {"server_side_binding": True, "prepare_threshold": 3}
    told = prepared if env.flag("AUTHZ_PREPARED_STATEMENTS", default=True) else {}
    kept = {"CONN_MAX_AGE": age, "CONN_HEALTH_CHECKS": True}
    return {"ENGINE": "authz.access.database", "OPTIONS": parts | pool | told, **kept, **settings}


_HAS_POOL = env.flag("AUTHZ_CONNECTION_POOL")
DATABASES = {"default": _database(DATABASE_URL)}

# -- Redis is an accelerator --------------------------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL", how="Give a URL such as redis://redis:6379/0, or use `make run`.")
CELERY: dict[str, Any] = {
    # The three libraries spell a unix socket differently: redis-py says unix://, Celery says redis+socket://.
    "broker_url": REDIS_URL.replace("unix://", "redis+socket://", 1),
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_time_limit": 300,
    "task_default_queue": "authz",
    # Celery would connect anew for every task; workers.app closes connections when they are of no more use.
    "CELERY_DB_REUSE_MAX": sys.maxsize,
    "worker_prefetch_multiplier": 1,
    "broker_connection_retry_on_startup": True,
    # For ever: a worker that gives up on Redis would not come back when Redis does.
    "broker_connection_max_retries": None,
    # Losing Redis is no reason to break off a mail half sent.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_transport_options": {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 2},
    # Retries live in the outbox. (workers.broker shortens the connection time-outs for senders, too.)
    "task_publish_retry": False,
    "worker_hijack_root_logger": False,
    "worker_send_task_events": False,
    "timezone": "UTC",
}

# Rates of codes and resets, and codes that were used, are kept there; without Redis nobody is kept out.
CACHES = {
    "default": {
        "BACKEND": "config.lenient_cache.LenientRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "authz",
        "OPTIONS": {"socket_timeout": 0.3, "socket_connect_timeout": 0.3},
    }
}

# -- outbox and workers -------------------------------------------------------------------------------------------
OUTBOX_NUDGE = "workers.broker.nudge"
# Longer than one mail may take (EMAIL_TIMEOUT for each of some six steps), or a slow mail server gets it twice.
OUTBOX_LEASE_SECONDS = env.number("AUTHZ_LEASE_SECONDS", 90)
# With waits of 2, 4, 8 … seconds, twelve attempts take a little over an hour; each further one adds an hour.
OUTBOX_ATTEMPTS = env.number("AUTHZ_OUTBOX_ATTEMPTS", 12)
SWEEP_SECONDS = env.number("AUTHZ_SWEEP_SECONDS", 5)
# For how long what was told is kept, so that it can be looked up and sent again.
OUTBOX_RETENTION_DAYS = env.number("AUTHZ_OUTBOX_RETENTION_DAYS", 90)

# -- the audit trail ----------------------------------------------------------------------------------------------
# 45 CFR 164.316(b)(2)(i) asks for six years; the database deletes nothing earlier, whatever is set here.
AUDIT_RETENTION_YEARS = env.number("AUTHZ_AUDIT_RETENTION_YEARS", 6, within=range(6, 11))
# Where the daily roots are written besides the log: better somewhere that the database's owner cannot write.
AUDIT_ROOTS_PATH = env.text("AUTHZ_AUDIT_ROOTS_PATH", "")
AUDIT_ROOTS_EMAIL = env.text("AUTHZ_AUDIT_ROOTS_EMAIL", "")

# -- people and machines ------------------------------------------------------------------------------------------
# The demonstration's only password is printed on the screen: hashing it slowly would protect nothing and cost two
# seconds at its start. A production deployment does not know these hashes, so nobody logs in there with that password.
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.ScryptPasswordHasher"]
    if IS_PRODUCTION
    else ["django.contrib.auth.hashers.MD5PasswordHasher"]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCESS_TOKEN_HOURS = env.number("AUTHZ_ACCESS_TOKEN_HOURS", 12)
# On in production: whoever decides, administers or attests sets up a second factor before anything else.
MFA_REQUIRED = env.flag("AUTHZ_MFA_REQUIRED", IS_PRODUCTION)
# For how long a record stays open to whoever opened it in an emergency.
EMERGENCY_ACCESS_HOURS = env.number("AUTHZ_EMERGENCY_ACCESS_HOURS", 4)
ACCOUNT_ADAPTER = "authz.web.accounts.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up by themselves: see Accounts
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
# A link to set a new password works once, and for an hour.
PASSWORD_RESET_TIMEOUT = 60 * 60
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
# Passwords are counted by ourselves (authz.access.people); this counts codes, which only whoever knows the password
# gets to type.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/5m/ip,5/5m/key"}
MFA_ADAPTER = "authz.web.accounts.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Authz"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION  # browsers take http://localhost for safe, and so do we there
# Single sign-on, for people who were invited: their identity provider must say that their address is verified.
OIDC_ISSUER = env.text("AUTHZ_OIDC_ISSUER", "")
SOCIALACCOUNT_ADAPTER = "authz.web.accounts.SingleSignOn"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": []}}
SOCIALACCOUNT_STORE_TOKENS = False
# A form that is redirected to another site would need that site in the content security policy.
SOCIALACCOUNT_LOGIN_ON_GET = True
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = [
        {
            "provider_id": "sso",
            "name": env.text("AUTHZ_OIDC_NAME", "Single sign-on"),
            "client_id": env.text("AUTHZ_OIDC_CLIENT_ID", how="Give the id that your identity provider knows us by."),
            "secret": env.text("AUTHZ_OIDC_CLIENT_SECRET", how="Give the secret that goes with the client id."),
            "settings": {"server_url": OIDC_ISSUER},
        }
    ]
# What one machine may ask, and how often one source may ask for machines' tokens, in any minute.
CLIENT_REQUESTS_A_MINUTE = env.number("AUTHZ_CLIENT_REQUESTS_A_MINUTE", 600)
MACHINE_LOG_INS_A_MINUTE = env.number("AUTHZ_MACHINE_LOG_INS_A_MINUTE", 120)

# -- the JSON API -------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authz.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["authz.api.authentication.IsActor", "authz.api.scopes.WithinScopes"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["authz.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "authz.api.pages.Pages",
    "EXCEPTION_HANDLER": "authz.api.problems.as_problem",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = openapi.SETTINGS
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
IMPORT_MAX_BYTES = env.number("AUTHZ_IMPORT_MAX_MEGABYTES", 25) * 1024 * 1024

# -- documents ----------------------------------------------------------------------------------------------------
# They are rows of the database, so they are kept small: docs/adr/0007-documents-in-postgresql.md.
ATTACHMENT_MAX_BYTES = env.number("AUTHZ_ATTACHMENT_MAX_MEGABYTES", 10) * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "authz.web.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# ClamAV's daemon: tcp://host:3310 or unix:///path. Unset, no scanner is asked; set, nothing is taken without its word.
CLAMD_URL = env.text("CLAMD_URL", "")
CLAMD_TIMEOUT = 20
# Whether the ORT-OUD can be filled in here; otherwise only its score is kept.
ORT_OUD = env.flag("AUTHZ_ORT_OUD")

# -- mail ---------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", IS_PRODUCTION)
EMAIL_TIMEOUT = 10
# A provider's own API instead of SMTP, which also tells of mails that bounce later; needs the extra `mail`.
_MAIL_PROVIDER_KEYS = {"brevo": "BREVO_API_KEY", "postmark": "POSTMARK_SERVER_TOKEN", "sendgrid": "SENDGRID_API_KEY"}
MAIL_PROVIDER = env.text("AUTHZ_MAIL_PROVIDER", "")
if MAIL_PROVIDER not in {"", *_MAIL_PROVIDER_KEYS}:
    raise env.MissingSetting(
        f"AUTHZ_MAIL_PROVIDER must be {', '.join(_MAIL_PROVIDER_KEYS)}, or left out, not {MAIL_PROVIDER!r}."
    )
if MAIL_PROVIDER:
    EMAIL_BACKEND = "authz.notifications.channels.email.provider.Backend"
    INSTALLED_APPS.append("anymail")
    ANYMAIL = {
        _MAIL_PROVIDER_KEYS[MAIL_PROVIDER]: env.text("AUTHZ_MAIL_PROVIDER_KEY", how="Give the provider's API key."),
        "WEBHOOK_SECRET": env.text(
            "AUTHZ_MAIL_EVENTS_SECRET", how="Choose a user:password the provider's events carry."
        ),
        "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
        "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
    }
DEFAULT_FROM_EMAIL = env.text("AUTHZ_MAIL_FROM", "Authz <no-reply@authz.example>")
DEMO_MAIL_DIR = env.text("AUTHZ_DEMO_MAIL_DIR", "")
DEMO_WEBHOOK_DIR = env.text("AUTHZ_DEMO_WEBHOOK_DIR", "")
DEMO_WEBHOOK_URL = env.text("AUTHZ_DEMO_WEBHOOK_URL", "")

# -- webhooks -----------------------------------------------------------------------------------------------------
# What seals secrets at rest: the first key seals, every one of them opens. Outside production the secret key will do.
ENCRYPTION_KEYS = env.secrets(
    "AUTHZ_ENCRYPTION_KEYS",
    how="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    is_required=IS_PRODUCTION,
) or [SECRET_KEY]
# Networks that are not public and may be called all the same, also without TLS.
WEBHOOK_ALLOWED_NETWORKS = env.networks("AUTHZ_WEBHOOK_ALLOWED_NETWORKS")
WEBHOOK_PORTS = env.numbers("AUTHZ_WEBHOOK_PORTS", "443")
# Together well below OUTBOX_LEASE_SECONDS, or a slow receiver gets everything twice.
WEBHOOK_CONNECT_SECONDS = 5.0
WEBHOOK_ANSWER_SECONDS = 15.0
# -- texts --------------------------------------------------------------------------------------------------------
# Unset, no texts are sent; "console" writes them into the log, for development; "twilio" is Twilio's or a like API.
SMS_PROVIDER = env.text("AUTHZ_SMS_PROVIDER", "")
if SMS_PROVIDER not in {"", "twilio"} | (set() if IS_PRODUCTION else {"console"}):
    raise env.MissingSetting(f"AUTHZ_SMS_PROVIDER must be twilio, or left out, not {SMS_PROVIDER!r}.")
SMS_BASE_URL = env.text("AUTHZ_SMS_BASE_URL", "https://api.twilio.com")
_WITH_SMS = None if SMS_PROVIDER == "twilio" else ""
SMS_ACCOUNT = env.text("AUTHZ_SMS_ACCOUNT", _WITH_SMS, how="Give the account's SID, such as AC….")
SMS_TOKEN = env.text("AUTHZ_SMS_TOKEN", _WITH_SMS, how="Give the account's token.")
SMS_FROM = env.text("AUTHZ_SMS_FROM", _WITH_SMS, how="Give the number that texts come from, or a service's id (MG…).")
SMS_TIMEOUT = 10

# -- whoever operates the service ---------------------------------------------------------------------------------
# Unset, there is nothing at /metrics.
METRICS_TOKEN = env.text("AUTHZ_METRICS_TOKEN", "")
# mailto:… or https://… of whoever hears of weaknesses; told at /.well-known/security.txt.
SECURITY_CONTACT = env.text("AUTHZ_SECURITY_CONTACT", "")
if SECURITY_CONTACT and not SECURITY_CONTACT.startswith(("mailto:", "https://", "tel:")):
    raise env.MissingSetting("AUTHZ_SECURITY_CONTACT must begin with mailto:, https:// or tel:, or be left out.")

# -- browser safety -----------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.flag("AUTHZ_SSL_REDIRECT", IS_PRODUCTION)
IS_BEHIND_PROXY = env.flag("AUTHZ_BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 12
X_FRAME_OPTIONS = "DENY"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]

# -- files --------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# Only production collects its static files; elsewhere they are served from where they lie.
STATIC_ROOT = env.text("AUTHZ_STATIC_ROOT", str(ROOT / "staticfiles") if IS_PRODUCTION else "") or None
STATICFILES_DIRS = [ROOT / "authz/web/static"]
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# -- logs: ids only, one JSON object a line -----------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.json_lines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    # These bring handlers of their own, which would quote whole addresses and exceptions. Empty, they leave it to ours.
    "loggers": {
        name: {"handlers": [], "propagate": True}
        for name in ("django", "django.server", "gunicorn.error", "gunicorn.access", "celery.task")
    },
    "root": {"handlers": ["console"], "level": env.text("AUTHZ_LOG_LEVEL", "INFO")},
}
