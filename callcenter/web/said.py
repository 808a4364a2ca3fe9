"""Sentences that a reader's language can replace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "str | int | Said | Sequence[Said]"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or a part of one: English text with places for values, which may be parts themselves."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.put(lambda text: text)

    def put(self, translate: Callable[[str], str]) -> str:
        """With every text replaced by what `translate` makes of it."""
        values: dict[str, str | int] = {}
        for name, value in self.values.items():
            if isinstance(value, Said):
                values[name] = value.put(translate)
            elif isinstance(value, str | int):
                values[name] = value
            else:
                values[name] = ", ".join([part.put(translate) for part in value])
        return translate(self.text) % values if values else translate(self.text)


def counted(counts: Mapping[str, int], names: Mapping[str, str]) -> Sequence[Said]:
    """How many of each, the most first; what `names` does not know is a presence or a routing status."""
    return [
        Said("%(num)d %(doing)s", {"num": count, "doing": Said(names.get(each, each.replace("_", " ")))})
        for each, count in sorted(counts.items(), key=lambda each: -each[1])
    ]
