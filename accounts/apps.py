from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Members")

    def ready(self) -> None:
        from accounts import codes, erasure, fates, limits, notices, receivers, roles, stages  # noqa: F401
        from notify.gates import register_gate

        register_gate(notices.PURPOSE, notices.gate)
        fates.register_all()
        register(erasure.check_fates)
        post_migrate.connect(roles.sync, dispatch_uid="accounts.roles")
        codes.install()
        limits.install()
        stages.install()
