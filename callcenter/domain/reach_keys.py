"""The keys of an organisation file that say how people and other systems are reached."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from callcenter.domain.organisation_keys import Slug, Table, in_words
from callcenter.errors import Invalid
from callcenter.toml import Document, Location, Problem

# What the log's events are about; sessions, desks and passwords are nobody else's business.
NOUNS = (
    "interaction",
    "reservation",
    "agent",
    "ticket",
    "sla",
    "task",
    "rule",
    "message",
    "customer",
    "survey",
    "organisation",
)
_KIND = re.compile(r"[a-z_]+\.(\*|[a-z_]+)")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9a-fA-F:.]+")


def _url(value: Any) -> str:
    expected = f"expected the address of a web service like https://example.com/hook, not {value!r}"
    if not isinstance(value, str) or len(value) > 1000 or not value.isascii() or re.search(r"[\s\x00-\x1f\x7f]", value):
        raise Invalid(expected)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise Invalid(expected) from None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise Invalid(expected)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("expected an address without user, password and #; deliveries are signed")
    return value


def _kind(value: Any) -> str:
    if not isinstance(value, str) or not _KIND.fullmatch(value) or value.partition(".")[0] not in NOUNS:
        nouns = ", ".join(NOUNS)
        raise Invalid(f"expected an event like ticket.escalated, or ticket.* for all of {nouns}, not {value!r}")
    return value


class WebhookTable(Table):
    """Another system that hears of events. `secret` signs what it gets."""

    name: Slug
    url: Annotated[str, BeforeValidator(in_words(_url))]
    events: tuple[Annotated[str, BeforeValidator(in_words(_kind))], ...] = ()
    secret: Annotated[str, Field(min_length=16, max_length=256)] | None = None
    secret_env: str | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> "WebhookTable":
        if self.secret is not None and self.secret_env is not None:
            raise ValueError("secret and secret_env exclude each other")
        return self


def environment_problems(
    document: Document, where: Location, table: Mapping[str, Any], environ: Mapping[str, str]
) -> Iterator[Problem]:
    variable = table.get("secret_env")
    if isinstance(variable, str) and len(environ.get(variable, "")) < 16:
        expected = f"a secret of 16 or more characters was expected in the environment as {variable}"
        yield document.problem((*where, "secret_env"), expected)
