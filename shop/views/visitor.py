"""Who is looking, and which baskets are theirs."""

from typing import TypedDict, cast

from django.http import Http404, HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from shop import basket, storefront
from shop.models import Basket, Store


class Whose(TypedDict):
    """How the shop's basket verbs want to be told whose basket is meant."""

    member: User | None
    token: str | None


def store_or_404(code: str) -> Store:
    try:
        return storefront.open_store(code)
    except Store.DoesNotExist:
        raise Http404(f"no open store {code}") from None


def signed_in(request: HttpRequest) -> User:
    """The member, in a view that login_required guards."""
    return cast(User, request.user)


def whose(request: HttpRequest, store: Store) -> Whose:
    if request.user.is_authenticated:
        return {"member": request.user, "token": None}
    return {"member": None, "token": request.session.get("baskets", {}).get(store.code)}


def basket_if_any(request: HttpRequest, store: Store) -> Basket | None:
    return basket.find_basket(store=store, **whose(request, store))


def basket_to_fill(request: HttpRequest, store: Store) -> Basket:
    """The visitor's basket, made and remembered in the session when it is the first thing put in."""
    found = basket.get_basket(store=store, **whose(request, store))
    if found.member_id is None:
        request.session["baskets"] = {**request.session.get("baskets", {}), store.code: found.token}
    return found


def safe_next(request: HttpRequest, otherwise: str) -> str:
    """The page that `next` asks to go on to if it is one of ours, else `otherwise`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else otherwise
