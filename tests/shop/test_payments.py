"""Ways to pay: kept once each, one of them the default."""

import pytest

from shop.models import PaymentMethod
from shop.payments import choose_payment, default_payment, forget_payment, payment_methods
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
CASH, INVOICE = PaymentMethod.Kind.CASH, PaymentMethod.Kind.INVOICE


def kinds(member):
    return [(method.kind, method.is_default) for method in payment_methods(member)]


def test_choose_payment_makes_the_first_one_the_default_in_any_case():
    member = MemberFactory()
    assert default_payment(member) is None
    choose_payment(member=member, kind=CASH, make_default=False)
    assert default_payment(member).kind == CASH


def test_choose_payment_moves_the_default_only_when_asked():
    member = MemberFactory()
    choose_payment(member=member, kind=CASH)
    choose_payment(member=member, kind=INVOICE, make_default=False)
    assert kinds(member) == [(CASH, True), (INVOICE, False)]
    choose_payment(member=member, kind=INVOICE)
    assert kinds(member) == [(INVOICE, True), (CASH, False)]


def test_choose_payment_twice_is_once():
    member = MemberFactory()
    assert choose_payment(member=member, kind=CASH) == choose_payment(member=member, kind=CASH)
    assert kinds(member) == [(CASH, True)]


def test_choose_payment_of_one_member_leaves_the_others_alone():
    first, second = MemberFactory(), MemberFactory()
    choose_payment(member=first, kind=CASH)
    choose_payment(member=second, kind=INVOICE)
    assert kinds(first) == [(CASH, True)]


def test_choose_payment_refuses_what_is_no_payment():
    with pytest.raises(ValueError, match="pebbles"):
        choose_payment(member=MemberFactory(), kind="pebbles")


def test_forget_payment_hands_the_default_on():
    member = MemberFactory()
    choose_payment(member=member, kind=CASH)
    invoice = choose_payment(member=member, kind=INVOICE)
    gone = forget_payment(member=member, method_id=invoice.pk)
    assert (gone.kind, gone.is_default) == (INVOICE, True)
    assert kinds(member) == [(CASH, True)]
    forget_payment(member=member, method_id=default_payment(member).pk)
    assert kinds(member) == []


def test_forget_payment_of_a_stranger():
    strangers = choose_payment(member=MemberFactory(), kind=CASH)
    with pytest.raises(PaymentMethod.DoesNotExist):
        forget_payment(member=MemberFactory(), method_id=strangers.pk)
    assert PaymentMethod.objects.exists()


class TestPage:
    @pytest.fixture
    def member(self, client):
        member = MemberFactory()
        client.force_login(member)
        return member

    def test_adds_what_is_not_there_yet(self, client, member):
        page = client.get("/ways-to-pay/").text
        assert "None yet" in page
        assert client.post("/ways-to-pay/", {"kind": CASH}).url == "/ways-to-pay/"
        assert kinds(member) == [(CASH, True)]
        page = client.get("/ways-to-pay/")
        assert [kind for kind, _label in page.context["form"].fields["kind"].choices] == [INVOICE]
        client.post("/ways-to-pay/", {"kind": INVOICE})
        assert kinds(member) == [(CASH, True), (INVOICE, False)]
        assert 'name="kind"' not in client.get("/ways-to-pay/").text

    def test_makes_another_one_the_default(self, client, member):
        choose_payment(member=member, kind=CASH)
        invoice = choose_payment(member=member, kind=INVOICE, make_default=False)
        client.post(f"/ways-to-pay/{invoice.pk}/default/")
        assert kinds(member) == [(INVOICE, True), (CASH, False)]

    def test_deletes_and_takes_it_back(self, client, member):
        cash = choose_payment(member=member, kind=CASH)
        choose_payment(member=member, kind=INVOICE, make_default=False)
        page = client.post(f"/ways-to-pay/{cash.pk}/delete/", follow=True).text
        assert kinds(member) == [(INVOICE, True)]
        undo = f"/ways-to-pay/{CASH}/undo/?default=1"
        assert f'action="{undo}"' in page
        client.post(undo)
        assert kinds(member) == [(CASH, True), (INVOICE, False)]

    def test_knows_only_ones_own(self, client, member):
        strangers = choose_payment(member=MemberFactory(), kind=CASH)
        for verb in ("default", "delete"):
            assert client.post(f"/ways-to-pay/{strangers.pk}/{verb}/").status_code == 404
        assert client.post("/ways-to-pay/pebbles/undo/").status_code == 404
        assert kinds(member) == []
        assert PaymentMethod.objects.get() == strangers

    def test_changes_nothing_by_a_get(self, client, member):
        cash = choose_payment(member=member, kind=CASH)
        for path in (f"{cash.pk}/default", f"{cash.pk}/delete", f"{CASH}/undo"):
            assert client.get(f"/ways-to-pay/{path}/").status_code == 405
