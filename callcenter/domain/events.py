"""One fact of the contact log, and the place of a reader in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from callcenter.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """How far a reader has come: (epoch, xid, seq) of the last event it has seen.

    The order is that of transactions, not of `seq`, which is given out before commits land.
    """

    epoch: int
    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch:x}-{self.xid:x}-{self.seq:x}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid when the text is not a cursor of ours."""
        parts = text.split("-")
        try:
            if len(parts) != 3 or len(text) > 60:
                raise ValueError
            epoch, xid, seq = (int(part, 16) for part in parts)
        except ValueError:
            raise Invalid("That is no cursor of this log.", field="after") from None
        return cls(epoch, xid, seq)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the log: what happened to which aggregate, with the after-image of what moved.

    `version` is that of the aggregate the kind begins with; `data` holds states and ids, never personal data.
    """

    seq: int
    xid: int
    epoch: int
    at: datetime
    kind: str
    interaction: int | None
    customer: int | None
    agent: int | None
    queue: int | None
    ticket: int | None
    actor: int | None
    version: int | None
    data: Mapping[str, Any]

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.xid, self.seq)

    @property
    def noun(self) -> str:
        """The aggregate's kind: interaction, reservation, agent, ticket, customer, organisation…"""
        return self.kind.partition(".")[0]
