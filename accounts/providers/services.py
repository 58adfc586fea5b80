"""Google, Facebook, LINE and OpenID Connect: allauth's classes, made careful.

Beyond what allauth does: PKCE for all, and a nonce where an id_token can repeat it; tokens of apps for LINE as well; an
answer that is not what was agreed on is a failed sign-in, never an error of ours; no address changes what we ask for.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess, ProviderException
from allauth.socialaccount.providers.facebook.provider import FacebookProvider as AllauthFacebookProvider
from allauth.socialaccount.providers.facebook.views import FacebookOAuth2Adapter
from allauth.socialaccount.providers.google.provider import GoogleProvider as AllauthGoogleProvider
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.line.provider import LineProvider as AllauthLineProvider
from allauth.socialaccount.providers.line.views import LineOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider as AllauthOpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from requests import RequestException

Claims = dict[str, Any]


@contextmanager
def _as_agreed() -> Iterator[None]:
    """Reading the answer of a provider: a field that is missing or of another kind is the provider's failure."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ImproperlyConfigured) as error:
        raise ProviderException(type(error).__name__) from error


class CarefulAdapter(OAuth2Adapter):
    """How we talk to a provider."""

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> Claims:
        with _as_agreed():
            return super().get_access_token_data(*args, **kwargs)

    def parse_token(self, data: Claims) -> SocialToken:
        with _as_agreed():
            return super().parse_token(data)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        with _as_agreed():
            return super().complete_login(request, app, token, **kwargs)


class CarefulProvider(OAuth2Provider):
    """What we ask a provider for, and what we take from its answer."""

    pkce_enabled_default = True
    sends_nonce = True
    uid_key = "sub"

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return self.get_scope()

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        return self.get_auth_params()

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if process == AuthProcess.CONNECT:
            # Before the way there; allauth asks only on the way back.
            raise_if_reauthentication_required(request, app="allauth.socialaccount")
        if self.sends_nonce:
            kwargs["nonce"] = secrets.token_urlsafe(24)  # kept with the state, asked about when the member comes back
            kwargs["auth_params"] = {**self.get_auth_params(), "nonce": kwargs["nonce"]}
        try:
            with _as_agreed():
                return super().redirect(request, process, next_url, data, **kwargs)
        except (ProviderException, RequestException) as error:
            return render_authentication_error(request, self, exception=error)

    def signed(self, data: Claims) -> Claims:
        """The part of the answer that says who it is, for whom and in answer to what."""
        return data

    def told(self, data: Claims) -> Claims:
        """The part of the answer with name and e-mail."""
        return data

    def extract_uid(self, data: Claims) -> str:
        return self.signed(data)[self.uid_key]

    def extract_common_fields(self, data: Claims) -> Claims:
        told = self.told(data)
        parts = (told.get("given_name"), told.get("family_name"))
        return {"email": told.get("email"), "name": told.get("name") or " ".join(part for part in parts if part)}

    def extract_email_addresses(self, data: Claims) -> list[EmailAddress]:
        told = self.told(data)
        # The truth value, nothing that might pass for one: "false" would.
        proved = told.get("email_verified") is True
        return [EmailAddress(email=told["email"], verified=proved, primary=True)] if told.get("email") else []

    def sociallogin_from_response(self, request: HttpRequest, response: Claims) -> SocialLogin:
        with _as_agreed():
            login = super().sociallogin_from_response(request, response)
            login.nonce = self.signed(response).get("nonce")
            return login

    def verify_token(self, request: HttpRequest, token: dict[str, str]) -> SocialLogin:
        """Who it is by the token an app got from the provider; raises ValidationError unless it was made for us."""
        try:
            with _as_agreed():
                return super().verify_token(request, token)
        except (ProviderException, OAuth2Error, RequestException) as error:
            raise get_adapter().validation_error("invalid_token") from error


class GoogleAdapter(CarefulAdapter, GoogleOAuth2Adapter):
    pass


class GoogleProvider(CarefulProvider, AllauthGoogleProvider):
    oauth2_adapter_class = GoogleAdapter

    def get_default_scope(self) -> list[str]:
        return ["openid", "profile", "email"]


class FacebookAdapter(CarefulAdapter, FacebookOAuth2Adapter):
    access_token_method = "POST"  # noqa: S105  with GET the secret stands in the address, and PKCE's verifier is left out


class FacebookProvider(CarefulProvider, AllauthFacebookProvider):
    oauth2_adapter_class = FacebookAdapter
    sends_nonce = False  # no id_token comes back that could repeat it
    uid_key = "id"

    def get_default_scope(self) -> list[str]:
        return ["email", "public_profile"]

    def get_fields(self) -> list[str]:
        return ["id", "name", "email"]


class LineAdapter(CarefulAdapter, LineOAuth2Adapter):
    def parse_token(self, data: Claims) -> SocialToken:
        with _as_agreed():
            return SocialToken(token=data["id_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        with _as_agreed():
            return self.get_provider().sociallogin_from_response(request, self.by_id_token(app, token.token))

    def by_id_token(self, app: SocialApp, id_token: str) -> Claims:
        """LINE itself reads the token: it signs some with the channel's secret, some with keys of its own."""
        with get_adapter().get_requests_session() as session:
            answer = session.post(self.id_token_url, data={"client_id": app.client_id, "id_token": id_token})
        answer.raise_for_status()
        claims: Claims = answer.json()
        if claims["aud"] != app.client_id:
            raise OAuth2Error("The token is another channel's.")
        return claims

    def by_access_token(self, app: SocialApp, access_token: str) -> Claims:
        """Of whatever channel a token is, it opens the profile: so LINE is asked first whether it is ours."""
        with get_adapter().get_requests_session() as session:
            owner = session.get(self.id_token_url, params={"access_token": access_token})
            owner.raise_for_status()
            if owner.json()["client_id"] != app.client_id or owner.json()["expires_in"] <= 0:
                raise OAuth2Error("The token is another channel's, or over.")
            profile = session.get(self.profile_url, headers={"Authorization": f"Bearer {access_token}"})
        profile.raise_for_status()
        return {"sub": profile.json()["userId"], "name": profile.json()["displayName"]}


class LineProvider(CarefulProvider, AllauthLineProvider):
    name = "LINE"
    oauth2_adapter_class = LineAdapter
    supports_token_authentication = True

    def get_default_scope(self) -> list[str]:
        return ["openid", "profile", "email"]

    def verify_token(self, request: HttpRequest, token: dict[str, str]) -> SocialLogin:
        adapter = self.get_oauth2_adapter(request)
        try:
            with _as_agreed():
                if id_token := token.get("id_token"):
                    claims = adapter.by_id_token(self.app, id_token)
                else:
                    claims = adapter.by_access_token(self.app, token["access_token"])
                return self.sociallogin_from_response(request, claims)
        except (ProviderException, OAuth2Error, RequestException) as error:
            raise get_adapter().validation_error("invalid_token") from error


class OpenIDConnectAdapter(CarefulAdapter, OpenIDConnectOAuth2Adapter):
    pass


class OpenIDConnectProvider(CarefulProvider, AllauthOpenIDConnectProvider):
    oauth2_adapter_class = OpenIDConnectAdapter

    def signed(self, data: Claims) -> Claims:
        return data.get("id_token", data)

    def told(self, data: Claims) -> Claims:
        told: Claims = data.get("userinfo", self.signed(data))
        if told["sub"] != self.signed(data)["sub"]:
            raise ProviderException("Two answers about two persons.")
        return told
