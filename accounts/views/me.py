"""The member's own page, from which all others are reached, and the language of all pages."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import members
from accounts.forms import ProfileForm
from accounts.models import Address
from accounts.views.visitor import MemberRequest, next_url


@login_required
@require_safe
def me(request: MemberRequest) -> HttpResponse:
    address = Address.objects.filter(member=request.user, is_default=True).first()
    return render(request, "accounts/me.html", {"address": address})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: MemberRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        member = members.change_profile(member=request.user, **form.cleaned_data)
        with override(member.language):
            messages.success(request, _("Saved."))
        return _with_language(redirect("accounts:me"), member.language)
    return render(request, "accounts/profile.html", {"form": form})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Another language for the pages: in the cookie for everybody, on the member too when signed in."""
    response = redirect(next_url(request, "/"))
    wanted = request.POST.get("language", "")
    if wanted not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        members.set_language(member=request.user, language=wanted)
    return _with_language(response, wanted)


def _with_language(response: HttpResponseRedirect, language: str) -> HttpResponseRedirect:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
