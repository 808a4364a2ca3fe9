"""Who rings now, which number they dial, and what the agent will write down afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

from callcenter.demo.stories import Stories
from callcenter.domain.interaction import Channel
from callcenter.store.directory import Queue
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_suffix(".sql"))
_KNOWN = 400
# How many of the calls go where, when the queue is open.
_DEMAND = {"support": 45, "billing": 20, "repair": 17, "international": 12, "business": 6}
_FOLLOW_UP = {
    "en": (
        "Asked how #{ticket} stands. Told what we know; promised to ring when it moves.",
        "Second question about #{ticket}: read the notes out, that helped. We ring back.",
        "Has news for #{ticket}, added to the case. Waits for us.",
    ),
    "zh": (
        "询问工单#{ticket}进度，已告知最新情况，有进展我们回电。",
        "补充工单#{ticket}的情况，已记录，等我们回复。",
        "催问工单#{ticket}，已安抚，答应今天内回电。",
    ),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """`number` as the network sends it, empty when withheld; disposition and note are the agent's afterwards."""

    number: str
    name: str
    queue: Queue
    called: str
    disposition: str
    note: str


class Callers:
    """Draws callers: most are known, many of these have something open, some are new, a few hide."""

    def __init__(self, known: Sequence[Mapping[str, object]], queues: Mapping[int, Queue], dice: Random) -> None:
        self._stories = Stories.load()
        self._known = known
        self._waiting = [row for row in known if row["ticket"] is not None]
        self._queues = {queue.name: queue for queue in queues.values() if queue.active and queue.numbers}
        self._dice = dice

    @classmethod
    async def load(cls, pool: Pool, queues: Mapping[int, Queue], dice: Random) -> "Callers":
        return cls([dict(row) for row in await pool.fetch(_SQL.known_callers, _KNOWN)], queues, dice)

    def draw(self, now: datetime, *, queue: str | None = None) -> Caller | None:
        """Who rings next; None when all queues are closed. `queue`: the one that must be called."""
        if self._waiting and self._dice.random() < 0.35:
            caller = self._continue(self._dice.choice(self._waiting), now, queue)
            if caller is not None:
                return caller
        name = queue or self._demanded(now)
        if name is None:
            return None
        return self._begin(self._queues[name])

    def _demanded(self, now: datetime) -> str | None:
        open_now = [name for name in _DEMAND if name in self._queues and self._open(name, now)]
        if not open_now:
            return None
        return self._dice.choices(open_now, [_DEMAND[name] for name in open_now])[0]

    def _open(self, name: str, now: datetime) -> bool:
        hours = self._queues[name].hours
        # Now and then somebody rings when nobody is there, and hears so.
        return hours is None or hours.is_open(now) or self._dice.random() < 0.03

    def _continue(self, row: Mapping[str, object], now: datetime, queue: str | None) -> Caller | None:
        name = str(row["queue"])
        if name not in self._queues or queue not in (None, name) or not self._open(name, now):
            return None
        written = "zh" if str(row["language"] or "").startswith("zh") else "en"
        note = self._dice.choice(_FOLLOW_UP[written]).format(ticket=row["ticket"])
        if row["language"] == "zh_TW":
            note = self._stories.traditional.write(note)
        return self._caller(str(row["phone"]), str(row["name"]), self._queues[name], "call_back", note)

    def _begin(self, queue: Queue) -> Caller:
        """Somebody known to fit the queue, or somebody new, begins a story."""
        row = self._dice.choice(self._known) if self._known and self._dice.random() < 0.82 else None
        language = str(row["language"] or "en") if row is not None else self._dice.choice(("zh_CN", "zh_CN", "en"))
        if queue.name == "international":
            language = "en"
            foreign = [row for row in self._known if not str(row["language"] or "").startswith("zh")]
            row = self._dice.choice(foreign) if foreign and row is not None else None
        phone = str(row["phone"]) if row is not None else self._new_number(language)
        stories = [story for story in self._stories.all if story.queue == queue.name or queue.name == "international"]
        openings = [(story, story.steps[0]) for story in stories if story.steps[0].channel is Channel.PHONE]
        openings = [(story, step) for story, step in openings if step.disposition in queue.dispositions]
        if not openings:
            return self._caller(phone, "", queue, queue.dispositions[0] if queue.dispositions else "", "")
        story, step = self._dice.choices(openings, [story.weight for story, _ in openings])[0]
        note = self._stories.begin(story, language=language, city="厦门", dice=self._dice).say(step.note) or ""
        return self._caller(phone, str(row["name"]) if row is not None else "", queue, step.disposition, note)

    def _new_number(self, language: str) -> str:
        if language.startswith("zh"):
            return f"+861{self._dice.choice(('35', '36', '38', '59', '86'))}{self._dice.randrange(10**7, 10**8)}"
        return f"+4420794603{self._dice.randrange(10, 100)}"

    def _caller(self, phone: str, name: str, queue: Queue, disposition: str, note: str) -> Caller:
        number = phone
        if self._dice.random() < 0.05:
            number = ""
        elif phone.startswith("+86") and self._dice.random() < 0.4:
            # As Chinese networks send it: without the country code, landlines with a zero.
            number = phone[3:] if phone.startswith("+861") else f"0{phone[3:]}"
        shown = name if name.isascii() and self._dice.random() < 0.5 else ""
        return Caller(number, shown if number else "", queue, queue.numbers[0], disposition, note)
