import re
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest

from mylist import reminders
from mylist.models import ListItem, Prediction
from notify import dispatch
from notify.channels.email import message_id
from notify.models import Message
from tests.factories import ListItemFactory, MemberFactory, ProductFactory

pytestmark = pytest.mark.django_db


def _item(**given) -> ListItem:
    return ListItemFactory(due=True, **given)


def _planned(now) -> Message:
    assert reminders.plan(at=now) == 1
    return Message.objects.get()


def _named(member, *names: str) -> None:
    """Due items of these names, the first the most urgent."""
    for days, name in enumerate(names):
        item = _item(member=member, offer__product__name_en=name)
        day = item.prediction.as_of.date() + timedelta(days=days)
        Prediction.objects.filter(item=item).update(expected_on=day, upper_on=day + timedelta(days=9))


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        (["Diapers"], "Diapers may be running out"),
        (["Diapers", "Wipes"], "Diapers and Wipes may be running out"),
        (["Diapers", "Wipes", "Soap"], "Diapers, Wipes and 1 more may be running out"),
        (["Diapers", "Wipes", "Soap", "Tea"], "Diapers, Wipes and 2 more may be running out"),
    ],
)
def test_render_names_what_matters_most_in_the_subject(now, names, subject):
    _named(MemberFactory(), *names)
    assert _planned(now).subject == subject


def test_render_keeps_a_long_or_broken_name_from_filling_the_subject(now):
    member = MemberFactory()
    _named(member, "Very soft\nand thick " + "x" * 150, "Wipes " + "y" * 150)
    message = _planned(now)
    assert "\n" not in message.subject
    assert len(message.subject) < 120
    assert "Very soft and thick xxx" in message.subject
    assert "… and Wipes" in message.subject


def test_render_says_when_and_how_much_in_honest_words(now):
    item = _item(offer__price=Decimal(1320), offer__store__name_en="Baby House")
    text = _planned(now).text
    assert item.product.name_en in text
    assert "NT$1,320 · Baby House" in text
    assert "Runs out about now" in text
    assert "Prices as of Nov. 18, 2026" in text


def test_render_gives_no_date_where_the_window_is_wide(now):
    item = _item()
    Prediction.objects.filter(item=item).update(upper_on=now.date() + timedelta(days=25))
    message = _planned(now)
    assert "About every 4 weeks, probably due" in message.text
    assert "Last time 1 pack, 4 weeks ago" in message.text
    assert "Last time 1 pack, 4 weeks ago" in message.html
    assert "Runs out" not in message.text


def test_render_speaks_the_member_s_language(now):
    _item(
        member=MemberFactory(language="zh-hant"),
        offer__product=ProductFactory(name_zh="尿布", name_en="Diapers"),
        offer__store__name_zh="寶貝屋",
    )
    message = _planned(now)
    assert "尿布" in message.subject
    assert "寶貝屋" in message.text
    assert "Diapers" not in message.subject + message.text + message.html
    assert '<html lang="zh-Hant">' in message.html
    assert "2026年11月18日" in message.text


def test_render_dates_the_prices_by_the_member_s_own_day(now):
    _item(member=MemberFactory(time_zone="America/Los_Angeles"))
    assert "Prices as of Nov. 17, 2026" in _planned(now).text


def test_render_counts_what_does_not_fit(now):
    member = MemberFactory()
    ListItemFactory.create_batch(13, member=member, due=True)
    message = _planned(now)
    assert "and 3 more on your list" in message.text
    assert message.text.count("NT$") == 10
    assert message.html.count('class="line"') <= 11


def test_render_has_one_button_and_it_leads_to_the_signed_link(now, settings):
    settings.SITE_URL = "https://shop.example"
    _item()
    message = _planned(now)
    links = re.findall(r'href="([^"]+)"', message.html)
    assert len(links) == 2
    assert re.fullmatch(r"https://shop\.example/my-list/r/[^/]+/", links[0])
    assert links[1] == links[0] + "unsubscribe/"
    assert links[0] in message.text
    assert links[1] in message.text
    assert message.headers["List-Unsubscribe"] == f"<{links[1]}>"


def test_render_escapes_names_in_html_only(now):
    _named(MemberFactory(), "Soap <b>& Co</b>")
    message = _planned(now)
    assert "Soap &lt;b&gt;&amp; Co&lt;/b&gt;" in message.html
    assert "Soap <b>& Co</b>" in message.text
    assert "Soap <b>& Co</b>" in message.subject


def test_render_inlines_the_look_and_keeps_the_dark_one(now):
    _item()
    html = _planned(now).html
    button = re.search(r"<a [^>]*button[^>]*>", html)
    assert button is not None
    assert "background-color: #ad3f1a" in button[0]
    assert "@media (prefers-color-scheme: dark)" in html
    assert ".sheet { max-width" not in html


class _Balance(HTMLParser):
    """Every tag that has to be closed is closed, in order."""

    VOID = {"meta", "br", "img", "link", "hr"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_render_html_is_well_formed_and_asks_for_nothing_from_outside(now):
    _item()
    html = _planned(now).html
    parser = _Balance()
    parser.feed(html)
    assert parser.open == []
    assert "<img" not in html
    assert "url(" not in html
    assert "<script" not in html


def test_sent_mail_carries_the_unsubscribe_headers_and_a_stable_id(now, mailoutbox):
    item = _item()
    message = _planned(now)
    dispatch.send(message_id=message.pk, at=now)
    (mail,) = mailoutbox
    parsed = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert parsed["To"] == item.member.email
    assert parsed["Message-ID"] == message_id(message.key)
    assert parsed["List-Unsubscribe"].strip().startswith("<http")
    assert parsed["List-Unsubscribe"].endswith("/unsubscribe/>")
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {part.get_content_type() for part in parsed.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }
