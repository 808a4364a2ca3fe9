"""The dialog for contacts that no channel brought."""

from tests.builders import make_customer
from tests.screenpop.conftest import House


async def test_a_note_needs_a_name_and_a_few_words(house: House):
    customer = await make_customer(house.pool, "欧阳娜娜", phone="+8613912345678")
    await house.sign_in("amy")
    dialog = await (await house.client.get(f"/desk/by-hand?customer={customer}")).text()
    assert "欧阳娜娜" in dialog
    found = await (await house.client.get("/desk/by-hand/customers?who=欧阳")).text()
    assert f'value="{customer}" checked' in found
    said = await house.act(
        "amy", "/desk/by-hand", kind="visit", direction="inbound", customer=str(customer), text="<b>Kettle"
    )
    assert "data-noted" in await said.text()
    row = await house.pool.fetchrow("select channel, customer_id, note, agent_id, outcome from interaction")
    assert row is not None
    assert tuple(row) == ("visit", customer, "<b>Kettle", house.users["amy"], "handled")
    desk = await (await house.client.get("/desk")).text()
    assert desk.index("Handled today") < desk.rindex("欧阳娜娜")


async def test_who_is_unknown_is_made_and_a_ticket_opened_or_found(house: House):
    await house.sign_in("amy")
    found = await (await house.client.get("/desk/by-hand/customers?who=<Li>")).text()
    assert 'value="new" checked' in found
    assert "&lt;Li&gt;" in found
    fields = {"kind": "letter", "direction": "inbound", "customer": "new", "who": "Li Na", "text": "Complains"}
    assert "data-noted" in await (await house.act("amy", "/desk/by-hand", **fields, about="Kettle leaks")).text()
    number = await house.pool.fetchval("select number from ticket")
    fields |= {"customer": "", "about": f"#{number}", "minutes": "2", "at": "2026-03-10T08:00"}
    assert "data-noted" in await (await house.act("amy", "/desk/by-hand", **fields)).text()
    assert await house.pool.fetchval("select count(*) from interaction where ticket_id is not null") == 2
    assert await house.pool.fetchval("select count(*) from customer") == 1


async def test_what_is_wrong_is_said_in_the_dialog_and_nothing_is_kept(house: House):
    await house.sign_in("amy")
    good = {"kind": "visit", "direction": "inbound", "text": "x"}
    for wrong in (
        {"text": ""},
        {"kind": "email"},
        {"minutes": "-1"},
        {"at": "soon"},
        {"about": "#99"},
        {"at": "2031-01-01T00:00"},
    ):
        said = await house.act("amy", "/desk/by-hand", **{**good, **wrong})
        assert "by-hand-refused" in await said.text()
    assert await house.pool.fetchval("select count(*) from interaction") == 0
