"""The REST contract: the schema is sound, the API answers as the schema says, and nothing odd brings it down."""

import base64
import json
from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from accounts.models import User
from config.wsgi import application
from tests.factories import (
    AddressFactory,
    ErrandFactory,
    ListItemFactory,
    MemberFactory,
    OrderFactory,
    OrderLineFactory,
    PaymentMethodFactory,
)

OWN, NUMBER, STORE, SKU = 1_000_001, "261118-AAAAAAAA", "soap", "SKU-1"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture
def shopper(db) -> User:
    """A returning member with something due, an order to undo, an address and a way to pay."""
    now = timezone.now()
    member = MemberFactory()
    AddressFactory(pk=OWN, member=member)
    PaymentMethodFactory(pk=OWN, member=member)
    item = ListItemFactory(
        pk=OWN, member=member, due=True, around=now, offer__store__code=STORE, offer__product__sku=SKU
    )
    errand = ErrandFactory(pk=OWN, member=member, placed_at=now)
    OrderLineFactory(order=OrderFactory(number=NUMBER, errand=errand, store=item.offer.store))
    return member


@pytest.fixture
def token(shopper, client) -> str:
    client.force_login(shopper)
    return client.session.session_key


@pytest.fixture
def _one_connection(db):
    """As Django's own test client does: a request closes no connection, for the test's transaction is open on it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def schema(_one_connection):
    """The schema as it is served, with the names of what the shopper has among the values to try."""
    config = SchemathesisConfig.from_dict(
        {"analysis": {"constants": {"enabled": False}}, "generation": {"deterministic": True}}
    )
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, config=config)

    @schema.hook("map_path_parameters")
    def name_what_is_there(context, parameters):
        """Half of the made-up ids become one of the shopper's own: strangers' are all answered alike."""
        own = {"number": NUMBER}
        return {
            name: own.get(name, OWN) if len(str(value)) % 2 else value for name, value in (parameters or {}).items()
        }

    @schema.hook("map_body")
    def ask_for_what_is_there(context, body):
        own = {"store": STORE, "sku": SKU, "id": OWN, "address_id": OWN}
        if isinstance(body, dict) and len(str(body)) % 2:
            body = {name: own.get(name, value) for name, value in body.items() if name != "unit_price"}
            if isinstance(body.get("items"), list):
                body["items"] = [ask_for_what_is_there(context, item) for item in body["items"][:1]]
        return body

    return schema


def cases(operation: APIOperation) -> Iterator[Case]:
    """Every boundary of every parameter, kept and overstepped, and other methods."""
    schema = operation.schema
    return schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=schema.config.generation
    )


# ---------------------------------------------------------------- the schema itself


def test_schema_is_free_of_warnings_and_errors(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_schema_gives_every_refusal_the_same_body(client, db):
    schema = client.get("/api/schema/?format=json").json()
    refusals = [
        schema["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for operations in schema["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert len(refusals) > 50
    assert all(answer["content"] == problem and answer["description"] for answer in refusals)


def test_schema_says_which_calls_need_a_member(client, db):
    paths = client.get("/api/schema/?format=json").json()["paths"]
    open_to_all = {
        path for path, found in paths.items() if any("401" not in one["responses"] for one in found.values())
    }
    assert open_to_all == {"/api/v1/stores/", "/api/v1/products/"}


# ---------------------------------------------------------------- whatever the schema allows, and what it does not

TAGS = ["addresses", "consents", "errands", "me", "my-list", "orders", "payment-methods", "products", "stores"]


def test_every_operation_is_tried(schema):
    assert {tag for found in schema.get_all_operations() for tag in found.ok().tags} == set(TAGS)


@pytest.mark.parametrize("tag", TAGS)
def test_api_answers_as_its_schema_says(schema, token, tag):
    answered: Counter[int] = Counter()

    def check(case: Case) -> None:
        with transaction.atomic():  # each case finds the shopper as the one before did
            answer = case.call(headers={"X-Session-Token": token, "Accept-Encoding": "identity"})
            transaction.set_rollback(True)
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    for found in schema.include(tag=tag).get_all_operations():
        operation = found.ok()
        for case in cases(operation):
            check(case)
        tried = given(operation.as_strategy())(check)
        settings(
            derandomize=True,
            max_examples=10,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(tried)()
    assert answered[200] + answered[201] + answered[204], answered


# ---------------------------------------------------------------- what no generator thinks of


def cursor(position: str) -> str:
    return base64.b64encode(position.encode()).decode()


def is_problem(answer, status: int, name: str) -> bool:
    return (answer.status_code, answer["Content-Type"], answer.json()["type"]) == (
        status,
        "application/problem+json",
        f"/problems/{name}",
    )


@pytest.fixture
def api(client, shopper):
    client.force_login(shopper)
    return client


ITEM = f"/api/v1/my-list/{OWN}/"


@pytest.mark.parametrize("path", ["/api/v1/products/", "/api/v1/orders/"])
@pytest.mark.parametrize(
    "position", ["p=abc", "p=%00", "p=2026-13-45", "p=2026-11-18T04:00:00", "p=0001-01-01T00:00:00%2B14:00", "p="]
)
def test_a_made_up_cursor_is_not_found(api, path, position):
    assert is_problem(api.get(path, {"cursor": cursor(position)}), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        b"\xff\xfe",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"quantity": ' + b"9" * 5000 + b"}",
        b'{"pinned": "\\ud800"}',
        b'{"\\udfff": 1}',
    ],
)
def test_what_is_no_json_of_ours_is_a_parse_error(api, body):
    assert is_problem(api.patch(ITEM, body, content_type="application/json"), 400, "parse_error")


@pytest.mark.parametrize(
    "wish",
    [
        {"snoozed_until": "0001-01-01T00:00:00"},
        {"snoozed_until": "0001-01-01T00:00:00Z"},
        {"snoozed_until": "9999-12-31T23:59:59-14:00"},
        {"quantity": 1e308},
        {"quantity": 2**70},
        {"quantity": True},
        {"pinned": []},
        {"hidden": "\0"},
    ],
)
def test_a_wish_nobody_can_have_is_invalid(api, wish):
    assert is_problem(api.patch(ITEM, json.dumps(wish), content_type="application/json"), 400, "invalid")


@pytest.mark.parametrize("body", [{"totals": [None]}, {"totals": {}}, {"totals": [{"currency": "\0", "amount": "1"}]}])
def test_totals_no_button_shows_are_invalid(api, body):
    answer = api.post(
        "/api/v1/my-list/reorder-due/", body, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert is_problem(answer, 400, "invalid")


def test_a_body_beyond_all_measure_is_too_large(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert is_problem(api.patch(ITEM, " " * 1001, content_type="application/json"), 413, "body_too_large")


@pytest.mark.parametrize("charset", ["zlib", "utf-16", "unicode_escape", "nope"])
def test_json_is_utf_8_whatever_charset_is_claimed(api, charset):
    """A charset of Python's own would unpack the body or read into it what is not there."""
    content_type = f"application/json; charset={charset}"
    assert api.patch(ITEM, '{"quantity": 2}', content_type=content_type).json()["quantity"] == 2


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "/"]
)
def test_a_body_that_is_no_json_is_an_unsupported_media_type(api, content_type):
    assert is_problem(api.patch(ITEM, b"quantity=2", content_type=content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/",
        "/api/v1/nope/",
        "/api/v1/my-list/-1/",
        "/api/v1/my-list/" + "9" * 5000 + "/",
        "/api/v1/orders/%00/",
        "/api/v1/orders/%ff/",
        "/api/v1/x%0ay/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_there_is_not_is_a_problem_and_no_page(api, method, path):
    assert is_problem(getattr(api, method)(path), 404, "not_found")


@pytest.mark.parametrize("room", ["my-list", "addresses"])
def test_an_id_beyond_the_database_is_not_found(api, room):
    assert is_problem(api.get(f"/api/v1/{room}/{2**70}/"), 404, "not_found")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "garbage"])
def test_who_takes_no_json_is_told_in_json(api, accept):
    assert is_problem(api.get(ITEM, headers={"Accept": accept}), 406, "not_acceptable")
