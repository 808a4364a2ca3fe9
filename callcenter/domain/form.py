"""Forms that an organisation writes for itself: questionnaires, scorecards and the rules that draw samples for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A text, or one for each language (zh_CN, zh, …).
Texts = str | Mapping[str, str]


class FormKind(StrEnum):
    SURVEY = "survey"  # further questions to customers
    SCORECARD = "scorecard"  # questions to evaluators
    SAMPLING = "sampling"  # which conversations evaluators are given


# The tables of an organisation file.
TABLES: Mapping[FormKind, str] = {
    FormKind.SURVEY: "surveys",
    FormKind.SCORECARD: "scorecards",
    FormKind.SAMPLING: "sampling",
}


@dataclass(frozen=True, slots=True)
class FormEntry:
    """`definition`: what the organisation file says, but for the name."""

    kind: FormKind
    name: str
    definition: Mapping[str, Any]


def in_language(texts: Texts, code: str) -> str:
    """The text for zh_TW: that of zh_TW, of zh, of any zh, else the first one."""
    if isinstance(texts, str):
        return texts
    spoken = code.partition("_")[0]
    near = [texts[each] for each in texts if each.partition("_")[0] == spoken]
    return texts.get(code) or texts.get(spoken) or next(iter(near or texts.values()), "")
