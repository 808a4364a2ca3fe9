"""The pages and forms of the desk, asked as a browser asks."""

import pytest

from callcenter.actions import drafts, interactions
from callcenter.domain.interaction import Arrival, Channel
from callcenter.store.directory import Directory
from tests.builders import NOW, arrive, later, make_customer, on_queue, reserve
from tests.screenpop.conftest import PASSWORD, House

NUMBER = "+8613800138000"


async def in_hand(house: House, *, answered: bool = True, name: str = "amy") -> int:
    """A call that an agent has on the desk."""
    agent = house.users[name]
    await on_queue(house.log, agent)
    interaction = await arrive(house.log, queue=house.queue, phone=NUMBER)
    reservation = await reserve(house.log, interaction, agent)
    if answered:
        await interactions.answer(house.log, reservation, now=later(1))
    return interaction


async def test_whoever_has_not_signed_in_is_sent_to_the_door_and_then_on(house: House):
    response = await house.client.get("/?interaction=7", allow_redirects=False)
    assert response.status == 303
    page = await house.client.get("/sign-in?next=/password")
    assert 'name="next" value="/password"' in await page.text()
    form = {"name": "amy", "password": PASSWORD, "next": "/password"}
    response = await house.client.post("/sign-in", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/password")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http://["]
)
async def test_the_door_leads_to_no_other_site(house: House, target: str):
    form = {"name": "amy", "password": PASSWORD, "next": target}
    response = await house.client.post("/sign-in", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/")


async def test_a_part_of_a_page_that_is_asked_after_the_session_ended_loads_the_door(house: House):
    response = await house.client.get("/desk", headers={"HX-Request": "true"})
    assert (response.status, response.headers["HX-Redirect"]) == (401, "/sign-in")


async def test_the_page_has_no_inline_script_or_style_and_a_policy_that_forbids_them(house: House):
    await house.sign_in("amy")
    await in_hand(house)
    response = await house.client.get("/")
    text = await response.text()
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert " style=" not in text
    assert " onclick" not in text
    assert text.count("<script") == text.count("<script src=")
    assert "<style" not in text
    assert 'data-region="desk"' in text
    assert 'data-region="queue:support"' in text


async def test_static_files_are_kept_for_ever_under_the_address_of_their_content(house: House):
    address = house.hub.renderer.static("base.css")
    response = await house.client.get(address)
    assert response.status == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert (await house.client.get("/static/../render.py")).status == 404


async def test_a_form_without_proof_is_refused(house: House):
    await house.sign_in("amy")
    response = await house.client.post("/desk/presence", data={"presence": "on_queue"})
    assert response.status == 403


async def test_a_refusal_is_shown_at_the_edge_and_replaces_nothing(house: House):
    await house.sign_in("amy")
    response = await house.act("amy", "/desk/interactions/404/end")
    assert response.status == 404
    assert response.headers["HX-Retarget"] == "#toasts"
    assert "You do not have this contact in hand." in await response.text()


async def test_a_refusal_speaks_the_readers_language(house: House):
    await house.sign_in("amy")
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_TW"}, house.client.make_url("/"))
    response = await house.act("amy", "/desk/interactions/404/end")
    assert "該聯繫不在您手上。" in await response.text()


async def test_a_missing_page_says_so_in_words(house: House):
    await house.sign_in("amy")
    response = await house.client.get("/nowhere")
    assert response.status == 404
    assert "Nothing is here" in await response.text()
    assert (await house.client.get("/?customer=404")).status == 404
    assert (await house.client.get("/?customer=x")).status == 422


async def test_a_phone_offer_is_not_taken_on_the_screen_and_other_work_is(house: House):
    await house.sign_in("amy")
    call = await in_hand(house, answered=False)
    response = await house.act("amy", f"/desk/interactions/{call}/accept")
    assert response.status == 409
    await house.act("amy", f"/desk/interactions/{call}/reject")
    await on_queue(house.log, house.users["bo"])
    arrival = Arrival(Channel.CHAT, "chat-1", "web", "visitor", "Visitor")
    events = await interactions.arrive(house.log, arrival, queue=house.queue, queued=True, node=None, now=NOW)
    chat = events[0].interaction
    assert chat is not None
    await reserve(house.log, chat, house.users["bo"])
    await house.sign_in("bo")
    response = await house.act("bo", f"/desk/interactions/{chat}/accept")
    assert 'data-state="active"' in await response.text()
    response = await house.act("bo", f"/desk/interactions/{chat}/end")
    assert 'data-state="wrapping"' in await response.text()


async def test_an_agent_touches_only_what_is_in_hand(house: House):
    call = await in_hand(house)
    await house.sign_in("bo")
    for act in ("reject", "end", "wrap-up", "draft", "identify", "customer", "ticket", "link"):
        response = await house.act("bo", f"/desk/interactions/{call}/{act}", note="mine", subject="x", customer="1")
        assert response.status == 404, act


async def test_the_wrap_up_asks_for_what_came_of_it_where_the_queue_does(house: House):
    await house.pool.execute("update queue set wrap_up_mode = 'discretionary'")
    await house.directory.load()
    await house.sign_in("amy")
    call = await in_hand(house)
    await interactions.end_interaction(house.log, call, cause="customer_hangup", now=later(60))
    response = await house.act("amy", f"/desk/interactions/{call}/wrap-up", note="x\r\ny")
    assert response.status == 422
    assert "Choose what came of it." in await response.text()
    response = await house.act("amy", f"/desk/interactions/{call}/wrap-up", note="x\r\ny", disposition="solved")
    assert response.status == 200
    assert await house.pool.fetchval("select note from interaction") == "x\ny"


async def test_a_note_of_any_length_is_refused_in_words_or_kept(house: House):
    await house.sign_in("amy")
    call = await in_hand(house)
    assert (await house.act("amy", f"/desk/interactions/{call}/draft", note="好" * 10_000)).status == 200
    assert (await house.act("amy", f"/desk/interactions/{call}/draft", note="好" * 10_001)).status == 422
    assert len(await house.pool.fetchval("select note from draft")) == 10_000


async def test_a_withheld_number_takes_what_the_agent_types(house: House):
    await house.sign_in("amy")
    call = await in_hand(house)
    await house.pool.execute("update interaction set address = null, address_kind = null")
    response = await house.act("amy", f"/desk/interactions/{call}/customer", name="Zhou", address="not a number")
    assert response.status == 422
    response = await house.act("amy", f"/desk/interactions/{call}/customer", name="周杰", address="138 0013 8000")
    assert response.status == 200
    found = await house.pool.fetch("select name, value from customer join address on customer_id = customer.id")
    assert [tuple(row) for row in found] == [("周杰", NUMBER)]


@pytest.mark.parametrize("chosen", ["", "x", "-1", "9" * 30, "٣"])
async def test_a_customer_is_chosen_by_an_id_that_exists(house: House, chosen: str):
    await house.sign_in("amy")
    call = await in_hand(house)
    response = await house.act("amy", f"/desk/interactions/{call}/identify", customer=chosen)
    assert response.status == 422
    assert (await house.act("amy", f"/desk/interactions/{call}/identify", customer="404")).status == 422


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王", True),
        ("小明", True),
        ("acme", True),
        ("138 0013", True),
        ("13800138000", True),
        ("nobody", False),
        ("%", False),
    ],
)
async def test_customers_are_found_by_name_company_and_number(house: House, text: str, found: bool):
    await make_customer(house.pool, "王小明", phone=NUMBER)
    await house.pool.execute("update customer set company = 'Acme Ltd'")
    await house.sign_in("amy")
    response = await house.client.get("/desk/search", params={"q": text})
    assert ("王小明" in await response.text()) is found


@pytest.mark.parametrize("order", ["C", "und-x-icu"])
async def test_people_are_found_by_bytes_and_by_the_order_of_a_language(house: House, order: str):
    if not await house.pool.fetchval("select count(*) from pg_collation where collname = $1", order):
        pytest.skip("This PostgreSQL is built without ICU.")
    await house.pool.execute(f'alter table address alter value type text collate "{order}"')
    customer = await make_customer(house.pool, "王小明", phone="+8613900138009")
    await house.pool.execute(
        "insert into address (customer_id, kind, value, certainty) values ($1, 'email', 'bo@example.com', 'known')",
        customer,
    )
    await house.sign_in("amy")
    for text in ("+86139", "13900138009", "bo@"):
        response = await house.client.get("/desk/search", params={"q": text})
        assert "王小明" in await response.text(), text
    response = await house.client.get("/desk/search", params={"q": "o@"})
    assert "王小明" not in await response.text()
    await on_queue(house.log, house.users["amy"])
    await reserve(house.log, await arrive(house.log, queue=house.queue, phone="+8613900138141"), house.users["amy"])
    assert "Nearly the same number" not in await (await house.client.get("/")).text()
    await house.pool.execute("update address set value = '+8613900138140' where kind = 'phone'")
    assert "Nearly the same number" in await (await house.client.get("/")).text()


async def test_any_character_may_be_searched_for(house: House):
    await house.sign_in("amy")
    assert (await house.client.get("/desk/search", params={"q": "@\U0010ffff"})).status == 200


async def test_the_history_of_a_contact_is_for_who_may_read_it(house: House):
    call = await in_hand(house)
    expected = {"amy": 200, "bo": 403, "sue": 200}
    for name, status in expected.items():
        await house.sign_in(name)
        assert (await house.client.get(f"/desk/history?interaction={call}")).status == status, name
    assert (await house.client.get("/desk/history?interaction=404")).status == 404


async def test_a_note_that_fits_its_field_can_be_kept_and_forms_go_once(house: House):
    await house.sign_in("amy")
    await in_hand(house)
    text = await (await house.client.get("/")).text()
    assert f'maxlength="{drafts.LONGEST}"' in text
    assert text.count('hx-sync="this:drop"') == 3


@pytest.mark.parametrize(("presence", "key"), [("offline", "Enter"), ("break", "q")])
async def test_an_enter_too_many_ends_no_break(house: House, presence: str, key: str):
    await house.sign_in("amy")
    response = await house.act("amy", "/desk/presence", presence=presence)
    assert f'<button class="button primary large" data-key="{key}">' in await response.text()


async def test_every_customer_made_text_is_escaped(house: House):
    bad = "<script>alert(1)</script>\"'&"
    customer = await make_customer(house.pool, bad, phone=NUMBER)
    await house.pool.execute("update customer set company = $1, note = $1, tier = $1, external_id = $1", bad)
    await house.pool.execute(
        """insert into interaction (channel, state, outcome, customer_id, arrived_at, subject, note, disposition)
           values ('phone', 'closed', 'handled', $1, now(), $2, $2, $2)""",
        customer,
        bad,
    )
    await house.pool.execute(
        """insert into ticket (number, subject, customer_id, owner_id, created_at, updated_at)
           values (1, $1, $2, $3, $4, $4)""",
        bad,
        customer,
        house.users["amy"],
        NOW,
    )
    await house.pool.execute("update queue set name = $1, dispositions = array[$1]", bad)
    directory: Directory = house.directory
    await directory.load()
    await house.sign_in("amy")
    await in_hand(house)
    text = await (await house.client.get("/")).text()
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") > 8


async def test_the_wall_counts_the_day(house: House):
    await house.pool.execute(
        """insert into interaction (channel, state, outcome, queue_id, arrived_at, queued_at, answered_at, closed_at)
           select 'phone', 'closed', outcome, $1, at, at, at + wait, at
           from (values ('handled', interval '5 s'), ('handled', '60 s'), ('abandoned', null),
                   ('short_abandoned', null))
               v (outcome, wait), (select $2::timestamptz - interval '1 hour' as at) w""",
        house.queue,
        NOW,
    )
    await arrive(house.log, queue=house.queue, now=later(-30))
    house.waits.queues[house.queue] = 95.0
    await house.sign_in("sue")
    text = await (await house.client.get("/wall")).text()
    assert "25 %" in text  # one in time of two answered, one given up, one who waits too long
    assert "support: 1 waiting, longest 0:30, target 0:20" in text
    assert "expected wait 1:35" in text
    assert (await house.client.get("/wall/region")).status == 200


async def test_the_wall_and_its_parts_are_for_supervisors(house: House):
    await house.sign_in("amy")
    for path in ("/wall", "/wall/region"):
        assert (await house.client.get(path)).status == 403


async def test_the_language_is_kept_with_the_user_and_in_the_browser(house: House):
    csrf = await house.sign_in("amy")
    response = await house.client.post("/language", data={"csrf": csrf, "language": "zh_TW"}, allow_redirects=False)
    assert response.status == 303
    assert response.cookies["cc_language"].value == "zh_TW"
    assert await house.pool.fetchval("select language from users where name = 'amy'") == "zh_TW"
    assert (await house.client.post("/language", data={"csrf": csrf, "language": "../x"})).status == 422


async def test_passwords_are_changed_by_their_owners(house: House):
    csrf = await house.sign_in("amy")
    new = "an even longer walk"
    form = {"csrf": csrf, "old": "wrong", "new": new, "again": new}
    assert (await house.client.post("/password", data=form)).status == 403
    assert (await house.client.post("/password", data={**form, "old": PASSWORD, "again": "other"})).status == 422
    response = await house.client.post("/password", data={**form, "old": PASSWORD})
    assert "Your password is changed" in await response.text()


async def test_every_refusal_at_the_door_speaks_the_readers_language(house: House):
    csrf = await house.sign_in("amy")
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    long = "long enough " * 30
    form = {"csrf": csrf, "old": PASSWORD, "new": long, "again": long}
    assert "密码最多 256 个字符。" in await (await house.client.post("/password", data=form)).text()
    form = {**form, "again": "other"}
    assert "两次输入的新密码不一致" in await (await house.client.post("/password", data=form)).text()
    form = {"csrf": csrf, "old": "wrong", "new": "an even longer walk", "again": "an even longer walk"}
    while (response := await house.client.post("/password", data=form)).status != 429:
        assert response.status == 403
    assert "尝试次数过多，请稍后再试。" in await response.text()
    assert "内容不符合要求" in await (await house.client.get("/?customer=x")).text()
    form = {**form, "csrf": "none"}
    assert "请重新加载页面" in await (await house.client.post("/password", data=form)).text()
