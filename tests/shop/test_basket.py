"""Baskets: one a store, kept by member or by token, poured together on sign-in."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from shop import basket
from shop.models import Basket, BasketLine, Offer
from shop.orders import Wanted
from tests.factories import MemberFactory, OfferFactory, ProductFactory, StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer():
    return OfferFactory()


@pytest.fixture
def mine(offer):
    return basket.get_basket(store=offer.store, member=MemberFactory())


def inside(found: Basket) -> dict[int, int]:
    return dict(found.lines.values_list("offer_id", "quantity"))


def url(name, offer):
    return reverse(f"shop:{name}", args=[offer.store.code, offer.pk])


def basket_url(offer):
    return reverse("shop:basket", args=[offer.store.code])


class TestGetBasket:
    def test_is_the_same_one_for_a_member_and_store(self, offer):
        member = MemberFactory()
        first = basket.get_basket(store=offer.store, member=member)
        assert basket.get_basket(store=offer.store, member=member) == first
        assert basket.get_basket(store=StoreFactory(), member=member) != first

    def test_is_found_by_its_token_in_its_store_only(self, offer):
        first = basket.get_basket(store=offer.store)
        assert basket.get_basket(store=offer.store, token=first.token) == first
        assert basket.find_basket(store=StoreFactory(), token=first.token) is None

    def test_a_members_basket_has_no_door_by_token(self, mine, offer):
        assert basket.find_basket(store=offer.store, token=mine.token) is None

    def test_an_unknown_token_is_not_taken_over(self, offer):
        assert basket.get_basket(store=offer.store, token="guessed").token != "guessed"


class TestAdd:
    def test_quantities_add_up_to_at_most_99(self, mine, offer):
        basket.add(basket=mine, offer_id=offer.pk, quantity=3)
        assert basket.add(basket=mine, offer_id=offer.pk, quantity=4).quantity == 7
        assert basket.add(basket=mine, offer_id=offer.pk, quantity=99).quantity == 99
        assert inside(mine) == {offer.pk: 99}

    @pytest.mark.parametrize("quantity", [0, -1, 100])
    def test_refuses_a_quantity_nobody_can_mean(self, mine, offer, quantity):
        with pytest.raises(ValueError, match="choose 1 to 99"):
            basket.add(basket=mine, offer_id=offer.pk, quantity=quantity)
        assert inside(mine) == {}

    def test_refuses_what_this_store_does_not_sell_now(self, mine, offer):
        for strange in (OfferFactory(), OfferFactory(store=offer.store, is_active=False)):
            with pytest.raises(Offer.DoesNotExist):
                basket.add(basket=mine, offer_id=strange.pk)

    def test_refuses_what_is_sold_out(self, mine, offer):
        with pytest.raises(basket.SoldOut):
            basket.add(basket=mine, offer_id=OfferFactory(store=offer.store, stock=0).pk)


class TestSetQuantity:
    def test_sets_and_zero_takes_out_however_often(self, mine, offer):
        basket.add(basket=mine, offer_id=offer.pk)
        basket.set_quantity(basket=mine, offer_id=offer.pk, quantity=5)
        assert inside(mine) == {offer.pk: 5}
        basket.set_quantity(basket=mine, offer_id=offer.pk, quantity=0)
        basket.set_quantity(basket=mine, offer_id=offer.pk, quantity=0)
        assert inside(mine) == {}

    def test_of_what_is_not_in_the_basket_is_refused(self, mine, offer):
        with pytest.raises(BasketLine.DoesNotExist):
            basket.set_quantity(basket=mine, offer_id=offer.pk, quantity=1)


class TestMergeIntoMember:
    def test_adds_up_to_99_and_a_second_time_changes_nothing(self, mine, offer):
        second = OfferFactory(store=offer.store)
        visitor = basket.get_basket(store=offer.store)
        basket.add(basket=mine, offer_id=offer.pk, quantity=60)
        basket.add(basket=visitor, offer_id=offer.pk, quantity=60)
        basket.add(basket=visitor, offer_id=second.pk, quantity=2)
        for _ in range(2):
            basket.merge_into_member(tokens=[visitor.token], member=mine.member)
            assert inside(mine) == {offer.pk: 99, second.pk: 2}
        assert Basket.objects.get() == mine

    def test_never_takes_another_members_basket(self, mine, offer):
        basket.add(basket=mine, offer_id=offer.pk)
        basket.merge_into_member(tokens=[mine.token], member=MemberFactory())
        assert inside(mine) == {offer.pk: 1}


class TestContents:
    def test_tells_what_can_be_had_and_what_that_costs(self, mine, offer):
        fine, short, gone, old = (OfferFactory(store=offer.store, price=price) for price in (100, 30, 7, 5))
        for wished in (fine, short, gone, old):
            basket.add(basket=mine, offer_id=wished.pk, quantity=3)
        Offer.objects.filter(pk=short.pk).update(stock=2)
        Offer.objects.filter(pk=gone.pk).update(stock=0)
        Offer.objects.filter(pk=old.pk).update(is_active=False)
        found = basket.contents(mine, store=offer.store)
        assert [(row.problem, row.available, row.amount) for row in found.rows] == [
            ("", 3, 300),
            ("short", 2, 60),
            ("sold_out", 0, 0),
            ("off_sale", 0, 0),
        ]
        assert found.total == 360
        assert found.wanted == [Wanted(fine.pk, 3, Decimal(100)), Wanted(short.pk, 2, Decimal(30))]

    def test_takes_one_query_however_much_is_in_it(self, mine, offer, django_assert_num_queries):
        for _ in range(4):
            basket.add(basket=mine, offer_id=OfferFactory(store=offer.store).pk)
        with django_assert_num_queries(1):
            assert [row.offer.product.need.name for row in basket.contents(mine, store=offer.store).rows]


class TestTakeOut:
    def test_leaves_what_was_put_in_since(self, mine, offer):
        bought, more = OfferFactory(store=offer.store), OfferFactory(store=offer.store)
        for wished in (offer, bought, more):
            basket.add(basket=mine, offer_id=wished.pk, quantity=2)
        basket.take_out(basket=mine, bought=[Wanted(bought.pk, 2), Wanted(more.pk, 1)])
        assert inside(mine) == {offer.pk: 2, more.pk: 1}


class TestBasketPages:
    def test_a_visitors_basket_is_kept_from_page_to_page(self, client, offer):
        answer = client.post(url("basket_add", offer), {"quantity": 2})
        assert answer.url == reverse("shop:store", args=[offer.store.code])
        client.post(url("basket_add", offer))
        page = client.get(basket_url(offer))
        assert [row.quantity for row in page.context["basket"].rows] == [3]
        assert "NT$900" in page.content.decode()

    def test_each_store_has_its_own(self, client, offer):
        other = OfferFactory()
        client.post(url("basket_add", offer))
        client.post(url("basket_add", other))
        for one in (offer, other):
            assert [row.offer for row in client.get(basket_url(one)).context["basket"].rows] == [one]

    def test_looking_makes_no_basket_and_no_session(self, client, offer):
        assert "Your basket is empty" in client.get(basket_url(offer)).content.decode()
        assert not Basket.objects.exists()
        assert not client.cookies.get("sessionid")

    def test_survives_signing_in_and_pours_into_the_members_own(self, client, offer):
        member = MemberFactory()
        kept = basket.get_basket(store=offer.store, member=member)
        basket.add(basket=kept, offer_id=offer.pk, quantity=1)
        client.post(url("basket_add", offer), {"quantity": 2})
        client.force_login(member)
        assert inside(kept) == {offer.pk: 3}
        assert [row.quantity for row in client.get(basket_url(offer)).context["basket"].rows] == [3]

    def test_follows_the_member_to_another_device(self, client, offer):
        member = MemberFactory()
        client.post(url("basket_add", offer))
        client.force_login(member)
        phone = Client()
        phone.force_login(member)
        assert [row.offer for row in phone.get(basket_url(offer)).context["basket"].rows] == [offer]

    def test_is_nobody_elses(self, client, offer):
        client.post(url("basket_add", offer), {"quantity": 2})
        stranger = Client()
        stranger.post(url("basket_set", offer), {"quantity": 9})
        assert stranger.get(basket_url(offer)).context["basket"].rows == []
        assert BasketLine.objects.get().quantity == 2

    @pytest.mark.parametrize("quantity", ["0", "-1", "100", "two", "1.5", "9" * 40])
    def test_an_odd_quantity_is_explained_and_nothing_put_in(self, client, offer, quantity):
        page = client.post(url("basket_add", offer), {"quantity": quantity}, follow=True)
        assert "Choose a quantity from 1 to 99." in page.content.decode()
        assert not BasketLine.objects.exists()

    def test_set_changes_removes_and_explains(self, client, offer):
        client.post(url("basket_add", offer))
        client.post(url("basket_set", offer), {"quantity": "4"})
        assert BasketLine.objects.get().quantity == 4
        page = client.post(url("basket_set", offer), {"quantity": "-4"}, follow=True)
        assert "Choose a quantity from 0 to 99." in page.content.decode()
        assert BasketLine.objects.get().quantity == 4
        for _ in range(2):
            assert client.post(url("basket_set", offer), {"quantity": "0"}).url == basket_url(offer)
            assert not BasketLine.objects.exists()
        assert client.post(url("basket_set", offer), {"quantity": "2"}).status_code == 404

    def test_what_is_not_sold_here_is_not_found(self, client, offer):
        inactive = OfferFactory(store=offer.store, is_active=False)
        assert client.post(url("basket_add", inactive)).status_code == 404
        foreign = reverse("shop:basket_add", args=[StoreFactory().code, offer.pk])
        assert client.post(foreign).status_code == 404
        assert not BasketLine.objects.exists()

    def test_sold_out_meanwhile_is_said(self, client):
        page = client.post(url("basket_add", OfferFactory(stock=0)), follow=True)
        assert "Sold out just now." in page.content.decode()

    def test_goes_back_to_a_page_of_ours_only(self, client, offer):
        ours = reverse("shop:product", args=[offer.store.code, offer.product.sku])
        assert client.post(url("basket_add", offer), {"next": ours}).url == ours
        for theirs in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"):
            answer = client.post(url("basket_add", offer), {"next": theirs})
            assert answer.url == reverse("shop:store", args=[offer.store.code])

    def test_htmx_gets_the_message_and_the_new_number_only(self, client, offer):
        answer = client.post(url("basket_add", offer), {"quantity": 3}, headers={"HX-Request": "true"})
        part = answer.content.decode()
        assert "In your basket: 3 packs." in part
        assert 'id="basket-link"' in part
        assert "<html" not in part

    @pytest.mark.parametrize("name", ["basket_add", "basket_set"])
    def test_get_is_refused(self, client, offer, name):
        assert client.get(url(name, offer)).status_code == 405

    def test_a_form_of_another_site_is_refused(self, offer):
        assert Client(enforce_csrf_checks=True).post(url("basket_add", offer)).status_code == 403

    def test_troubles_are_said_on_the_page(self, client, offer):
        client.post(url("basket_add", offer), {"quantity": 9})
        Offer.objects.update(stock=2)
        assert "Only 2 left: this order takes 2." in client.get(basket_url(offer)).content.decode()
        Offer.objects.update(stock=0)
        page = client.get(basket_url(offer)).content.decode()
        assert "Sold out: left out of this order." in page
        assert reverse("shop:checkout", args=[offer.store.code]) not in page
        Offer.objects.update(is_active=False)
        assert "No longer sold: left out of this order." in client.get(basket_url(offer)).content.decode()

    def test_speaks_the_goods_chinese_names(self, client):
        offer = OfferFactory(product=ProductFactory(name_zh="濕巾", name_en="Wipes"))
        client.post(url("basket_add", offer))
        assert "濕巾" in client.get(basket_url(offer), headers={"Accept-Language": "zh-TW"}).content.decode()
