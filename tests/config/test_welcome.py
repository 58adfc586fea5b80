"""What `make run` says once the shop is open."""

from config.run import welcome


def test_it_says_where_sms_land(settings):
    settings.SMS_URL = "filesms:////srv/var/sms"
    assert "SMS (sign-in codes, too) land in    /srv/var/sms" in welcome("http://127.0.0.1:8000")


def test_it_says_nothing_of_sms_that_go_through_a_gateway(settings):
    settings.SMS_URL = "https://shop:secret@sms.example.com/"
    said = welcome("http://127.0.0.1:8000")
    assert "SMS" not in said
    assert "secret" not in said
