"""The addresses of REST v1; each app brings its own."""

from typing import NoReturn

from django.http import Http404
from django.urls import re_path
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.urls import api_urlpatterns as accounts_api
from mylist.urls import api_urlpatterns as mylist_api
from shop.urls import api_urlpatterns as shop_api


@extend_schema(exclude=True)
class NowhereView(APIView):
    """An app that asks for an address there is not gets a problem to read, not a page."""

    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: object, **kwargs: object) -> NoReturn:
        raise Http404


# Only what ends in a slash: Django goes on redirecting where just that is missing.
urlpatterns = [*accounts_api, *shop_api, *mylist_api, re_path(r"^(?:[\s\S]*/)?\Z", NowhereView.as_view())]
