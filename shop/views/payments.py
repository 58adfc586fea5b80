"""The member's ways to pay: kept, so that a reorder need not ask."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shop.forms import NewPaymentForm
from shop.models import PaymentMethod
from shop.payments import choose_payment, forget_payment, payment_methods
from shop.views.visitor import signed_in


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    member = signed_in(request)
    methods = payment_methods(member)
    form = NewPaymentForm(request.POST or None, kept=methods)
    if request.method == "POST" and form.is_valid():
        choose_payment(member=member, kind=form.cleaned_data["kind"], make_default=False)
        messages.success(request, _("Saved."))
        return redirect("shop:payment_methods")
    return render(request, "shop/payment_methods.html", {"methods": methods, "form": form})


@login_required
@require_POST
def make_default(request: HttpRequest, method_id: int) -> HttpResponse:
    member = signed_in(request)
    method = get_object_or_404(PaymentMethod, pk=method_id, member=member)
    choose_payment(member=member, kind=method.kind)
    messages.success(request, _("Saved."))
    return redirect("shop:payment_methods")


@login_required
@require_POST
def delete(request: HttpRequest, method_id: int) -> HttpResponse:
    try:
        gone = forget_payment(member=signed_in(request), method_id=method_id)
    except PaymentMethod.DoesNotExist as error:
        raise Http404 from error
    undo_url = reverse("shop:payment_undo", args=[gone.kind])
    default = "?default=1" if gone.is_default else ""
    messages.success(request, _("The way to pay is deleted."), extra_tags=undo_url + default)
    return redirect("shop:payment_methods")


@login_required
@require_POST
def undo(request: HttpRequest, kind: str) -> HttpResponse:
    try:
        choose_payment(member=signed_in(request), kind=kind, make_default="default" in request.GET)
    except ValueError as error:
        raise Http404 from error
    messages.success(request, _("The way to pay is back."))
    return redirect("shop:payment_methods")
