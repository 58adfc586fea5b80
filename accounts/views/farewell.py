"""What a member takes along, and how a member goes."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import closing, exports, tasks
from accounts.models import DataExport, User
from accounts.views.visitor import MemberRequest, next_url


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def export_list(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            tasks.hand_out(exports.ask(member=request.user, at=timezone.now()))
        except exports.TooMany as refusal:
            until = localtime(refusal.until)
            when = {"day": date_format(until, "DATE_FORMAT"), "time": time_format(until, "H:i")}
            text = _("You have asked several times today. Please ask again on %(day)s after %(time)s.")
            messages.error(request, text % when)
        return redirect("accounts:exports")
    copies = exports.of(request.user)
    being_made = any(copy.status == DataExport.Status.WAITING for copy in copies)
    # While a copy is being made the page asks for this part again.
    template = "accounts/_exports.html" if "HX-Request" in request.headers else "accounts/exports.html"
    return render(request, template, {"copies": copies, "being_made": being_made})


@login_required
@require_safe
def export_file(request: MemberRequest, export_id: int) -> FileResponse:
    return file_of(request.user, export_id)


def file_of(member: User, export_id: int) -> FileResponse:
    """The copy as an answer that nobody on the way keeps; Http404 where there is none (or another's)."""
    try:
        file = exports.fetch(member=member, export_id=export_id, at=timezone.now())
    except (DataExport.DoesNotExist, exports.Gone) as error:
        raise Http404 from error
    response = FileResponse(file, as_attachment=True, filename="my-data.zip", content_type="application/zip")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def close(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            member = closing.close(member=request.user, at=timezone.now())
        except closing.StaffStay:
            messages.error(request, _("This account works for the shop. Ask the shop's owner to end that first."))
            return redirect("accounts:closing")
        logout(request)
        day = date_format(localtime(member.closing_at), "DATE_FORMAT")
        messages.success(
            request, _("Your account will be closed on %s. Sign in before then if you want to keep it.") % day
        )
        return redirect("account_login")
    context = {"days": closing.WAY_BACK.days, "is_staff": request.user.is_staff or request.user.is_superuser}
    return render(request, "accounts/closing.html", context)


@login_required
@require_POST
def undo_close(request: MemberRequest) -> HttpResponse:
    closing.keep(member=request.user, at=timezone.now())
    messages.success(request, _("Good to have you back: your account stays."))
    return redirect(next_url(request, "accounts:me"))
