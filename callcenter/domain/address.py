"""Addresses as people write them, in the form in which they are kept and compared."""

import re

from callcenter.domain.customer import Address, AddressKind, Certainty
from callcenter.domain.phone import parse_number
from callcenter.errors import Invalid

# One at sign, no spaces, a dot in the domain: what a mail server would say about the rest only it knows.
_EMAIL = re.compile(
    r"[^\s\x00-\x20\x7f@<>\"(),:;\[\]\\]{1,64}@[^\s\x00-\x20\x7f@<>\"(),:;\[\]\\.]+"
    r"(?:\.[^\s\x00-\x20\x7f@<>\"(),:;\[\]\\.]+)+"
)
_MAX_LENGTH = 254


def read_address(kind: AddressKind, raw: str, *, region: str, certainty: Certainty = Certainty.KNOWN) -> Address:
    """A customer's address; phone and fax numbers of `region` may come without country code. Raises Invalid."""
    text = raw.strip()
    match kind:
        case AddressKind.PHONE | AddressKind.FAX:
            number = parse_number(text, region)
            if not number.identifies:
                raise Invalid(f"{raw[:64]!r} is no phone number.", field=kind)
            return Address(kind, number.value, certainty)
        case AddressKind.EMAIL:
            if len(text) > _MAX_LENGTH or not _EMAIL.fullmatch(text):
                raise Invalid(f"{raw[:64]!r} is no e-mail address.", field=kind)
            return Address(kind, text.lower(), certainty)
        case AddressKind.WEB | AddressKind.EXTERNAL:
            if not text or len(text) > _MAX_LENGTH or not text.isprintable():
                raise Invalid(f"{raw[:64]!r} is no address.", field=kind)
            return Address(kind, text, certainty)
