"""Faxes that a gateway sends on by mail: a channel and a caller of their own, pages on screen, no answer to them."""

import io

import pytest
from PIL import Image, ImageDraw

from callcenter.actions import mail_in, tickets
from callcenter.web.fax_drawing import draw
from channels.email.parse import parse
from tests.builders import NOW
from tests.channels.email.messages import attached, multipart, part
from tests.screenpop.conftest import House


def sheet(text: str) -> Image.Image:
    image = Image.new("1", (1728, 1145), 1)
    ImageDraw.Draw(image).text((100, 100), text, fill=0)
    return image


def tiff(pages: int = 2) -> bytes:
    first, *rest = [sheet(f"page {n}") for n in range(pages)]
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=rest, compression="group4", dpi=(204, 98))
    return buffer.getvalue()


def pdf(pages: int = 3) -> bytes:
    first, *rest = [sheet(f"page {n}").convert("L") for n in range(pages)]
    buffer = io.BytesIO()
    first.save(buffer, "PDF", save_all=True, append_images=rest)
    return buffer.getvalue()


async def come(house: House, content: bytes, *, kind: str = "image/tiff", name: str = "fax.tif", n: int = 1) -> int:
    await house.pool.execute(
        "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1) on conflict do nothing",
        house.queue,
    )
    await house.pool.execute("insert into fax_gateway (sender) values ('@fax.example') on conflict do nothing")
    raw = multipart(
        part(b"See attached."), attached(content, name, kind), From="Fax <noreply@fax.example>",
        Subject="facsimile received from 010 6552 9988", Message_ID=f"<{n}@fax.example>",
        Auto_Submitted="auto-generated",
    )  # fmt: skip
    received = await mail_in.receive(house.log, parse(raw), raw, now=NOW)
    again = await mail_in.receive(house.log, parse(raw), raw, now=NOW)
    assert (again.interaction, again.new) == (received.interaction, False)
    return received.interaction


async def test_a_fax_is_its_callers_contact_and_waits_in_the_queue(house: House):
    customer = await house.pool.fetchval("insert into customer (name) values ('Li Na') returning id")
    await house.pool.execute(
        "insert into address (customer_id, kind, value) values ($1, 'fax', '+861065529988')", customer
    )
    ident = await come(house, tiff())
    row = await house.pool.fetchrow(
        "select channel, state, address, customer_id, ticket_id from interaction where id = $1", ident
    )
    assert row is not None
    assert tuple(row)[:4] == ("fax", "queued", "+861065529988", customer)
    assert await house.pool.fetchval("select count(*) from outbox") == 0
    await tickets.reply(house.log, row["ticket_id"], text="Got it", public=True, actor=house.users["amy"], now=NOW)
    assert await house.pool.fetchval("select count(*) from outbox") == 0  # a machine reads no answers


@pytest.mark.parametrize(
    ("content", "kind", "name", "pages"),
    [(tiff(2), "image/tiff", "fax.tif", 2), (pdf(3), "application/octet-stream", "fax.pdf", 3)],
)
async def test_its_pages_stand_on_the_ticket_and_are_drawn_by_us(
    house: House, content: bytes, kind: str, name: str, pages: int
):
    ident = await come(house, content, kind=kind, name=name)
    await house.sign_in("sue")
    number = await house.pool.fetchval("select number from ticket")
    page = await (await house.client.get(f"/tickets/{number}")).text()
    assert f'hx-get="/desk/interactions/{ident}/fax"' in page
    shown = await (await house.client.get(f"/desk/interactions/{ident}/fax")).text()
    assert shown.count("<img") == pages
    response = await house.client.get(f"/api/v1/interactions/{ident}/pages/{pages}.png")
    assert (response.status, response.content_type, response.headers["X-Pages"]) == (200, "image/png", str(pages))
    with Image.open(io.BytesIO(await response.read())) as image:
        assert image.width == 1240
        assert (image.height > 1240) is (name == "fax.tif")  # the low resolution of a fax is made good
    assert (await house.client.get(f"/api/v1/interactions/{ident}/pages/{pages + 1}.png")).status == 404


async def test_what_is_no_fax_or_of_others_is_not_shown(house: House):
    ident = await come(house, b"%PDF-1.4 nothing", kind="application/pdf", name="fax.pdf")
    await house.sign_in("sue")
    assert "cannot be shown" in await (await house.client.get(f"/desk/interactions/{ident}/fax")).text()
    assert (await house.client.get(f"/api/v1/interactions/{ident}/pages/1.png")).status == 422
    await house.sign_in("bo")
    assert (await house.client.get(f"/api/v1/interactions/{ident}/pages/1.png")).status == 403


@pytest.mark.parametrize("kind", ["pdf", "tiff"])
@pytest.mark.parametrize("content", [b"", b"%PDF-", b"II*\x00\xff\xff\xff\xff", b"MM\x00*" + b"\x00" * 100])
def test_broken_pages_are_refused_and_crash_nothing(content: bytes, kind: str):
    assert draw(content, kind, 1) == (0, None)


def test_a_page_that_unpacks_to_a_wall_is_refused():
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000), 1).save(buffer, "TIFF", compression="group4")
    assert len(buffer.getvalue()) < 200_000
    assert draw(buffer.getvalue(), "tiff", 1) == (0, None)
