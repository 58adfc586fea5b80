"""How allauth meets our members."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Grows with the accounts app."""
