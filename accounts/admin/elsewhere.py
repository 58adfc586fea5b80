"""Accounts elsewhere are the members' own; keys of providers come from the environment, and tokens are never kept."""

from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

# Whoever could change one of these could let somebody into a member's account.
for model in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)
