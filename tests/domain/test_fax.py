"""Whose a fax is, as gateways and providers write it."""

from typing import Any

import pytest

from callcenter import toml
from callcenter.domain.fax import FaxGateway, caller_of, gateway_of
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_text import to_toml
from callcenter.toml import BadFile
from channels.email.parse import parse
from tests.channels.email.messages import message

GATEWAY = FaxGateway("@fax.example")


@pytest.mark.parametrize(
    ("fields", "region", "number"),
    [
        ({"Subject": "facsimile received from 010 6552 9988"}, "CN", "+861065529988"),
        ({"Subject": 'Fax Message from "16505551234" - 2 page(s), Caller-ID: 650-253-0000'}, "US", "+16502530000"),
        ({"Subject": "New Fax Message from (650) 253-0000"}, "US", "+16502530000"),
        ({"Subject": "Fax von +49 30 901820"}, "DE", "+4930901820"),
        ({"Subject": "收到来自 010-65529988 的传真"}, "CN", "+861065529988"),
        ({"Subject": "Fax", "From": '"+49 30 901820" <noreply@fax.example>'}, "DE", "+4930901820"),
        ({"Subject": "Fax", "From": "+4930901820@fax.example"}, "DE", "+4930901820"),
        ({"Subject": "Fax", "X_Fax_Caller": "+49 30 901820"}, "DE", "+4930901820"),
        ({"Subject": "Fax", "body": b"Pages: 2\r\nSender: +49 30 901820\r\n"}, "DE", "+4930901820"),
    ],
)
def test_the_callers_number_is_found_where_gateways_write_it(fields: dict[str, Any], region: str, number: str) -> None:
    body = fields.pop("body", b"See attached.")
    raw = message(body, **{"From": "noreply@fax.example", **fields})
    caller = caller_of(parse(raw), raw, FaxGateway("@fax.example", "X-Fax-Caller"), region=region)
    assert caller is not None
    assert (caller.number, caller.identifies) == (number, True)


@pytest.mark.parametrize(
    "subject", ["Fax", "facsimile received from anonymous", "Fax from 42", "2 pages of 2026-03-10"]
)
def test_a_fax_without_a_number_is_nobodys(subject: str) -> None:
    raw = message(From="noreply@fax.example", Subject=subject)
    caller = caller_of(parse(raw), raw, GATEWAY, region="CN")
    assert caller is None or not caller.identifies


def test_an_address_goes_before_its_domain_and_others_are_no_gateways() -> None:
    own = FaxGateway("machine@fax.example", "X-Caller")
    assert gateway_of(parse(message(From="Machine@FAX.example")), [GATEWAY, own]) == own
    assert gateway_of(parse(message(From="other@fax.example")), [GATEWAY, own]) == GATEWAY
    assert gateway_of(parse(message(From="wang@customer.example")), [GATEWAY, own]) is None
    assert gateway_of(parse(message(From="wang@evilfax.example")), [GATEWAY, own]) is None


def test_fax_gateways_are_exported_as_they_were_written_and_bad_ones_refused_by_line() -> None:
    text = '[[fax_gateways]]\nsender = "@Fax.example"\nheader = "X-Caller"\n'
    found = understand(toml.parse(text, "org.toml"), {}).organisation
    assert found.fax_gateways[0].name == "@fax.example"
    assert understand(toml.parse(to_toml(found), "org.toml"), {}).organisation.fax_gateways == found.fax_gateways
    for sender in ("fax", "@", "@fax", "a b@fax.example"):
        with pytest.raises(BadFile, match="line 2"):
            understand(toml.parse(f'[[fax_gateways]]\nsender = "{sender}"\n', "org.toml"), {})
