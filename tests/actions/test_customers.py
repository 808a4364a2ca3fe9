"""Records of customers: made, changed, found again."""

import pytest

from callcenter.actions import customers
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind, Certainty
from callcenter.domain.events import Event
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import customers as store
from tests.builders import import_customers


def phone(raw="138 0013 8000"):
    return read_address(AddressKind.PHONE, raw, region="CN")


async def create(log, now, name="陈艾米", **more):
    given = {"company": None, "tier": None, "addresses": (), "actor": None, **more}
    return await customers.create(log, name=name, now=now, **given)


async def test_a_customer_is_kept_with_normalised_addresses(log, now):
    mail = read_address(AddressKind.EMAIL, " Amy@Example.ORG ", region="CN")
    ident = await create(log, now, company="Heron", tier="gold", addresses=[phone(), mail], note="likes\ntea")
    found = await store.get(log.pool, ident)
    assert (found.name, found.company, found.tier, found.note, found.version) == (
        "陈艾米",
        "Heron",
        "gold",
        "likes\ntea",
        1,
    )
    assert [(each.kind, each.value, each.certainty) for each in found.addresses] == [
        ("phone", "+8613800138000", "known"),
        ("email", "amy@example.org", "known"),
    ]


@pytest.mark.parametrize("raw", ["", "anonymous", "sip:", "hello", "12", "+1", "1" * 300, "\r\nSET"])
def test_what_identifies_nobody_is_no_phone_number_of_a_customer(raw):
    with pytest.raises(Invalid):
        phone(raw)


@pytest.mark.parametrize(
    "raw", ["", "amy", "a@b", "a b@c.d", "a@b@c.d", "x" * 300 + "@c.d", "a@c.d\nBcc: x@y.z", "@c.d"]
)
def test_what_no_mail_reaches_is_no_address(raw):
    with pytest.raises(Invalid):
        read_address(AddressKind.EMAIL, raw, region="CN")


async def test_an_external_id_belongs_to_one_customer(log, now):
    await create(log, now, external_id="C-1")
    with pytest.raises(Conflict):
        await create(log, now, external_id="C-1")


async def test_names_must_be_there_and_be_printable(log, now):
    for name in ("", "   ", "x" * 201, "a\x00b", "a\x1bb"):
        with pytest.raises(Invalid):
            await create(log, now, name=name)


async def test_a_change_says_which_parts_and_not_what(log, now, amy):
    ident = await create(log, now)
    events: list[Event] = []
    log.listen(events.extend)
    await customers.update(log, ident, changes={"name": "Amy", "tier": "gold"}, version=1, actor=amy, now=now)
    [event] = events
    assert (event.kind, event.customer, event.actor, event.version) == ("customer.changed", ident, amy, 2)
    assert event.data == {"changed": ["name", "tier"]}


async def test_a_change_of_an_older_version_is_refused(log, now):
    ident = await create(log, now)
    await customers.update(log, ident, changes={"tier": "gold"}, version=1, actor=None, now=now)
    with pytest.raises(Conflict):
        await customers.update(log, ident, changes={"tier": "silver"}, version=1, actor=None, now=now)
    assert (await store.get(log.pool, ident)).tier == "gold"


async def test_certainty_is_raised_never_lowered(log, now):
    ident = await create(log, now, addresses=[phone()])
    for certainty, expected in [("maybe", "known"), ("verified", "verified"), ("maybe", "verified")]:
        address = read_address(AddressKind.PHONE, "13800138000", region="CN", certainty=Certainty(certainty))
        await customers.add_address(log, ident, address=address, actor=None, now=now)
        [kept] = (await store.get(log.pool, ident)).addresses
        assert kept.certainty == expected


async def test_who_is_not_there_is_not_changed(log, now):
    with pytest.raises(NotFound):
        await customers.add_address(log, 99, address=phone(), actor=None, now=now)
    with pytest.raises(NotFound):
        await customers.update(log, 99, changes={"name": "x"}, version=None, actor=None, now=now)


async def search(log, *words):
    return [found.name for found in await store.with_words(log.pool, words, after=0, limit=10)]


async def test_names_are_found_by_parts_of_any_length_in_any_script(log, now):
    for name, company in [("陈艾米", None), ("陈建国", "鹭湾家电"), ("Bo Wikström", "Heron Bay"), ("ＡＢＣ Ltd", None)]:
        await create(log, now, name=name, company=company)
    assert await search(log, "陈") == ["陈艾米", "陈建国"]
    assert await search(log, "建国") == ["陈建国"]
    assert await search(log, "家电") == ["陈建国"]
    assert await search(log, "wikSTRÖM") == ["Bo Wikström"]
    assert await search(log, "bay", "bo") == ["Bo Wikström"]
    assert await search(log, "abc") == ["ＡＢＣ Ltd"]
    assert await search(log, "国建") == []
    assert await search(log, "%_") == []
    assert len(await search(log)) == 4


async def test_a_name_is_the_same_however_wide_its_blanks_and_however_its_letters_are_composed(log):
    listed = "name,phones\nJose\u0301  Silva,13800138000\n李\u3000娜,13800138001\n"
    assert (await import_customers(log, listed)).created == 2
    again = await import_customers(log, "name,phones\nJos\u00e9 Silva,13800138000\n李 娜,13800138001\n")
    assert (again.created, again.unchanged) == (0, 2)
