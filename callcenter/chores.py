"""What is done every so often and at no moment in particular: a table, and the loop that does one row of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.actions import duplicates, opinions, portal, quality, solutions, surveys, uploads
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog


@dataclass(frozen=True, slots=True)
class House:
    """What chores work with, as of `now`."""

    log: ContactLog
    directory: Directory
    settings: Settings
    now: datetime


@dataclass(frozen=True, slots=True)
class Chore:
    """`pause`: seconds from the end of one round to the next. Any number of nodes may do it at once."""

    name: str
    pause: float
    do: Callable[[House], Awaitable[object]]
    needs_mail: bool = False


async def keep(
    chore: Chore, log: ContactLog, directory: Directory, settings: Settings, clock: Callable[[], datetime]
) -> None:
    """For ever; supervised."""
    while True:
        await chore.do(House(log, directory, settings, clock()))
        await asyncio.sleep(chore.pause)


async def _ask(house: House) -> None:
    await surveys.ask_about_closed(house.log, now=house.now)


async def _review(house: House) -> None:
    today = house.now.astimezone(ZoneInfo(house.directory.organisation.timezone)).date()
    await solutions.remind(house.log, today=today, now=house.now)
    await solutions.purge(house.log.pool, now=house.now)


async def _draw(house: House) -> None:
    await quality.draw_due(house.log, now=house.now)


async def _purge(house: House) -> None:
    await opinions.purge(
        house.log,
        letters_before=house.now - timedelta(days=house.settings.keep_letters_days),
        words_before=house.now - timedelta(days=house.settings.keep_words_days),
    )


async def _tidy(house: House) -> None:
    await uploads.purge(house.log, now=house.now)
    await portal.purge(house.log, now=house.now)


async def _find_duplicates(house: House) -> None:
    await duplicates.search(house.log, now=house.now)


CHORES = (
    # Minutes after a contact; questions that nobody gets are not asked.
    Chore("surveys", 5.0, _ask, needs_mail=True),
    # Reviews of solutions are due on a day.
    Chore("solutions", 600.0, _review),
    # Conversations are drawn for evaluators week by week.
    Chore("samples", 600.0, _draw),
    # What is deleted for its age is measured in days.
    Chore("purge", 3600.0, _purge),
    # Files that nobody sent, and links and visits of customers whose time is over.
    Chore("visits", 1800.0, _tidy),
    # A round is 400 customers and less than half a second of the database: once through a million takes two days, and
    # whoever opens a record is told at once.
    Chore("duplicates", 60.0, _find_duplicates),
)
