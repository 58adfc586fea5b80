from django.apps import AppConfig


class MyListConfig(AppConfig):
    name = "mylist"

    def ready(self) -> None:
        from mylist import receivers  # noqa: F401  the shop's signals reach us from here on
