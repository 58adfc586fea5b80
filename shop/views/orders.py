"""What was ordered, what was bought before, and taking an order back."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shop.models import Errand, Order
from shop.orders import UndoOver, undo
from shop.receipts import order_of, orders_of, visit_days, visits
from shop.views.visitor import safe_next, signed_in

PER_PAGE = 10


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    member = signed_in(request)
    days = Paginator(visit_days(member), PER_PAGE).get_page(request.GET.get("earlier"))
    return render(
        request,
        "shop/orders.html",
        {
            "page": Paginator(orders_of(member), PER_PAGE).get_page(request.GET.get("page")),
            "days": days,
            "visits": visits(member=member, days=list(days)),
        },
    )


@login_required
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    try:
        found = order_of(member=signed_in(request), number=number)
    except Order.DoesNotExist:
        raise Http404(f"no order {number}") from None
    return render(request, "shop/order.html", {"order": found, "can_undo": _can_undo(found.errand, timezone.now())})


@require_POST
@login_required
def take_back(request: HttpRequest, errand_id: int) -> HttpResponse:
    try:
        errand = undo(member=signed_in(request), errand_id=errand_id, at=timezone.now())
    except Errand.DoesNotExist:
        raise Http404(f"no errand {errand_id}") from None
    except UndoOver:
        messages.error(request, _("The time to undo is over: this order is confirmed."))
        return HttpResponseRedirect(safe_next(request, reverse("shop:orders")))
    messages.success(request, _("Undone. Nothing will be delivered or charged."))
    number = errand.orders.order_by("pk").values_list("number", flat=True)[0]
    return HttpResponseRedirect(safe_next(request, reverse("shop:order", args=[number])))


def _can_undo(errand: Errand, at: datetime) -> bool:
    return errand.undone_at is None and at < errand.undo_until
