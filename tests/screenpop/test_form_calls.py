"""A call in place of an answer in writing, asked for with a form."""

import re
from datetime import timedelta
from typing import Any

from callcenter.domain.web_form import FieldKind, FormField, WebForm
from tests.builders import NOW, later
from tests.screenpop.conftest import House
from tests.screenpop.test_web_forms import API, FORM, VALUES, contact, declare, drawn, post, rows, send

__all__ = ["contact"]  # the fixture that is used by itself

CALLED = WebForm(
    name="contact",
    queue="support",
    title="Write to us",
    callback=True,
    fields=(*FORM.fields, FormField(name="phone", kind=FieldKind.PHONE, text="Phone")),
)


async def test_who_wants_a_call_gets_one_in_the_place_of_their_form(house: House) -> None:
    await declare(house, CALLED)
    page, token = await drawn(house)
    assert 'value="turn"' in page
    house.moment.now = later(10)
    missing = await post(house, token, **VALUES, call="turn")
    assert missing.status == 422
    text = await missing.text()
    assert 'id="f.phone-more">This is needed.' in text
    assert '<option value="turn" selected>' in text
    assert await rows(house, "interaction") == []
    received = await post(house, token, **VALUES, phone="138 0013 8000", name="Wang", call="turn")
    assert received.status == 303
    form, call = await rows(house, "interaction")
    assert (form["state"], form["outcome"], call["channel"], call["state"]) == (
        "closed", "flow_out", "callback", "queued",
    )  # fmt: skip
    assert (call["address"], call["address_name"], call["queued_at"], call["ticket_id"]) == (
        "+8613800138000", "Wang", form["queued_at"], form["ticket_id"],
    )  # fmt: skip
    done = await (await house.client.get(received.headers["Location"])).text()
    assert "We call you when it is your turn." in done
    # Once more with the same page: the same form, and no second call.
    await post(house, token, **VALUES, phone="138 0013 8000", name="Wang", call="turn")
    assert len(await rows(house, "interaction")) == 2


async def test_a_moment_is_chosen_from_those_at_which_somebody_is_there(house: House) -> None:
    await declare(house, CALLED)
    page, token = await drawn(house)
    found = re.findall(r'<option value="(20[^"]+)"', page)
    assert len(found) == 48
    house.moment.now = later(10)
    for wrong, words in (("soon", "Choose one of these."), ("2020-01-01T00:00:00Z", "That moment has passed.")):
        refused = await post(house, token, **VALUES, phone="138 0013 8000", call=wrong)
        assert refused.status == 422
        assert words in await refused.text()
    received = await post(house, token, **VALUES, phone="138 0013 8000", call=found[5])
    at = await house.pool.fetchval("select due_at from callback")
    assert at.isoformat() == found[5]
    done = await (await house.client.get(received.headers["Location"])).text()
    assert f"{at:%H:%M} (UTC)" in done
    assert await house.pool.fetchval("select outcome from interaction where channel = 'form'") == "flow_out"


async def test_a_number_that_is_not_called_is_refused_beside_its_field(house: House) -> None:
    await declare(house, CALLED)
    await house.pool.execute("insert into do_not_call (number, added_at) values ('+8613800138000', $1)", NOW)
    _, token = await drawn(house)
    house.moment.now = later(10)
    for number, words in (("12", "That is no telephone number"), ("138 0013 8000", "does not want to be called")):
        refused = await post(house, token, **VALUES, phone=number, call="turn")
        assert refused.status == 422
        assert words in await refused.text()
    assert await rows(house, "interaction") == []


async def test_a_form_that_offers_no_call_takes_none(house: House) -> None:
    page, token = await drawn(house)
    assert 'name="call"' not in page
    house.moment.now = later(10)
    assert (await post(house, token, **VALUES, call="turn")).status == 303
    assert len(await rows(house, "interaction")) == 1


async def described(house: House) -> Any:
    return await (await house.client.get(API)).json()


async def test_a_program_asks_for_a_call_as_the_page_does(house: House) -> None:
    await declare(house, CALLED)
    offered = (await described(house))["call"]
    assert (offered["turn"], len(offered["times"])) == (True, 48)
    values = {**VALUES, "phone": "138 0013 8000", "name": "Wang"}
    receipt = await send(house, values, call="turn")
    assert receipt["call"] == {"number": "+8613800138000", "due_at": None}
    form, call = await rows(house, "interaction")
    assert (form["outcome"], call["channel"], call["state"]) == ("flow_out", "callback", "queued")
    values["phone"] = "138 0013 8001"
    receipt = await send(house, values, call=offered["times"][5])
    assert receipt["call"] == {"number": "+8613800138001", "due_at": offered["times"][5]}


async def test_a_programs_call_that_cannot_be_is_refused_and_nothing_is_kept(house: House) -> None:
    await declare(house, CALLED)
    values = {**VALUES, "phone": "138 0013 8000"}
    past = (NOW - timedelta(days=1)).isoformat()
    for given, call, field in ((values, "soon", "call"), (values, past, "call"), (VALUES, "turn", "phone")):
        refused = await send(house, given, call=call, status=422)
        assert [each["field"] for each in refused["errors"]] == [field]
    assert await rows(house, "interaction") == []


async def test_a_program_is_told_that_a_form_offers_no_call(house: House) -> None:
    assert (await described(house))["call"] is None
    refused = await send(house, VALUES, call="turn", status=422)
    assert refused["detail"] == "Nobody is called back from here."
    assert (await send(house, VALUES))["call"] is None
