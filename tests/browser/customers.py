"""Customers for the pictures: one with all that a record can have, people who may be one, and one who was erased."""

from datetime import timedelta

from callcenter.actions import companies, company_merges, customer_merges, duplicates, erasures
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.browser.gallery import NUMBER, add_person
from tests.builders import NOW, make_customer


async def a_firm(pool: Pool, log: ContactLog, known: int, company: str) -> int:
    """The company of somebody known, with colleagues of theirs, an open ticket, and a company merged into it."""
    ident = known
    for number, name in enumerate(("Søren Kjær", "陈建国", "Maria do Carmo Albuquerque")):
        ident = await make_customer(pool, name, phone=f"+86138001386{number:02}")
        await pool.execute("update customer set company = $2, tier = 'silver' where id = $1", ident, company)
        await pool.execute(
            "insert into interaction (channel, state, outcome, customer_id, arrived_at, closed_at)"
            " values ('phone', 'closed', 'handled', $1, $2, $2)",
            ident, NOW - timedelta(days=number, hours=3),
        )  # fmt: skip
    await pool.execute(
        "insert into ticket (number, subject, state, customer_id, created_at, updated_at)"
        " values (990, 'Rice cooker does not heat / 电饭煲不加热', 'open', $1, $2, $2)",
        ident, NOW - timedelta(hours=5),
    )  # fmt: skip
    await make_customer(pool, "Old Wu")
    await pool.execute("update customer set company = 'Acme Kitchens' where name = 'Old Wu'")
    of = "select company_id from customer where id = $1 or name = $2 order by id limit 1"
    firm, old = await pool.fetchval(of, known, ""), await pool.fetchval(of, 0, "Old Wu")
    changes: companies.Changes = {"domains": ["acme.example", "acme-kitchens.example"], "note": "Invoices to Ms Zhou."}
    await companies.change(log, firm, changes=changes, version=None, actor=None, now=NOW)
    await company_merges.merge(log, old, into=firm, actor=None, now=NOW)
    return int(firm)


async def customer_pages(pool: Pool, data: str) -> dict[str, tuple[str, str]]:
    """Name of the picture → who looks at which path."""
    pages = {f"{data}-customers": ("sue", "/customers"), f"{data}-duplicates": ("sue", "/customers/duplicates")}
    known = await pool.fetchval("select customer_id from address where value = $1 order by id limit 1", NUMBER)
    if data != "usual" or known is None:
        return pages
    log = ContactLog(pool)
    await add_person(pool, "ada", "Ada Lovelace", role="administrator")
    ada = await pool.fetchval("select id from users where name = 'ada'")
    name = await pool.fetchval("select name from customer where id = $1", known)
    company = await pool.fetchval("select company from customer where id = $1", known)
    same = await make_customer(pool, "Hui Zhang", phone=NUMBER)
    merged = await make_customer(pool, "Frau Zhang", phone="+8613800138777")
    wang, wong = [await make_customer(pool, each) for each in ("王伟", "王偉")]
    await pool.execute("update customer set company = '苍鹭科技有限公司' where id = $1", wang)
    await pool.execute("update customer set company = '蒼鷺科技' where id = $1", wong)
    await pool.execute("update customer set company = $2, language = 'zh_CN' where id = $1", same, company)
    firm = await a_firm(pool, log, known, company)
    await customer_merges.merge(log, merged, into=known, actor=ada, now=NOW)
    gone = await make_customer(pool, "Somebody", phone="+8613800138778")
    await erasures.erase(log, gone, reason="Request 2026-118", actor=ada, now=NOW)
    await duplicates.search(log, now=NOW)
    return {
        **pages,
        "customers-found": ("ada", f"/customers?q={name[:2]}"),
        "customer": ("ada", f"/customers/{known}"),
        "customer-merge": ("ada", f"/customers/{known}/merge?with={same}"),
        "customers-import": ("ada", "/customers/import"),
        "customer-erased": ("ada", f"/customers/{gone}"),
        "customer-card": ("sue", f"/?desk%26customer={known}"),
        "company": ("ada", f"/companies/{firm}"),
        "company-agent": ("amy", f"/companies/{firm}"),
    }
