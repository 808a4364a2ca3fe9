"""Why an earlier contact was given to whom it was."""

from callcenter.actions import interactions
from callcenter.domain.interaction import ReservationState
from tests.builders import arrive, later, make_customer, on_queue, reserve
from tests.screenpop.conftest import House


async def decided(house: House, reservation: int, **why: object) -> None:
    await house.pool.execute("update reservation set decision = $2 where id = $1", reservation, why)


async def past_call(house: House) -> int:
    """Declined by bo, whom a supervisor chose, then taken by amy; over."""
    await make_customer(house.pool, phone="+8613800138000")
    for name in ("amy", "bo"):
        await on_queue(house.log, house.users[name])
    call = await arrive(house.log, queue=house.queue)
    declined = await reserve(house.log, call, house.users["bo"])
    await decided(house, declined, reason="assigned", by="sue")
    await interactions.return_to_queue(
        house.log, declined, state=ReservationState.REJECTED, reason="declined", now=later(1)
    )
    taken = await reserve(house.log, call, house.users["amy"], now=later(2))
    candidates = [{"agent": house.users[name]} for name in ("amy", "bo")]
    left_out = {"skills": 2, "break": 1}
    await decided(house, taken, reason="longest_idle", contract=600.0, candidates=candidates, excluded=left_out)
    await interactions.answer(house.log, taken, now=later(3))
    await interactions.end_interaction(house.log, call, cause="agent_hangup", now=later(60))
    await interactions.wrap_up(house.log, taken, queue=None, disposition="solved", note=None, now=later(61))
    return call


async def test_the_history_says_why_a_colleague_got_a_contact(house: House):
    call = await past_call(house)
    await house.sign_in("bo")
    customer = await house.pool.fetchval("select customer_id from interaction where id = $1", call)
    card = await (await house.client.get(f"/?customer={customer}")).text()
    assert f'hx-get="/desk/history/why?interaction={call}"' in card
    assert f'id="chosen-{call}"' in card
    text = await (await house.client.get(f"/desk/history/why?interaction={call}")).text()
    first, second = text.split("<p>")[1:]
    assert "sue chose bo." in first
    assert "bo declined." in first
    assert "amy had been idle longest." in second
    assert "A service contract made it look 10m older." in second
    assert "It might have been bo." in second
    assert "Left out: 2 without the skills or the language, 1 Break." in second


async def test_it_is_said_in_the_readers_language(house: House):
    call = await past_call(house)
    await house.sign_in("sue")
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_TW"}, house.client.make_url("/"))
    text = await (await house.client.get(f"/desk/history/why?interaction={call}")).text()
    assert "amy閒置時間最長。" in text
    assert "bo已拒接。" in text
    assert "服務合約使其等候時長按多 10m 計算。" in text


async def test_it_is_for_those_who_may_see_the_contact(house: House):
    await on_queue(house.log, house.users["amy"])
    call = await arrive(house.log, queue=house.queue, phone="+8613800138009")
    await reserve(house.log, call, house.users["amy"])
    for name, status in {"amy": 200, "bo": 403, "sue": 200}.items():
        await house.sign_in(name)
        assert (await house.client.get(f"/desk/history/why?interaction={call}")).status == status, name
    assert (await house.client.get("/desk/history/why?interaction=404")).status == 404
