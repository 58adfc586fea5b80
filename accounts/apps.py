from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Members")

    def ready(self) -> None:
        from accounts import notices, receivers  # noqa: F401
        from notify.gates import register_gate

        register_gate(notices.PURPOSE, notices.gate)
