"""Phone numbers as people write them, kept as E.164."""

import phonenumbers

HOME_REGION = "TW"


class NotAPhone(ValueError):
    """What was typed cannot be the number of a phone."""


def to_e164(typed: str, region: str = HOME_REGION) -> str:
    """`0912-345 678` -> `+886912345678`; a number without a country code is read as one of `region` (ISO 3166).

    Raises NotAPhone for what no phone in the world can have.
    """
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as error:
        raise NotAPhone(typed) from error
    if not phonenumbers.is_valid_number(number):
        raise NotAPhone(typed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def for_people(e164: str) -> str:
    """`+886912345678` -> `0912 345 678` at home, with the country code for numbers from elsewhere."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    if phonenumbers.region_code_for_number(number) == HOME_REGION:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
