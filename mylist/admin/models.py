"""The fitted models: what each one's back-test said, which of them runs, and the way back."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from mylist import switches, verdicts
from mylist.models import FittedModel, ModelSwitch
from notify.admin import ReadOnly


class SwitchInline(ReadOnly, admin.TabularInline):
    """When it was switched on, instead of what, and by whom."""

    model = ModelSwitch
    fk_name = "fitted"
    fields = ["at", "reason", "instead_of", "by"]
    verbose_name_plural = _("switched on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelSwitch]:
        return super().get_queryset(request).select_related("instead_of", "by").defer("instead_of__data")


@admin.register(FittedModel)
class FittedModelAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["name", "badge", "as_of_day", "log_loss", "pr", "ndcg", "verdict"]
    search_fields = ["version", "checksum"]
    search_help_text = _("Model version or checksum")
    ordering = ["-pk"]
    fields = ["kind_name", "version", "status", "as_of", "fitted_at", "running_since", "retired_at", "checksum"]
    readonly_fields = ["kind_name"]
    inlines = [SwitchInline]
    change_form_template = "admin/mylist/fittedmodel/change_form.html"

    class Media:
        css = {"all": ["css/fitted_models.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[FittedModel]:
        return super().get_queryset(request).defer("data")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:pk>/switch-on/", self._view(self.switch_on), name="mylist_fittedmodel_switch_on"),
            path("<int:pk>/turn-back/", self._view(self.turn_back), name="mylist_fittedmodel_turn_back"),
            *super().get_urls(),
        ]

    @admin.display(description=_("kind"), ordering="kind")
    def kind_name(self, fitted: FittedModel) -> str:
        return verdicts.name(fitted.kind)

    @admin.display(description=_("fitted model"), ordering="version")
    def name(self, fitted: FittedModel) -> str:
        return f"{verdicts.name(fitted.kind)} {fitted.version}"

    @admin.display(description=_("as of"), ordering="as_of")
    def as_of_day(self, fitted: FittedModel) -> str:
        return date_format(timezone.localtime(fitted.as_of), "SHORT_DATE_FORMAT")

    @admin.display(description=_("status"), ordering="status")
    def badge(self, fitted: FittedModel) -> SafeString:
        return format_html('<span class="badge is-{}">{}</span>', fitted.status, fitted.get_status_display())

    @admin.display(description=_("log loss"))
    def log_loss(self, fitted: FittedModel) -> str:
        return verdicts.headline(fitted, "logloss")

    @admin.display(description=_("PR"))
    def pr(self, fitted: FittedModel) -> str:
        return verdicts.headline(fitted, "pr_auc")

    @admin.display(description=_("NDCG@10"))
    def ndcg(self, fitted: FittedModel) -> str:
        return verdicts.headline(fitted, "ndcg10")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        fitted = self.get_object(request, object_id)
        about = self._about(request, fitted) if fitted else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about})

    def switch_on(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Asks on GET, where an undo link leads; does it on POST."""
        fitted, staff = self._wanted(request, pk)
        if request.method != "POST":
            return self._ask(request, fitted, gettext("Switch on"), instead=switches.running())
        try:
            done = switches.switch_on(fitted, by=staff, at=timezone.now())
        except switches.CannotSwitch:
            return self._refuse(
                request, fitted, gettext("%(model)s cannot be switched on: it runs already, or cannot be read.")
            )
        undo = reverse("admin:mylist_fittedmodel_turn_back", args=[fitted.pk]) if done.instead_of else None
        return self._done(request, fitted, undo)

    def turn_back(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The same the other way: `pk` is the model that runs."""
        fitted, staff = self._wanted(request, pk)
        not_running = gettext("%(model)s is not running any more.")
        if request.method != "POST":
            if fitted != switches.running():
                return self._refuse(request, fitted, not_running)
            return self._ask(request, switches.before(), gettext("Turn back"), instead=fitted)
        try:
            done = switches.turn_back(fitted, by=staff, at=timezone.now())
        except switches.CannotSwitch:
            return self._refuse(request, fitted, not_running)
        except switches.NothingBefore:
            return self._refuse(request, fitted, gettext("There is no model to turn back to."))
        return self._done(request, done.fitted, reverse("admin:mylist_fittedmodel_switch_on", args=[fitted.pk]))

    def _view(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)

    def _may_switch(self, request: HttpRequest) -> bool:
        # The mixin lets nobody change a row by hand, so this asks for the permission itself.
        return request.user.has_perm("mylist.change_fittedmodel")

    def _wanted(self, request: HttpRequest, pk: int) -> tuple[FittedModel, User]:
        """The model asked for and who asks; PermissionDenied unless they may switch models."""
        if not isinstance(request.user, User) or not self._may_switch(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk), request.user

    def _about(self, request: HttpRequest, fitted: FittedModel) -> dict[str, Any]:
        runs = fitted.status == FittedModel.Status.RUNNING
        return {
            "sentence": verdicts.sentence(fitted),
            "table": verdicts.table(fitted),
            "tried_on": verdicts.tried_on(fitted),
            "may_switch": self._may_switch(request),
            "can_switch_on": switches.can_switch_on(fitted),
            "before": switches.before() if runs else None,
        }

    def _ask(
        self, request: HttpRequest, fitted: FittedModel | None, verb: str, instead: FittedModel | None
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": verb,
            "opts": self.opts,
            "fitted": fitted,
            "sentence": verdicts.sentence(fitted) if fitted else "",
            "verb": verb,
            "instead": instead,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/mylist/fittedmodel/switch.html", context)

    def _done(self, request: HttpRequest, runs: FittedModel, undo: str | None) -> HttpResponse:
        text = gettext("From now on %(model)s makes the forecasts.") % {"model": runs}
        link = format_html(' <a href="{}">{}</a>', undo, gettext("Undo")) if undo else ""
        messages.success(request, format_html("{}{}", text, link))
        return redirect("admin:mylist_fittedmodel_change", runs.pk)

    def _refuse(self, request: HttpRequest, fitted: FittedModel, why: str) -> HttpResponse:
        messages.error(request, why % {"model": fitted})
        return redirect("admin:mylist_fittedmodel_change", fitted.pk)
