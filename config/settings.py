"""All settings, in one file, driven by the environment.

With nothing set this is the embedded default: SQLite and a Valkey of our own under var/. With DATABASE_URL,
REDIS_URL and CELERY_BROKER_URL set it is production. `.env.example` lists every variable.
"""

import hashlib
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from config import elsewhere

BASE_DIR = Path(__file__).resolve().parent.parent
# As replenish/__init__.py says; here as well, for whoever loads numpy before the engine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(str(BASE_DIR / ".env"))

# ---------------------------------------------------------------- where things are kept
DATA_DIR = Path(env.str("MYLIST_DATA_DIR", default=str(BASE_DIR / "var"))).absolute()
EMBEDDED = "DATABASE_URL" not in env


def _socket_path() -> Path:
    """Valkey's socket: under DATA_DIR, or under the temporary folder where that is too long for a socket."""
    path = DATA_DIR / "valkey.sock"
    if len(str(path)) < 100:  # the kernel's limit is about 107 bytes
        return path
    digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mylist-{digest}.sock"


VALKEY_SOCKET = _socket_path()


def _secret_key() -> str:
    """The key from the environment; the embedded default makes its own once and keeps it."""
    if "SECRET_KEY" in env:
        return env.str("SECRET_KEY")
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing. Set it to 50 or more random characters, the same on every machine, e.g. the "
            'output of: python -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    path = DATA_DIR / "secret_key"
    if not path.exists():
        # Two processes may start at once: whoever links first wins, the other reads.
        draft = DATA_DIR / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if EMBEDDED else [])
if not EMBEDDED and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is missing. Set it to the shop's host names, separated by commas.")
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")  # for links in messages
SITE_NAME = env.str("SITE_NAME", default="My List")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=SITE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True  # no script of ours reads them
LANGUAGE_COOKIE_SAMESITE = "Lax"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# So many entries of X-Forwarded-For, from the right, are our proxies' own; what stands before anybody can make up.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=int(BEHIND_PROXY))
SECURE_SSL_REDIRECT = env.bool("HTTPS_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # asked from inside, without the proxy
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# ---------------------------------------------------------------- the parts
INSTALLED_APPS = [
    "mylist",
    "shop",
    "accounts",
    "notify",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.facebook",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.line",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "accounts.middleware.EvenTimeMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.DeviceSeenMiddleware",
    "accounts.middleware.LookingMiddleware",
    "accounts.middleware.MemberLocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.middleware.LimitsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

# ---------------------------------------------------------------- database
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'mylist.sqlite3'}")}
_engine = DATABASES["default"]["ENGINE"]
if _engine == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: a writer waits its turn at BEGIN; with DEFERRED it fails at its first write, timeout or not.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
elif _engine == "django.db.backends.postgresql":
    DATABASES["default"].setdefault("OPTIONS", {})
    # Who waits longer than this for another's row gets an error to try again, not a hanging page.
    DATABASES["default"]["OPTIONS"]["options"] = "-c lock_timeout=10000"
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=8),
        "timeout": 20,
    }
else:
    raise ImproperlyConfigured(
        f"DATABASE_URL names {_engine}, which My List does not run on. Use postgres://user:password@host:5432/name "
        "or sqlite:////path/to/file.sqlite3."
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- broker and cache
_embedded_redis = f"unix://{VALKEY_SOCKET}"
REDIS_URL = env.str("REDIS_URL", default=_embedded_redis)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.str("CACHE_PREFIX", default="mylist"),
    }
}
CELERY_BROKER_URL = env.str(
    "CELERY_BROKER_URL",
    default=f"redis+socket://{VALKEY_SOCKET}" if _embedded_redis == REDIS_URL else REDIS_URL,
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# A task lost with its worker comes back: acknowledged when done, never when received.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Seconds. Below CELERY_VISIBILITY_TIMEOUT and NOTIFY_LEASE_SECONDS: what has run out of those is taken for dead.
CELERY_TASK_TIME_LIMIT = env.int("CELERY_TASK_TIME_LIMIT", default=120)
CELERY_TASK_SOFT_TIME_LIMIT = CELERY_TASK_TIME_LIMIT * 11 / 12
CELERY_WORKER_CONCURRENCY = env.int("CELERY_CONCURRENCY", default=2)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", default="mylist")
# The shards of a round wait apart, so that nothing else waits behind a thousand of them. Every worker takes from both
# queues in turn unless it is told otherwise (`celery worker -Q`).
_rounds_queue = f"{CELERY_TASK_DEFAULT_QUEUE}-rounds"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in (CELERY_TASK_DEFAULT_QUEUE, _rounds_queue)
]
CELERY_TASK_ROUTES = {"mylist.tasks.predict_shard": {"queue": _rounds_queue}}
if "redis" in CELERY_BROKER_URL.split(":")[0] or CELERY_BROKER_URL.startswith("unix"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Above the hard time limit, or a task still running would be handed out a second time.
        "visibility_timeout": env.int("CELERY_VISIBILITY_TIMEOUT", default=180),
        # Without these two a lost task comes back after about an hour instead of within the timeout.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TIMEZONE = "Asia/Taipei"
CELERY_BEAT_SCHEDULE = {
    "settle-orders": {"task": "shop.tasks.settle_orders", "schedule": timedelta(seconds=30)},
    "dispatch-messages": {"task": "notify.tasks.dispatch_messages", "schedule": timedelta(seconds=15)},
    "plan-reminders": {"task": "mylist.tasks.plan_reminders", "schedule": timedelta(minutes=15)},
    "predict-nightly": {"task": "mylist.tasks.predict_all_when_due", "schedule": timedelta(minutes=5)},
    "check-forecasts": {"task": "mylist.tasks.check_forecasts", "schedule": timedelta(hours=1)},
    "make-lost-exports": {"task": "accounts.tasks.make_lost_exports", "schedule": timedelta(minutes=5)},
    "expire-exports": {"task": "accounts.tasks.expire_exports", "schedule": timedelta(hours=1)},
    "erase-closed-members": {"task": "accounts.tasks.erase_closed_members", "schedule": timedelta(hours=1)},
    "forget-gone-devices": {"task": "accounts.tasks.forget_gone_devices", "schedule": timedelta(days=1)},
    "fit-weekly": {"task": "mylist.tasks.fit_model_when_due", "schedule": timedelta(minutes=20)},
    "flag-birthdays": {"task": "shop.tasks.flag_birthdays", "schedule": timedelta(days=1)},
}

# ---------------------------------------------------------------- people
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "mylist:list"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
# One of the two: allauth's checks insist on the star, accounts.forms.JoinForm takes it back.
ACCOUNT_SIGNUP_FIELDS = ["phone", "email*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.JoinForm"
ACCOUNT_FORMS = {
    "signup": "accounts.sign_in.JoinPageForm",
    "login": "accounts.sign_in.SignInForm",
    "request_login_code": "accounts.sign_in.RequestCodeForm",
    "confirm_login_code": "accounts.sign_in.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "accounts.sign_in.ConfirmEmailCodeForm",
    "confirm_password_reset_code": "accounts.sign_in.ConfirmPasswordResetCodeForm",
    "reset_password": "accounts.sign_in.ResetPasswordForm",
    "change_password": "accounts.sign_in.ChangePasswordForm",
    "add_email": "accounts.contact_forms.NewEmailForm",
    "change_phone": "accounts.contact_forms.NewPhoneForm",
    "verify_phone": "accounts.sign_in.ConfirmPhoneCodeForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# One e-mail a member. Whoever wants another one has to have signed in, or shown a second factor, a moment ago.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
# A link would tie an app's user to the web site, and a mail that asks to be clicked is what thieves send.
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600
ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 600
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
# SMS cost money: how many codes go out that way a day, and to one IP (a branch's Wi-Fi may need more).
SMS_CODES_PER_DAY = env.int("SMS_CODES_PER_DAY", default=2000)
SMS_CODES_PER_IP = env.int("SMS_CODES_PER_IP", default=20)
# By accounts.limits, for pages and apps: codes sent, those by SMS, and wrong tries at any. With 30 tries a day somebody
# who gets at a contact's codes in no other way guesses one in 90 years.
ACCOUNT_RATE_LIMITS = {
    "code_ip": "20/m/ip,100/h/ip",
    "code_device": "6/m/key,15/h/key,40/d/key",
    "code_contact": "3/m/key,10/h/key,20/d/key",
    "sms_ip": f"{SMS_CODES_PER_IP}/d/ip",
    "sms_device": "10/d/key",
    "sms_contact": "5/h/key,10/d/key",
    "try_ip": "20/h/ip,100/d/ip",
    "try_device": "15/h/key,30/d/key",
    "try_contact": "10/h/key,30/d/key",
    # What allauth would count besides; the above counts the same, and more.
    "request_login_code": None,
    "confirm_email": None,
    "verify_phone": None,
    "change_phone": None,
}
ACCOUNT_PREVENT_ENUMERATION = True
DOOR_SECONDS = 0.25  # the stroke at which accounts.middleware.EvenTimeMiddleware answers
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_FORMS = {
    "authenticate": "accounts.second_factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.second_factor_forms.ReauthenticateForm",
    "activate_totp": "accounts.second_factor_forms.ActivateAppForm",
    "add_webauthn": "accounts.second_factor_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.second_factor_forms.RenamePasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # clocks of phones are off by some seconds
# Browsers know "localhost" as a safe place for passkeys without https; the library has to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
SOCIALACCOUNT_ADAPTER = "accounts.providers.adapter.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = elsewhere.providers(env)
SOCIALACCOUNT_FORMS = {
    "signup": "accounts.providers.forms.NameForm",
    "disconnect": "accounts.providers.forms.DisconnectForm",
}
# Who comes from a provider has shown who it is; an e-mail, proved or missing, is the adapter's to judge.
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds
HEADLESS_CLIENTS = ["app"]
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.SessionTokens"  # noqa: S105  a class, not a token
HEADLESS_ONLY = False
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "accounts.codes.SealingSerializer"

# ---------------------------------------------------------------- language and time
LANGUAGE_CODE = "zh-hant"
LANGUAGES = [("zh-hant", _("Traditional Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Taipei"

# ---------------------------------------------------------------- files
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    # What only its owner may fetch, through a view that asks who it is. Shared by web and worker machines.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.str("PRIVATE_ROOT", default=str(DATA_DIR / "private")),
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *elsewhere.origins(SOCIALACCOUNT_PROVIDERS)],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# ---------------------------------------------------------------- mail
EMAIL_CONFIG = env.email_url(
    "EMAIL_URL", default=f"filemail:///{DATA_DIR / 'mail'}" if EMBEDDED else "smtp://127.0.0.1:25"
)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="My List <my-list@localhost>")

# ---------------------------------------------------------------- SMS
# How SMS go out: an https:// address of a gateway, or filesms:///folder for one file a message.
SMS_URL = env.str("SMS_URL", default=f"filesms:///{DATA_DIR / 'sms'}" if EMBEDDED else "")
if SMS_URL and not SMS_URL.startswith(("filesms:///", "https://", "http://")):
    raise ImproperlyConfigured(
        "SMS_URL names no way to send SMS. Use https://user:password@host/path of a gateway, or filesms:///folder."
    )
SMS_TIMEOUT = 10  # seconds
SMS_SENDER = env.str("SMS_SENDER", default=SITE_NAME)

# ---------------------------------------------------------------- REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.SessionTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.PlainJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.problems.problem_details",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "My List",
    "DESCRIPTION": "All that a shopper can do, for mobile clients. Sign in under /_allauth/app/v1/.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.document_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AvailabilityEnum": "mylist.lists.Availability",
        "GroupEnum": "mylist.lists.Group",
        "MessageChannelEnum": "accounts.models.ConsentEntry.Channel",
        "OrderStatusEnum": "shop.models.Order.Status",
        "PaymentKindEnum": "shop.models.PaymentMethod.Kind",
        "ReminderChannelEnum": "accounts.models.User.ReminderChannel",
    },
}

# ---------------------------------------------------------------- how the shop behaves
UNDO_WINDOW = timedelta(minutes=env.float("UNDO_MINUTES", default=10))
IMPORT_EXCLUDED_DEPARTMENTS = env.list("IMPORT_EXCLUDED_DEPARTMENTS", default=[])
REMINDER_LINK_AGE = timedelta(days=env.int("REMINDER_LINK_DAYS", default=14))
NOTIFY_LEASE = timedelta(seconds=env.int("NOTIFY_LEASE_SECONDS", default=180))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"class": "config.logs.DiscreetFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # urllib3 would write down, at DEBUG, addresses with the secrets in them; fido2, at INFO, whose passkey was used.
    "loggers": {"urllib3": {"level": "INFO"}, "fido2": {"level": "WARNING"}},
}
