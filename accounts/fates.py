"""What becomes of the tables of accounts, and of those that Django and allauth bring, when a member is erased."""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.usersessions.models import UserSession
from django.db.models import F

from accounts.erasure import Delete, Keep, register
from accounts.models import Address, ConsentEntry, DataExport, Impersonation, Merge, User


def register_all() -> None:
    for model in (
        Address,
        ConsentEntry,
        DataExport,
        User.groups.through,
        User.user_permissions.through,
        EmailAddress,
        EmailConfirmation,
        Authenticator,
        SocialAccount,
        SocialToken,
        UserSession,
    ):
        register(model, Delete())
    # That staff looked at a member stays with the staff; why they did is said in words of their own.
    register(Impersonation, Keep())
    # Nothing is left to take back.
    register(Merge, Keep(instead={"undo_until": F("at")}))
