"""A corpus of hostile mail in a real browser: nothing of it runs, leads away, or loads anything from elsewhere."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Frame, Page, Request, Route

from callcenter.actions import mail_in
from callcenter.app import clock
from channels.email.parse import parse
from tests.browser.hostile import BODIES, NAMES
from tests.browser.stage import Stage
from tests.channels.email.messages import attached, message, multipart, part

_AT_ONCE = 40  # messages on the page of one ticket
FIRST = "<first@customer.example>"


class Watch:
    """Whatever a page does that a mail must not make it do."""

    def __init__(self, stage: Stage, page: Page) -> None:
        self.seen: list[str] = []
        self.images: list[str] = []
        self._own = urlsplit(stage.world.server.url).netloc
        page.on("dialog", self._ran)
        page.on("framenavigated", lambda frame: self._moved(frame, page))
        page.context.on("page", lambda other: self.seen.append(f"opened {other.url}"))
        page.context.on("request", self._asked)

    async def stand_in(self, page: Page) -> None:
        """For the rest of the world."""
        await page.context.route(lambda url: urlsplit(url).netloc != self._own, self._answer)

    @staticmethod
    async def _answer(route: Route) -> None:
        await route.fulfill(status=200, content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")

    async def _ran(self, dialog: object) -> None:
        self.seen.append(f"ran {dialog}")
        await dialog.dismiss()  # type: ignore[attr-defined]

    def _moved(self, frame: Frame, page: Page) -> None:
        if frame is page.main_frame or urlsplit(frame.url).netloc not in (self._own, ""):
            self.seen.append(f"led to {frame.url}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.netloc == self._own or parts.scheme in ("data", "blob"):
            if request.frame.parent_frame is not None and not parts.path.endswith("/frame") and parts.scheme != "data":
                self.seen.append(f"asked us for {request.url}")
        elif request.resource_type == "image":
            self.images.append(request.url)
        else:
            self.seen.append(f"asked for {request.url}")


def html_mail(body: str, n: int) -> bytes:
    name = NAMES[n % len(NAMES)]
    return message(
        body.encode(), kind="text/html; charset=utf-8", Subject=f"case {n}", Message_ID=f"<{n}@customer.example>",
        References=FIRST, From=f'"{name.replace(chr(34), "")}" <wang@customer.example>',
    )  # fmt: skip


async def take_in(stage: Stage, *raws: bytes) -> int:
    """The number of the ticket on which all of them are."""
    log, ticket = stage.world.server.log, None
    await stage.world.pool.execute("update queue set is_default = true where id = $1", stage.world.queue)
    for raw in raws:
        received = await mail_in.receive(log, parse(raw), raw, now=clock())
        assert received.new
        ticket = ticket or received.ticket
    return int(await stage.world.pool.fetchval("select number from ticket where id = $1", ticket))


async def read_all(page: Page, *, frames: int) -> None:
    """Scrolls through the conversation until each message stands in its frame."""
    for place in range(await page.locator(".said-mail").count()):
        await page.locator(".said-mail").nth(place).scroll_into_view_if_needed()
    await page.wait_for_function("document.querySelectorAll('.said-mail .mail-head').length", timeout=20_000)
    for place in range(frames):
        frame = page.locator("iframe.mail-frame").nth(place)
        await frame.scroll_into_view_if_needed(timeout=20_000)
    await page.wait_for_load_state("networkidle")


SHAPE = """() => ({
    scripts: [...document.scripts].map((s) => s.src),
    handlers: [...document.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()).filter((a) => /^on/.test(a)),
    links: [...document.querySelectorAll("[href]")].map((e) => e.href).filter((h) => /script:/i.test(h)),
    odd: document.querySelectorAll("main :is(svg[onload], img, object, embed, base, meta, style)").length,
})"""


@pytest.mark.parametrize("first", range(0, len(BODIES), _AT_ONCE))
async def test_nothing_of_a_hostile_mail_runs_or_loads(stage: Stage, first: int):
    bodies = BODIES[first : first + _AT_ONCE]
    start = message(b"Hello\r\n", Message_ID=FIRST)
    number = await take_in(stage, start, *(html_mail(body, first + n) for n, body in enumerate(bodies)))
    framed = await stage.world.pool.fetchval("select count(*) from mail where html <> ''")
    page = await stage.desk("amy", path=f"/tickets/{number}")
    watch = Watch(stage, page)
    await watch.stand_in(page)
    await read_all(page, frames=framed)
    assert len(page.frames) == 1 + framed
    assert watch.seen == []
    assert watch.images == []
    shape = await page.evaluate(SHAPE)
    assert {urlsplit(each).netloc for each in shape["scripts"]} == {urlsplit(page.url).netloc}
    assert (shape["handlers"], shape["links"], shape["odd"]) == ([], [], 0)


async def test_images_that_are_asked_for_load_by_https_alone_and_nothing_else_does(stage: Stage):
    body = (
        "<img src=https://evil.example/a.png><img src=http://evil.example/b.png><img src=//evil.example/c.png>"
        "<link rel=stylesheet href=https://evil.example/s.css><iframe src=https://evil.example/f></iframe>"
    )
    number = await take_in(stage, message(body.encode(), kind="text/html"))
    page = await stage.desk("amy", path=f"/tickets/{number}")
    watch = Watch(stage, page)
    await watch.stand_in(page)
    await read_all(page, frames=1)
    assert watch.images == []
    async with page.expect_request("https://evil.example/a.png") as asked:
        await page.get_by_role("link", name="Show images").click()
    assert (await (await asked.value).all_headers()).get("referer") is None
    await page.wait_for_load_state("networkidle")
    assert watch.images == ["https://evil.example/a.png"]
    assert watch.seen == []


async def test_names_of_files_and_subjects_are_words_and_files_are_only_saved(stage: Stage):
    parts = [attached(b"<script>alert(1)</script>", name.replace('"', "'"), "text/html") for name in NAMES]
    inline = part(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml", Content_ID="<pic>")
    raws = [
        multipart(part(b"<p>see <img src=cid:pic>", "text/html"), inline, *parts, Message_ID=FIRST),
        *(
            message(b"Hello\r\n", Subject=name, Message_ID=f"<{n}@customer.example>", References=FIRST)
            for n, name in enumerate(NAMES)
        ),
        *(
            message(body, kind=kind, Message_ID=f"<{kind}@x.example>", References=FIRST)
            for kind, body in (
                ("text/html; charset=utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
                ("text/html; charset=utf-16", "<script>alert(1)</script>".encode("utf-16")),
                ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
                ("text/xml", b"<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>"),
                ("application/xhtml+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>"),
                ("text/calendar", b"BEGIN:VEVENT\r\nSUMMARY:<img src=x onerror=alert(1)>\r\nEND:VEVENT\r\n"),
                ("text/enriched", b"<script>alert(1)</script>"),
            )
        ),
    ]  # fmt: skip
    number = await take_in(stage, *raws)
    page = await stage.desk("amy", path=f"/tickets/{number}")
    watch = Watch(stage, page)
    await watch.stand_in(page)
    framed = await stage.world.pool.fetchval("select count(*) from mail where html <> ''")
    await read_all(page, frames=framed)
    for link in await page.locator(".mail-files a").all():
        answer = await page.request.get(await link.evaluate("(link) => link.href"))
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (watch.seen, watch.images) == ([], [])
    shape = await page.evaluate(SHAPE)
    assert (shape["handlers"], shape["links"], shape["odd"]) == ([], [], 0)
