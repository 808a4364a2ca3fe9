"""Organisation files: what is wrong with one, what one would change, and that it comes back as it went in."""

from datetime import timedelta
from pathlib import Path

import pytest

from callcenter import toml
from callcenter.actions import organisation, users
from callcenter.domain.announce import Announce
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.organisation_file import understand
from callcenter.errors import Unauthorized
from callcenter.store import organisation as store
from callcenter.store.directory import Directory
from callcenter.toml import BadFile

EXAMPLE = Path(__file__).parents[2] / "config" / "org.example.toml"
SMALL = """
[[users]]
name = "amy"
full_name = "Amy"
role = "agent"
endpoint = "PJSIP/1001"

[[queues]]
name = "support"
numbers = ["95500"]
default = true
members = ["amy"]
"""


def file(text: str, **environ: str):
    return understand(toml.parse(text, "org.toml"), environ)


def complaints(text: str, **environ: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        file(text, **environ)
    return [str(problem) for problem in caught.value.problems]


async def apply(log, now, text, *, prune=False, **environ):
    return await organisation.apply(log, file(text, **environ), prune=prune, actor=None, now=now)


async def sign_in(log, now, name, password):
    return await users.sign_in(log, name, password=password, address="::1", user_agent="", now=now)


def test_every_mistake_is_named_at_once_with_line_key_and_what_was_expected():
    found = complaints("""[organisation]
name = "X"
region = "ZZ"
timezone = "Mars/Base"
[[users]]
name = "amy"
fullname = "Amy"
role = "boss"
skills = { zh = 6 }
[[users]]
name = "amy"
full_name = "Amy"
role = "agent"
endpoint = "PJSIP/1&IAX2/evil"
password_env = "NOT_SET"
[[queues]]
name = "support"
ring_timeout = 15
service_level = { within = "20 seconds" }
""")
    text = "\n".join(found)
    for line, key in [
        (3, "organisation.region"), (4, "organisation.timezone"), (7, "users[1].fullname"), (5, "users[1].full_name"),
        (8, "users[1].role"), (9, "users[1].skills.zh"), (11, "users[2].name"), (14, "users[2].endpoint"),
        (15, "users[2].password_env"), (18, "queues[1].ring_timeout"), (19, "queues[1].service_level.within"),
    ]:  # fmt: skip
        assert f"org.toml, line {line}: {key}: " in text, (line, key, text)
    assert len(found) == 11
    assert 'expected a duration in quotes, like "20s"' in text
    assert "there is no such key" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[queue]]", "there is no such key"),
        ("[[users]]\nname = 3", "expected"),
        ("users = 3", "expected"),
        ("[[users]]\nname = 'a'\nfull_name='A'\nrole='agent'\nmanager='a'", "not below this user"),
        ("[[queues]]\nname='a'\ndefault=true\n[[queues]]\nname='b'\ndefault=true", "default queue already"),
        ("[[queues]]\nname='a'\nnumbers=['1']\n[[queues]]\nname='b'\nnumbers=['1']", "second time"),
        ("[[queues]]\nname='a'\nmembers=['x','x']", "second time"),
        ("[[queues]]\nname='a'\nwrap_up={mode='time_boxed'}", "needs a limit"),
        ("[[queues]]\nname='a'\nneeds={zh=0}", "greater than or equal to 1"),
        (
            "[[queues]]\nname='a'\nneeds={zh=1}\nsteps=[{after='9s', needs={zh=2}}]",
            "step 1 asks for zh 2, more than before",
        ),
        ("[[queues]]\nname='a'\nsteps=[{after='9s', needs={zh=1}}]", "step 1 asks for zh 1, more than before"),
        (
            "[[queues]]\nname='a'\nneeds='zh >= 2 or en >= 2'\nsteps=[{after='9s', needs='zh >= 1'}]",
            "step 1 asks for zh 1, more than before",
        ),
        (
            "[[queues]]\nname='a'\nneeds='zh >= 2 or en 2'",
            "line 3: queues[1].needs: expected `>=` after en at position 15, found 2",
        ),
        ("[[queues]]\nname='a'\nneeds=3", "queues[1].needs: expected { skill = level, … }, or an expression"),
        ("[[queues]]\nname='a'\nneeds={zh=6}", "queues[1].needs.zh: expected less than or equal to 5, not 6"),
        ("[[queues]]\nname='a'\nneeds={}\nsteps=[{after='9s', needs='zh > 1'}]", "steps[1].needs: expected `>=`"),
        ("[[queues]]\nname='a'\nlanguage=7", "language: expected true, false or a level from 1 to 5"),
        ("[[queues]]\nname='a'\nlanguage=true\nsteps=[{after='9s', language=2}]", "step 1 asks for language 2"),
        ("[[queues]]\nname='a'\ndefault_language='zh_TW'", "a language like zh, without country, not 'zh_TW'"),
        (
            "[[users]]\nname='a'\nfull_name='A'\nrole='agent'\nlanguages={zh=6}",
            "line 5: users[1].languages.zh: expected",
        ),
        ("[[queues]]\nname='a'\nsurvey={}", "line 3: queues[1].survey.ask: this key is needed"),
        ("[[queues]]\nname='a'\nsurvey={ask='stars'}", "survey.ask: expected 'csat', 'nps' or 'solved', not 'stars'"),
        ("[[queues]]\nname='a'\nsurvey={ask='csat', bad=5}", "survey: bad is a score of csat, 1 to 4; not 5"),
        ("[[queues]]\nname='a'\nsurvey={ask='solved', bad=1}", "survey: bad is a score of solved, 0; not 1"),
        ("[[queues]]\nname='a'\nsurvey={ask='nps', bad='3'}", "survey.bad: expected a valid integer"),
        ("[[queues]]\nname='a'\nsurvey={ask='nps', delay='-1m'}", "delay and change_within are not below zero"),
        (
            "[[queues]]\nname='a'\nsurvey={ask='nps', not_again='0s'}",
            "survey.not_again: expected a duration above zero",
        ),
        ("[[queues]]\nname='a'\nsurvey={ask='nps', valid=14}", "survey.valid: expected a duration in quotes"),
        ("[[queues]]\nname='a'\nsurvey={ask='nps', after='1d'}", "survey.after: there is no such key"),
        ("[[queues]]\nname='a'\nprefer='anybody'", "queues[1].prefer: expected 'last_agent', 'owner' or 'named'"),
        (
            "[[queues]]\nname='a'\nsteps=[{after='9s', needs={}}, {after='9s', needs={}}]",
            "not later than the one before",
        ),
        ("[[queues]]\nname='a'\nring_timeout='0s'", "above zero"),
        ("[[queues]]\nname='a'\ngreeting='welcome,${SHELL(rm)}'", "pattern"),
        ("[[hours]]\nname='a'\ntimezone='UTC'", "never open"),
        ("[[hours]]\nname='a'\ntimezone='UTC'\nweekly={mon=['10:00-09:00']}", "ends before it begins"),
        ("[[hours]]\nname='a'\ntimezone='UTC'\nweekly={mon=['09:00-11:00','10:00-12:00']}", "inside the interval"),
        ("[[hours]]\nname='a'\ntimezone='UTC'\nweekly={mo=['09:00-11:00']}", "mon"),
        ("[[hours]]\nname='a'\ntimezone='UTC'\nholidays='XX'\nweekly={mon=['09:00-11:00']}", "no holiday calendar"),
        ("[[sla_policies]]\nname='a'\nwhen={tier='gold'}\nown='1m'", "one policy without `when`"),
        ("[[sla_policies]]\nname='a'", "a policy needs"),
        ("[[sla_policies]]\nname='a'\nfirst_response='2h'\nresolution='1h'", "longer than resolution"),
        ("[organisation]\ninterrupted_by={email=['phone', 'email']}", "email cannot interrupt itself"),
        ("[organisation]\ninterrupted_by={email=['pigeon']}", "phone"),
        ("[organisation]\ncapacity={chat=26}", "less than or equal to 25"),
        ("[[users]]\nname='a'\nfull_name='A'\nrole='agent'\ncapacity={telex=1}", "phone"),
        ("[[users]\n", "not TOML"),
        ("[[users]]\nname='a'\nfull_name='A'\nrole='agent'\npassword='x'\npassword_env='Y'", "exclude each other"),
    ],
)
def test_a_mistake_is_told_in_words(text, words):
    assert any(words in each for each in complaints(text)), complaints(text)


def test_no_complaint_repeats_a_password():
    assert "hunter2" not in "\n".join(
        complaints("[[users]]\nname='a'\nfull_name='A'\nrole='agent'\npassword='hunter2'\npassword_env='Y'")
    )


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


OVERFLOWING = (
    SMALL
    + """
overflow = [
  { after = "60s", to = "sales" },
]

[[queues]]
name = "sales"
overflow = [{ expected = "2m", to = "spare" }]

[[queues]]
name = "spare"
"""
)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{ to = 'sales' }", "a rule says when by either after or expected"),
        ("{ after = '1m', expected = '1m', to = 'sales' }", "a rule says when by either after or expected"),
        ("{ after = '1m' }", "a rule says what by one of to, lend and treatment"),
        ("{ after = '1m', to = 'sales', lend = 'sales' }", "a rule says what by one of to, lend and treatment"),
        ("{ after = '1m', lend = 'support' }", "another queue was expected than this one"),
        ("{ after = '0s', to = 'sales' }", "expected a duration above zero"),
        ("{ after = '1m', treatment = 'magic' }", "expected 'callback', 'voicemail' or 'closed', not 'magic'"),
    ],
)
def test_an_overflow_rule_that_cannot_be_meant_is_refused(rule, words):
    [found] = complaints(OVERFLOWING.replace('{ after = "60s", to = "sales" }', rule))
    assert found.startswith("org.toml, line 15: queues[1].overflow[1]")
    assert words in found


@pytest.mark.parametrize(
    ("value", "key", "words"),
    [
        ("{ every = '60s' }", "announce", "an announcement says position, wait or both"),
        ("{ position = true, every = '5s' }", "announce.every", "expected at least 15s from one announcement"),
        ("{ wait = true, every = 60 }", "announce.every", 'expected a duration in quotes, like "20s"'),
        ("{ wait = 'long' }", "announce.wait", "'long'"),
        ("{ place = true }", "announce.place", "place"),
    ],
)
def test_an_announcement_that_cannot_be_meant_is_refused(value, key, words):
    [found] = complaints(f"{SMALL}announce = {value}\n")
    assert found.startswith(f"org.toml, line 13: queues[1].{key}")
    assert words in found


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
