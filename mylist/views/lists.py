"""The pages of My List: understand the tap, make one call, phrase the answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from mylist import lists, wishes
from mylist.forms import Unreadable, read_reorder, read_snooze, typed_quantities
from mylist.models import ListItem
from mylist.reorder import AddressMissing, ListChanged, NothingToReorder, PaymentMissing
from mylist.reorder import reorder as place_reorder
from mylist.views.drawing import MemberRequest, draw
from shop import history, orders
from shop.models import Errand

P = ParamSpec("P")


class SeeOther(HttpResponseRedirect):
    """What a form is answered with, so that reloading the next page sends nothing again."""

    status_code = 303


def for_members(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The anonymous sign in and come to the list; what is not the member's does not exist; odd forms are told so."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        member_request = cast(MemberRequest, request)
        if not request.user.is_authenticated:
            return _go(member_request, redirect_to_login(reverse("mylist:list")).url)
        try:
            return view(member_request, *args, **kwargs)
        except (ListItem.DoesNotExist, Errand.DoesNotExist) as error:
            raise Http404 from error
        except Unreadable:
            messages.error(request, _("That could not be read, so nothing was ordered or changed. Please try again."))
            return _list_now(member_request, status=422)

    return guarded


@require_GET
@never_cache
def my_list(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "mylist/welcome.html")
    at = timezone.now()
    found = lists.build(member=request.user, at=at)
    # A list with something on it answers by itself who is returning; an empty one may also be still in the making.
    if found.entries or found.hidden_count or history.is_returning(request.user, at):
        return draw(cast(MemberRequest, request), found)
    open_errands = orders.undoable(member=request.user, at=at)
    return render(request, "mylist/newcomer.html", {"errand": open_errands[0] if open_errands else None})


@require_POST
@for_members
def reorder(request: MemberRequest) -> HttpResponse:
    asked = read_reorder(request.POST)
    try:
        place_reorder(member=request.user, lines=asked.lines, key=asked.key, at=timezone.now(), drawn_at=asked.drawn_at)
    except ListChanged as changed:
        messages.warning(
            request, _("Nothing was ordered yet: something changed. Look at the marked items, then tap again.")
        )
        return _list_now(request, status=409, problems=changed.problems, asked=asked.lines)
    except orders.KeyReused:
        messages.warning(request, _("This was ordered already. Here is your list as it is now."))
        return _list_now(request, status=409)
    except NothingToReorder:
        messages.info(request, _("Nothing is due right now."))
        return _list_now(request, status=409)
    except (AddressMissing, PaymentMissing):
        messages.info(request, _("Tell us once where to deliver and how you pay; from then on it is one tap."))
        return _go(request, f"{reverse('shop:delivery')}?{urlencode({'next': reverse('mylist:list')})}")
    return _done(request, "")


@require_POST
@for_members
def undo(request: MemberRequest, errand_id: int) -> HttpResponse:
    try:
        orders.undo(member=request.user, errand_id=errand_id, at=timezone.now())
    except orders.UndoOver:
        messages.warning(request, _("The time to undo is over: this order is confirmed."))
        return _list_now(request, status=409)
    return _done(request, _("Undone. Nothing will be delivered or charged."))


@require_POST
@for_members
def quantities(request: MemberRequest) -> HttpResponse:
    """Keep the steppers as they are: what the Enter key does in one, and Save where there is no JavaScript."""
    typed = typed_quantities(request.POST)
    for entry in lists.build(member=request.user, at=timezone.now()).entries:
        chosen = typed.get(entry.item.pk, entry.quantity)
        if chosen != entry.quantity:
            wishes.set_quantity(member=request.user, item_id=entry.item.pk, quantity=chosen)
    return _done(request, _("Quantities saved."))


@require_POST
@for_members
def pin(request: MemberRequest, item_id: int) -> HttpResponse:
    item = wishes.pin(member=request.user, item_id=item_id, at=timezone.now())
    return _done(request, _("Pinned to the top: %(name)s."), item, undo="unpin")


@require_POST
@for_members
def unpin(request: MemberRequest, item_id: int) -> HttpResponse:
    item = wishes.unpin(member=request.user, item_id=item_id)
    return _done(request, _("No longer pinned: %(name)s."), item, undo="pin")


@require_POST
@for_members
def hide(request: MemberRequest, item_id: int) -> HttpResponse:
    item = wishes.hide(member=request.user, item_id=item_id, at=timezone.now())
    return _done(request, _("Hidden: %(name)s."), item, undo="unhide")


@require_POST
@for_members
def unhide(request: MemberRequest, item_id: int) -> HttpResponse:
    item = wishes.unhide(member=request.user, item_id=item_id)
    return _done(request, _("Back on the list: %(name)s."), item, undo="hide")


@require_POST
@for_members
def snooze(request: MemberRequest, item_id: int) -> HttpResponse:
    """For `days`, or `until` a moment, which is how a waking is undone."""
    until = read_snooze({**request.GET.dict(), **request.POST.dict()}, at=timezone.now())
    item = wishes.snooze(member=request.user, item_id=item_id, until=until)
    return _done(request, _("Snoozed: %(name)s."), item, undo="wake")


@require_POST
@for_members
def wake(request: MemberRequest, item_id: int) -> HttpResponse:
    item = wishes.wake(member=request.user, item_id=item_id)
    asleep_until = urlencode({"until": request.POST["until"]}) if "until" in request.POST else urlencode({"days": 7})
    return _done(request, _("Awake again: %(name)s."), item, undo="snooze", how=asleep_until)


@require_GET
@for_members
def hidden(request: MemberRequest) -> HttpResponse:
    return render(request, "mylist/hidden.html", {"items": wishes.hidden(member=request.user)})


def _done(
    request: MemberRequest, said: str, item: ListItem | None = None, *, undo: str = "", how: str = ""
) -> HttpResponse:
    """Say what was done, with the verb that takes it back (and its query string), and show the list as it is now."""
    if item:
        way_back = f"{reverse(f'mylist:{undo}', args=[item.pk])}?{how}".rstrip("?")
        messages.success(request, said % {"name": item.product.name}, extra_tags=way_back)
    elif said:
        messages.success(request, said)
    if request.htmx:
        return _list_now(request)
    return SeeOther(reverse("mylist:hidden" if request.POST.get("from") == "hidden" else "mylist:list"))


def _list_now(request: MemberRequest, **how: Any) -> HttpResponse:
    found = lists.build(member=request.user, at=timezone.now())
    if not (found.entries or found.hidden_count):
        # Whoever has no list is told so by the page itself.
        return _go(request, reverse("mylist:list"))
    return draw(request, found, **how)


def _go(request: MemberRequest, where: str) -> HttpResponse:
    return HttpResponseClientRedirect(where) if request.htmx else SeeOther(where)
