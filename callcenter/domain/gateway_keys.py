"""The gateways of an organisation file: how what they send is read, what proves it, and how they are written to."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_serializer, model_validator

from callcenter.domain.duration import format_duration
from callcenter.domain.gateway_text import check_url, names_in
from callcenter.domain.organisation import GatewayEntry
from callcenter.domain.organisation_keys import Positive, Slug, Table, in_words
from callcenter.domain.pointer import FORM
from callcenter.errors import Invalid
from callcenter.toml import Document, Location, Problem

_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
# What our own client says of itself, and what decides how a request is framed.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type", "user-agent"})
SIGNED = re.compile(r"\{(body|timestamp|url|form|header:[A-Za-z0-9][A-Za-z0-9-]*)\}")
_SECRET = 8


def _place(value: str) -> str:
    if value.startswith("header:"):
        return f"header:{_header(value.removeprefix('header:'))}"
    if not FORM.fullmatch(value):
        raise Invalid(f"expected a JSON pointer like /message/text or 2/contacts/0/name, not {value!r}")
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise Invalid(f"expected the name of a header, not {value!r}")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _signs(value: str) -> str:
    rest = SIGNED.sub("", value)
    if "{" in rest or "}" in rest:
        raise Invalid(
            "expected a text of {body}, {timestamp}, {url}, {form}, {header:NAME} and what stands between them"
        )
    if not {"body", "form"} & set(SIGNED.findall(value)):
        raise Invalid("expected {body} or {form} in it, or nobody knows that the message is theirs")
    return value


def _filled(known: frozenset[str]) -> Any:
    def check(value: str) -> str:
        for name in names_in(value):
            if name not in known and not name.startswith("secret."):
                raise Invalid(f"there is no {name} to fill in; expected one of {', '.join(sorted(known))}, secret.NAME")
        return value

    return in_words(check)


_WORDS = frozenset({"to", "text", "id", "ticket"})
Header = Annotated[str, AfterValidator(in_words(_header))]
Place = Annotated[str, Field(max_length=300), AfterValidator(in_words(_place))]
Places = Annotated[tuple[Place, ...], BeforeValidator(_listed), Field(max_length=20)]
# A text of a customer must not begin a header of its own.
HeaderText = Annotated[
    str, Field(max_length=1000, pattern=r"^[\x20-\x7e]*$"), AfterValidator(_filled(frozenset({"id"})))
]
Url = Annotated[str, Field(max_length=1000), AfterValidator(in_words(check_url)), AfterValidator(_filled(_WORDS))]
Secret = Annotated[str, Field(min_length=_SECRET, max_length=500, pattern=r"^[\x20-\x7e]*$")]


def _body(value: Any, depth: int = 0) -> Any:
    """Texts with values to fill in, at any depth."""
    match value:
        case str():
            return _filled(_WORDS)(value)
        case dict() if depth < 10:
            return {str(key): _body(each, depth + 1) for key, each in value.items()}
        case list() if depth < 10:
            return [_body(each, depth + 1) for each in value]
        case bool() | int() | float():
            return value
        case _:
            raise ValueError("expected texts, numbers, tables and lists, at most ten deep")


class MessageTable(Table):
    """Where a message stands. `items`: where each begins that comes in one request; the others count from there."""

    items: Place = ""
    id: Places = ()
    sender: Places = Field(alias="from")
    name: Places = ()
    text: Places = ()
    at: Places = ()
    files: Places = ()
    ignore: Places = ()  # what has one of these is no message for us


class SignatureTable(Table):
    """`token`: the header has the secret itself. `within`: how old a signed time may be, or ahead of ours."""

    method: Literal["hmac-sha256", "hmac-sha1", "token"]
    header: Header
    secret: Slug
    prefix: Annotated[str, Field(max_length=40)] = ""
    encoding: Literal["hex", "base64"] = "hex"
    signs: Annotated[str, Field(max_length=200), AfterValidator(in_words(_signs))] = "{body}"
    timestamp: Header | None = None
    within: Positive = timedelta(minutes=5)

    @field_serializer("within")
    def _within(self, value: timedelta) -> str:
        return format_duration(value)

    @model_validator(mode="after")
    def _timed(self) -> "SignatureTable":
        if "{timestamp}" in self.signs and self.timestamp is None:
            raise ValueError("timestamp is needed: the header that has what {timestamp} signs")
        if self.timestamp is not None and self.method != "token" and "{timestamp}" not in self.signs:
            raise ValueError("signs must have {timestamp}, or anybody can make an old message new")
        return self


class ChallengeTable(Table):
    """A GET by which the gateway makes sure that we are there: names of its parameters."""

    token: Annotated[str, Field(min_length=1, max_length=100)]
    echo: Annotated[str, Field(min_length=1, max_length=100)]
    secret: Slug


class AnswerTable(Table):
    """What the gateway wants to hear; absent: JSON that says what became of each message."""

    type: Literal["application/json", "text/plain", "text/xml"] = "text/plain"
    body: Annotated[str, Field(max_length=1000)] = ""


class LoginTable(Table):
    """HTTP Basic, by names of secrets."""

    user: Slug
    password: Slug


class OutboundTable(Table):
    """`id` and `error`: where the gateway's answer has its id of the message, and why it refuses one."""

    url: Url
    format: Literal["json", "form"] = "json"
    body: Annotated[dict[str, Any], BeforeValidator(_body)]
    headers: dict[Header, HeaderText] = Field(default_factory=dict)
    login: LoginTable | None = None
    id: Places = ()
    error: Places = ()
    give_up: Positive = timedelta(hours=4)

    @field_serializer("give_up")
    def _give_up(self, value: timedelta) -> str:
        return format_duration(value)

    @model_validator(mode="after")
    def _flat(self) -> "OutboundTable":
        if self.format == "form" and any(isinstance(each, dict | list) for each in self.body.values()):
            raise ValueError("the body of a form has no tables or lists in it")
        if ours := {name.lower() for name in self.headers} & _OURS:
            raise ValueError(f"the header {min(ours)} is not yours to set")
        return self


class ReceiptsTable(Table):
    """What becomes of messages that went out; `id` is what `outbound.id` found."""

    items: Place = ""
    id: Places
    status: Places
    delivered: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    failed: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    error: Places = ()


class GatewayTable(Table):
    name: Slug
    queue: Slug
    format: Literal["json", "form"] = "json"
    address: Literal["phone", "msisdn", "external"] = "external"
    continue_for: Positive = timedelta(hours=24)
    tickets: bool = True
    message: MessageTable
    signature: SignatureTable
    challenge: ChallengeTable | None = None
    answer: AnswerTable | None = None
    outbound: OutboundTable | None = None
    receipts: ReceiptsTable | None = None
    secrets: dict[Slug, Secret] = Field(default_factory=dict)
    secrets_env: dict[Slug, str] = Field(default_factory=dict)

    @field_serializer("continue_for")
    def _continue_for(self, value: timedelta) -> str:
        return format_duration(value)

    @model_validator(mode="after")
    def _once(self) -> "GatewayTable":
        if twice := self.secrets.keys() & self.secrets_env.keys():
            raise ValueError(f"{min(twice)} is among secrets and secrets_env")
        return self

    def entry(self, environ: Mapping[str, str]) -> GatewayEntry:
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        given = {**self.secrets, **{name: environ[variable] for name, variable in self.secrets_env.items()}}
        kept = {key: value for key, value in body.items() if key not in ("name", "queue", "secrets", "secrets_env")}
        return GatewayEntry(name=self.name, queue=self.queue, body=kept, secrets=given)


def secrets_of(body: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each secret that the body of a gateway names, and where."""
    yield body["signature"]["secret"], ("signature", "secret")
    if "challenge" in body:
        yield body["challenge"]["secret"], ("challenge", "secret")
    outbound = body.get("outbound", {})
    for key, name in outbound.get("login", {}).items():
        yield name, ("outbound", "login", key)
    texts: list[tuple[str, tuple[str, ...]]] = [(outbound.get("url", ""), ("outbound", "url"))]
    texts += [(text, ("outbound", "headers", name)) for name, text in outbound.get("headers", {}).items()]
    texts += [(text, ("outbound", "body")) for text in _texts(outbound.get("body", {}))]
    for text, where in texts:
        for name in names_in(text):
            if name.startswith("secret."):
                yield name.removeprefix("secret."), where


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def environment_problems(
    document: Document, where: Location, table: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[Problem]:
    given = table.get("secrets_env")
    for name, variable in (given if isinstance(given, dict) else {}).items():
        if isinstance(variable, str) and len(environ.get(variable, "")) < _SECRET:
            expected = f"a secret of {_SECRET} or more characters was expected in the environment as {variable}"
            yield document.problem((*where, "secrets_env", name), expected)
