"""The telephones, as the doors see them."""

from collections.abc import Mapping

from aiohttp import web

from callcenter.ports import Phone

# By the name of the PBX; empty where there is none.
PHONES: web.AppKey[Mapping[str, Phone]] = web.AppKey("phones")
