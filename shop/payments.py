"""How a member pays, stored so that a reorder need not ask. Charging comes with the providers."""

from django.db import transaction

from accounts.models import User
from shop.models import PaymentMethod


def choose_payment(*, member: User, kind: str, make_default: bool = True) -> PaymentMethod:
    """Keep `kind` (a PaymentMethod.Kind value) for the member; a member's first one is the default in any case.

    Choosing the same kind again changes nothing but the default. Raises ValueError for a kind that is none of ours.
    """
    if kind not in PaymentMethod.Kind.values:
        raise ValueError(f"{kind!r} is no kind of payment")
    with transaction.atomic():
        # The member's row is the lock: two requests at once would otherwise both find no default.
        User.objects.select_for_update().get(pk=member.pk)
        method, _ = PaymentMethod.objects.get_or_create(member=member, kind=kind)
        others = PaymentMethod.objects.filter(member=member, is_default=True).exclude(pk=method.pk)
        if not make_default and others.exists():
            return method
        others.update(is_default=False)
        if not method.is_default:
            method.is_default = True
            method.save(update_fields=["is_default"])
    return method


@transaction.atomic
def forget_payment(*, member: User, method_id: int) -> PaymentMethod:
    """Keep a way to pay no longer, and return it as it was; when it was the default, another takes its place.

    Raises PaymentMethod.DoesNotExist when it is not one of this member's.
    """
    User.objects.select_for_update().get(pk=member.pk)
    method = PaymentMethod.objects.get(pk=method_id, member=member)
    method.delete()
    other = PaymentMethod.objects.filter(member=member).order_by("kind").first()
    if method.is_default and other is not None:
        other.is_default = True
        other.save(update_fields=["is_default"])
    return method


def default_payment(member: User) -> PaymentMethod | None:
    """What an order is paid by when nobody is asked; None when the member never chose."""
    return PaymentMethod.objects.filter(member=member, is_default=True).first()


def payment_methods(member: User) -> list[PaymentMethod]:
    """The member's ways to pay, the default first."""
    return list(PaymentMethod.objects.filter(member=member).order_by("-is_default", "kind"))
