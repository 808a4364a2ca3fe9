"""The table `callbacks` of an organisation file."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from callcenter.domain.callback import CallbackRules
from callcenter.domain.organisation_keys import Positive, Prompt, Slug, Table

_Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


def _soon(value: timedelta) -> timedelta:
    if value > timedelta(days=3):
        raise ValueError("three days at most were expected")
    return value


class CallbacksTable(Table):
    attempts: Annotated[int, Field(ge=1, le=10, strict=True)] = 3
    again: Annotated[Positive, AfterValidator(_soon)] = timedelta(minutes=15)
    ahead: Positive = timedelta(days=14)
    countries: tuple[_Country, ...] = ()
    doors: dict[Slug, str] = Field(default_factory=dict)
    prompt: Prompt | None = None

    def rules(self) -> CallbackRules:
        return CallbackRules(**self.model_dump())
