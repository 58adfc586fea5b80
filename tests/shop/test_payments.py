"""Ways to pay: kept once each, one of them the default."""

import pytest

from shop.models import PaymentMethod
from shop.payments import choose_payment, default_payment, payment_methods
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
