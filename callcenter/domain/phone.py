"""Phone numbers as networks send them: E.164 where that is sure, otherwise kept as they came, matching nobody."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers

# Chinese IP-call access codes that callers' phones put before the number they dial.
_ACCESS_CODES = ("17951", "17911", "12593", "17909", "17901", "10193")
_WITHHELD = {"", "anonymous", "unknown", "<unknown>", "restricted", "private", "unavailable", "withheld", "asterisk"}
_MAX_LENGTH = 64


class NumberKind(StrEnum):
    VALID = "valid"  # a number of the world's plan; value is E.164
    SHORT = "short"  # a service number of the region (95500, 112); value is its digits
    EXTENSION = "extension"  # up to five digits that are no service number; value is its digits
    WITHHELD = "withheld"  # the caller hides it; value is empty
    MALFORMED = "malformed"  # anything else; value is what came, cut to 64 characters


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    value: str
    kind: NumberKind

    @property
    def identifies(self) -> bool:
        """Whether it may match a customer."""
        return self.kind is NumberKind.VALID


def parse_number(raw: str, region: str) -> PhoneNumber:
    """What the network sent, for a region (ISO 3166) whose numbers may come without country code. Never raises."""
    # What is too long to be a number is not worth a place in the cache.
    return _parse(raw, region) if len(raw) <= 2 * _MAX_LENGTH else PhoneNumber(raw[:_MAX_LENGTH], NumberKind.MALFORMED)


@lru_cache(maxsize=4096)
def _parse(raw: str, region: str) -> PhoneNumber:
    bare = raw.strip().removeprefix("sip:").removeprefix("tel:").partition("@")[0]
    if bare.lower() in _WITHHELD:
        return PhoneNumber("", NumberKind.WITHHELD)
    if len(bare) > _MAX_LENGTH:
        return PhoneNumber(raw[:_MAX_LENGTH], NumberKind.MALFORMED)
    text = _dialled(bare, region)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return PhoneNumber(raw[:_MAX_LENGTH], NumberKind.MALFORMED)
    if not text.startswith("+") and (short := _short(text, number, region)) is not None:
        return short
    if phonenumbers.is_valid_number(number):
        return PhoneNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), NumberKind.VALID)
    return PhoneNumber(raw[:_MAX_LENGTH], NumberKind.MALFORMED)


def _dialled(text: str, region: str) -> str:
    """Without access codes, and with a plus for the international prefix."""
    digits = phonenumbers.normalize_digits_only(text)
    if region == "CN":
        for code in _ACCESS_CODES:
            if digits.startswith(code) and len(digits) >= len(code) + 7:
                return digits[len(code) :]
    return f"+{text[2:]}" if text.startswith("00") and region != "US" else text


def _short(text: str, number: phonenumbers.PhoneNumber, region: str) -> PhoneNumber | None:
    digits = phonenumbers.normalize_digits_only(text)
    if not 1 <= len(digits) <= 6:
        return None
    if phonenumbers.is_valid_short_number_for_region(number, region):
        return PhoneNumber(digits, NumberKind.SHORT)
    return PhoneNumber(digits, NumberKind.EXTENSION) if len(digits) <= 5 else None
