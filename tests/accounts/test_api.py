"""/api/v1/me/ and /api/v1/addresses/ for the signed-in member, and for nobody else."""

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts import consents
from accounts.models import Address, ConsentEntry, User
from tests.factories import AddressFactory, MemberFactory

pytestmark = pytest.mark.django_db
TAIPEI = {
    "recipient": "林美",
    "phone": "0912-345-678",
    "postal_code": "106",
    "city": "台北市大安區",
    "street": "和平東路一段 1 號",
}


@pytest.fixture
def member() -> User:
    return MemberFactory(name="Mei", email="mei@example.com", phone="+886912345678")


@pytest.fixture
def api(member) -> APIClient:
    client = APIClient()
    client.force_login(member)
    return client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/me/"),
        ("patch", "/api/v1/me/"),
        ("get", "/api/v1/consents/"),
        ("patch", "/api/v1/consents/"),
        ("get", "/api/v1/consents/ledger/"),
        ("get", "/api/v1/addresses/"),
        ("post", "/api/v1/addresses/"),
        ("get", "/api/v1/addresses/1/"),
        ("patch", "/api/v1/addresses/1/"),
        ("delete", "/api/v1/addresses/1/"),
    ],
)
def test_anonymous_gets_401(method, path):
    response = getattr(APIClient(), method)(path, {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Session")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 401


def test_browser_session_needs_the_csrf_token(member):
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    response = client.patch("/api/v1/me/", {"name": "Forged"}, content_type="application/json")
    assert response.status_code == 403
    member.refresh_from_db()
    assert member.name == "Mei"


def test_me_get(api, member, django_assert_num_queries):
    with django_assert_num_queries(2):  # session, member
        response = api.get("/api/v1/me/")
    assert response.json() == {
        "member_no": member.member_no,
        "name": "Mei",
        "email": "mei@example.com",
        "phone": "+886912345678",
        "language": "en",
        "time_zone": "Asia/Taipei",
        "reminder_channel": "email",
        "birthday": None,
        "birthday_source": "",
        "birthday_certainty": "unknown",
    }


def test_me_patch(api, member):
    wishes = {"name": "May", "language": "zh-hant", "time_zone": "Europe/Berlin", "reminder_channel": "none"}
    response = api.patch("/api/v1/me/", wishes)
    assert response.status_code == 200
    assert response.json() | wishes == response.json()
    member.refresh_from_db()
    assert (member.name, member.language, member.time_zone, member.reminder_channel) == tuple(wishes.values())


def test_me_patch_one_leaves_the_others(api, member):
    api.patch("/api/v1/me/", {"reminder_channel": "none"})
    member.refresh_from_db()
    assert (member.name, member.language, member.reminder_channel) == ("Mei", "en", "none")


def test_me_patch_reminders_goes_into_the_ledger(api, member):
    api.patch("/api/v1/me/", {"reminder_channel": "sms"})
    member.refresh_from_db()
    assert consents.recorded(member) == consents.granted(member)
    assert set(consents.ledger(member).values_list("source", flat=True)) == {"app"}


def test_me_patch_birthday(api, member):
    body = api.patch("/api/v1/me/", {"birthday": "1990-05-05"}).json()
    assert (body["birthday"], body["birthday_source"], body["birthday_certainty"]) == ("1990-05-05", "member", "sure")
    assert api.patch("/api/v1/me/", {"birthday": None}).json()["birthday"] is None
    assert api.patch("/api/v1/me/", {"birthday": "1790-05-05", "name": "May"}).status_code == 400
    member.refresh_from_db()
    assert (member.birthday, member.name) == (None, "Mei")


def test_consents_are_shown_with_their_words(api):
    body = api.get("/api/v1/consents/").json()
    assert (body["order_channel"], body["reminder_channel"]) == ("email", "email")
    assert (body["email_consent"], body["sms_consent"], body["wording"]) == (False, False, consents.WORDING)
    assert [words["purpose"] for words in body["words"]] == ["orders", "reminders", "offers"]
    assert all(words["words"] for words in body["words"])


def test_consents_patch_one_leaves_the_others(api, member):
    body = api.patch("/api/v1/consents/", {"sms_consent": True}).json()
    assert (body["sms_consent"], body["order_channel"]) == (True, "email")
    member.refresh_from_db()
    assert member.sms_consent
    assert consents.recorded(member) == consents.granted(member)


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/api/v1/consents/", {"order_channel": "sms"}),
        ("/api/v1/consents/", {"sms_consent": True}),
        ("/api/v1/me/", {"reminder_channel": "sms"}),
    ],
)
def test_a_way_without_its_contact_is_refused(api, member, path, wish):
    User.objects.update(phone="")
    response = api.patch(path, wish)
    assert response.status_code == 400
    assert response.json()["errors"] == {next(iter(wish)): ["Please add a phone first."]}
    member.refresh_from_db()
    assert not ConsentEntry.objects.exists()


def test_ledger_is_mine_and_newest_first(api, member, now):
    for given in (True, False):
        consents.choose(member=member, at=now, source=consents.Source.MEMBER, email_consent=given)
    consents.choose(member=MemberFactory(), at=now, source=consents.Source.JOIN)
    entries = api.get("/api/v1/consents/ledger/").json()
    assert len(entries) == 4
    assert entries[0] == {
        "purpose": "offers",
        "channel": "email",
        "given": False,
        "at": "2026-11-18T12:00:00+08:00",
        "source": "member",
        "wording": consents.WORDING,
    }


def test_me_patch_nothing(api, member):
    assert api.patch("/api/v1/me/", {}).status_code == 200


def test_me_patch_leaves_contacts_and_rights(api, member):
    api.patch("/api/v1/me/", {"email": "x@example.com", "phone": "+886900000000", "is_staff": True, "member_no": "X"})
    member.refresh_from_db()
    assert (member.email, member.phone, member.is_staff) == ("mei@example.com", "+886912345678", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "fr"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "localtime"},
        {"reminder_channel": "pigeon"},
        {"name": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_me_patch_refuses(api, member, wrong):
    response = api.patch("/api/v1/me/", wrong)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == list(wrong)
    before = MemberFactory._meta.model.objects.get(pk=member.pk)
    assert (before.name, before.language, before.time_zone) == ("Mei", "en", "Asia/Taipei")


def test_addresses_first_becomes_default(api, member):
    response = api.post("/api/v1/addresses/", TAIPEI)
    assert response.status_code == 201
    body = response.json()
    assert body == {**TAIPEI, "phone": "+886912345678", "region": "", "country": "TW", "is_default": True} | {
        "id": body["id"]
    }
    assert Address.objects.get().member == member


def test_addresses_default_moves(api, member):
    first = AddressFactory(member=member)
    second = api.post("/api/v1/addresses/", TAIPEI).json()
    assert second["is_default"] is False
    assert api.patch(f"/api/v1/addresses/{second['id']}/", {"is_default": True}).json()["is_default"] is True
    first.refresh_from_db()
    assert first.is_default is False
    listed = api.get("/api/v1/addresses/").json()
    assert [address["id"] for address in listed] == [second["id"], first.pk]


def test_addresses_default_cannot_be_taken_off(api, member):
    address = AddressFactory(member=member)
    assert api.patch(f"/api/v1/addresses/{address.pk}/", {"is_default": False}).json()["is_default"] is True


def test_addresses_patch_one_field(api, member):
    address = AddressFactory(member=member)
    assert api.patch(f"/api/v1/addresses/{address.pk}/", {"street": "New St. 2"}).json()["street"] == "New St. 2"
    address.refresh_from_db()
    assert (address.street, address.recipient, address.is_default) == ("New St. 2", "Lin Mei", True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"phone": "123"}, "phone"),
        ({"postal_code": "1"}, "postal_code"),
        ({"country": "XX"}, "country"),
        ({"street": ""}, "street"),
    ],
)
def test_addresses_refuse(api, wrong, field):
    response = api.post("/api/v1/addresses/", {**TAIPEI, **wrong})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


def test_addresses_elsewhere_need_no_postal_code(api):
    abroad = {**TAIPEI, "country": "HK", "postal_code": "", "phone": "+852 2345 6789"}
    assert api.post("/api/v1/addresses/", abroad).status_code == 201


def test_addresses_delete_hands_the_default_on(api, member):
    first = AddressFactory(member=member)
    second = AddressFactory(member=member, is_default=False)
    assert api.delete(f"/api/v1/addresses/{first.pk}/").status_code == 204
    second.refresh_from_db()
    assert second.is_default is True


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_addresses_of_a_stranger_are_404(api, method):
    strangers = AddressFactory()
    response = getattr(api, method)(f"/api/v1/addresses/{strangers.pk}/", {"street": "Mine now"})
    assert response.status_code == 404
    strangers.refresh_from_db()
    assert strangers.street == "Heping E. Rd. 1"


def test_addresses_list_is_only_mine(api, member):
    AddressFactory()
    mine = AddressFactory(member=member)
    assert [address["id"] for address in api.get("/api/v1/addresses/").json()] == [mine.pk]


def test_addresses_put_is_not_offered(api, member):
    address = AddressFactory(member=member)
    assert api.put(f"/api/v1/addresses/{address.pk}/", TAIPEI).status_code == 405


def test_schema_tells_how_to_sign_in():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert schema["components"]["securitySchemes"]["sessionToken"]["name"] == "X-Session-Token"
    assert set(schema["paths"]["/api/v1/addresses/{id}/"]) == {"get", "patch", "delete"}
    assert set(schema["paths"]["/api/v1/me/"]) == {"get", "patch"}
