"""Where a reminder's link and its unsubscribe link lead. Nobody needs to be signed in; nobody learns whose it is."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts import consents
from accounts.models import User
from mylist import reminders


@require_safe
@never_cache
def reminder_link(request: HttpRequest, token: str) -> HttpResponse:
    """To the list, through signing in by code if needed; the list puts on top what the reminder named."""
    at = timezone.now()
    try:
        link = reminders.open_link(token, at=at)
    except reminders.LinkBroken:
        return render(request, "mylist/reminders/link_broken.html", status=404)
    except reminders.LinkExpired:
        return render(request, "mylist/reminders/link_expired.html", status=410)
    if request.user.is_authenticated and request.user.pk != link.member.pk:
        return render(request, "mylist/reminders/other_member.html", status=403)
    if _is_meant(request):
        reminders.mark_opened(reminder=link.reminder, at=at)
    destination = f"{reverse('mylist:list')}?{urlencode({'reminder': link.reminder.pk})}"
    if request.user.is_authenticated:
        return redirect(destination)
    return redirect(f"{reverse('account_request_login_code')}?{urlencode({'next': destination})}")


# The link itself is the permission, and a mail program's one-click POST (RFC 8058) brings neither cookie nor token.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Turn reminders off, or on again by e-mail; a GET only asks, because mail scanners follow every link."""
    try:
        member = reminders.follow(token).member
    except reminders.LinkBroken:
        return render(request, "mylist/reminders/link_broken.html", status=404)
    if request.method == "POST":
        wanted = User.ReminderChannel.EMAIL if "resubscribe" in request.POST else User.ReminderChannel.NONE
        consents.choose(member=member, at=timezone.now(), source=consents.Source.LINK, reminder_channel=wanted)
    is_on = member.reminder_channel != User.ReminderChannel.NONE
    return render(
        request, "mylist/reminders/unsubscribe.html", {"is_on": is_on, "just_changed": request.method == "POST"}
    )


def _is_meant(request: HttpRequest) -> bool:
    """Whether a person asked for it: not a scanner's HEAD, nor a browser fetching ahead."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "GET" and "prefetch" not in purpose.lower()
