"""Accounts elsewhere, as the environment names them."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from environ import Env

from config import elsewhere
from tests.config.test_settings import settings

ACME = {
    "id": "acme",
    "name": "Acme",
    "server_url": "https://id.acme.example/realm/",
    "client_id": "my-list",
    "secret": "s",
}


def providers(**environment: str) -> dict:
    env = Env()
    env.ENVIRON = environment
    return elsewhere.providers(env)


def test_with_nothing_set_none_is_offered_and_forms_lead_nowhere_else():
    found = providers()
    assert [provider["APPS"] for provider in found.values()] == [[], [], [], []]
    assert elsewhere.origins(found) == []


@pytest.mark.parametrize(
    ("kind", "variables", "trusted"),
    [
        ("google", ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"), True),
        ("facebook", ("FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"), False),
        ("line", ("LINE_CHANNEL_ID", "LINE_CHANNEL_SECRET"), False),
    ],
)
def test_keys_bring_a_provider_and_only_google_vouches_for_emails(kind, variables, trusted):
    found = providers(**dict(zip(variables, ("the-id", "the-secret"), strict=True)))
    (app,) = found[kind]["APPS"]
    assert (app["client_id"], app["secret"]) == ("the-id", "the-secret")
    assert app["settings"]["email_authentication"] is trusted
    assert all(origin.startswith("https://") for origin in elsewhere.origins(found))
    assert elsewhere.origins(found)
    for given, missing in (variables, variables[::-1]):
        with pytest.raises(ImproperlyConfigured, match=f"{given} is set, but {missing} is missing"):
            providers(**{given: "x"})


def test_openid_connect_providers():
    other = {**ACME, "id": "b2", "trust_email": True, "origins": ["https://login.b2.example/path"]}
    found = providers(OIDC_PROVIDERS=json.dumps([ACME, other]))
    acme, b2 = found["openid_connect"]["APPS"]
    assert acme["settings"]["server_url"] == "https://id.acme.example/realm"
    assert [app["settings"]["email_authentication"] for app in (acme, b2)] == [False, True]
    assert elsewhere.origins(found) == ["https://id.acme.example", "https://login.b2.example"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "is no JSON"),
        ("{}", "is no list of objects"),
        ('["acme"]', "is no list of objects"),
        ([{}], "lacks client_id, id, name, secret, server_url at an entry"),
        ([{**ACME, "secret": ""}], "lacks secret at acme"),
        ([{**ACME, "secret": 5}], "lacks secret at acme"),
        ([{**ACME, "scope": "all"}], "has scope at acme; possible are"),
        ([{**ACME, "id": "Acme!"}], "use small letters, digits and hyphens"),
        ([{**ACME, "id": "google"}], "and not google"),
        ([ACME, ACME], "names an id twice"),
        ([{**ACME, "server_url": "http://id.acme.example"}], "an address begins with https://"),
        ([{**ACME, "server_url": "https://x; script-src *"}], "an address begins with https://"),
        ([{**ACME, "origins": ["*"]}], "an address begins with https://"),
        ([{**ACME, "origins": "https://x"}], "origins at acme that are no list"),
        ([{**ACME, "trust_email": "yes"}], "neither true nor false"),
    ],
)
def test_a_bad_list_is_refused_with_its_mend(value, words):
    text = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(ImproperlyConfigured) as refused:
        providers(OIDC_PROVIDERS=text)
    assert words in str(refused.value)
    assert '[{"id": "acme"' in str(refused.value)


def test_the_policy_lets_our_form_lead_to_configured_providers_only(tmp_path):
    policy = "s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']"
    assert settings(policy, tmp_path).stdout.strip() == """["'self'"]"""
    found = settings(policy, tmp_path, LINE_CHANNEL_ID="1", LINE_CHANNEL_SECRET="2").stdout.strip()
    assert found == """["'self'", 'https://access.line.me']"""
