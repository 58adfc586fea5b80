"""The members' own pages; signing in and joining are allauth's."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST

from accounts import members
from accounts.forms import AddressForm, ProfileForm
from accounts.models import Address, User


class MemberRequest(HttpRequest):
    """A request that login_required has let through."""

    user: User


def _next_url(request: HttpRequest, otherwise: str) -> str:
    """Where the form wants to go afterwards, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise


@login_required
@require_http_methods(["GET", "POST"])
def me(request: MemberRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        member = members.change_profile(member=request.user, **form.cleaned_data)
        with override(member.language):
            messages.success(request, _("Saved."))
        return _with_language(redirect("accounts:me"), member.language)
    if form.errors:
        # Validation has written the refused wishes onto the member of this request: the page shows the kept ones.
        request.user.refresh_from_db()
    addresses = Address.objects.filter(member=request.user).order_by("-is_default", "pk")
    return render(request, "accounts/me.html", {"form": form, "addresses": addresses})


@login_required
@require_http_methods(["GET", "POST"])
def address_new(request: MemberRequest) -> HttpResponse:
    form = AddressForm(request.POST or None, initial={"recipient": request.user.name, "phone": request.user.phone})
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(_next_url(request, "accounts:me"))
    return render(request, "accounts/address.html", {"form": form, "next": _next_url(request, "")})


@login_required
@require_http_methods(["GET", "POST"])
def address_edit(request: MemberRequest, address_id: int) -> HttpResponse:
    address = get_object_or_404(Address, pk=address_id, member=request.user)
    form = AddressForm(request.POST or None, instance=address)
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, address_id=address_id, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(_next_url(request, "accounts:me"))
    return render(request, "accounts/address.html", {"form": form, "address": address, "next": _next_url(request, "")})


@login_required
@require_POST
def address_delete(request: MemberRequest, address_id: int) -> HttpResponse:
    try:
        members.delete_address(member=request.user, address_id=address_id)
    except Address.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The address is deleted."))
    return redirect("accounts:me")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Another language for the pages: in the cookie for everybody, on the member too when signed in."""
    response = redirect(_next_url(request, "/"))
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
