"""A person or organisation with many addresses, each as certain as we are of it."""

from dataclasses import dataclass
from enum import StrEnum


class AddressKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    WEB = "web"
    FAX = "fax"
    EXTERNAL = "external"


class Certainty(StrEnum):
    VERIFIED = "verified"  # confirmed twice by a person, or proven (signed link, code)
    KNOWN = "known"  # given by the customer, an import, or chosen once by an agent
    MAYBE = "maybe"  # a guess


@dataclass(frozen=True, slots=True)
class Address:
    kind: AddressKind
    value: str
    certainty: Certainty = Certainty.KNOWN
