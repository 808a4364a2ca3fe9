"""Versions of things in HTTP's words: ETag and If-Match."""

import re

from aiohttp import hdrs, web

from callcenter.errors import Invalid

_TAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


def etag(version: int) -> dict[str, str]:
    return {hdrs.ETAG: f'"{version}"'}


def expected_version(request: web.Request) -> int | None:
    """The version that the writer has seen; None when any will do. Raises Invalid."""
    header = request.headers.get(hdrs.IF_MATCH)
    if header is None or header.strip() == "*":
        return None
    found = _TAG.fullmatch(header.strip())
    if found is None:
        raise Invalid('If-Match takes one version, such as "4".', field="If-Match")
    return int(found[1])
