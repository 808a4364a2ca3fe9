"""For those who watch the server: is it alive, may it get work, what does it count."""

import asyncio
from importlib.metadata import version

from aiohttp import web

from callcenter.errors import CallcenterError
from callcenter.store.db import TRY_AGAIN
from callcenter.web.body import answer
from callcenter.web.keys import FEED, POOL, READINESS
from callcenter.web.metrics import CONTENT_TYPE, METRICS
from callcenter.web.openapi import PREFIX, describe

_READY_WITHIN = 5.0


async def get_healthz(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="alive\n")


async def get_readyz(request: web.Request) -> web.StreamResponse:
    """503 with what is missing, in words."""
    missing: dict[str, str] = {}
    for name, check in request.app[READINESS].items():
        try:
            async with asyncio.timeout(_READY_WITHIN):
                complaint = await check()
        except CallcenterError as error:
            complaint = str(error)
        except TRY_AGAIN as error:
            complaint = f"out of reach ({type(error).__name__})"
        except TimeoutError:
            complaint = f"no answer within {_READY_WITHIN:.0f} s"
        if complaint is not None:
            missing[name] = complaint
    return answer({"ready": not missing, "missing": missing}, status=503 if missing else 200)


async def get_metrics(request: web.Request) -> web.StreamResponse:
    text = await request.app[METRICS].render(request.app[POOL], request.app[FEED])
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


async def get_openapi(request: web.Request) -> web.StreamResponse:
    return answer(describe(request.app, version=version("callcenter")))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/healthz", get_healthz),
        web.get("/readyz", get_readyz),
        web.get("/metrics", get_metrics),
        web.get(f"{PREFIX}/openapi.json", get_openapi),
    ]
