"""The stores, their shelves and their goods."""

import hashlib
import re

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from shop import basket, storefront
from shop.history import is_returning
from shop.models import Offer, Store
from shop.views.visitor import basket_if_any, store_or_404

PER_PAGE = 24
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_CODE = re.compile(r"[-\w]+", re.ASCII)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    windows = storefront.shop_windows()
    return render(
        request, "shop/home.html", {"stores": windows, "returning": is_returning(request.user, timezone.now())}
    )


@require_safe
def styles(request: HttpRequest) -> HttpResponse:
    """Each store's colour as --accent, in a file of its own because the content policy allows no inline style."""
    css = "".join(map(_rule, storefront.stores()))
    etag = f'"{hashlib.sha256(css.encode()).hexdigest()[:20]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(css, content_type="text/css; charset=utf-8")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@require_safe
def store(request: HttpRequest, code: str) -> HttpResponse:
    here = store_or_404(code)
    asked = {
        "words": _text(request, "q"),
        "category": _text(request, "category"),
        "sort": request.GET.get("sort", "") if request.GET.get("sort") in storefront.SORTS else "name",
    }
    shelf = storefront.shelf(store=here, **asked)
    return render(
        request,
        "shop/store.html",
        {
            "store": here,
            "page": Paginator(shelf, PER_PAGE).get_page(request.GET.get("page")),
            "categories": storefront.categories(store=here),
            "basket_count": basket.count(basket_if_any(request, here)),
            **asked,
        },
    )


@require_safe
def product(request: HttpRequest, code: str, sku: str) -> HttpResponse:
    here = store_or_404(code)
    try:
        offer = storefront.offer_of(store=here, sku=sku.replace("\0", ""))
    except Offer.DoesNotExist:
        raise Http404(f"no {sku} in {code}") from None
    bought_on = None
    if request.user.is_authenticated:
        zone = timezone.get_current_timezone()
        bought_on = storefront.last_bought_on(member=request.user, product=offer.product, zone=zone)
    return render(
        request,
        "shop/product.html",
        {
            "store": here,
            "offer": offer,
            "others": storefront.same_need(offer),
            "bought_on": bought_on,
            "basket_count": basket.count(basket_if_any(request, here)),
        },
    )


def _text(request: HttpRequest, name: str) -> str:
    """A parameter fit to look up; PostgreSQL refuses text with NUL in it."""
    return request.GET.get(name, "").replace("\0", "").strip()[:100]


def _rule(store: Store) -> str:
    """One line of CSS; nothing for a store whose code or colours are not what they have to be."""
    colours = (store.accent_light, store.accent_dark)
    if not (_CODE.fullmatch(store.code) and all(map(_COLOUR.fullmatch, colours))):
        return ""
    return f'[data-store="{store.code}"]{{--accent:light-dark({colours[0]},{colours[1]})}}\n'
