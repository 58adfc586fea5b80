"""Documents that fall behind fail here."""

import json
import re
from pathlib import Path

import pytest
from django.urls import resolve

from config.api import NowhereView

ROOT = Path(__file__).resolve().parent.parent
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", API, re.MULTILINE | re.DOTALL)
REQUESTS = [block for kind, block in BLOCKS if kind == "http"]
FRAMEWORKS_OWN = {
    (400, "invalid"),
    (400, "parse_error"),
    (401, "not_authenticated"),
    (403, "permission_denied"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (406, "not_acceptable"),
    (415, "unsupported_media_type"),
}


def test_every_json_block_of_the_guide_parses():
    answers = [json.loads(block) for kind, block in BLOCKS if kind == "json"]
    bodies = [json.loads(body) for request in REQUESTS if (body := request.partition("\n\n")[2])]
    assert answers
    assert bodies


@pytest.mark.django_db
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.partition("\n")[0])
def test_every_request_of_the_guide_is_understood(client, request_):
    """Nobody is signed in: a call with a wrong method would be 405, a wrong path 404, a wrong body of a sign-in 400."""
    head, _, body = request_.partition("\n\n")
    method, path = head.splitlines()[0].split()
    answer = client.generic(method, path, body, content_type="application/json")
    assert answer.status_code in ({401} if path.startswith("/api/") else {401, 409})


@pytest.mark.django_db
def test_every_body_of_the_guide_fits_the_schema(client):
    """Each field sent is one the schema knows."""
    schema = client.get("/api/schema/?format=json").json()
    checked = 0
    for request in REQUESTS:
        head, _, body = request.partition("\n\n")
        method, path = head.splitlines()[0].split()
        operations = schema["paths"].get(re.sub(r"/\d+/", "/{item_id}/", path))
        if operations and body:
            content = operations[method.lower()]["requestBody"]["content"]["application/json"]["schema"]
            known = schema["components"]["schemas"][content["$ref"].rpartition("/")[2]]["properties"]
            assert set(json.loads(body)) <= set(known)
            checked += 1
    assert checked == 5


def test_every_path_of_the_guide_leads_somewhere():
    paths = {path.partition("?")[0] for path in re.findall(r"/(?:api|_allauth)/[\w/?=.-]+", API)}
    assert len(paths) > 10
    for path in paths - {"/api/v1/"}:
        found = resolve(path)
        assert getattr(found.func, "cls", None) is not NowhereView, path


def test_every_problem_is_in_the_guide():
    told = {(int(status), name) for status, name in re.findall(r"^\| (\d{3}) \| `(\w+)`", API, re.MULTILINE)}
    sources = [path for app in ("accounts", "shop", "mylist") for path in (ROOT / app).rglob("*.py")]
    raised = {
        (int(status), name)
        for path in sources
        for status, name in re.findall(r'Problem\(\s*(\d{3}),\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert told == raised | FRAMEWORKS_OWN


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document):
    for link in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        assert "://" in link or (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_named_is_one(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets
    if document.name == "README.md":
        assert {"run", "test"} <= named
