"""The demo shop: 400 households with 18 months of purchases, a shopper, a newcomer and somebody of the staff."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import birthdays, consents
from accounts.members import claim
from accounts.models import Address, User
from mylist import checks, lists, predictions
from mylist.models import ListItem
from replenish import simulate
from shop import history
from shop.demo import catalogue, seeding
from shop.models import Channel, Offer, PaymentMethod, Purchase, Store
from shop.money import round_money

MEMBERS = 400
DAYS = 548
SEED = 20260101
# So many members' forecasts of so many past weeks are compared with what came, for staff to look at.
CHECKED = 20
CHECKED_WEEKS = 12
_ZONE = ZoneInfo("Asia/Taipei")
_EPOCH = date(1970, 1, 1)
_SURNAMES = "陳林黃張李王吳劉蔡楊許鄭謝郭洪邱曾廖賴周"
_GIVEN = [
    "怡君",
    "雅婷",
    "志明",
    "淑芬",
    "家豪",
    "美玲",
    "俊傑",
    "佩珊",
    "宗翰",
    "欣怡",
    "柏翰",
    "詩涵",
    "承恩",
    "宜蓁",
    "冠宇",
]
_DISTRICTS = ["臺北市大安區", "新北市板橋區", "桃園市中壢區", "臺中市西屯區", "臺南市東區", "高雄市左營區"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """How to get in as one of the demo's people; password and key are made anew at every seeding.

    `totp` is the key of the app that shows codes; only staff have one.
    """

    email: str
    password: str
    totp: str = ""


class AlreadySeeded(Exception):
    """There are stores already; the demo is only written into an empty shop."""


def seed(
    *, at: datetime, members: int = MEMBERS, progress: Callable[[str], object] = lambda step: None
) -> dict[str, SignIn]:
    """Fill an empty shop; the same seed and moment give the same shop, but for the passwords.

    Returns the sign-ins by role: shopper (with items due), newcomer (no purchase yet) and staff.
    """
    if Store.objects.exists():
        raise AlreadySeeded
    rng = np.random.default_rng(SEED)
    demo = catalogue.load()
    with transaction.atomic():
        progress("stores and products")
        offers = seeding.fill(demo)
        progress("members")
        people = _members(members, at, rng)
        progress("18 months of purchases")
        _purchases(demo, offers, people, at, rng)
        _birthdays(people, at)
        progress("predictions")
        _forecasts_of_past_weeks(people, at)
        predictions.predict_all(at=at)
        shopper = _shopper(at)
        return {
            "shopper": _open(shopper, "shopper@example.com", at, name="林美惠"),
            "newcomer": _open(User(), "newcomer@example.com", at, name="王小明"),
            "staff": _open_staff("staff@example.com", at, name="店長"),
        }


def _members(count: int, at: datetime, rng: np.random.Generator) -> list[User]:
    """Members with an address and a way to pay; three in ten are imported and not yet claimed."""
    no_password = make_password(None)
    people = User.objects.bulk_create(
        User(
            password=no_password,
            member_no=f"D{number:05d}",
            name=_SURNAMES[rng.integers(len(_SURNAMES))] + _GIVEN[rng.integers(len(_GIVEN))],
            email=f"member{number}@example.com",
            phone=f"+8869{number:08d}",
            joined_at=at - timedelta(days=DAYS),
            claimed_at=None if rng.random() < 0.3 else at - timedelta(days=int(rng.integers(1, DAYS))),
            language="en" if rng.random() < 0.1 else "zh-hant",
            email_consent=bool(rng.random() < 0.6),
        )
        for number in range(1, count + 1)
    )
    consents.begin(people)
    Address.objects.bulk_create(
        Address(
            member=person,
            recipient=person.name,
            phone=person.phone,
            postal_code=str(100 + int(rng.integers(800))),
            city=_DISTRICTS[rng.integers(len(_DISTRICTS))],
            street=f"中正路 {int(rng.integers(1, 300))} 號",
            is_default=True,
        )
        for person in people
    )
    PaymentMethod.objects.bulk_create(
        PaymentMethod(member=person, kind=PaymentMethod.Kind.CASH, is_default=True) for person in people
    )
    return people


def _purchases(
    demo: catalogue.DemoCatalogue,
    offers: dict[str, Offer],
    people: list[User],
    at: datetime,
    rng: np.random.Generator,
) -> None:
    needs = {need.slug: number for number, need in enumerate(demo.needs)}
    products = simulate.Products(
        need=np.array([needs[product.need] for product in demo.products]),
        use_days=np.array([float(product.use_days) for product in demo.products]),
        popularity=np.array([float(product.popularity) for product in demo.products]),
    )
    last_day = (at.astimezone(_ZONE).date() - _EPOCH).days
    bought = simulate.simulate(products, rng, members=len(people), start_day=last_day - DAYS, days=DAYS)
    channels = {
        (channel.store_id, channel.kind): channel for channel in Channel.objects.order_by("pk").select_related("store")
    }
    kinds = [Channel.Kind.ONLINE, Channel.Kind.APP, Channel.Kind.BRANCH]
    kind_of = rng.choice(3, len(people), p=[0.5, 0.3, 0.2])
    # A sixth of the prices went up a month ago, so that the list has something to say about prices.
    dearer = {sku for sku in offers if rng.random() < 1 / 6}
    listed = [offers[product.sku] for product in demo.products]
    rows = zip(
        bought.member.tolist(),
        bought.product.tolist(),
        bought.day.tolist(),
        bought.minute_of_day.tolist(),
        bought.quantity.tolist(),
        strict=True,
    )
    lines: list[Purchase] = []
    for number, (member, product, day, minute, quantity) in enumerate(rows):
        offer = listed[product]
        on = _EPOCH + timedelta(days=day)
        moment = datetime(on.year, on.month, on.day, tzinfo=_ZONE) + timedelta(minutes=minute)
        old_price = demo.products[product].sku in dearer and day < last_day - 30
        lines.append(
            Purchase(
                transaction_no=f"DEMO-{day}-{member}",
                line_no=number,
                member=people[member],
                channel=channels[offer.store_id, kinds[kind_of[member]]],
                product_id=offer.product_id,
                purchased_at=moment,
                purchased_on=on,
                quantity=quantity,
                unit_price=round_money(offer.price * Decimal("0.92"), offer.currency) if old_price else offer.price,
                currency=offer.currency,
            )
        )
    Purchase.objects.bulk_create(lines, batch_size=2000)


def _birthdays(people: list[User], at: datetime) -> None:
    """As an old till leaves them: some are missing, and some are what the cashier typed to get on."""
    rng = np.random.default_rng([SEED, 1])  # its own, so that nothing else of the demo hangs on it
    today = at.astimezone(_ZONE).date()
    for number, person in enumerate(people):
        born = today.replace(month=1, day=1) - timedelta(days=int(rng.integers(20 * 365, 70 * 365)))
        if number % 40 == 7:
            born = born.replace(month=1, day=1)
        elif number % 80 == 11:
            born = person.joined_at.astimezone(_ZONE).date()
        elif number % 3 == 0:
            continue
        person.birthday, person.birthday_source = born, User.BirthdaySource.IMPORT
    User.objects.bulk_update(people, ["birthday", "birthday_source"])
    birthdays.flag(today=today, first_bought=history.first_day())


def _forecasts_of_past_weeks(people: list[User], at: datetime) -> None:
    """What the list would have said to some members in past weeks, judged by what they bought since.

    One model tells them all, fitted before the first of them: no week is told by one that has seen it. It never runs.
    """
    members = [person.pk for person in people[:CHECKED]]
    weeks = [at - timedelta(weeks=ago) for ago in range(CHECKED_WEEKS, 0, -1)]
    fitted = predictions.fit(at=weeks[0])
    for past in weeks:
        predictions.predict_members(member_ids=members, at=past, fitted=fitted, overwrite=True)
        checks.keep(at=past)
    checks.judge(at=at)


def _shopper(at: datetime) -> User:
    """Somebody with a full list of which four to seven things are due, some in every store."""
    candidates = history.returning_members(at).filter(
        pk__in=ListItem.objects.filter(lists.due_on(at.astimezone(_ZONE).date())).values("member"),
        claimed_at__isnull=False,
    )
    best = None
    for member in candidates.order_by("pk"):
        found = lists.build(member=member, at=at)
        stores = {entry.store.pk for entry in found.due if entry.store}
        sold_out = len(found.group(lists.Group.DUE)) - found.due_count
        score = (-sold_out, len(stores), -abs(found.due_count - 5))
        if best is None or score > best[0]:
            best = (score, member)
    if best is None:
        raise RuntimeError("no simulated household has anything due; simulate more of them")
    return best[1]


def _open(member: User, email: str, at: datetime, *, name: str) -> SignIn:
    """Give a member a proved e-mail and a fresh password."""
    password = secrets.token_urlsafe(9)
    member.name, member.email, member.language = name, email, "zh-hant"
    member.set_password(password)
    member.save()
    member.addresses.update(recipient=name)
    claim(member=member, email=email, at=at)
    return SignIn(email, password)


def _open_staff(email: str, at: datetime, *, name: str) -> SignIn:
    """Somebody of the staff, who has an app with codes: the admin opens with nothing less."""
    staff = User(is_staff=True, is_superuser=True)
    sign_in = _open(staff, email, at, name=name)
    secret = generate_totp_secret()
    TOTP.activate(staff, secret)
    return replace(sign_in, totp=secret)
