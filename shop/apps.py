from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from notify.gates import register_gate
        from shop import (
            fates,
            messages,
            receivers,  # noqa: F401  its receivers connect on import
        )

        register_gate(messages.PURPOSE, messages.gate)
        fates.register_all()
