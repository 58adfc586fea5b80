import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    (settings.MEDIA_ROOT / "products").mkdir(parents=True)
    (tmp_path / "secret_key").write_text("secret")
    (settings.MEDIA_ROOT / "products" / "soap.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")


def test_a_picture_can_be_shown_and_can_run_nothing(client, media):
    answer = client.get("/media/products/soap.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    answer.close()


@pytest.mark.parametrize("path", ["../secret_key", "products/../../secret_key", "products/", "products/none.svg"])
def test_nothing_outside_is_given_out(client, media, path):
    assert client.get(f"/media/{path}").status_code in (400, 404)
