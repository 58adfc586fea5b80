"""The list's pages, and its part of REST v1."""

from django.urls import path

from mylist import api
from mylist.views import lists, reminders

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
    path("r/<str:token>/", reminders.reminder_link, name="reminder_link"),
    path("r/<str:token>/unsubscribe/", reminders.unsubscribe, name="unsubscribe"),
]
api_urlpatterns = [
    path("my-list/", api.ListView.as_view(), name="api-list"),
    path("my-list/reorder/", api.ReorderView.as_view(), name="api-reorder"),
    path("my-list/reorder-due/", api.ReorderDueView.as_view(), name="api-reorder-due"),
    path("my-list/<int:item_id>/", api.ItemView.as_view(), name="api-item"),
    path("errands/<int:errand_id>/undo/", api.UndoView.as_view(), name="api-errand-undo"),
]
