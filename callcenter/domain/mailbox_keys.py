"""The mailboxes of an organisation file: addresses that customers write to."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.organisation import MailboxEntry
from callcenter.domain.organisation_keys import Positive, Slug, Table, in_words
from callcenter.errors import Invalid
from callcenter.toml import Document, Problem


def _own(value: str) -> str:
    address = read_address(AddressKind.EMAIL, value, region="").value
    if "+" in address:
        raise Invalid("expected an address without a plus, behind which replies carry their ticket")
    return address


class MailboxTable(Table):
    address: Annotated[str, AfterValidator(in_words(_own))]
    queue: Slug
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")] | None = None
    closed: Literal["reopen", "new"] = "reopen"
    acknowledge: bool = True
    new_after: Positive | None = None
    closing_note: bool = False

    @model_validator(mode="after")
    def _either_way(self) -> "MailboxTable":
        if self.new_after is not None and self.closed == "new":
            raise ValueError('new_after is for mailboxes with closed = "reopen"; these always open a new ticket')
        return self

    def entry(self) -> MailboxEntry:
        return MailboxEntry(
            name=self.address,
            queue=self.queue,
            language=self.language,
            closed=self.closed,
            acknowledge=self.acknowledge,
            new_after=self.new_after,
            closing_note=self.closing_note,
        )


def twins(document: Document) -> Iterator[Problem]:
    """Mail to one address goes into one queue."""
    tables = document.data.get("mailboxes")
    seen: set[str] = set()
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        address = table.get("address") if isinstance(table, dict) else None
        if isinstance(address, str):
            if address.lower() in seen:
                yield document.problem(("mailboxes", index, "address"), f"{address!r} stands here a second time")
            seen.add(address.lower())
