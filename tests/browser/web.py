"""Forms that customers fill in, and a customer's own cases, to be looked at."""

from pathlib import Path

from callcenter import toml
from callcenter.actions import portal, tickets, uploads, web_in
from callcenter.actions.web_in import WebMessage
from callcenter.domain import link
from callcenter.domain.customer import AddressKind
from callcenter.domain.organisation_file import understand
from callcenter.store import web_forms
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.surveys import link_key
from tests.builders import NOW, later, make_customer

DEMO = Path(__file__).parents[2] / "config" / "demo.org.toml"
ADDRESS = "wang@post.example"
# Of a page whose visitor has come in: the cookie's value stands behind it.
VISITOR = "visitor:"


async def web_pages(pool: Pool) -> dict[str, tuple[str, str]]:
    """Name of the picture → whose it is and its path."""
    log, [queue] = ContactLog(pool), await pool.fetch("select id, name from queue order by id limit 1")
    organisation = understand(toml.read(DEMO), {}).organisation
    assert organisation.portal is not None
    async with pool.acquire() as connection:
        await web_forms.put(connection, organisation.web_forms)
        await web_forms.put_portal(connection, organisation.portal)
    await pool.execute("update web_form set queue_id = $1", queue["id"])
    customer = await make_customer(pool, "王芳")
    await pool.execute("insert into address (customer_id, kind, value) values ($1, 'email', $2)", customer, ADDRESS)

    async def write(subject: str, text: str, *, ticket: int | None = None, minutes: float = 0) -> web_in.Received:
        count = await pool.fetchval("select count(*) from interaction")
        message = WebMessage(
            external_id=f"gallery{count}", called="contact", subject=subject, text=text,
            address_kind=AddressKind.EMAIL, address=ADDRESS,
        )  # fmt: skip
        return await web_in.receive(log, message, queue=queue["id"], ticket=ticket, now=later(60 * minutes))

    amy = await pool.fetchval("select id from users order by id limit 1")
    old = await write("退款什么时候到账？", "上周退的货，还没有收到退款。", minutes=-9000)
    await tickets.change(log, old.ticket, changes={"state": "resolved"}, version=None, actor=None, now=later(-500_000))
    first = await write(
        "The kettle stays dark", "The light of my kettle E3 stays dark.\nSerial number K-1207.", minutes=-300
    )
    await tickets.reply(
        log, first.ticket, text="Does it heat the water all the same?", public=True, actor=amy, now=later(-15_000)
    )
    await tickets.change(log, first.ticket, changes={"state": "pending"}, version=None, actor=amy, now=later(-15_000))
    last = await write("A lid for the rice cooker", "Where can I buy a lid for my rice cooker?", minutes=-20)
    message = await pool.fetchval("select max(id) from message where ticket_id = $1 and kind = 'inbound'", first.ticket)
    photo = await uploads.keep(log, "kettle.png", None, b"\x89PNG\r\n\x1a\n" + bytes(99), now=NOW)
    async with log.transaction() as tx:
        await uploads.bind(tx, [photo], message=message)
    await portal.send_link(log, ADDRESS, language=None, now=NOW)
    entered = await portal.enter(
        log, await pool.fetchval("select max(id) from portal_link"), lasts=organisation.portal.session, now=NOW
    )
    number = await pool.fetchval("select number from ticket where id = $1", first.ticket)
    over = await pool.fetchval("select number from ticket where id = $1", old.ticket)
    seen = link.sign(await link_key(pool), "form/seen", last.interaction, expires=later(86_400))
    visitor = f"{VISITOR}{entered}"
    return {
        "web-form": ("", "/forms/contact"),
        "web-repair": ("", "/forms/repair"),
        "web-done": ("", f"/forms/contact/done?t={seen}"),
        "web-come-in": ("", "/my"),
        "web-cases": (visitor, "/my"),
        "web-case": (visitor, f"/my/cases/{number}"),
        "web-over": (visitor, f"/my/cases/{over}"),
        "web-new": (visitor, "/my/new"),
    }
