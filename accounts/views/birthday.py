"""The birthday: asked for here and nowhere else, with the reason said."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import birthdays
from accounts.forms import BirthdayForm
from accounts.models import User
from accounts.views.visitor import MemberRequest, offer_undo, take_back


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: MemberRequest) -> HttpResponse:
    form = BirthdayForm(request.POST or None, initial={"birthday": request.user.birthday})
    if request.method == "POST" and form.is_valid():
        try:
            birthdays.change(
                member=request.user,
                birthday=form.cleaned_data["birthday"],
                source=User.BirthdaySource.MEMBER,
                at=timezone.now(),
            )
        except birthdays.Impossible:
            form.add_error("birthday", _("Nobody alive has this birthday. Please look at the year."))
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:me")
    certainty = birthdays.certainty(request.user)
    return render(request, "accounts/birthday.html", {"form": form, "certainty": certainty})


@login_required
@require_POST
def remove(request: MemberRequest) -> HttpResponse:
    before = request.user.birthday
    if before:
        kept = {"birthday": before.isoformat(), "source": request.user.birthday_source}
        birthdays.change(member=request.user, birthday=None, source=User.BirthdaySource.MEMBER, at=timezone.now())
        offer_undo(request, _("Your birthday is deleted."), reverse("accounts:birthday_undo"), kept)
    return redirect("accounts:birthday")


@login_required
@require_POST
def undo(request: MemberRequest) -> HttpResponse:
    if kept := take_back(request):
        before = date.fromisoformat(kept["birthday"])
        birthdays.change(member=request.user, birthday=before, source=kept["source"], at=timezone.now())
        messages.success(request, _("Your birthday is back."))
    return redirect("accounts:birthday")
