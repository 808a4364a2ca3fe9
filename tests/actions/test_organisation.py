"""Organisation files: what one would change, and that it comes back as it went in."""

from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.actions import organisation, users
from callcenter.domain.announce import Announce
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.errors import Unauthorized
from callcenter.store import organisation as store
from callcenter.store.directory import Directory
from callcenter.toml import BadFile
from routing.snapshot import load
from tests.actions.organisation_files import OVERFLOWING, SMALL, apply, file

EXAMPLE = Path(__file__).parents[2] / "config" / "org.example.toml"


async def sign_in(log, now, name, password):
    return await users.sign_in(log, name, password=password, address="::1", user_agent="", now=now)


async def test_references_may_lead_to_what_is_here_already_but_not_nowhere(log, now):
    more = "[[queues]]\nname = 'billing'\nmembers = ['amy']\nhours = 'office'\n"
    with pytest.raises(BadFile) as caught:
        await apply(log, now, more)
    assert [str(problem) for problem in caught.value.problems] == [
        "org.toml, line 4: queues[1].hours: there are no hours of the name 'office'",
        "org.toml, line 3: queues[1].members[1]: there are no users of the name 'amy'",
    ]
    await apply(log, now, SMALL)
    await apply(log, now, more.replace("hours = 'office'\n", ""))
    with pytest.raises(BadFile):
        await apply(log, now, more.replace("hours = 'office'\n", ""), prune=True)


async def test_whoever_decides_by_what_was_in_force_before_can_be_told(log, now, pool):
    async def revision():
        return await pool.fetchval("select revision from organisation")

    await apply(log, now, SMALL)
    first = await revision()
    await apply(log, now, SMALL)
    assert await revision() == first
    await apply(log, now, SMALL + "announce = { wait = true }\n")
    assert await revision() == first + 1


async def test_an_announcement_comes_back_as_it_went_in(log, now, db, pool):
    text = SMALL + 'announce = { wait = true, every = "90s" }\n'
    await apply(log, now, text)
    assert 'announce = { wait = true, every = "1m30s" }' in await organisation.export(db)
    assert (await organisation.plan(db, file(text), prune=False)).empty
    directory = Directory(pool)
    await directory.load()
    assert directory.queue_named("support").announce == Announce(wait=True, every=timedelta(seconds=90))


async def test_work_that_would_come_back_by_overflow_is_refused_with_its_way(log, now):
    await apply(log, now, OVERFLOWING)
    with pytest.raises(BadFile) as caught:
        await apply(log, now, "[[queues]]\nname = 'spare'\noverflow = [{ after = '5s', to = 'support' }]")
    [found] = map(str, caught.value.problems)
    assert found.startswith("org.toml, line 3: queues[1].overflow[1].to: work would come back on the way ")
    assert found.endswith("support → sales → spare → support")
    with pytest.raises(BadFile, match="sales → sales"):
        await apply(log, now, "[[queues]]\nname = 'sales'\noverflow = [{ after = '5s', to = 'sales' }]")
    with pytest.raises(BadFile, match="there are no queues of the name 'nowhere'"):
        await apply(log, now, "[[queues]]\nname = 'sales'\noverflow = [{ after = '5s', lend = 'nowhere' }]")


async def test_a_skill_that_nobody_has_is_refused_wherever_a_queue_asks_for_it(log, now):
    queue = """[[queues]]
name = "repairs"
needs = "repair >= 3 or lang:fr >= 2"
steps = [
  { after = "20s", needs = "repair >= 1 or lang:fr >= 1" },
]
"""
    people = (
        "[[users]]\nname = 'kim'\nfull_name = 'Kim'\nrole = 'agent'\nskills = { reapir = 4 }\nlanguages = { fr = 5 }\n"
    )
    await apply(log, now, people)
    with pytest.raises(BadFile) as caught:
        await apply(log, now, queue)
    words = "no user has the skill repair; there are lang:fr, reapir"
    assert [str(problem) for problem in caught.value.problems] == [
        f"org.toml, line 3: queues[1].needs: {words}",
        f"org.toml, line 5: queues[1].steps[1].needs: {words}",
    ]
    await apply(log, now, people.replace("reapir", "repair") + queue)
    await apply(log, now, queue)


async def test_a_widget_leads_to_a_form_that_there_is(log, now):
    await apply(log, now, SMALL)
    widget = "[[widgets]]\nkey = 'shop'\nqueue = 'support'\nsites = ['https://shop.example']\nform = 'contact'\n"
    with pytest.raises(BadFile, match="there are no web_forms of the name 'contact'"):
        await apply(log, now, widget)
    form = "[[web_forms]]\nname = 'contact'\nqueue = 'support'\ntitle = 'Write to us'\n"
    field = "fields = [{ name = 'text', kind = 'long_text', to = 'text', required = true, text = 'Text' }]\n"
    await apply(log, now, widget + form + field)


async def test_a_number_or_phone_of_somebody_else_is_refused(log, now):
    await apply(log, now, SMALL)
    for text in (
        "[[queues]]\nname='b'\nnumbers=['95500']",
        "[[queues]]\nname='b'\ndefault=true",
        "[[users]]\nname='b'\nfull_name='B'\nrole='agent'\nendpoint='PJSIP/1001'",
    ):
        with pytest.raises(BadFile):
            await apply(log, now, text)


async def test_the_plan_says_in_words_what_changes_and_changes_nothing(log, now, db):
    await apply(log, now, SMALL)
    changed = SMALL.replace('"95500"', '"95500", "95501"').replace("default = true", 'ring_timeout = "20s"')
    plan = await organisation.plan(db, file(changed), prune=False)
    assert list(plan.lines()) == [
        "~ queue support: numbers [95500] → [95500, 95501], default True → False, ring_timeout 15s → 20s",
    ]
    assert (await organisation.plan(db, file(SMALL), prune=False)).empty
    assert list((await organisation.plan(db, file(""), prune=True)).lines()) == ["- user amy", "- queue support"]


async def test_an_application_is_one_event_and_a_second_one_none(log, now):
    kinds: list[str] = []
    log.listen(lambda events: kinds.extend(event.kind for event in events))
    await apply(log, now, SMALL)
    assert (await apply(log, now, SMALL)).empty
    assert kinds == ["organisation.applied"]


async def test_the_example_comes_back_as_it_went_in_without_secrets(log, now, db):
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        'role = "administrator"', 'role = "administrator"\npassword = "a long walk"'
    )
    before = file(text).organisation
    await organisation.apply(log, file(text), prune=False, actor=None, now=now)
    exported = await organisation.export(db)
    assert "long walk" not in exported
    assert "argon2" not in exported
    assert file(exported).organisation == before == await store.read(db)
    assert (await organisation.plan(db, file(exported), prune=True)).empty


async def test_who_is_asked_first_comes_back_as_it_was_written_and_not_where_it_is_as_everywhere(log, now, db, pool):
    await apply(log, now, SMALL)
    assert "idle_order" not in (plain := await organisation.export(db))
    assert "proficiency_weight" not in plain
    text = SMALL.replace("numbers", 'strategy = "weighted"\nproficiency_weight = "90s"\nnumbers')
    given = f'[organisation]\nname = "x"\nidle_order = "available"\n{text}'
    await apply(log, now, given)
    exported = await organisation.export(db)
    assert 'idle_order = "available"' in exported
    assert 'strategy = "weighted"\nproficiency_weight = "90s"' in exported.replace("1m30s", "90s")
    state = await load(pool, require_console=False, day_began=now)
    (plan,) = state.plans.values()
    assert (plan.strategy, plan.proficiency_weight) == ("weighted", timedelta(seconds=90))
    for key, wrong in (('idle_order = "available"', 'idle_order = "x"'), ("90s", "0s"), ('"weighted"', '"strongest"')):
        with pytest.raises(BadFile):
            file(given.replace(key, wrong))


async def test_hostile_texts_come_back_as_they_went_in(log, now, db):
    name = 'a "quoted" \\ back\\slash ]] = # 雪'
    await apply(log, now, f"[organisation]\nname = '{name}'\n")
    assert file(await organisation.export(db)).organisation.general.name == name


async def test_the_directory_reads_what_was_applied(log, now, pool):
    await organisation.apply(log, organisation.load(EXAMPLE, environ={}), prune=False, actor=None, now=now)
    directory = Directory(pool)
    await directory.load()
    support = directory.queue_for_number("95500")
    assert support is not None
    assert directory.queue_for_number("12345") is support
    assert support.members == {directory.user_named("amy").id, directory.user_named("bo").id}
    assert support.hours is not None
    assert list(directory.organisation.languages) == ["en", "zh_CN", "zh_TW"]


async def test_prune_retires_people_and_keeps_their_past(log, now, pool, db):
    await apply(log, now, SMALL)
    ident = await users.find(log, "amy")
    await users.create_token(log, ident, name="t", expires_at=None, actor=None, now=now)
    await apply(log, now, "", prune=True)
    assert await db.fetchval("select count(*) from users where name = 'amy' and not active and endpoint is null") == 1
    assert await db.fetchval("select count(*) from token") == 0
    assert await db.fetchval("select count(*) from queue_number") == 0
    await apply(log, now, SMALL)
    assert await users.find(log, "amy") == ident


async def test_phones_and_numbers_may_be_swapped(log, now, db):
    two = SMALL + "[[users]]\nname='bo'\nfull_name='Bo'\nrole='agent'\nendpoint='PJSIP/1002'\nmanager='amy'\n"
    two += "[[queues]]\nname='billing'\nnumbers=['95501']\n"
    await apply(log, now, two)
    swapped = two.replace("1001", "x").replace("1002", "1001").replace("PJSIP/x", "PJSIP/1002")
    swapped = swapped.replace("95500", "y").replace("95501", "95500").replace('"y"', '"95501"')
    await apply(log, now, swapped)
    assert await store.read(db) != file(two).organisation
    assert (await organisation.plan(db, file(swapped), prune=False)).empty


async def test_a_files_password_is_set_once_and_its_owners_change_is_kept(log, now):
    text = SMALL.replace('role = "agent"', 'role = "agent"\npassword_env = "AMY"')
    await apply(log, now, text, AMY="first password")
    user = (await sign_in(log, now, "amy", "first password")).account.id
    await users.change_password(log, user, old="first password", new="her own choice", now=now)
    assert (await apply(log, now, text, AMY="first password")).empty
    await sign_in(log, now, "amy", "her own choice")
    plan = await apply(log, now, text, AMY="second password")
    assert list(plan.lines()) == ["~ user amy: password"]
    await sign_in(log, now, "amy", "second password")
    with pytest.raises(Unauthorized):
        await sign_in(log, now, "amy", "her own choice")


async def test_weak_and_missing_passwords_are_pointed_out(log, now):
    plan = await apply(log, now, SMALL.replace('role = "agent"', 'role = "agent"\npassword = "short"'))
    assert plan.warnings == ("user amy: A password needs at least 10 characters.",)
    plan = await apply(log, now, "[[users]]\nname='bo'\nfull_name='Bo'\nrole='agent'")
    assert plan.warnings == ("user bo has no password yet and cannot sign in",)


async def test_a_users_own_language_is_kept(log, now, db):
    await apply(log, now, SMALL)
    await users.set_language(log, await users.find(log, "amy"), language="zh_TW", now=now)
    assert (await organisation.plan(db, file(SMALL), prune=False)).empty


async def test_capacity_is_the_organisations_where_the_agent_has_none_and_comes_back_as_it_was_written(log, now, db):
    text = """[organisation]
capacity = { email = 2 }
interrupted_by = { chat = ["phone"], email = [] }
""" + SMALL.replace('role = "agent"', 'role = "agent"\ncapacity = { chat = 2, phone = 0 }')
    await apply(log, now, text)
    assert (await apply(log, now, text)).empty
    row = await db.fetchrow("select o.capacity, o.interrupted_by, u.capacity as own from organisation o, users u")
    assert row["capacity"] == {**CAPACITY, "email": 2}
    assert row["interrupted_by"] == {**{k: list(v) for k, v in INTERRUPTED_BY.items()}, "chat": ["phone"], "email": []}
    assert row["own"] == {"chat": 2, "phone": 0}
    exported = await organisation.export(db)
    assert "capacity = { email = 2 }" in exported
    assert 'interrupted_by = { email = [], chat = ["phone"] }' in exported
    assert "capacity = { phone = 0, chat = 2 }" in exported
    plan = await organisation.plan(db, file(exported.replace("email = 2", "email = 3")), prune=False)
    (line,) = plan.changed
    assert line.startswith("organisation: capacity {phone = 1, email = 2,")
    assert "email = 3" in line
