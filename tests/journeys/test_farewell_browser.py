"""Taking all data along and closing the account, on a phone in Chromium."""

import os
import zipfile

import pytest

from accounts import tasks
from accounts.models import DataExport
from tests.journeys.test_errand_browser import shop, visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shoot(visit, name):  # noqa: F811
    if os.environ.get("SHOTS"):
        visit.page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png", full_page=True)


def test_a_copy_appears_by_itself_and_is_fetched_and_the_account_closed_and_kept(visit, shop):  # noqa: F811
    visit.sign_in(shop)
    visit.open("/members/exports/")
    shoot(visit, "exports-none")
    visit.page.get_by_role("button", name="Make a copy").click()
    visit.page.get_by_text("Your copy is being made.").wait_for()
    shoot(visit, "exports-waiting")
    assert tasks.make_export(export_id=DataExport.objects.get().pk)
    link = visit.page.get_by_role("link", name="Fetch it")
    link.wait_for()  # without a reload
    shoot(visit, "exports-ready")
    with visit.page.expect_download() as download:
        link.click()
    assert zipfile.ZipFile(download.value.path()).testzip() is None
    assert visit.overflow() == 0
    visit.open("/members/closing/")
    shoot(visit, "closing")
    assert visit.overflow() == 0
    visit.page.get_by_role("button", name="Close my account").click()
    visit.page.get_by_text("Your account will be closed on").wait_for()
    shoot(visit, "closed")
    visit.sign_in(shop)
    shoot(visit, "list-closing")
    assert visit.overflow() == 0
    visit.page.get_by_role("button", name="Keep my account").click()
    visit.page.get_by_text("your account stays").wait_for()
    shoot(visit, "kept")
