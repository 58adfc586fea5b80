"""The list's pages, and its part of REST v1."""

from django.urls import path

from mylist.views import lists

app_name = "mylist"
urlpatterns = [
    path("", lists.my_list, name="list"),
    path("reorder/", lists.reorder, name="reorder"),
    path("quantities/", lists.quantities, name="quantities"),
    path("hidden/", lists.hidden, name="hidden"),
    path("errands/<int:errand_id>/undo/", lists.undo, name="undo"),
    path("<int:item_id>/pin/", lists.pin, name="pin"),
    path("<int:item_id>/unpin/", lists.unpin, name="unpin"),
    path("<int:item_id>/hide/", lists.hide, name="hide"),
    path("<int:item_id>/unhide/", lists.unhide, name="unhide"),
    path("<int:item_id>/snooze/", lists.snooze, name="snooze"),
    path("<int:item_id>/wake/", lists.wake, name="wake"),
]
api_urlpatterns: list = []
