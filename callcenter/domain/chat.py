"""A chat with a visitor of a web page: who they are, and what may be said of it; pure."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import orjson

from callcenter.domain.address import read_address
from callcenter.domain.customer import Address, AddressKind, Certainty
from callcenter.errors import Invalid

# A line is a message of a conversation; what is longer is a document, and may be sent as a file.
LONGEST_TEXT = 4000
LONGEST_NAME = 100
_LONGEST_PAGE = 500
_LONGEST_PROOF = 4000
# Clocks of two machines.
_SKEW = timedelta(seconds=60)
# At least 128 bits in base64url, by the visitor's browser.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# How long the visitor may be away, since pages change and telephones sleep, before the chat is over.
GRACE_WAITING = timedelta(minutes=2)
GRACE_TALKING = timedelta(minutes=5)


class Identity(StrEnum):
    ANONYMOUS = "anonymous"  # known by their browser alone
    TYPED = "typed"  # they typed a mail address: nobody has proven it
    VERIFIED = "verified"  # the site signed who they are


class Side(StrEnum):
    """Of a chat, who writes, types or reads."""

    VISITOR = "visitor"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a site says of its visitor: `sub` is their number with the site (the customer's external id)."""

    sub: str | None
    email: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who opens a chat, and where. `token`: their browser's way back into it; `browser`: what that is known by."""

    token: str
    browser: str
    language: str
    name: str | None = None
    email: str | None = None
    page: str | None = None
    page_title: str | None = None
    proof: Proof | None = None

    @property
    def identity(self) -> Identity:
        if self.proof is not None:
            return Identity.VERIFIED
        return Identity.ANONYMOUS if self.email is None else Identity.TYPED

    @property
    def called(self) -> str | None:
        return (self.proof.name if self.proof is not None else None) or self.name

    def address(self) -> Address:
        """What a customer is looked up by: the mail address, else the site's number, else the browser."""
        if self.proof is not None and self.proof.email is not None:
            return Address(AddressKind.EMAIL, self.proof.email, Certainty.VERIFIED)
        if self.proof is not None and self.proof.sub is not None:
            return Address(AddressKind.EXTERNAL, self.proof.sub, Certainty.VERIFIED)
        if self.email is not None:
            return Address(AddressKind.EMAIL, self.email, Certainty.MAYBE)
        return Address(AddressKind.WEB, _name_of(self.browser))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chat. `author`: the agent; None: the visitor."""

    n: int
    message: int
    author: int | None
    text: str
    client_id: str
    at: datetime


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(b"chat\0" + token.encode()).digest()


def _name_of(browser: str) -> str:
    """What agents see as a visitor's address: it does not tell what the browser keeps."""
    return hashlib.sha256(b"browser\0" + browser.encode()).hexdigest()[:24]


def check_token(token: str) -> str:
    """Raises Invalid."""
    if not _TOKEN.fullmatch(token):
        raise Invalid("A token is 22 to 64 letters, digits, - and _, by chance.", field="token")
    return token


def check_client_id(client_id: str) -> str:
    """Raises Invalid."""
    if not _CLIENT_ID.fullmatch(client_id):
        raise Invalid("The id of a line is 1 to 64 letters, digits, - and _.", field="id")
    return client_id


def check_text(text: str, *, empty: bool = False) -> str:
    """A line as it is kept. Raises Invalid for one that is too long, or `empty` where it may not be."""
    kept = _UNPRINTABLE.sub("", text.replace("\r\n", "\n")).strip()
    if not kept and not empty:
        raise Invalid("There is nothing in this line.", field="text")
    if len(kept) > LONGEST_TEXT:
        raise Invalid(f"A line has at most {LONGEST_TEXT} characters.", field="text")
    try:
        kept.encode()
    except UnicodeEncodeError:
        raise Invalid("The line is not UTF-8.", field="text") from None
    return kept


def check_name(name: str | None) -> str | None:
    """Raises Invalid."""
    kept = " ".join(_UNPRINTABLE.sub(" ", name or "").split())
    if len(kept) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.", field="name")
    return kept or None


def check_email(email: str | None) -> str | None:
    """Raises Invalid."""
    return read_address(AddressKind.EMAIL, email, region="").value if email and email.strip() else None


def bare_page(page: str | None) -> str | None:
    """The address of a page without what stands behind ? and #, which may hold secrets; None for what is none."""
    try:
        parts = urlsplit((page or "")[: 4 * _LONGEST_PAGE])
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = parts.netloc.rpartition("@")[2]
    return _UNPRINTABLE.sub("", f"{parts.scheme}://{host}{parts.path}")[:_LONGEST_PAGE]


def read_proof(secret: str, proof: str, *, now: datetime) -> Proof:
    """A JSON Web Token (RFC 7519) signed HS256 with the widget's secret; `exp` is needed. Raises Invalid."""
    try:
        head, body, signature = (_decode(part) for part in proof[:_LONGEST_PROOF].split("."))
        header, claims = orjson.loads(head), orjson.loads(body)
    except ValueError:
        raise Invalid("The proof of who this is cannot be read.", field="proof") from None
    signed = proof.rpartition(".")[0].encode()
    # Whatever else a header asks for, also "none", is refused.
    good = isinstance(header, dict) and header.get("alg") == "HS256" and isinstance(claims, dict)
    if not good or not hmac.compare_digest(hmac.digest(secret.encode(), signed, "sha256"), signature):
        raise Invalid("The proof of who this is was not signed with this widget's key.", field="proof")
    until = claims.get("exp")
    if not isinstance(until, int | float) or isinstance(until, bool) or not 0 < until < 1e11:
        raise Invalid("The proof of who this is says no `exp`, until when it is good.", field="proof")
    if now > datetime.fromtimestamp(until, UTC) + _SKEW:
        raise Invalid("The proof of who this is has expired.", field="proof")
    sub, email, name = (claims.get(key) for key in ("sub", "email", "name"))
    try:
        found = Proof(
            read_address(AddressKind.EXTERNAL, str(sub), region="").value if sub not in (None, "") else None,
            check_email(str(email) if email is not None else None),
            check_name(str(name) if name is not None else None),
        )
    except Invalid as error:
        raise Invalid(f"The proof of who this is: {error}", field="proof") from None
    if found.sub is None and found.email is None:
        raise Invalid("The proof of who this is has neither `sub` nor `email`.", field="proof")
    return found


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
