"""Where the member is signed in, and the way to end it."""

from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import devices
from accounts.views.visitor import MemberRequest


@login_required
@require_safe
def index(request: MemberRequest) -> HttpResponse:
    key = request.session.session_key
    found = devices.of(request.user, current_key=key, at=timezone.now())
    if not any(device.is_this for device in found):  # signed in before devices were noted
        UserSession.objects.create_from_request(request)
        found = devices.of(request.user, current_key=key, at=timezone.now())
    return render(request, "usersessions/usersession_list.html", {"devices": found})


@login_required
@require_POST
def end(request: MemberRequest, device_id: int) -> HttpResponse:
    device = get_object_or_404(UserSession, pk=device_id, user=request.user)
    end_sessions(request, [device])
    if request.user.is_authenticated:
        messages.success(request, _("Signed out on %(device)s.") % {"device": devices.describe(device.user_agent)})
    return redirect("accounts:devices")


@login_required
@require_POST
def end_others(request: MemberRequest) -> HttpResponse:
    end_other_sessions(request, request.user)
    messages.success(request, _("Signed out everywhere else."))
    return redirect("accounts:devices")
