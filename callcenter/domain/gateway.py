"""What a gateway says and what it is told, as its table in the organisation file declares it; no IO."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.gateway_keys import (
    SIGNED,
    ChallengeTable,
    GatewayTable,
    OutboundTable,
    Places,
    ReceiptsTable,
    SignatureTable,
)
from callcenter.domain.gateway_text import fill
from callcenter.domain.phone import parse_number
from callcenter.domain.pointer import Place, places, text_of, value_at
from callcenter.errors import Forbidden, Invalid

_LONGEST = 100_000
_MOST_FIELDS = 2000
_LONGEST_WORDS = 300
Body = Mapping[str, Any] | Sequence[Any]
_Read = Callable[[Places, Place], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A request as it came. `url`: the whole of it as the gateway knows us; names of headers in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message of a customer. `id` is the gateway's and makes it exactly once; `sender` as the gateway writes it."""

    id: str
    sender: str
    name: str | None
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message of ours, by the gateway's id of it; in the gateway's words when it failed."""

    id: str
    delivered: bool
    words: str


@dataclass(frozen=True, slots=True)
class Heard:
    """`faults`: what could not be read, in words; `ignored`: how many parts are declared to be no messages."""

    messages: tuple[Written, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    ignored: int = 0
    faults: tuple[str, ...] = ()


def check_signature(signature: SignatureTable, knock: Knock, secret: str, *, now: datetime) -> None:
    """Raises Forbidden with the reason."""
    given = knock.headers.get(signature.header.lower(), "")
    if not given:
        raise Forbidden(f"The header {signature.header} is missing.")
    if signature.method == "token":
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), f"{signature.prefix}{secret}".encode()):
            raise Forbidden(f"The token in {signature.header} is wrong.")
        return
    digest = hmac.digest(secret.encode(), _signed(signature, knock), signature.method.removeprefix("hmac-"))
    # Some gateways sign with two keys while one is being replaced.
    if not any(hmac.compare_digest(digest, _decoded(signature, each)) for each in given.split(" ")[:8]):
        raise Forbidden(f"The signature in {signature.header} does not fit the message.")
    _check_time(signature, knock, now)


def _decoded(signature: SignatureTable, text: str) -> bytes:
    bare = text.removeprefix(signature.prefix)
    if signature.prefix and bare == text:
        return b""
    try:
        return bytes.fromhex(bare) if signature.encoding == "hex" else base64.b64decode(bare, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _signed(signature: SignatureTable, knock: Knock) -> bytes:
    """`{form}` as Twilio signs it: names and values in the order of the names, with nothing between them."""
    parts: list[bytes] = []
    end = 0
    for found in SIGNED.finditer(signature.signs):
        parts.append(signature.signs[end : found.start()].encode())
        end = found.end()
        what, _, header = found[1].partition(":")
        match what:
            case "body":
                parts.append(knock.body)
            case "url":
                parts.append(knock.url.encode())
            case "form":
                parts.append("".join(f"{name}{value}" for name, value in sorted(set(_pairs(knock.body)))).encode())
            case "timestamp":
                parts.append(
                    knock.headers.get((signature.timestamp or "").lower(), "").encode(errors="surrogateescape")
                )
            case _:
                parts.append(knock.headers.get(header.lower(), "").encode(errors="surrogateescape"))
    return b"".join([*parts, signature.signs[end:].encode()])


def _check_time(signature: SignatureTable, knock: Knock, now: datetime) -> None:
    if signature.timestamp is None:
        return
    at = moment_of(knock.headers.get(signature.timestamp.lower(), ""))
    if at is None:
        raise Forbidden(f"The header {signature.timestamp} has no time.")
    if abs(now - at) > signature.within:
        raise Forbidden("The message was signed too long ago, or its clock or ours is wrong.")


def answer_to(challenge: ChallengeTable, query: Mapping[str, str], secret: str) -> str:
    """What proves that we are there. Raises Forbidden."""
    if not hmac.compare_digest(query.get(challenge.token, "").encode(), secret.encode()):
        raise Forbidden(f"{challenge.token} is wrong.")
    return query.get(challenge.echo, "")[:1000]


def read_body(gateway: GatewayTable, body: bytes) -> Body:
    """Raises Invalid for what is neither JSON nor a form, as declared."""
    if gateway.format == "form":
        form: dict[str, str] = {}
        for name, value in _pairs(body):
            form.setdefault(name, value)
        return form
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict | list):
        raise Invalid("The body is no JSON object.")
    return document


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Invalid(f"The form has more than {_MOST_FIELDS} fields.") from None


def hear(gateway: GatewayTable, document: Body, knock: Knock) -> Heard:
    """All messages and receipts of a request. What fits nothing that is declared is among the faults."""
    read = partial(_first, document, knock)
    receipts, spent = _receipts(gateway.receipts, document, read)
    messages: list[Written] = []
    faults: list[str] = []
    ignored = 0
    for number, at in enumerate(places(document, gateway.message.items)):
        if at in spent or any(places(document, each, at) for each in gateway.message.ignore):
            ignored += at not in spent
            continue
        sender = read(gateway.message.sender, at)
        if sender is None:
            where = "/" + "/".join(map(str, at)) if at else "the body"
            faults.append(f"{where} has no sender at {' or '.join(gateway.message.sender)}")
            continue
        messages.append(_message(gateway, document, knock, at, number, sender))
    if not (messages or ignored or spent or faults):
        ignored = any(places(document, each) for each in gateway.message.ignore)
    if not (messages or ignored or spent or faults):
        faults.append(f"there is nothing at {gateway.message.items}")
    return Heard(tuple(messages), tuple(receipts), ignored, tuple(faults))


def _message(gateway: GatewayTable, document: Body, knock: Knock, at: Place, number: int, sender: str) -> Written:
    table = gateway.message
    read = partial(_first, document, knock)
    files = list(dict.fromkeys(_all(document, table.files, at)))
    text = _clean(read(table.text, at) or "")[:_LONGEST]
    if not text and not files:
        # What is neither is shown as it came, rather than lost.
        text = _clean(orjson.dumps(value_at(document, at)).decode())[:2000]
    lines = [text, *(f"[{_clean(each)[:1000]}]" for each in files[:20])]
    return Written(
        id=_clean(read(table.id, at) or "")[:200] or f"{hashlib.sha256(knock.body).hexdigest()}-{number}",
        sender=" ".join(_clean(sender).split())[:200],
        name=" ".join(_clean(read(table.name, at) or "").split())[:200] or None,
        text="\n".join(filter(None, lines)),
        at=moment_of(read(table.at, at) or ""),
    )


def _receipts(table: ReceiptsTable | None, document: Body, read: _Read) -> tuple[list[Receipt], set[Place]]:
    """And the parts that are receipts, of whatever kind, and so no messages."""
    found: list[Receipt] = []
    spent: set[Place] = set()
    if table is None:
        return found, spent
    for at in places(document, table.items):
        ident, status = read(table.id, at), read(table.status, at)
        if ident is None or status is None:
            continue
        spent.add(at)
        if status in table.delivered or status in table.failed:
            words = _clean(read(table.error, at) or status)[:_LONGEST_WORDS]
            found.append(Receipt(ident, status in table.delivered, words))
    return found, spent


def _first(document: Body, knock: Knock, pointers: Places, at: Place) -> str | None:
    for pointer in pointers:
        if pointer.startswith("header:"):
            if found := knock.headers.get(pointer.removeprefix("header:").lower()):
                return found
            continue
        for place in places(document, pointer, at):
            if (text := text_of(value_at(document, place))) is not None:
                return text
    return None


def _all(document: Body, pointers: Places, at: Place) -> list[str]:
    found = [text_of(value_at(document, place)) for each in pointers for place in places(document, each, at)]
    return [each for each in found if each is not None]


def _clean(text: str) -> str:
    """PostgreSQL keeps no NUL, and no half of a pair."""
    return text.replace("\x00", "").encode(errors="replace").decode().strip()


def moment_of(text: str) -> datetime | None:
    """Seconds or milliseconds since 1970, RFC 3339, or RFC 5322; None for anything else."""
    text = text.strip()
    try:
        if text.isascii() and text.replace(".", "", 1).isdecimal():
            seconds = float(text[:20])
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        at = datetime.fromisoformat(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def address_of(gateway: GatewayTable, sender: str, *, region: str) -> tuple[AddressKind, str] | None:
    """Whose message it is: a number, or the gateway's own name of them, which means nobody elsewhere."""
    if gateway.address != "external":
        digits = sender if gateway.address == "phone" else f"+{sender.lstrip('+')}"
        number = parse_number(digits, region)
        if number.identifies:
            return AddressKind.PHONE, number.value
    try:
        kind = AddressKind.EXTERNAL
        return kind, read_address(kind, f"{gateway.name}:{sender}", region=region).value
    except Invalid:
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is to go out. Its body and headers may have secrets in them."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def call_of(outbound: OutboundTable, values: Mapping[str, str], secrets: Mapping[str, str]) -> Call:
    """`values`: to, text, id and ticket."""
    known = {**values, **{f"secret.{name}": value for name, value in secrets.items()}}
    headers = {name: fill(text, known) for name, text in outbound.headers.items()}
    if outbound.login is not None:
        pair = f"{secrets.get(outbound.login.user, '')}:{secrets.get(outbound.login.password, '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if outbound.format == "form":
        kind = "application/x-www-form-urlencoded"
        content = urlencode({name: fill(str(each), known) for name, each in outbound.body.items()}).encode()
    else:
        kind = "application/json"
        content = orjson.dumps(_filled(outbound.body, known))
    headers["Content-Type"] = kind
    return Call(fill(outbound.url, known, each=partial(quote, safe="")), headers, content)


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    match value:
        case str():
            return fill(value, known)
        case Mapping():
            return {key: _filled(each, known) for key, each in value.items()}
        case list():
            return [_filled(each, known) for each in value]
        case _:
            return value


def told_by(outbound: OutboundTable, answer: bytes) -> tuple[str | None, str | None]:
    """The gateway's id of a message that it took, and its words where it refused one."""
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None, None
    knock = Knock(url="", headers={}, body=b"")
    ident, words = _first(document, knock, outbound.id, ()), _first(document, knock, outbound.error, ())
    return None if ident is None else _clean(ident)[:200], None if words is None else _clean(words)[:_LONGEST_WORDS]


def is_later(status: int) -> bool:
    """Whether the same request may fare better another time; other refusals are about what it says."""
    return status in (408, 409, 425, 429) or status >= 500


def continues(last: datetime | None, *, within: timedelta, now: datetime) -> bool:
    return last is not None and now - last <= within
