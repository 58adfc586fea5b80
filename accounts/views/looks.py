"""Ending a look at the shop as a member."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import impersonation


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Back to the member's page in the admin, where the look began; without one there is nothing to end."""
    look = impersonation.end(session=request.session, at=timezone.now())
    return redirect("admin:accounts_user_change", look.member_id) if look else redirect("/")
