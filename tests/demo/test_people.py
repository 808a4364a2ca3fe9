"""Invented customers have numbers that exist in the world's plan and addresses that nobody owns."""

from datetime import UTC, datetime
from random import Random

import pytest

from callcenter.demo.people import invent_people
from callcenter.domain.customer import AddressKind
from callcenter.domain.phone import parse_number

SINCE = datetime(2025, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def people():
    return invent_people(400, dice=Random(3), since=SINCE)


def test_every_telephone_number_is_kept_as_it_would_arrive(people):
    for person in people:
        for address in person.addresses:
            if address.kind is AddressKind.PHONE:
                number = parse_number(address.value, "CN")
                assert (number.identifies, number.value) == (True, address.value)


def test_mail_goes_to_nobody_real(people):
    mails = [a.value for person in people for a in person.addresses if a.kind is AddressKind.EMAIL]
    assert mails
    assert all(mail.endswith(".example") and mail.isascii() for mail in mails)


def test_everybody_can_be_rung(people):
    assert all(person.value(AddressKind.PHONE) for person in people)


def test_nobody_has_the_same_address_twice(people):
    for person in people:
        keys = [(address.kind, address.value) for address in person.addresses]
        assert len(keys) == len(set(keys)), person.name


def test_an_address_used_for_the_first_time_is_remembered(people):
    person = next(person for person in people if person.value(AddressKind.FAX) is None)
    value = person.take_address(AddressKind.FAX, Random(1))
    assert person.value(AddressKind.FAX) == value


def test_everybody_was_a_customer_before_the_year_began(people):
    assert all(person.created_at <= SINCE for person in people)
