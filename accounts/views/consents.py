"""What the member wants to hear of, and all that was ever agreed to."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import consents
from accounts.forms import ConsentForm
from accounts.views.visitor import MemberRequest

# Older entries are in the copy of all data.
_SHOWN = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: MemberRequest) -> HttpResponse:
    form = ConsentForm(request.POST or None, member=request.user)
    if request.method == "POST" and form.is_valid():
        source = consents.Source.MEMBER
        consents.choose(member=request.user, at=timezone.now(), source=source, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("accounts:consents")
    entries = consents.ledger(request.user)[:_SHOWN]
    return render(request, "accounts/consents.html", {"form": form, "entries": entries})
