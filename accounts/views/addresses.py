"""Where a member wants things delivered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import model_to_dict
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import members
from accounts.forms import AddressForm
from accounts.models import Address
from accounts.views.visitor import MemberRequest, next_url, offer_undo, take_back


@login_required
@require_safe
def index(request: MemberRequest) -> HttpResponse:
    return render(request, "accounts/addresses.html", {"addresses": members.addresses(request.user)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = AddressForm(request.POST or None, initial={"recipient": request.user.name, "phone": request.user.phone})
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(next_url(request, "accounts:addresses"))
    return render(request, "accounts/address.html", {"form": form, "next": next_url(request, "")})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: MemberRequest, address_id: int) -> HttpResponse:
    address = get_object_or_404(Address, pk=address_id, member=request.user)
    form = AddressForm(request.POST or None, instance=address)
    if request.method == "POST" and form.is_valid():
        members.save_address(member=request.user, address_id=address_id, **form.cleaned_data)
        messages.success(request, _("The address is saved."))
        return redirect(next_url(request, "accounts:addresses"))
    return render(request, "accounts/address.html", {"form": form, "address": address, "next": next_url(request, "")})


@login_required
@require_POST
def delete(request: MemberRequest, address_id: int) -> HttpResponse:
    try:
        gone = members.delete_address(member=request.user, address_id=address_id)
    except Address.DoesNotExist as error:
        raise Http404 from error
    kept = model_to_dict(gone, fields=AddressForm.Meta.fields) | {"make_default": gone.is_default}
    offer_undo(request, _("The address is deleted."), reverse("accounts:address_undo"), kept)
    return redirect("accounts:addresses")


@login_required
@require_POST
def undo(request: MemberRequest) -> HttpResponse:
    if kept := take_back(request):
        members.save_address(member=request.user, **kept)
        messages.success(request, _("The address is back."))
    return redirect("accounts:addresses")
