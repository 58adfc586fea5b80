"""Buying what is in a basket, on one page; and where and how to pay, for those whose reorder lacks it."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import AddressForm
from accounts.members import save_address
from accounts.models import Address, User
from shop.basket import Contents, Row, contents, find_basket
from shop.checkout import check_out
from shop.forms import NEW_ADDRESS, CheckoutForm, NewAddressForm, PaymentForm, first_address
from shop.models import Errand, PaymentMethod, Store
from shop.orders import KeyReused, NothingWanted, Refused
from shop.payments import choose_payment, default_payment
from shop.views.visitor import safe_next, signed_in, store_or_404


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest, code: str) -> HttpResponse:
    store = store_or_404(code)
    member = signed_in(request)
    addresses = list(Address.objects.filter(member=member).order_by("-is_default", "-pk"))
    if request.method != "POST":
        return _ask(request, store, _fresh_forms(member, addresses))
    form = CheckoutForm(request.POST, addresses=addresses)
    typed = request.POST if request.POST.get("address") == NEW_ADDRESS else None
    new_address = NewAddressForm(typed, prefix="new", use_required_attribute=not addresses)
    forms = {"form": form, "new_address": new_address}
    if not form.is_valid() or (new_address.is_bound and not new_address.is_valid()):
        return _ask(request, store, forms)
    try:
        errand = _buy(member, store, form, new_address, timezone.now())
    except Refused:
        return _ask(request, store, forms, status=409)
    except (KeyReused, NothingWanted):
        messages.info(request, _("This page was sent before. Here is what you ordered."))
        return redirect("shop:orders")
    return redirect("shop:order", errand.orders.get().number)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delivery(request: HttpRequest) -> HttpResponse:
    member = signed_in(request)
    address = Address.objects.filter(member=member, is_default=True).first()
    onward = safe_next(request, resolve_url(settings.LOGIN_REDIRECT_URL))
    data = request.POST if request.method == "POST" else None
    form = NewAddressForm(data, instance=address, initial={} if address else first_address(member))
    payment = PaymentForm(data, initial={"payment": _usual_payment(member)})
    if data is not None and form.is_valid() and payment.is_valid():
        save_address(member=member, address_id=address.pk if address else None, make_default=True, **form.cleaned_data)
        choose_payment(member=member, kind=payment.cleaned_data["payment"])
        messages.success(request, _("Kept for this and the next orders."))
        return HttpResponseRedirect(onward)
    return render(request, "shop/delivery.html", {"form": form, "payment": payment, "next": onward})


def _buy(member: User, store: Store, form: CheckoutForm, new_address: AddressForm, at: datetime) -> Errand:
    return check_out(
        member=member,
        store=store,
        wanted=form.cleaned_data["wanted"],
        key=form.cleaned_data["key"],
        address_id=form.address_id,
        new_address=None if form.address_id else new_address.cleaned_data,
        payment_kind=form.cleaned_data["payment"],
        at=at,
    )


def _fresh_forms(member: User, addresses: list[Address]) -> dict[str, Any]:
    chosen = addresses[0].pk if addresses else NEW_ADDRESS
    return {
        "form": CheckoutForm(addresses=addresses, initial={"address": chosen, "payment": _usual_payment(member)}),
        "new_address": NewAddressForm(
            prefix="new",
            initial={} if addresses else first_address(member),
            # Hidden as long as a stored address is chosen; the browser must not insist on it then.
            use_required_attribute=not addresses,
        ),
    }


def _ask(request: HttpRequest, store: Store, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page with the basket as it is now, to be agreed to under a new key."""
    basket: Contents = contents(find_basket(store=store, member=signed_in(request)), store=store)
    if not basket.wanted and status == 200:
        return redirect("shop:basket", store.code)
    shown = {line.offer_id: line.unit_price for line in getattr(forms["form"], "cleaned_data", {}).get("wanted", ())}
    context = {
        "store": store,
        "basket": basket,
        "lines": [(row, _price_before(row, shown)) for row in basket.rows],
        "refused": status == 409,
        "wanted": forms["form"].fields["wanted"].prepare_value(basket.wanted),
        "key": secrets.token_urlsafe(24),
        "undo_minutes": int(settings.UNDO_WINDOW.total_seconds() // 60),
        **forms,
    }
    return render(request, "shop/checkout.html", context, status=status)


def _price_before(row: Row, shown: dict[int, Decimal | None]) -> Decimal | None:
    """What the row's price was when the page was shown; None where it is still so, or nothing can be had."""
    before = shown.get(row.offer.pk)
    return before if row.available and before != row.offer.price else None


def _usual_payment(member: User) -> str:
    usual = default_payment(member)
    return usual.kind if usual else PaymentMethod.Kind.CASH
