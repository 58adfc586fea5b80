import pytest
from django.core.cache import cache


def test_livez_needs_nothing(client):
    assert client.get("/livez").content == b"ok"


@pytest.mark.django_db
def test_readyz_when_all_answers(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "cache": True})


@pytest.mark.django_db
def test_readyz_names_what_does_not_answer_and_no_reason(client, monkeypatch):
    def away(*_):
        raise ConnectionError("redis://user:secret@cache")

    monkeypatch.setattr(cache, "get", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "cache": False})
