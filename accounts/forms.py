"""What people type about themselves."""

import re
from collections.abc import Mapping
from typing import Any, cast

import phonenumbers
from allauth.account.adapter import get_adapter
from babel import Locale
from django import forms
from django.http import HttpRequest
from django.utils.translation import get_language, gettext, to_locale
from django.utils.translation import gettext_lazy as _

from accounts import consents, time_zones
from accounts.models import Address, ConsentEntry, User
from accounts.phones import HOME_REGION, NOT_A_PHONE, NotAPhone, for_people, to_e164
from notify.channels import sms


class JoinForm(forms.Form):
    """What joining asks for: a name and one contact; allauth builds its own forms (page and app) on top of this."""

    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "phone", "email"]

    def full_clean(self) -> None:
        # allauth insists on the e-mail as long as an e-mail, once given, has to be proved.
        if "email" in self.fields:
            self.fields["email"].required = False
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            check_contact(self.cleaned_data)
        return self.cleaned_data

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth asks for it; see accounts.sign_in.NameWaits for what becomes of the name."""


def check_contact(given: Mapping[str, Any]) -> None:
    """Refuse, in allauth's words, all but one e-mail or one phone to which a code can be sent."""
    if bool(given.get("email")) == bool(given.get("phone")):
        raise get_adapter().validation_error("one_contact")
    if given.get("phone") and not sms.is_available():
        raise get_adapter().validation_error("no_sms")


class ProfileForm(forms.ModelForm):
    """The member's name, language and clock; `cleaned_data` fits accounts.members.change_profile as it is."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones.choices)

    class Meta:
        model = User
        fields = ["name", "language", "time_zone"]
        labels = {"name": _("Name"), "language": _("Language")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        zones = cast(forms.ChoiceField, self.fields["time_zone"])
        if (mine := self.instance.time_zone) not in dict(time_zones.choices()):
            # An app may have chosen an old name of a zone: saving the name must not move the clock.
            zones.choices = [*time_zones.choices(), (mine, mine)]


class ConsentForm(forms.Form):
    """What may be sent, and by which way; `cleaned_data` fits accounts.consents.choose as it is."""

    order_channel = forms.ChoiceField(
        label=ConsentEntry.Purpose.ORDERS.label, choices=User.OrderChannel.choices, widget=forms.RadioSelect
    )
    reminder_channel = forms.ChoiceField(
        label=ConsentEntry.Purpose.REMINDERS.label, choices=User.ReminderChannel.choices, widget=forms.RadioSelect
    )
    email_consent = forms.BooleanField(label=_("Offers by e-mail"), required=False)
    sms_consent = forms.BooleanField(label=_("Offers by SMS"), required=False)

    def __init__(self, *args: Any, member: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.initial = {name: getattr(member, name) for name in self.fields}
        words = consents.WORDINGS[consents.WORDING]
        self.fields["order_channel"].help_text = _(words[consents.Purpose.ORDERS])
        self.fields["reminder_channel"].help_text = _(words[consents.Purpose.REMINDERS])

    @property
    def offers_words(self) -> str:
        return gettext(consents.WORDINGS[consents.WORDING][consents.Purpose.OFFERS])

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name in self.changed_data:
            if problem := channel_missing(self.member, name, self.cleaned_data.get(name)):
                self.add_error(name, problem)
        return self.cleaned_data


def channel_missing(member: User, wish: str, value: Any) -> str:
    """Why the member cannot have `value` for a wish of accounts.consents.choose: there is no contact for it."""
    channel = {"email_consent": consents.Channel.EMAIL, "sms_consent": consents.Channel.SMS}.get(wish, value)
    if not value or value == getattr(member, wish) or consents.is_reachable(member, channel):
        return ""
    by_email = channel == consents.Channel.EMAIL
    return gettext("Please add an e-mail first.") if by_email else gettext("Please add a phone first.")


class BirthdayForm(forms.Form):
    birthday = forms.DateField(
        label=_("Birthday"), widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d")
    )


def country_choices() -> list[tuple[str, str]]:
    """Every country with telephones, named in the language of the moment: Taiwan first, the others by name."""
    names = Locale.parse(to_locale(get_language() or "en")).territories
    others = sorted(phonenumbers.SUPPORTED_REGIONS - {HOME_REGION}, key=lambda code: names.get(code, code))
    return [(code, names.get(code, code)) for code in [HOME_REGION, *others]]


class AddressForm(forms.ModelForm):
    """An address in Taiwan or elsewhere; `cleaned_data` fits accounts.members.save_address as it is."""

    country = forms.ChoiceField(
        label=_("Country or region"),
        choices=country_choices,
        initial=HOME_REGION,
        widget=forms.Select(attrs={"autocomplete": "shipping country"}),
    )
    make_default = forms.BooleanField(label=_("Deliver here from now on"), required=False)
    # Which fields are needed depends on the country, and that may change while the page is open.
    use_required_attribute = False

    class Meta:
        model = Address
        fields = ["recipient", "phone", "country", "postal_code", "city", "region", "street"]
        labels = {
            "recipient": _("Recipient"),
            "phone": _("Phone"),
            "postal_code": _("Postal code"),
            "city": _("City and district"),
            "region": _("State or province"),
            "street": _("Street and number"),
        }
        help_texts = {"phone": _("For the courier only.")}
        widgets = {
            "recipient": forms.TextInput(attrs={"autocomplete": "shipping name"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "shipping tel", "inputmode": "tel"}),
            "postal_code": forms.TextInput(attrs={"autocomplete": "shipping postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "shipping address-level2"}),
            "region": forms.TextInput(attrs={"autocomplete": "shipping address-level1"}),
            "street": forms.TextInput(attrs={"autocomplete": "shipping street-address"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get(self.add_prefix("country")) or self.instance.country
        self.fields["postal_code"].required = chosen == HOME_REGION
        if chosen != HOME_REGION:
            self.fields["city"].label = _("City")
            self.order_fields(["recipient", "phone", "country", "street", "city", "region", "postal_code"])
        if phone := self.initial.get("phone"):
            self.initial["phone"] = for_people(phone)
        if self.instance.is_default:
            # The one default is given away by choosing another, never by taking the tick off.
            del self.fields["make_default"]

    def clean_postal_code(self) -> str:
        return self.cleaned_data["postal_code"].replace(" ", "").upper()

    def clean(self) -> dict[str, Any]:
        super().clean()
        country = self.cleaned_data.get("country", HOME_REGION)
        postal_code = self.cleaned_data.get("postal_code", "")
        if country == HOME_REGION:
            self.cleaned_data["region"] = ""
        if country == HOME_REGION and postal_code and not re.fullmatch(r"[0-9]{3}([0-9]{2,3})?", postal_code):
            self.add_error("postal_code", _("A postal code in Taiwan has 3, 5 or 6 digits, such as 106."))
        if phone := self.cleaned_data.get("phone"):
            try:
                self.cleaned_data["phone"] = to_e164(phone, country)
            except NotAPhone:
                self.add_error("phone", NOT_A_PHONE)
        return self.cleaned_data
