"""Takes a picture of every page, small and large, light and dark, in every language: `make screenshots`."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from callcenter.store.db import connect, connect_pool
from callcenter.store.embedded import embedded
from callcenter.store.migrate import migrate
from callcenter.store.pool import Pool
from tests.browser.administration import administration_pages
from tests.browser.chats import chat_pages
from tests.browser.customers import customer_pages
from tests.browser.gallery import PASSWORD, a_gallery, add_person, fill
from tests.browser.offered_work import offered_pages
from tests.browser.quality import quality_pages
from tests.browser.stage import CHROMIUM
from tests.browser.web import VISITOR, web_pages
from tests.browser.widget import widget_pictures

# The smallest is a telephone: customers' pages only.
PHONE = "390x844"
SIZES = {"1280x800": (1280, 800), "1920x1080": (1920, 1080), PHONE: (390, 844)}
SCHEMES = ("light", "dark")
MAILED = (
    "select min(t.number) from mail m join interaction i on i.id = m.interaction_id join ticket t on t.id = i.ticket_id"
)
LOCALES = {"en": "en-US", "zh_CN": "zh-CN", "zh_TW": "zh-TW"}


@dataclass(frozen=True, slots=True)
class Look:
    size: str
    scheme: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.size}-{self.scheme}-{self.language}"


def looks(only: str) -> Iterator[Look]:
    for size in SIZES:
        for scheme in SCHEMES:
            for language in LOCALES:
                look = Look(size, scheme, language)
                if only in look.name:
                    yield look


async def take(browser: Browser, url: str, look: Look, shown: Mapping[str, tuple[str, str]], folder: Path) -> None:
    """`shown`: name of the picture → who looks at which path."""
    width, height = SIZES[look.size]
    for name, (who, path) in shown.items():
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if look.scheme == "dark" else "light",
            locale=LOCALES[look.language],
        )
        page = await context.new_page()
        if who.startswith(VISITOR):
            await context.add_cookies([{"name": "cc_my", "value": who.removeprefix(VISITOR), "url": f"{url}/my"}])
            await page.goto(f"{url}{path}")
        elif who:
            await page.goto(f"{url}/sign-in?next={path}")
            await page.fill("[name=name]", who)
            await page.fill("[name=password]", PASSWORD)
            await page.click("main button")
        else:
            await page.goto(f"{url}{path}")
        await page.wait_for_load_state("networkidle")
        if name.endswith("-side"):
            await page.evaluate("document.querySelector('.ticket-side').scrollTo(0, 1e6)")
        sizes = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        if sizes != [width, height]:
            sys.stderr.write(f"{name} {look.name}: the page is {sizes[0]} by {sizes[1]} large\n")
        await page.screenshot(path=folder / f"{name}-{look.name}.png", full_page=look.size == PHONE)
        await context.close()


async def shown_of(pool: Pool, data: str) -> dict[str, tuple[str, str]]:
    """Fills the database; name of the picture → who looks at which path."""
    if data == "empty":
        await add_person(pool, "amy", "Amy Chen")
        await add_person(pool, "sue", "Sue Wong", role="supervisor")
        states = {"desk": "amy"}
    else:
        states = await fill(pool, much=data == "much")
    shown = {f"{data}-{state}": (who, "/") for state, who in states.items()}
    shown[f"{data}-wall"] = ("sue", "/wall")
    if (queue := await pool.fetchval("select min(id) from queue")) is not None:
        shown[f"{data}-line"] = ("sue", f"/queues/{queue}")
    if (ticket := await pool.fetchval("select min(number) from ticket where tags <> '{}'")) is not None:
        shown[f"{data}-ticket"] = shown[f"{data}-ticket-side"] = ("amy", f"/tickets/{ticket}")
    if (mail := await pool.fetchval(MAILED)) is not None:
        shown[f"{data}-ticket-mail"] = ("amy", f"/tickets/{mail}")
    shown[f"{data}-tickets"] = ("amy", "/tickets")
    shown[f"{data}-contracts"] = ("sue", "/contracts")
    if (contract := await pool.fetchval("select min(id) from contract")) is not None:
        shown[f"{data}-contract"] = ("sue", f"/contracts/{contract}")
    shown |= await customer_pages(pool, data)
    if data != "empty":
        shown |= await chat_pages(pool, much=data == "much")
        shown |= await offered_pages(pool, much=data == "much")
    if data == "usual":
        shown |= await quality_pages(pool)
        shown |= await web_pages(pool)
        shown |= {"sign-in": ("", "/sign-in"), "password": ("amy", "/password"), "missing": ("amy", "/none")}
        shown |= {
            f"solutions-{name}": ("sue", f"/solutions{path}")
            for name, path in (
                ("list", ""), ("article", "/1"), ("edit", "/1/edit"), ("versions", "/1/versions"),
                ("figures", "/figures"),
            )
        }  # fmt: skip
        shown |= {"help": ("", "/help"), "help-article": ("", "/help/1"), "help-found": ("", "/help?q=E3")}
    return shown


async def scene(browser: Browser, folder: Path, *, data: str, only: str, pages: str) -> None:
    """One amount of data in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="callcenter-gallery-") as home:
        Path(home).chmod(0o755)
        async with embedded(Path(home), durable=False) as dsn:
            connection = await connect(dsn)
            await migrate(connection)
            await connection.close()
            pool = await connect_pool(dsn, max_size=6)
            shown = await (administration_pages(pool) if data == "settings" else shown_of(pool, data))
            shown = {name: how for name, how in shown.items() if pages in name}
            async with a_gallery(pool, dsn) as gallery:
                for look in looks(only):
                    small = {name: (who, at) for name, (who, at) in shown.items() if not who or who.startswith(VISITOR)}
                    await take(browser, gallery.url, look, small if look.size == PHONE else shown, folder)
            await pool.close()


async def main(folder: Path, only: str, pages: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for data in ("empty", "usual", "much", "settings"):
            await scene(browser, folder, data=data, only=only, pages=pages)
        if "widget".startswith(pages[:6]):
            for look in looks(only):
                locale = LOCALES[look.language] if look.language != "en" else "en"
                await widget_pictures(browser, folder, scheme=look.scheme, size=SIZES[look.size], language=locale)
        await browser.close()


if __name__ == "__main__":
    # ONLY=1280x800-light-en and PAGES=wall take some of them.
    asyncio.run(main(Path(sys.argv[1]), os.environ.get("ONLY", ""), os.environ.get("PAGES", "")))
