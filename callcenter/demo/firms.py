"""What the demo knows of the firms that its customers are of: their mail domains, and a word about some."""

from collections.abc import Sequence
from datetime import datetime

from callcenter.actions import companies
from callcenter.demo.people import Person
from callcenter.domain.customer import AddressKind
from callcenter.store.log import ContactLog

_OF = "select id, company_id from customer where company_id is not null order by company_id, id"
_NOTES = {
    "zh_CN": "订货找行政，报修找厨师长；每月 25 日对账。",
    "zh_TW": "每月 25 日對帳，發票開給總公司。",
    "en": "Orders come from the office, repairs from the kitchen. Accounts are settled on the 25th.",
}
_EVERY = 3  # of so many firms one has a note


async def know_firms(log: ContactLog, people: Sequence[Person], *, now: datetime) -> None:
    """The first mail address of somebody who is of a firm is the firm's."""
    by_number = {person.number: person for person in people}
    domains: dict[int, set[str]] = {}
    languages: dict[int, str] = {}
    for row in await log.pool.fetch(_OF):
        person = by_number[row["id"]]
        languages.setdefault(row["company_id"], person.language)
        if address := person.value(AddressKind.EMAIL):
            domains.setdefault(row["company_id"], set()).add(address.rpartition("@")[2])
    for place, (company, language) in enumerate(languages.items()):
        changes: companies.Changes = {"domains": sorted(domains.get(company, ()))}
        if place % _EVERY == 0:
            changes["note"] = _NOTES.get(language, _NOTES["en"])
        await companies.change(log, company, changes=changes, version=None, actor=None, now=now)
