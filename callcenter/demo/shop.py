"""The made-up shop: another site, whose pages have the widget of the chat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import web

from callcenter.domain.organisation_file import OrganisationFile

KEY = "shop"
_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ max-width: 52rem; margin: 0 auto; padding: 2rem 1.5rem 8rem; font: 16px/26px system-ui, sans-serif; }}
nav {{ display: flex; gap: 1.5rem; border-bottom: 1px solid #d5dae1; padding-bottom: 1rem; }}
a {{ color: #1c5bc9; }} h1 {{ font-size: 28px; line-height: 36px; }}
</style>
<script src="{server}/widget.js?key={key}" async></script></head>
<body><nav><strong>Heronbay</strong>{links}</nav><h1>{title}</h1><p>{text}</p></body></html>
"""
_WORDS = {
    "en": {
        "": ("Appliances that last", "This shop is made up, and its chat is not: write at the bottom right."),
        "kettle": ("Kettles", "Boils a litre in three minutes, and tells when the filter wants to be changed."),
        "vacuum": ("Robot vacuums", "Cleans while you are out, and finds its way home by itself."),
        "returns": ("Returns", "Thirty days, without a reason. The money is back within three working days."),
    },
    "zh-CN": {
        "": ("耐用的家电", "这家商店是虚构的，但聊天是真的：请点击右下角。"),
        "kettle": ("电水壶", "三分钟烧开一升水，滤芯该换时会提醒您。"),
        "vacuum": ("扫地机器人", "您出门时打扫，自己找到回充座。"),
        "returns": ("退货", "三十天无理由退货，款项三个工作日内退回。"),
    },
}


@dataclass
class Shop:
    """`url`: where it is; `server`: from which its pages take the widget, as soon as that is known."""

    url: str
    server: str = ""

    async def page(self, request: web.Request) -> web.Response:
        accepts = request.headers.get("Accept-Language", "")
        lang = request.query.get("lang") or ("zh-CN" if accepts.lower().startswith("zh") else "en")
        words = _WORDS.get(lang, _WORDS["en"])
        title, text = words.get(request.path.strip("/"), words[""])
        links = "".join(f'<a href="/{path}">{head}</a>' for path, (head, _) in words.items() if path)
        body = _PAGE.format(
            lang=lang if lang in _WORDS else "en", title=title, text=text, links=links, server=self.server, key=KEY
        )
        return web.Response(text=body, content_type="text/html")


@asynccontextmanager
async def a_shop(host: str, port: int) -> AsyncIterator[Shop]:
    """At this port, or at any other one when it is taken."""
    shop = Shop("")
    app = web.Application()
    app.router.add_get("/{path:.*}", shop.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await web.TCPSite(runner, host, 0).start()
        shop.url = f"http://{host}:{runner.addresses[0][1]}"
        yield shop
    finally:
        await runner.cleanup()


def with_site(file: OrganisationFile, site: str) -> OrganisationFile:
    """The organisation with a widget that this site may show too."""
    widgets = tuple(
        replace(widget, sites=(*(each for each in widget.sites if each != site), site))
        for widget in file.organisation.widgets
    )
    return replace(file, organisation=replace(file.organisation, widgets=widgets))


def address_of(file: OrganisationFile) -> str:
    """Where the shop is, as `with_site` wrote it down."""
    return next(widget.sites[-1] for widget in file.organisation.widgets if widget.name == KEY)
