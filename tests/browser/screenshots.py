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
from tests.browser.gallery import PASSWORD, a_gallery, add_person, fill
from tests.browser.stage import CHROMIUM

SIZES = {"1280x800": (1280, 800), "1920x1080": (1920, 1080)}
SCHEMES = ("light", "dark")
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
        if who:
            await page.goto(f"{url}/sign-in?next={path}")
            await page.fill("[name=name]", who)
            await page.fill("[name=password]", PASSWORD)
            await page.click("main button")
        else:
            await page.goto(f"{url}{path}")
        await page.wait_for_load_state("networkidle")
        sizes = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        if sizes != [width, height]:
            sys.stderr.write(f"{name} {look.name}: the page is {sizes[0]} by {sizes[1]} large\n")
        await page.screenshot(path=folder / f"{name}-{look.name}.png")
        await context.close()


async def scene(browser: Browser, folder: Path, *, data: str, only: str, pages: str) -> None:
    """One amount of data in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="callcenter-gallery-") as home:
        Path(home).chmod(0o755)
        async with embedded(Path(home), durable=False) as dsn:
            connection = await connect(dsn)
            await migrate(connection)
            await connection.close()
            pool = await connect_pool(dsn, max_size=6)
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
            if data == "usual":
                shown |= {"sign-in": ("", "/sign-in"), "password": ("amy", "/password"), "missing": ("amy", "/none")}
            shown = {name: how for name, how in shown.items() if pages in name}
            async with a_gallery(pool, dsn) as gallery:
                for look in looks(only):
                    await take(browser, gallery.url, look, shown, folder)
            await pool.close()


async def main(folder: Path, only: str, pages: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for data in ("empty", "usual", "much"):
            await scene(browser, folder, data=data, only=only, pages=pages)
        await browser.close()


if __name__ == "__main__":
    # ONLY=1280x800-light-en and PAGES=wall take some of them.
    asyncio.run(main(Path(sys.argv[1]), os.environ.get("ONLY", ""), os.environ.get("PAGES", "")))
