from django.apps import AppConfig


class MyListConfig(AppConfig):
    name = "mylist"
