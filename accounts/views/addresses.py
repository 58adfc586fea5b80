"""Where a member wants things delivered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import members
from accounts.forms import AddressForm
from accounts.models import Address
from accounts.views.visitor import MemberRequest, next_url


@login_required
@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = AddressForm(request.POST or None, initial={"recipient": request.user.name, "phone": request.user.phone})
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(next_url(request, "accounts:me"))
    return render(request, "accounts/address.html", {"form": form, "next": next_url(request, "")})


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, address_id: int) -> HttpResponse:
    address = get_object_or_404(Address, pk=address_id, member=request.user)
    form = AddressForm(request.POST or None, instance=address)
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, address_id=address_id, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(next_url(request, "accounts:me"))
    return render(request, "accounts/address.html", {"form": form, "address": address, "next": next_url(request, "")})


@login_required
@require_POST
def delete(request: MemberRequest, address_id: int) -> HttpResponse:
    try:
        members.delete_address(member=request.user, address_id=address_id)
    except Address.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The address is deleted."))
    return redirect("accounts:me")
