"""The members' pages, and the members' part of REST v1."""

from allauth.headless.constants import Client
from django.urls import path
from django.views.generic import RedirectView

from accounts.api import addresses as api_addresses
from accounts.api import consents as api_consents
from accounts.api import farewell as api_farewell
from accounts.api import me as api_me
from accounts.api import sign_in as api_sign_in
from accounts.providers.urls import app_urlpatterns as providers_for_apps
from accounts.views import addresses, birthday, consents, devices, doors, farewell, looks, me, second_factor

app_name = "accounts"
urlpatterns = [
    path("", me.me, name="me"),
    path("language/", me.language, name="language"),
    path("profile/", me.profile, name="profile"),
    path("messages/", consents.show, name="consents"),
    path("birthday/", birthday.show, name="birthday"),
    path("birthday/delete/", birthday.remove, name="birthday_delete"),
    path("birthday/undo/", birthday.undo, name="birthday_undo"),
    path("addresses/", addresses.index, name="addresses"),
    path("addresses/undo/", addresses.undo, name="address_undo"),
    path("addresses/new/", addresses.new, name="address_new"),
    path("addresses/<int:address_id>/", addresses.edit, name="address_edit"),
    path("addresses/<int:address_id>/delete/", addresses.delete, name="address_delete"),
    path("devices/", devices.index, name="devices"),
    path("devices/<int:device_id>/end/", devices.end, name="device_end"),
    path("devices/end-others/", devices.end_others, name="devices_end_others"),
    path("exports/", farewell.export_list, name="exports"),
    path("exports/<int:export_id>/file/", farewell.export_file, name="export_file"),
    path("closing/", farewell.close, name="closing"),
    path("closing/undo/", farewell.undo_close, name="closing_undo"),
    path("looks/end/", looks.end, name="look_end"),
    path("sign-in-again/", second_factor.sign_in_again, name="sign_in_again"),
]
# Before allauth's own under the same addresses.
instead_of_allauth = [
    path("signup/", doors.JoinView.as_view(), name="account_signup"),
    path("login/", doors.SignInView.as_view(), name="account_login"),
    path("login/code/", doors.RequestCodeView.as_view(), name="account_request_login_code"),
    path("2fa/webauthn/", RedirectView.as_view(pattern_name="mfa_index")),
    path("2fa/webauthn/add/", second_factor.AddPasskeyView.as_view()),
    path("sessions/", RedirectView.as_view(pattern_name="accounts:devices")),
]
instead_of_headless = [
    path("auth/code/request", api_sign_in.RequestCodeView.as_api_view(client=Client.APP)),
    path("auth/signup", api_sign_in.JoinView.as_api_view(client=Client.APP)),
    *providers_for_apps,
]
api_urlpatterns = [
    path("me/", api_me.MeView.as_view(), name="api-me"),
    path("me/exports/", api_farewell.ExportListView.as_view(), name="api-exports"),
    path("me/exports/<int:pk>/file/", api_farewell.ExportFileView.as_view(), name="api-export-file"),
    path("me/closing/", api_farewell.ClosingView.as_view(), name="api-closing"),
    path("consents/", api_consents.ConsentsView.as_view(), name="api-consents"),
    path("consents/ledger/", api_consents.LedgerView.as_view(), name="api-consents-ledger"),
    path("addresses/", api_addresses.AddressListView.as_view(), name="api-addresses"),
    path("addresses/<int:pk>/", api_addresses.AddressView.as_view(), name="api-address"),
]
