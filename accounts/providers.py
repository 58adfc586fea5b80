"""Signing in with an account somewhere else: Google, Facebook, LINE, any OpenID Connect provider."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """How accounts elsewhere meet our members."""
