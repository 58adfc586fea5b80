"""The basket of one store: look, add, change."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from shop.basket import SoldOut, add, contents, count, set_quantity
from shop.forms import AddForm, SetForm
from shop.models import BasketLine, Offer, Store
from shop.orders import MAX_QUANTITY
from shop.views.visitor import basket_if_any, basket_to_fill, safe_next, store_or_404


@require_safe
def show(request: HttpRequest, code: str) -> HttpResponse:
    store = store_or_404(code)
    return render(
        request,
        "shop/basket.html",
        {"store": store, "basket": contents(basket_if_any(request, store), store=store)},
    )


@require_POST
def put_in(request: HttpRequest, code: str, offer_id: int) -> HttpResponse:
    store = store_or_404(code)
    form = AddForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a quantity from 1 to %(most)s.") % {"most": MAX_QUANTITY})
        return _answer(request, store)
    try:
        line = add(basket=basket_to_fill(request, store), offer_id=offer_id, quantity=form.cleaned_data["quantity"])
    except Offer.DoesNotExist:
        raise Http404(f"no offer {offer_id} on sale in {code}") from None
    except SoldOut:
        messages.warning(request, _("Sold out just now. It is not in your basket."))
        return _answer(request, store)
    said = ngettext("In your basket: %(n)s pack.", "In your basket: %(n)s packs.", line.quantity)
    messages.success(request, said % {"n": line.quantity})
    return _answer(request, store)


@require_POST
def change(request: HttpRequest, code: str, offer_id: int) -> HttpResponse:
    store = store_or_404(code)
    form = SetForm(request.POST)
    basket = basket_if_any(request, store)
    if not form.is_valid():
        messages.error(request, _("Choose a quantity from 0 to %(most)s.") % {"most": MAX_QUANTITY})
    elif basket is not None:
        try:
            set_quantity(basket=basket, offer_id=offer_id, quantity=form.cleaned_data["quantity"])
        except BasketLine.DoesNotExist:
            raise Http404(f"no offer {offer_id} in this basket") from None
    return redirect("shop:basket", code)


def _answer(request: HttpRequest, store: Store) -> HttpResponse:
    """For htmx the message and the basket's number only, else back to the page the button was on."""
    if request.htmx:  # type: ignore[attr-defined]
        packs = count(basket_if_any(request, store))
        return render(request, "shop/_added.html", {"store": store, "basket_count": packs})
    return HttpResponseRedirect(safe_next(request, reverse("shop:store", args=[store.code])))
