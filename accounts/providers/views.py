"""allauth's views with our providers: the way there, the way back, and an app's list of accounts elsewhere."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.headless.socialaccount.response import SocialAccountsResponse
from allauth.headless.socialaccount.views import ManageProvidersView, ProviderSignupView
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.providers import entering
from accounts.providers.forms import DisconnectInput, NameInput, disconnect
from accounts.providers.services import OpenIDConnectAdapter

View = Callable[..., HttpResponse]


def _if_configured(view: View) -> View:
    @wraps(view)
    def careful(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except SocialApp.DoesNotExist as error:
            raise Http404 from error

    return careful


def login(adapter: type[OAuth2Adapter]) -> View:
    """Asks with GET whether one really wants to go there (no other site may send people), goes with POST."""
    return require_http_methods(["GET", "POST"])(_if_configured(OAuth2LoginView.adapter_view(adapter)))


def callback(adapter: type[OAuth2Adapter]) -> View:
    return require_GET(_if_configured(OAuth2CallbackView.adapter_view(adapter)))


@require_http_methods(["GET", "POST"])
@_if_configured
def openid_connect_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    return OAuth2LoginView.adapter_view(OpenIDConnectAdapter(request, provider_id))(request)


@require_GET
@_if_configured
def openid_connect_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    return OAuth2CallbackView.adapter_view(OpenIDConnectAdapter(request, provider_id))(request)


class AppNameView(ProviderSignupView):
    input_class = NameInput


class AppAccountsView(ManageProvidersView):
    input_class = {"DELETE": DisconnectInput}

    @classmethod
    def respond_provider_accounts(cls, request: HttpRequest) -> SocialAccountsResponse:
        # allauth fails over an account whose provider is no longer offered.
        accounts = SocialAccount.objects.filter(user=request.user, provider__in=entering.configured())
        return SocialAccountsResponse(request, accounts)

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        disconnect(request, self.input.cleaned_data["account"])
        return self.respond_provider_accounts(request)
