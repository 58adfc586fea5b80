"""Joining and signing in for apps, where allauth's own views fall short; they stand before them in config.urls."""

from typing import Any

from allauth.account.internal.flows.signup import complete_signup
from allauth.headless.account.views import RequestLoginCodeView, SignupView
from allauth.headless.base.response import AuthenticationResponse, ConflictResponse
from django.http import HttpRequest, HttpResponse

from accounts.sign_in import JoinInput, RequestCodeInput


class RequestCodeView(RequestLoginCodeView):
    input_class = RequestCodeInput


class JoinView(SignupView):
    input_class = JoinInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """allauth's own swallows the answer of a limit, or of a gateway that is down, when the code is sent."""
        if request.user.is_authenticated:
            return ConflictResponse(request)
        member, response = self.input.try_save(request)
        return AuthenticationResponse.from_response(request, response or complete_signup(request, user=member))
