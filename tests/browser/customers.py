"""Customers for the pictures: one with all that a record can have, people who may be one, and one who was erased."""

from callcenter.actions import customer_merges, duplicates, erasures
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.browser.gallery import NUMBER, add_person
from tests.builders import NOW, make_customer


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
    await customer_merges.merge(log, merged, into=known, actor=ada, now=NOW)
    gone = await make_customer(pool, "Somebody", phone="+8613800138778")
    await erasures.erase(log, gone, reason="Request 2026-118", actor=ada, now=NOW)
    await duplicates.search(log, now=NOW)
    return {
        **pages,
        "customers-found": ("ada", f"/customers?q={name[:2]}"),
        "customer": ("ada", f"/customers/{known}"),
        "customer-merge": ("ada", f"/customers/{known}/merge?with={same}"),
        "customer-erased": ("ada", f"/customers/{gone}"),
        "customer-card": ("sue", f"/?desk%26customer={known}"),
    }
