from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MyListConfig(AppConfig):
    name = "mylist"
    verbose_name = _("My List")

    def ready(self) -> None:
        from mylist import (
            fates,
            receivers,  # noqa: F401  the shop's signals reach us from here on
            reminders,
        )
        from notify.gates import register_gate
        from notify.signals import message_dropped, message_sent

        fates.register_all()
        register_gate(reminders.PURPOSE, reminders.gate)
        message_sent.connect(reminders.on_message_sent)
        message_dropped.connect(reminders.on_message_dropped)
