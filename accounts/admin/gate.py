"""Who gets into the admin at all."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

# Staff sign in as everybody does, with the same limits and codes.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
