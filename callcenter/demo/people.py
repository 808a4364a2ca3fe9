"""The customers of the demo company: invented people and firms with all the addresses that real ones have."""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from callcenter.domain.customer import Address, AddressKind, Certainty
from callcenter.domain.phone import parse_number

_FILE = Path(__file__).with_name("names.toml")
_HOUSEHOLD = 0.09  # how many share the telephone of somebody invented before
_NOTES = {
    "zh_CN": (
        "耳朵不太好，请说慢一点。",
        "白天上班，请晚上联系。",
        "老客户，从第一代电饭煲用到现在。",
        "喜欢发邮件，不喜欢接电话。",
        "做木工的，懂机器，可以直接讲技术。",
    ),
    "zh_TW": ("習慣用 LINE，電話常常沒接。", "請用正體字回信。", "老顧客，很客氣。", "下午三點以後比較方便。"),
    "en": (
        "Hard of hearing, please speak slowly.",
        "Works nights, do not ring before noon.",
        "Has every product we ever made.",
        "Prefers mail to the phone.",
        "Speaks some Chinese and is proud of it: let them.",
        "Blind; describe, do not say 'as you see'.",
    ),
}


@dataclass(slots=True)
class Person:
    """A customer before there is a row; `home` is where our technicians drive."""

    number: int
    name: str
    language: str
    city: str
    home: bool
    created_at: datetime
    company: str | None = None
    tier: str | None = None
    note: str | None = None
    addresses: list[Address] = field(default_factory=list)

    @property
    def external_id(self) -> str:
        return f"HB-{100000 + self.number}"

    def value(self, kind: AddressKind) -> str | None:
        """The first address of a kind, the one used most."""
        return next((address.value for address in self.addresses if address.kind is kind), None)

    def take_address(self, kind: AddressKind, dice: Random) -> str:
        """An address that became known by being written from: a first mail, a first chat, a first fax."""
        match kind:
            case AddressKind.EMAIL:
                value = f"customer{self.number}@{dice.choice(('mail', 'post', 'inbox'))}.example"
            case AddressKind.WEB:
                value = f"visitor-{dice.getrandbits(40):010x}"
            case _:
                value = self.value(AddressKind.PHONE) or ""
        self.addresses.append(Address(kind, value, Certainty.MAYBE))
        return value


class _Numbers:
    """Numbers nobody has yet, from the patterns of a place."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._given: set[str] = set()

    def draw(self, patterns: Sequence[str]) -> str:
        for attempt in range(200):
            pattern = self._dice.choice(patterns)
            text = "".join(str(self._dice.randrange(10)) if mark == "#" else mark for mark in pattern)
            number = parse_number(text, "CN")
            # The numbers of the films are few: after a while people there share them.
            if number.identifies and (attempt > 50 or number.value not in self._given):
                self._given.add(number.value)
                return number.value
        raise ValueError(f"no telephone number fits {patterns}")


def invent_people(count: int, *, dice: Random, since: datetime) -> list[Person]:
    """`count` customers, some of them in firms and households; most were customers before `since`."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    places = data["places"]
    numbers = _Numbers(dice)
    firms = list(_firms(data["companies"], dice, numbers))
    people: list[Person] = []
    for number in range(1, count + 1):
        place = dice.choices(places, [entry["weight"] for entry in places])[0]
        roman, name = _name(place, data, dice)
        person = Person(
            number=number,
            name=name,
            language=place["language"],
            city=dice.choice(place["cities"]),
            home=place["name"] == "mainland" or place.get("home", False),
            created_at=since - timedelta(days=min(dice.expovariate(1 / 500), 2500), seconds=dice.randrange(86400)),
            tier=dice.choices(("gold", "silver", None), (6, 16, 78))[0],
        )
        if dice.random() < 0.12:
            notes = _NOTES.get(person.language, _NOTES["en"])
            person.note = dice.choice(notes)
        firm = None
        if dice.random() < 0.16:
            firm = dice.choice([f for f in firms if f.chinese == person.language.startswith("zh")])
        _give_addresses(person, place, data["mail"], roman, firm, numbers, dice)
        if people and firm is None and dice.random() < _HOUSEHOLD:
            _share_a_telephone(person, dice.choice(people[-40:]))
        people.append(person)
    if people:
        people[0] = _first(people[0])
    return people


def _first(person: Person) -> Person:
    """The customer whom the README lets ring: known to everybody, and with a case that is open."""
    return Person(
        number=person.number,
        name="王小明 Wang Xiaoming",
        language="zh_CN",
        city="厦门",
        home=True,
        created_at=person.created_at,
        tier="gold",
        note="老客户，从第一代电饭煲用到现在。英语也可以。",
        addresses=[
            Address(AddressKind.PHONE, "+8613800138000", Certainty.VERIFIED),
            Address(AddressKind.EMAIL, "wang.xiaoming@youxiang.example", Certainty.VERIFIED),
            Address(AddressKind.WEB, "visitor-0013800138", Certainty.KNOWN),
            Address(AddressKind.EXTERNAL, "shop:13800138", Certainty.KNOWN),
        ],
    )


@dataclass(frozen=True, slots=True)
class _Firm:
    name: str
    traditional: str
    chinese: bool
    domain: str
    switchboard: str
    fax: str


def _firms(data: Mapping[str, Sequence[str]], dice: Random, numbers: _Numbers) -> Iterator[_Firm]:
    desk = ["+865925######", "+86216#######", "+86106#######", "+865718#######"]
    away = ["+1212555019#", "+442079460###", "+493023125###", "+1416555018#"]
    for entry in data["chinese"]:
        name, traditional, domain = entry.split("|")
        yield _Firm(name, traditional, True, f"{domain}.example", numbers.draw(desk), numbers.draw(desk))
    for entry in data["western"]:
        name, domain = entry.split("|")
        yield _Firm(name, name, False, f"{domain}.example", numbers.draw(away), numbers.draw(away))


def _name(place: Mapping[str, Any], data: Mapping[str, Any], dice: Random) -> tuple[str, str]:
    """The name in Latin letters, for mail addresses, and as the customer writes it."""
    if "full" in place and ("chinese" not in place or dice.random() < 0.6):
        full = dice.choice(place["full"])
        return full, full
    if "chinese" in place:
        family = dice.choice(data["surnames"]).split("|")
        given = dice.choice(data["given"]).split("|")
        script = 0 if place["chinese"] == "simplified" else 1
        roman = f"{family[2]} {given[2]}"
        written = family[script] + given[script]
        return roman, f"{written} {roman}" if dice.random() < 0.3 else written
    full = f"{dice.choice(place['given'])} {dice.choice(place['family'])}"
    return full, full


def _give_addresses(
    person: Person,
    place: Mapping[str, Any],
    mail: Mapping[str, Sequence[str]],
    roman: str,
    firm: _Firm | None,
    numbers: _Numbers,
    dice: Random,
) -> None:
    def add(kind: AddressKind, value: str, *weights: int) -> None:
        certainty = dice.choices((Certainty.VERIFIED, Certainty.KNOWN, Certainty.MAYBE), weights)[0]
        person.addresses.append(Address(kind, value, certainty))

    local = _ascii(roman) or "customer"
    add(AddressKind.PHONE, numbers.draw(place["mobiles"]), 50, 45, 5)
    if dice.random() < 0.22:
        add(AddressKind.PHONE, numbers.draw(place["landlines"]), 20, 60, 20)
    if firm is not None:
        person.company = firm.traditional if person.language == "zh_TW" else firm.name
        add(AddressKind.PHONE, firm.switchboard, 0, 100, 0)
        add(AddressKind.EMAIL, f"{local}@{firm.domain}", 50, 50, 0)
        if dice.random() < 0.6:
            add(AddressKind.FAX, firm.fax, 30, 70, 0)
    if dice.random() < (0.3 if firm is not None else 0.78):
        box = dice.choice(mail["chinese" if "chinese" in place else "western"])
        add(AddressKind.EMAIL, f"{local}{dice.randrange(10, 9999)}@{box}", 40, 50, 10)
    if dice.random() < 0.3:
        add(AddressKind.WEB, f"visitor-{dice.getrandbits(40):010x}", 0, 60, 40)
    if dice.random() < 0.45:
        add(AddressKind.EXTERNAL, f"shop:{dice.randrange(10**7, 10**8)}", 80, 20, 0)


def _share_a_telephone(person: Person, with_whom: Person) -> None:
    """Moves under the other's roof: whoever rings from there is one of several."""
    shared = with_whom.value(AddressKind.PHONE)
    if shared is not None and person.value(AddressKind.PHONE) != shared:
        person.addresses.append(Address(AddressKind.PHONE, shared, Certainty.KNOWN))
        person.city, person.home = with_whom.city, with_whom.home


def _ascii(name: str) -> str:
    """ "Élodie D'Artigues" → "elodie.dartigues"; what has no Latin letters is left out."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = ["".join(letter for letter in word if letter.isalnum()) for word in plain.split()]
    return ".".join(word for word in words if word)
