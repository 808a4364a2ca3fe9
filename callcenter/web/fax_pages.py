"""Pages of faxes as pictures: drawn by ourselves, in a process of its own, within limits of size, time and memory."""

import asyncio
import multiprocessing
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import asyncpg
import structlog
from aiohttp import web

from callcenter.domain.fax import PAGED
from callcenter.domain.transfer import from_encoding
from callcenter.errors import Invalid, NotFound
from callcenter.store.fax_gateways import SQL
from callcenter.store.pool import Pool
from callcenter.web.body import ID, path_id
from callcenter.web.fax_drawing import draw_in_time, limit_memory
from callcenter.web.keys import POOL
from callcenter.web.openapi import operation
from callcenter.web.rights import readable

log = structlog.get_logger()

_LARGEST = 20 * 1024 * 1024
_KEPT = 32
_UNREADABLE = "The pages of this fax cannot be shown; download the attachment."


@dataclass(frozen=True, slots=True)
class Drawn:
    """`png` of page number `n`; `pages`: how many there are."""

    n: int
    pages: int
    png: bytes


class Pages:
    """Draws one page after the other. Close it in the end."""

    def __init__(self) -> None:
        self._worker: ProcessPoolExecutor | None = None
        self._one = asyncio.Lock()
        self._kept: OrderedDict[tuple[int, int], Drawn] = OrderedDict()

    async def page(self, pool: Pool, interaction: int, n: int) -> Drawn:
        """Raises NotFound where there is no such page, and Invalid for what cannot be drawn."""
        row = await pool.fetchrow(SQL.attached, interaction, sorted(PAGED))
        if row is None:  # whoever was erased is gone from here too
            for key in [key for key in self._kept if key[0] == interaction]:
                del self._kept[key]
            raise NotFound("This contact has no pages.")
        found = self._kept.get((interaction, n))
        if found is None:
            content, kind = await _content(pool, interaction, row)
            found = await self._draw(content, kind, n)
            self._kept[interaction, n] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    async def _draw(self, content: bytes, kind: str, n: int) -> Drawn:
        async with self._one:
            if self._worker is None:
                self._worker = ProcessPoolExecutor(
                    1, mp_context=multiprocessing.get_context("spawn"), initializer=limit_memory
                )
            try:
                pages, png = await asyncio.get_running_loop().run_in_executor(
                    self._worker, draw_in_time, content, kind, n
                )
            except (BrokenProcessPool, MemoryError):
                log.warning("fax.unreadable", size=len(content))
                self.close()
                raise Invalid(_UNREADABLE) from None
        if pages == 0:
            raise Invalid(_UNREADABLE)
        if png is None:
            raise NotFound(f"This fax has {pages} pages.")
        return Drawn(n, pages, png)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.shutdown(wait=False, cancel_futures=True)
            self._worker = None


PAGES: web.AppKey[Pages] = web.AppKey("fax_pages")


async def _content(pool: Pool, interaction: int, row: asyncpg.Record) -> tuple[bytes, str]:
    if row["size"] > _LARGEST:
        raise Invalid(_UNREADABLE)
    raw = await pool.fetchval(SQL.raw, interaction, row["start"] + 1, row["length"])
    content = from_encoding(raw, row["encoding"])
    # What it calls itself is not believed.
    return content, "pdf" if content[:1024].lstrip()[:5] == b"%PDF-" else "tiff"


@operation(
    "GET", f"/interactions/{ID}/pages/{{n:[1-9]\\d{{0,2}}}}.png", summary="A page of a fax as PNG", tag="interactions",
    answer=bytes, answer_type="image/png",
)  # fmt: skip
async def get_page(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    drawn = await request.app[PAGES].page(request.app[POOL], ident, int(request.match_info["n"]))
    headers = {"Cache-Control": "private, no-cache", "X-Pages": str(drawn.pages)}
    return web.Response(body=drawn.png, content_type="image/png", headers=headers)


def routes() -> list[web.RouteDef]:
    return [get_page.route()]


async def close_pages(app: web.Application) -> None:
    app[PAGES].close()
