"""The fax gateways of an organisation file: who sends faxes on by mail."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.organisation import FaxGatewayEntry
from callcenter.domain.organisation_keys import Slug, Table, in_words

_DOMAIN = re.compile(r"@[a-z0-9-]+(\.[a-z0-9-]+)+")


def _sender(value: str) -> str:
    """A domain begins with its @."""
    if value.startswith("@") and _DOMAIN.fullmatch(value.lower()):
        return value.lower()
    return read_address(AddressKind.EMAIL, value, region="").value


class FaxGatewayTable(Table):
    sender: Annotated[str, AfterValidator(in_words(_sender))]
    queue: Slug | None = None
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$")] | None = None

    def entry(self) -> FaxGatewayEntry:
        return FaxGatewayEntry(name=self.sender, queue=self.queue, header=self.header)
