"""How many codes may be asked for, and how often one may guess: by contact, by IP, by device, for pages and apps.

allauth's own engine counts, in the shared cache: windows slide, and what is refused is not counted. Every limit stands
in settings.ACCOUNT_RATE_LIMITS. A contact is limited over all browsers, or many sessions would have three tries each;
an IP over all contacts; a device (a browser by its cookie, an app by its token) over all of both, for who changes them.
Members and strangers are counted alike: a limit must not tell who is one.

The moment is read here and not handed in, because the engine that counts reads it as well.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, RateLimited
from allauth.core.internal import ratelimit
from allauth.core.internal.httpkit import is_headless_request
from django.conf import settings
from django.core.cache import cache
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

_APP = "allauth.account"  # whose ACCOUNT_RATE_LIMITS the engine reads
_DEVICE_COOKIE = "device"
_DEVICE_AGE = timedelta(days=400)  # as long as browsers keep any cookie
_consume = ratelimit.consume


@dataclass(frozen=True)
class Counter:
    """One line of settings.ACCOUNT_RATE_LIMITS, and whom it is about."""

    action: str
    key: str | None = None

    def seconds_left(self, request: HttpRequest) -> float:
        return _seconds_left(request, app=_APP, action=self.action, key=self.key)

    def take(self, request: HttpRequest) -> ratelimit.RateLimitUsage | None:
        return _consume(request, app=_APP, action=self.action, key=self.key, limit_get=True)


def fingerprint(contact: str) -> str:
    """What stands for an e-mail or a phone in the cache and in sessions; empty for none."""
    return salted_hmac("accounts.limits", contact.lower(), algorithm="sha256").hexdigest()[:32] if contact else ""


def take_code(request: HttpRequest, *, email: str = "", phone: str = "") -> None:
    """Count one code for this contact, to be called before it is sent; raises the 429 when there were enough."""
    kinds = ["code", "sms"] if phone and not email else ["code"]
    _take(request, kinds, fingerprint(email or phone))
    if "sms" in kinds:
        _take_of_the_day(request)


def take_try(request: HttpRequest, whose: str) -> list[ratelimit.RateLimitUsage]:
    """Count one guess at a code of the contact with this fingerprint; raises the 429 when there were enough.

    Whoever guessed right rolls the answer back: only wrong guesses are kept.
    """
    return _take(request, ["try"], whose)


def refuse(request: HttpRequest, seconds: float) -> ImmediateHttpResponse:
    """The exception to raise: an answer 429, for page or app, that tells when to come back."""
    _note(request, seconds)
    return ImmediateHttpResponse(ratelimit.respond_429(request))


def finish(request: HttpRequest, response: HttpResponseBase) -> None:
    """Put on the answer what was found out on the way: when a limit lets go, and the browser's new device cookie."""
    if response.status_code == 429 and hasattr(request, "retry_after"):
        response.headers.setdefault("Retry-After", str(request.retry_after))
    if device := getattr(request, "new_device", None):
        response.set_signed_cookie(
            _DEVICE_COOKIE,
            device,
            salt=__name__,
            max_age=_DEVICE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def closed(request: HttpRequest) -> HttpResponse:
    """The answer 503, for page or app, when the cache that counts is away."""
    logger.error("The cache is away: nobody can sign in, because nobody could count the tries.")
    response: HttpResponse
    if is_headless_request(request):
        from allauth.headless.internal.restkit.response import APIResponse

        response = APIResponse(request, status=503)
    else:
        response = render(request, "503.html", status=503)
    response.headers["Retry-After"] = "60"
    return response


def install() -> None:
    """Let allauth count every code as it is sent, and tell of every limit of its own; called once, at start-up."""
    from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
    from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
    from allauth.account.internal.flows.password_reset_by_code import PasswordResetVerificationProcess
    from allauth.account.internal.flows.phone_verification import PhoneVerificationProcess

    ratelimit.consume = _telling
    for process in (
        EmailVerificationProcess,
        LoginCodeVerificationProcess,
        PasswordResetVerificationProcess,
        PhoneVerificationProcess,
    ):
        process.send = _counted(process.send)


# ------------------------------------------------------------------ counting
def _take(request: HttpRequest, kinds: list[str], whose: str) -> list[ratelimit.RateLimitUsage]:
    device = _device(request)
    counters = [
        Counter(f"{kind}_{scope}", key)
        for kind in kinds
        for scope, key in (("ip", None), ("device", device), ("contact", whose))
        if key != ""
    ]
    # Asked first and taken after, so that what one of them refuses costs nothing with the others.
    if (seconds := max(counter.seconds_left(request) for counter in counters)) > 0:
        raise refuse(request, seconds)
    taken = []
    for counter in counters:
        usage = counter.take(request)
        if usage is None:  # somebody else took the last one meanwhile
            raise refuse(request, counter.seconds_left(request))
        taken.append(usage)
    return taken


def _take_of_the_day(request: HttpRequest) -> None:
    """SMS cost money: all of a day together have a ceiling, whoever they are for."""
    zone = timezone.get_default_timezone()  # the shop's: one day for all, whatever clock a member goes by
    today = timezone.localdate(timezone=zone)
    key = f"accounts.limits:sms:{today}"
    cache.add(key, 0, timeout=2 * 24 * 3600)
    count = cache.incr(key)
    if count <= settings.SMS_CODES_PER_DAY:
        return
    if count == settings.SMS_CODES_PER_DAY + 1:
        logger.error("SMS_CODES_PER_DAY (%s) is used up: nobody gets a code by SMS today.", settings.SMS_CODES_PER_DAY)
    midnight = timezone.make_aware(datetime.combine(today + timedelta(days=1), datetime.min.time()), zone)
    raise refuse(request, midnight.timestamp() - time.time())


def _device(request: HttpRequest) -> str:
    """Empty for an app that has no token yet: its IP and the contact are counted anyway."""
    if is_headless_request(request) == "app":
        return request.headers.get("X-Session-Token", "")
    try:
        return request.get_signed_cookie(_DEVICE_COOKIE, salt=__name__, max_age=_DEVICE_AGE) or ""
    except (KeyError, BadSignature):
        # From now on, and only for who asks for a code: a visitor who merely looks gets no such cookie.
        request.new_device = getattr(request, "new_device", None) or secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        return request.new_device  # type: ignore[attr-defined]


# ------------------------------------------------------------------ telling when
def _seconds_left(
    request: HttpRequest, *, app: str, action: str, config: Any = None, key: str | None = None, user: Any = None
) -> float:
    """Until all limits of this action let go; 0 when they let through now."""
    now = time.time()
    longest = 0.0
    for rate in ratelimit.get_rates(app=app, action=action, config=config):
        history = cache.get(ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key, user=user), [])
        if len(history) >= rate.amount:  # the newest comes first
            longest = max(longest, history[rate.amount - 1] + rate.duration - now)
    return longest


def _note(request: HttpRequest, seconds: float) -> None:
    """For the header, and in whole minutes for the page."""
    longest = max(1, math.ceil(seconds), getattr(request, "retry_after", 0))
    request.retry_after = longest  # type: ignore[attr-defined]
    request.retry_minutes = math.ceil(longest / 60)  # type: ignore[attr-defined]


def _telling(request: HttpRequest, *, app: str, action: str, **kwargs: Any) -> ratelimit.RateLimitUsage | None:
    """allauth's consume, which knows when a limit lets go and does not say so."""
    raises = kwargs.pop("raise_exception", False)
    usage = _consume(request, app=app, action=action, **kwargs)
    if usage is None:
        who = {name: kwargs[name] for name in ("config", "key", "user") if name in kwargs}
        _note(request, _seconds_left(request, app=app, action=action, **who))
        if raises:
            raise RateLimited
    return usage


def _counted(send: Callable[..., None]) -> Callable[..., None]:
    """allauth's way of sending a code, for a member or (without one) for a stranger, behind our limits."""

    @wraps(send)
    def counted(process: Any, *args: Any, **kwargs: Any) -> None:
        take_code(context.request, email=process.state.get("email", ""), phone=process.state.get("phone", ""))
        send(process, *args, **kwargs)

    return counted
