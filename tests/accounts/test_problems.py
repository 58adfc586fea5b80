"""Every refusal of the REST API is a problem document (RFC 9457)."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, ValidationError

from accounts.problems import Problem, problem_details


@pytest.mark.parametrize(
    ("refusal", "status", "kind"),
    [
        (Http404("no such thing"), 404, "/problems/not_found"),
        (PermissionDenied(), 403, "/problems/permission_denied"),
        (NotAuthenticated(), 401, "/problems/not_authenticated"),
        (Problem(409, "key_in_use", "Wait."), 409, "/problems/key_in_use"),
    ],
)
def test_problem_details_names_the_problem(refusal, status, kind):
    response = problem_details(refusal, {})
    assert (response.status_code, response.data["status"], response.data["type"]) == (status, status, kind)
    assert response.content_type == "application/problem+json"


def test_problem_details_brings_what_mends_it():
    response = problem_details(Problem(409, "price_changed", "It is dearer now.", price="320"), {})
    assert response.data["detail"] == "It is dearer now."
    assert response.data["price"] == "320"


def test_problem_details_lists_fields_under_errors():
    response = problem_details(ValidationError({"phone": ["No."]}), {})
    assert response.data["type"] == "/problems/invalid"
    assert response.data["errors"] == {"phone": ["No."]}


def test_problem_details_leaves_failures_of_ours_alone():
    assert problem_details(RuntimeError("a bug"), {}) is None
