"""What the shop gave to each role of its staff; who has a role is Django's group membership."""

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.Model):
    """A role of accounts.roles with the group that stands for it.

    `given` are the permissions that roles.sync gave to the group: what the table of roles says newly is the difference
    to it, so that what staff took away from the group, or added, stays as they left it.
    """

    name = models.CharField(_("name"), max_length=32, unique=True)
    # Empty once staff deleted the group: it is not made again.
    group = models.OneToOneField(
        Group, on_delete=models.SET_NULL, null=True, related_name="role", verbose_name=_("group")
    )
    given = models.JSONField(_("given"), default=list)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name
