from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from shop import (
            fates,
            receivers,  # noqa: F401  its receivers connect on import
        )

        fates.register_all()
