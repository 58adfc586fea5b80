"""allauth's pages about passkeys where ours do something else."""

from urllib.parse import urlencode

from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.views.visitor import MemberRequest, next_url


class AddPasskeyView(AddWebAuthnView):
    def get_success_url(self) -> str:
        # Recovery codes stand in for a second step; a shopper's passkey is none, and the code by mail is there, too.
        return super().get_success_url() if self.request.user.is_staff else reverse("mfa_index")


@login_required
@require_safe
def sign_in_again(request: MemberRequest) -> HttpResponse:
    """Before a way to sign in changes, who came in long ago shows once more who it is."""
    back = urlencode({"next": next_url(request, reverse("mfa_index"))})
    return render(request, "account/sign_in_again.html", {"login_again_url": f"{reverse('account_login')}?{back}"})
