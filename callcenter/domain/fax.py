"""Faxes that a gateway sends on by mail: whose they are; pure.

Written after what HylaFAX (faxrcvd) and providers of faxes by mail put into their subjects and texts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from callcenter.domain.mail import Mail
from callcenter.domain.phone import parse_number

_NUMBER = r"(\+?\(?\d[\d\s().\-/]{2,24}\d)"
# The surest first: a caller's number by its name, then what a fax came from.
_SAID = (
    re.compile(r"caller[\s-]*id[\"':\s]+" + _NUMBER, re.IGNORECASE),
    re.compile(r"(?:主叫|来电|傳真|传真)(?:号码|號碼)?[:：\s]*" + _NUMBER),
    re.compile(r"(?:\bfrom|\bvon|\bde|来自|來自)[\"':：\s]+" + _NUMBER, re.IGNORECASE),
)
_LINE = re.compile(
    r"^\s*(?:sender|caller[\s-]*id|from|发件人|主叫号码)\s*[:：]\s*" + _NUMBER + r"\s*$", re.IGNORECASE | re.MULTILINE
)
_LOCAL = re.compile(r"(?:fax[.=_-]?)?(\+?\d{5,15})(?:[.=_-]?fax)?")
_HEAD = 64 * 1024
_LONGEST = 64
PAGED = frozenset({"application/pdf", "image/tiff", "image/tif", "image/x-tiff"})


@dataclass(frozen=True, slots=True)
class FaxGateway:
    """`sender`: an address, or a domain with its @; `header`: where it writes the caller's number, if anywhere."""

    sender: str
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """`identifies`: whether the number may be a customer's."""

    number: str
    identifies: bool


def gateway_of(mail: Mail, gateways: Iterable[FaxGateway]) -> FaxGateway | None:
    """The gateway from which a message is; an address goes before its domain."""
    address = "" if mail.sender is None else mail.sender.address.lower()
    by_sender = {each.sender: each for each in gateways}
    return by_sender.get(address) or by_sender.get(f"@{address.rpartition('@')[2]}") if address else None


def caller_of(mail: Mail, raw: bytes, gateway: FaxGateway, *, region: str) -> Caller | None:
    """The first number that is one: of the declared header, the subject, the sender's name and address, the text."""
    local = "" if mail.sender is None else mail.sender.address.partition("@")[0]
    named = "" if mail.sender is None else mail.sender.name
    given = [_header(raw, gateway.header)] if gateway.header else []
    given += [found[1] for each in _SAID if (found := each.search(mail.subject[:500]))]
    given += [found[1] for text in (named, local) if (found := _LOCAL.fullmatch(text.replace(" ", "")))]
    given += [found[1] for found in _LINE.finditer(mail.text[:5000])]
    guess: Caller | None = None
    for text in given:
        number = parse_number(" ".join(text.split())[:_LONGEST], region)
        if number.identifies:
            return Caller(number.value, identifies=True)
        if guess is None and number.value:
            guess = Caller(number.value, identifies=False)
    return guess


def _header(raw: bytes, name: str) -> str:
    head = raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = re.search(rb"^" + re.escape(name.encode()) + rb":[ \t]*([^\n]{0,200})", head, re.IGNORECASE | re.MULTILINE)
    return found[1].decode(errors="replace") if found else ""
