"""The widgets of an organisation file: chats on the pages of some sites."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from callcenter.domain.organisation import WidgetEntry
from callcenter.domain.organisation_keys import Slug, Table, in_words
from callcenter.errors import Invalid
from callcenter.toml import Document, Problem

_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,8})?$")]
_Greeting = Annotated[str, Field(min_length=1, max_length=500)]
# As one text for all languages.
ANY = "*"


def origin(value: Any) -> str:
    """As a browser says it in `Origin`: without a path, and without the usual port. Raises Invalid."""
    expected = f"expected a site like https://shop.example.com, without a path, not {value!r}"
    if not isinstance(value, str) or len(value) > 300 or not value.isascii():
        raise Invalid(expected)
    try:
        parts = urlsplit(value.strip().lower())
        port = parts.port
    except ValueError:
        raise Invalid(expected) from None
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or not bare:
        raise Invalid(expected)
    usual = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def _some(sites: tuple[str, ...]) -> tuple[str, ...]:
    if not sites:
        raise Invalid("expected a site at least, since no other may show it")
    return sites


class WidgetTable(Table):
    key: Slug
    queue: Slug
    sites: Annotated[tuple[Annotated[str, BeforeValidator(in_words(origin))], ...], AfterValidator(in_words(_some))]
    languages: tuple[_Language, ...] = ()
    greeting: _Greeting | dict[_Language, _Greeting] | None = None
    ask: tuple[Literal["name", "email"], ...] = ()
    form: Slug | None = None
    callback: bool = False
    secret: Annotated[str, Field(min_length=32, max_length=256)] | None = None
    secret_env: str | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> "WidgetTable":
        if self.secret is not None and self.secret_env is not None:
            raise ValueError("secret and secret_env exclude each other")
        return self

    def entry(self, environ: Mapping[str, str]) -> WidgetEntry:
        said = self.greeting
        return WidgetEntry(
            name=self.key,
            queue=self.queue,
            sites=tuple(dict.fromkeys(self.sites)),
            languages=self.languages,
            greeting={} if said is None else {ANY: said} if isinstance(said, str) else said,
            ask=tuple(dict.fromkeys(self.ask)),
            form=self.form,
            callback=self.callback,
            secret=environ[self.secret_env] if self.secret_env else self.secret,
        )


def misfits(document: Document, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Keys that stand twice, and secrets that the environment does not have."""
    tables = document.data.get("widgets")
    seen: set[str] = set()
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict):
            continue
        if isinstance(key := table.get("key"), str):
            if key in seen:
                yield document.problem(("widgets", index, "key"), f"{key!r} stands here a second time")
            seen.add(key)
        variable = table.get("secret_env")
        if isinstance(variable, str) and len(environ.get(variable, "")) < 32:
            expected = f"a secret of 32 or more characters was expected in the environment as {variable}"
            yield document.problem(("widgets", index, "secret_env"), expected)


def widget_table(widget: WidgetEntry) -> dict[str, Any]:
    """As the file has it; the secret stays out."""
    every = widget.greeting.get(ANY)
    return {
        "key": widget.name,
        "queue": widget.queue,
        "sites": widget.sites,
        "languages": widget.languages,
        "greeting": every if every is not None else dict(widget.greeting),
        "ask": widget.ask,
        "form": widget.form,
        "callback": widget.callback,
    }
