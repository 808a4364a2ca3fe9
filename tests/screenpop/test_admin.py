"""Administration pages: what they refuse and why, what they apply, and what two administrators do to each other."""

import re
from html import unescape
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_edit import MANY
from callcenter.domain.organisation_file import understand
from screenpop.admin_view import brief
from tests.builders import NOW, make_user
from tests.screenpop.conftest import House, _kept

FILE = """
[organisation]
name = "Test"
region = "CN"
timezone = "Asia/Shanghai"
languages = ["en"]

[[users]]
name = "ann"
full_name = "Ann"
role = "administrator"

[[users]]
name = "tim"
full_name = "Tim"
role = "supervisor"

[[users]]
name = "bo"
full_name = "Bo"
role = "agent"
manager = "tim"

[[hours]]
name = "office"
timezone = "Asia/Shanghai"
weekly = { mon = ["09:00-12:00", "13:30-18:00"] }

[[hours]]
name = "night"
timezone = "UTC"
weekly = { sun = ["00:00-06:00"] }

[[queues]]
name = "billing"
hours = "office"

[[sla_policies]]
name = "usual"
hours = "office"
first_response = "1h"
resolution = "8h"
escalations = [{ clock = "resolution", at = "80%", actions = [{ notify = "owner" }] }]

[[triggers]]
name = "first"
on = ["opened"]
then = [{ tag = "seen" }]

[[triggers]]
name = "down"
on = ["changed"]
when = { priority = "high" }
then = [{ set = { priority = "low" } }]
"""


@pytest.fixture
async def office(house: House) -> House:
    """With administrators ann (signed in) and root."""
    await make_user(house.pool, "ann", role="administrator", password_hash=_kept())
    await make_user(house.pool, "root", role="administrator", password_hash=_kept())
    await apply(house, FILE)
    await house.directory.load()
    await house.sign_in("ann")
    return house


async def apply(house: House, text: str) -> None:
    file = understand(toml.parse(text, "org.toml"), {})
    await organisation.apply(house.log, file, prune=False, actor=None, now=NOW)


async def get(house: House, path: str, *, status: int = 200) -> str:
    response = await house.client.get(path)
    assert response.status == status, await response.text()
    return await response.text()


_CONTROL = re.compile(
    r'<input ([^>]*)>|<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>'
    r'|<select name="([^"]*)".*?>(.*?)</select>',
    re.DOTALL,
)


def form_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the first form that is posted to the administration."""
    form = re.search(r'<form class="(?:entry-form|source-form|admin-bar)".*?</form>', page, re.DOTALL)
    assert form is not None
    typed: dict[str, list[str]] = {}
    for tag in _CONTROL.finditer(form[0]):
        given, area, text, select, options = tag.groups()
        if given is not None:
            name, value = re.search(r'name="([^"]*)"', given), re.search(r'value="([^"]*)"', given)
            if name and ("checkbox" not in given or " checked" in given):
                typed.setdefault(unescape(name[1]), []).append(unescape(value[1] if value else ""))
        elif area is not None:
            typed.setdefault(unescape(area), []).append(unescape(text))
        else:
            chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
            text = "" if chosen is None else chosen[2] if chosen[1] is None else chosen[1]
            typed.setdefault(unescape(select), []).append(unescape(text))
    return typed


async def send(house: House, path: str, typed: dict[str, Any], do: str, *, status: int = 200, **changed: Any) -> str:
    pairs = [(name, value) for name, values in typed.items() if name not in changed for value in values]
    pairs += [*changed.items(), ("do", do)]
    response = await house.client.post(path, data=pairs, allow_redirects=False)
    assert response.status == status, await response.text()
    return await response.text()


EARLIER: dict[str, Any] = {"weekly.mon": "08:00-18:00"}


async def in_force(house: House) -> str:
    async with house.pool.acquire() as connection:
        return await organisation.export(connection)


@pytest.mark.parametrize("path", ["/admin", "/admin/text", "/admin/history", "/admin/hours/office", "/admin/new/hours"])
async def test_only_administrators_come_in(office, path):
    await get(office, path)
    await office.sign_in("sue")
    await get(office, path, status=403)
    assert "/admin" not in await get(office, "/wall")


async def test_everything_in_force_is_shown_by_kind_with_links_and_found_by_its_words(office):
    page = await get(office, "/admin")
    for words in ("Calendars", "SLA policies", "office", "usual", 'href="/admin/hours/office"', "Administration"):
        assert words in page
    found = await get(office, "/admin?q=night")
    assert "/admin/hours/night" in found
    assert "/admin/sla_policies/usual" not in found
    assert "Nothing in the settings says that." in await get(office, "/admin?q=zebra")


async def test_hours_are_changed_by_a_form_after_their_difference_was_seen(office):
    form = form_of(await get(office, "/admin/hours/office"))
    before = await in_force(office)
    plan = await send(office, "/admin/hours/office", form, "check", **EARLIER)
    assert "09:00-12:00" in plan
    assert "08:00-18:00" in plan
    assert await in_force(office) == before
    await send(office, "/admin/hours/office", form_of(plan), "apply", status=303)
    assert 'weekly = { mon = ["08:00-18:00"] }' in await in_force(office)
    history = await get(office, "/admin/history")
    assert "Ann" in history
    assert "these pages" in history
    assert "hours office: weekly" in history
    events = await office.pool.fetch(
        "select actor_id from contact_log where kind = 'organisation.applied' order by seq"
    )
    assert events[-1]["actor_id"] is not None


REFUSED = [
    ("hours/office", {"weekly.mon": ""}, "open", None),
    ("hours/office", {"weekly.mon": "09:00-12:00, 11:00-18:00"}, "11:00 lies inside", "weekly.mon"),
    ("sla_policies/usual", {"first_response": "9h"}, "this is longer than resolution", "first_response"),
    ("sla_policies/usual", {"escalations[1].at": "-9h"}, "due before resolution begins to run", "escalations[1].at"),
    (
        "sla_policies/usual", {"toml:escalations[1].actions": '[{ notify = "agent:nobody" }]'},
        "there are no users of the name", "escalations[1].actions",
    ),
    ("users/tim", {"manager": "bo"}, "a manager was expected who is not below this user", "manager"),
    (
        "triggers/first",
        {"on": "changed", "then[1].tag": "", "toml:when": '{ priority = "low" }',
         "toml:then[1].set": '{ priority = "high" }'},
        "set each other off for ever", "then",
    ),
    ("users/ann", {"role": "agent"}, "this is your own account", "role"),
    ("queues/billing", {"toml:needs": "{ billing = "}, "not TOML", "needs"),
    ("users/bo", {"skills#key": "billing", "skills#value": "9"}, "expected", "skills"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "changed", "words", "path"), REFUSED)
async def test_what_the_command_line_refuses_a_form_refuses_beside_its_field_and_loses_nothing(
    office, entry, changed, words, path
):
    form = form_of(await get(office, f"/admin/{entry}"))
    before = await in_force(office)
    page = await send(office, f"/admin/{entry}", form, "apply", status=422, **changed)
    assert words in unescape(page)
    if path is not None:
        assert re.search(rf'id="wrong-{re.escape(path)}".*?{re.escape(words)}', unescape(page), re.DOTALL)
    typed = form_of(page)
    for name, value in changed.items():
        assert name == "on" or value.strip("[]") in " ".join(typed.get(name, ())).replace("\n", " "), typed
    assert await in_force(office) == before


async def test_a_mistake_in_the_text_is_named_with_its_line_and_the_text_is_kept(office):
    form = form_of(await get(office, "/admin/text"))
    text = form["text"][0].replace('first_response = "1h"', 'first_response = "9h"')
    line = text[: text.index('first_response = "9h"')].count("\n") + 1
    page = await send(office, "/admin/text", form, "apply", status=422, text=text)
    assert f'data-line="{line}"' in page
    assert "this is longer than resolution" in page
    assert 'first_response = "9h"' in unescape(page)
    assert 'first_response = "1h"' in await in_force(office)


async def test_the_whole_file_is_applied_and_what_it_no_longer_names_goes_unless_asked_to_stay(office):
    form = form_of(await get(office, "/admin/text"))
    text = form["text"][0]
    start = text.index('[[hours]]\nname = "night"')
    less = text[:start] + text[text.index("[[queues]]") :]
    plan = await send(office, "/admin/text", form, "check", text=less)
    assert "hours night" in plan
    kept = await send(office, "/admin/text", form, "check", text=less, keep="on")
    assert "Nothing would change" in kept
    await send(office, "/admin/text", form_of(plan), "apply", status=303)
    assert "night" not in await in_force(office)


async def test_whoever_was_slower_is_told_what_changed_and_overwrites_nothing_unseen(office):
    form = form_of(await get(office, "/admin/hours/office"))
    plan = form_of(await send(office, "/admin/hours/office", form, "check", **EARLIER))
    await apply(office, '[[hours]]\nname = "night"\ntimezone = "UTC"\nweekly = { sat = ["01:00-05:00"] }\n')
    again = await send(office, "/admin/hours/office", plan, "apply")
    assert "Somebody else has applied something" in again
    assert "hours night: weekly" in unescape(again)
    assert "08:00-18:00" in again
    assert "08:00-18:00" not in await in_force(office)
    await send(office, "/admin/hours/office", form_of(again), "apply", status=303)
    text = await in_force(office)
    assert "08:00-18:00" in text
    assert "01:00-05:00" in text


async def test_who_still_names_an_entry_is_said_when_it_is_to_be_removed(office):
    page = await get(office, "/admin/hours/office")
    assert "SLA policies: usual" in page
    form = {name: values for name, values in form_of(page).items() if name in ("csrf", "version", "seen")}
    refused = unescape(await send(office, "/admin/hours/office/remove", form, "check", status=422))
    assert "there are no hours of the name 'office'" in refused
    assert 'href="/admin/queues/billing"' in refused
    plan = await send(office, "/admin/hours/night/remove", form, "check")
    await send(office, "/admin/hours/night/remove", form_of(plan), "apply", status=303)
    assert "night" not in await in_force(office)


async def test_an_entry_is_copied_under_another_name(office):
    page = await get(office, "/admin/new/hours?copy=office")
    assert "09:00-12:00" in page
    plan = await send(office, "/admin/new/hours", form_of(page), "check", name="saturday")
    await send(office, "/admin/new/hours", form_of(plan), "apply", status=303)
    assert 'name = "saturday"' in await in_force(office)
    refused = await send(office, "/admin/new/hours", form_of(page), "check", status=422, name="office")
    assert "stands here a second time" in refused


async def test_rows_are_added_and_taken_away_without_losing_what_is_typed(office):
    form = form_of(await get(office, "/admin/sla_policies/usual"))
    page = await send(office, "/admin/sla_policies/usual", form, "more:escalations", resolution="9h")
    form = form_of(page)
    assert form["escalations#"] == ["2"]
    assert form["resolution"] == ["9h"]
    page = await send(office, "/admin/sla_policies/usual", form, "less:escalations[1]")
    form = form_of(page)
    assert form["escalations#"] == ["0"]
    assert form["resolution"] == ["9h"]


async def test_every_kind_has_an_empty_form_that_says_what_it_needs(office):
    for kind in MANY:
        form = form_of(await get(office, f"/admin/new/{kind}"))
        page = await send(office, f"/admin/new/{kind}", form, "check", status=422)
        assert "this key is needed" in page, kind


async def test_no_page_lets_anybody_read_the_environment_of_the_server(office):
    form = form_of(await get(office, "/admin/text"))
    text = form["text"][0].replace('name = "tim"', 'name = "tim"\npassword_env = "HOME"')
    page = await send(office, "/admin/text", form, "check", status=422, text=text)
    assert "only a file on the server may name its environment" in page


def test_the_days_of_a_week_stand_in_their_order():
    assert brief({"fri": ["09:00-17:00"], "mon": ["10:00-12:00"]}) == "mon 10:00-12:00, fri 09:00-17:00"
