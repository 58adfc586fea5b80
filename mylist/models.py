"""The list of a returning customer, what the engine said of it, and the reminders it led to."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.models import Offer, Product


class ListItem(models.Model):
    """One bought-before product on a member's list: the member's wishes, and facts copied from the history.

    The facts (offer, last_*, times_bought) are rewritten by every prediction and never the only copy of anything.
    """

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="list_items",
        verbose_name=_("member"),
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="list_items", verbose_name=_("product"))
    # Where a reorder goes: the store it was last bought in, or another that has it; empty when none does.
    offer = models.ForeignKey(
        Offer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("offer")
    )
    pinned_at = models.DateTimeField(_("pinned at"), null=True, blank=True)
    hidden_at = models.DateTimeField(_("hidden at"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    # Set by the member with the stepper; empty: what the forecast suggests.
    quantity = models.PositiveIntegerField(_("quantity"), null=True, blank=True)
    last_bought_at = models.DateTimeField(_("last bought at"))
    last_quantity = models.DecimalField(_("last quantity"), max_digits=12, decimal_places=3)
    last_unit_price = models.DecimalField(_("last price"), max_digits=12, decimal_places=4)
    last_currency = models.CharField(_("currency"), max_length=3)
    times_bought = models.PositiveIntegerField(_("times bought"))

    class Meta:
        verbose_name = _("list item")
        verbose_name_plural = _("list items")
        constraints = [
            models.UniqueConstraint(fields=["member", "product"], name="one_list_item_a_member_and_product"),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gte=1), name="list_quantity_at_least_one"
            ),
            models.CheckConstraint(condition=Q(times_bought__gte=1), name="list_items_were_bought"),
        ]

    def __str__(self) -> str:
        return f"{self.product}"


class FittedModel(models.Model):
    """The engine's model as fitted at a moment, what its back-test said, and whether it makes the forecasts.

    At most one is running. `scores` is the back-test as mylist.predictions.fitting lays it out; `verdict` is what was
    made of it, phrased by mylist.verdicts.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        KEPT = "kept", _("Kept aside")
        REFUSED = "refused", _("Refused")
        RETIRED = "retired", _("Retired")
        TURNED_BACK = "turned_back", _("Turned back")
        UNREADABLE = "unreadable", _("Unreadable")

    class Verdict(models.TextChoices):
        BETTER = "better", _("Better than what was running")
        REFIT = "refit", _("The running model, fitted again")
        FIRST = "first", _("The first model, better than the simple ones")
        WORSE = "worse", _("Not better than what was running")
        SIMPLE = "simple", _("Not better than a simple model")
        BARRED = "barred", _("Turned back by staff before")
        ONLY = "only", _("Not better than a simple model, but there was none to keep")
        YOUNG = "young", _("Too little history for a back-test")
        STAND_IN = "stand_in", _("Fitted without a back-test")

    kind = models.CharField(_("kind"), max_length=16)
    version = models.CharField(_("version"), max_length=64)
    as_of = models.DateTimeField(_("as of"))
    fitted_at = models.DateTimeField(_("fitted at"))
    # As replenish.dump wrote it: plain arrays with a version and a checksum of its own.
    data = models.BinaryField(_("data"))
    # SHA-256 of the data: tells two fits apart without reading them.
    checksum = models.CharField(_("checksum"), max_length=64, blank=True)
    scores = models.JSONField(_("back-test"), default=dict, blank=True)
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict.choices, default=Verdict.STAND_IN)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.KEPT)
    running_since = models.DateTimeField(_("running since"), null=True, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("fitted model")
        verbose_name_plural = _("fitted models")
        get_latest_by = "fitted_at"
        constraints = [
            models.UniqueConstraint(fields=["status"], condition=Q(status="running"), name="one_running_model"),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(running_since__isnull=False, retired_at__isnull=True),
                name="a_running_model_runs_since_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.as_of:%Y-%m-%d}"


class ModelSwitch(models.Model):
    """Another model began to make the forecasts: which, instead of which, and who wanted it."""

    class Reason(models.TextChoices):
        FIT = "fit", _("by itself, after a fit")
        BY_HAND = "by_hand", _("switched on by hand")
        TURNED_BACK = "turned_back", _("turned back by hand")

    fitted = models.ForeignKey(
        FittedModel, on_delete=models.CASCADE, related_name="switches", verbose_name=_("fitted model")
    )
    instead_of = models.ForeignKey(
        FittedModel, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("instead of")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    # Nobody: it happened by itself, or on the command line.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("switch of models")
        verbose_name_plural = _("switches of models")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} · {self.at:%Y-%m-%d}"


class Prediction(models.Model):
    """The newest forecast of one list item; it can be made again from history, as_of and model_version."""

    item = models.OneToOneField(
        ListItem,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="prediction",
        verbose_name=_("list item"),
    )
    model_version = models.CharField(_("model"), max_length=64)
    as_of = models.DateTimeField(_("as of"))
    p7 = models.FloatField(_("chance in 7 days"))
    p14 = models.FloatField(_("chance in 14 days"))
    p28 = models.FloatField(_("chance in 28 days"))
    # Quantiles of the next purchase given that it comes within 56 days.
    expected_on = models.DateField(_("expected on"))
    lower_on = models.DateField(_("10 % before"))
    upper_on = models.DateField(_("90 % before"))
    interval_days = models.FloatField(_("usual gap in days"))
    supply_left = models.FloatField(_("supply left"))
    suggested_quantity = models.PositiveIntegerField(_("suggested quantity"))
    score = models.FloatField(_("score"))

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        constraints = [
            models.CheckConstraint(
                condition=Q(p7__gte=0, p14__gte=F("p7"), p28__gte=F("p14"), p28__lte=1),
                name="chances_in_order",
            ),
            models.CheckConstraint(
                condition=Q(expected_on__gte=F("lower_on"), upper_on__gte=F("expected_on")),
                name="window_in_order",
            ),
            models.CheckConstraint(condition=Q(supply_left__gte=0, supply_left__lte=1), name="supply_between_0_and_1"),
            models.CheckConstraint(condition=Q(suggested_quantity__gte=1), name="suggestion_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.item}"


class Shard(models.Model):
    """A part of the newest nightly round: the members with ids from the first to the last; see mylist.rounds."""

    began_at = models.DateTimeField(_("round began at"))
    first_member_id = models.BigIntegerField(_("first member"))
    last_member_id = models.BigIntegerField(_("last member"))
    members = models.PositiveIntegerField(_("members"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("shard of a round")
        verbose_name_plural = _("shards of a round")
        constraints = [
            models.UniqueConstraint(fields=["began_at", "first_member_id"], name="one_shard_a_round_and_member"),
            models.CheckConstraint(condition=Q(last_member_id__gte=F("first_member_id")), name="shard_has_members"),
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d} · {self.first_member_id}–{self.last_member_id}"


class ForecastCheck(models.Model):
    """What the list said of an item on one night, and when it was bought afterwards; see mylist.checks.

    The sampled rows of single items live until their outcome is known and summed up in ChanceScore and DateScore.
    """

    item = models.ForeignKey(
        ListItem, on_delete=models.CASCADE, related_name="checks", db_index=False, verbose_name=_("list item")
    )
    # The shop's local day of `kept_at`, the moment from which the days ahead are counted.
    kept_on = models.DateField(_("kept on"), db_index=True)
    kept_at = models.DateTimeField(_("kept at"))
    model_version = models.CharField(_("model"), max_length=64)
    p7 = models.FloatField(_("chance in 7 days"))
    p14 = models.FloatField(_("chance in 14 days"))
    p28 = models.FloatField(_("chance in 28 days"))
    expected_on = models.DateField(_("expected on"))
    lower_on = models.DateField(_("10 % before"))
    upper_on = models.DateField(_("90 % before"))
    times_bought = models.PositiveIntegerField(_("times bought"))
    is_newcomer = models.BooleanField(_("new customer"))
    bought_at = models.DateTimeField(_("bought at"), null=True, blank=True)
    # The member's local day of it, as the dates of the forecast are.
    bought_on = models.DateField(_("bought on"), null=True, blank=True)

    class Meta:
        verbose_name = _("kept forecast")
        verbose_name_plural = _("kept forecasts")
        constraints = [
            models.UniqueConstraint(fields=["item", "kept_on"], name="one_check_an_item_and_day"),
            models.CheckConstraint(
                condition=Q(bought_at__isnull=True, bought_on__isnull=True)
                | Q(bought_at__gt=F("kept_at"), bought_on__isnull=False),
                name="checks_look_ahead",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.kept_on}"


class ChanceScore(models.Model):
    """How chances of one tenth (bin 3: 30 to 40 %) came true: sums over the forecasts kept in a week."""

    week = models.DateField(_("week from"))
    model_version = models.CharField(_("model"), max_length=64)
    # Of which forecasts, as mylist.checks.segments spells it: "all", "times:1", "category:12" ...
    segment = models.CharField(_("segment"), max_length=32)
    horizon = models.PositiveSmallIntegerField(_("days ahead"))
    bin = models.PositiveSmallIntegerField(_("tenth"))
    count = models.PositiveIntegerField(_("forecasts"))
    said = models.FloatField(_("sum of the chances"))
    seen = models.PositiveIntegerField(_("came true"))

    class Meta:
        verbose_name = _("chances compared")
        verbose_name_plural = _("forecast quality")
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "horizon", "week", "model_version", "bin"], name="one_chance_score_a_bin"
            ),
            models.CheckConstraint(
                condition=Q(bin__lte=9, count__gte=1, seen__lte=F("count"), said__gte=0), name="chance_scores_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week} · {self.segment} · {self.horizon} · {self.bin}"


class DateScore(models.Model):
    """How dates came true: sums over the forecasts kept in a week whose item was bought within 56 days."""

    week = models.DateField(_("week from"))
    model_version = models.CharField(_("model"), max_length=64)
    segment = models.CharField(_("segment"), max_length=32)
    count = models.PositiveIntegerField(_("bought within 56 days"))
    days_off = models.PositiveIntegerField(_("sum of days off"))
    early = models.PositiveIntegerField(_("before the window"))
    late = models.PositiveIntegerField(_("after the window"))

    class Meta:
        verbose_name = _("dates compared")
        verbose_name_plural = _("dates compared")
        constraints = [
            models.UniqueConstraint(fields=["segment", "week", "model_version"], name="one_date_score_a_week"),
            models.CheckConstraint(
                condition=Q(count__gte=1) & Q(count__gte=F("early") + F("late")), name="date_scores_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week} · {self.segment}"


class Reminder(models.Model):
    """One message for all that is due for one member: planned, then sent or dropped, opened, answered by an order."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Dropped")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminders", verbose_name=_("member")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PLANNED)
    planned_at = models.DateTimeField(_("planned at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped at"), null=True, blank=True)
    dropped_because = models.CharField(_("dropped because"), max_length=64, blank=True)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            # Two planners at once: the second one's row is refused.
            models.UniqueConstraint("member", condition=Q(status="planned"), name="one_open_reminder_a_member"),
            models.CheckConstraint(
                condition=(
                    Q(status="planned", sent_at__isnull=True, dropped_at__isnull=True)
                    | Q(status="sent", sent_at__isnull=False, dropped_at__isnull=True)
                    | Q(status="dropped", sent_at__isnull=True, dropped_at__isnull=False)
                ),
                name="reminder_status_matches_its_moments",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ReminderLine(models.Model):
    """A list item named in a reminder, for the cycle that began with its last purchase.

    The uniqueness of item and cycle is what keeps anybody from being reminded twice of one need; the line of a dropped
    reminder is deleted, so that the need can be brought up again.
    """

    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="lines")
    item = models.ForeignKey(ListItem, on_delete=models.CASCADE, related_name="reminder_lines")
    cycle_began_at = models.DateTimeField(_("cycle began at"))

    class Meta:
        verbose_name = _("reminder line")
        verbose_name_plural = _("reminder lines")
        constraints = [
            models.UniqueConstraint(fields=["item", "cycle_began_at"], name="one_reminder_an_item_and_cycle")
        ]

    def __str__(self) -> str:
        return f"{self.item}"
