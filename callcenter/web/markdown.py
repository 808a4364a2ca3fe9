"""Markdown for pages, away from the event loop where it is long: a text of 50,000 brackets takes seconds."""

import asyncio
from collections.abc import Callable

from callcenter.domain import markdown

_SHORT = 2_000  # characters; drawn sooner than a thread begins, or in 40 ms at the worst


async def html_of(text: str) -> str:
    return await _drawn(markdown.html_of, text)


async def plain_of(text: str) -> str:
    return await _drawn(markdown.plain_of, text)


async def _drawn(draw: Callable[[str], str], text: str) -> str:
    return draw(text) if len(text) <= _SHORT else await asyncio.to_thread(draw, text)
