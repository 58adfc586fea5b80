"""allauth's pages for joining and signing in, for those who come back to mend what they typed."""

from allauth.account import views
from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStage
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect

from accounts.sign_in import ContactField


class _BeginsAnew:
    """Another contact, or a password, begins anew; allauth would go on waiting for the code to the first one.

    The same contact again, as a double tap sends it, goes on: a second code would make the first one worthless.
    """

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: LoginStage) -> HttpResponseRedirect | None:
        again = any(stage.state.get(kind) == contact for kind, contact in _typed(request).items())
        if request.method == "POST" and not again:
            clear_login(request)
            return None
        return super()._redirect_to_pending_stage(request, stage)  # type: ignore[misc]


def _typed(request: HttpRequest) -> dict[str, str]:
    try:
        return ContactField().clean(request.POST.get("contact"))
    except ValidationError:
        return {}


class JoinView(_BeginsAnew, views.SignupView):
    pass


class SignInView(_BeginsAnew, views.LoginView):
    pass


class RequestCodeView(_BeginsAnew, views.RequestLoginCodeView):
    pass
