"""The fitted models that forecasts come from."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from mylist.models import FittedModel
from notify.admin import ReadOnly


@admin.register(FittedModel)
class FittedModelAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["version", "as_of", "fitted_at"]
    search_fields = ["version"]
    search_help_text = _("Model version")
    ordering = ["-pk"]
