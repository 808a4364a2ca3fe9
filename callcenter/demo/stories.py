"""What can happen to a customer of the demo company: stories told step by step, in that customer's language."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Self

from callcenter.domain.interaction import Channel
from callcenter.domain.ticket import Priority, TicketState

_FILE = Path(__file__).with_suffix(".toml")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Texts:
    """One text in both languages that the stories are written in."""

    en: str
    zh: str

    @classmethod
    def parse(cls, table: Mapping[str, str] | None) -> Self | None:
        return None if table is None else cls(table["en"], table["zh"])


@dataclass(frozen=True, slots=True)
class Product:
    key: str
    name: Texts
    parts: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One contact of a story. `state` is what its ticket is in afterwards, None when it leaves the ticket alone."""

    after: timedelta
    chance: float
    channel: Channel
    direction: str
    disposition: str
    state: TicketState | None
    subject: Texts | None
    text: Texts | None
    reply: Texts | None
    note: Texts


@dataclass(frozen=True, slots=True)
class Story:
    name: str
    queue: str
    weight: float
    home: bool
    abroad: bool
    firm: bool
    ticket: Texts | None
    category: str | None
    priority: Priority
    products: Sequence[str]
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Traditional:
    """From simplified to traditional characters, as far as the stories need it."""

    words: Mapping[str, str]
    characters: Mapping[int, int]

    def write(self, text: str) -> str:
        for word, instead in self.words.items():
            text = text.replace(word, instead)
        return text.translate(self.characters)


@dataclass(frozen=True, slots=True)
class Stories:
    all: Sequence[Story]
    products: Sequence[Product]
    words: Mapping[str, Mapping[str, Sequence[str]]]
    traditional: Traditional

    @classmethod
    def load(cls) -> Self:
        data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
        script = data["traditional"]
        return cls(
            all=[_story(table) for table in data["stories"]],
            products=[
                Product(table["key"], Texts(table["en"], table["zh"]), table["parts"]) for table in data["products"]
            ],
            words=data["words"],
            traditional=Traditional(script["words"], str.maketrans(script["simplified"], script["original"])),
        )

    def begin(self, story: Story, *, language: str | None, city: str, dice: Random) -> "Telling":
        return Telling(story, language or "en", self, self._facts(story, language or "en", city, dice))

    def _facts(self, story: Story, language: str, city: str, dice: Random) -> dict[str, str]:
        """What the words in braces stand for, the same all through one telling."""
        written = "zh" if language.startswith("zh") else "en"
        product = dice.choice([one for one in self.products if not story.products or one.key in story.products])
        amount = dice.choice((39, 59, 89, 129, 199, 249, 349, 499, 899, 1299))
        return {
            "product": product.name.zh if written == "zh" else product.name.en,
            "part": dice.choice(product.parts[written]),
            "tech": dice.choice(self.words["tech"][written]),
            "day": dice.choice(self.words["day"][written]),
            "order": f"HB-{dice.randrange(100000, 999999)}",
            "amount": f"¥{amount}",
            "city": city,
            "n": str(dice.randint(2, 9)),
            "last": "",
        }


class Telling:
    """A story that is happening to somebody."""

    __slots__ = ("_facts", "_stories", "language", "story")

    def __init__(self, story: Story, language: str, stories: Stories, facts: dict[str, str]) -> None:
        self.story = story
        self.language = language
        self._stories = stories
        self._facts = facts

    def handled_by(self, first_name: str) -> None:
        """Later steps may speak of this colleague."""
        self._facts["last"] = first_name

    def say(self, texts: Texts | None) -> str | None:
        if texts is None:
            return None
        if not self.language.startswith("zh"):
            return texts.en.format_map(self._facts)
        if self.language != "zh_TW":
            return texts.zh.format_map(self._facts)
        return self._stories.traditional.write(texts.zh.format_map(self._facts))


def _story(table: Mapping[str, Any]) -> Story:
    return Story(
        name=table["name"],
        queue=table["queue"],
        weight=table["weight"],
        home=table.get("home", False),
        abroad=table.get("abroad", False),
        firm=table.get("firm", False),
        ticket=Texts.parse(table.get("ticket")),
        category=table.get("category"),
        priority=Priority(table.get("priority", "normal")),
        products=table.get("products", ()),
        steps=[_step(step) for step in table["steps"]],
    )


def _step(table: Mapping[str, Any]) -> Step:
    note = Texts.parse(table["note"])
    assert note is not None
    return Step(
        after=_duration(table.get("after", "0m")),
        chance=table.get("chance", 1.0),
        channel=Channel(table["channel"]),
        direction=table.get("direction", "inbound"),
        disposition=table["disposition"],
        state=TicketState(table["state"]) if "state" in table else None,
        subject=Texts.parse(table.get("subject")),
        text=Texts.parse(table.get("text")),
        reply=Texts.parse(table.get("reply")),
        note=note,
    )


def _duration(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
