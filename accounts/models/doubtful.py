"""The members whose birthday is doubted, as a table of its own for staff."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class DoubtfulBirthday(User):
    class Meta:
        proxy = True
        verbose_name = _("doubtful birthday")
        verbose_name_plural = _("doubtful birthdays")
        default_permissions = ()
        permissions: ClassVar = [("mend_birthdays", _("Can mend doubtful birthdays"))]
