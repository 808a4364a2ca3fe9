"""Mistakes in organisation files: each is told in words, with its line and key."""

import pytest

from tests.actions.organisation_files import OVERFLOWING, SMALL, complaints


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
        ("[[mailboxes]]\naddress='care'\nqueue='a'", "line 2: mailboxes[1].address: 'care' is no e-mail address"),
        ("[[mailboxes]]\naddress='care+x@a.example'\nqueue='a'", "without a plus"),
        ("[[mailboxes]]\naddress='c@a.example'\nqueue='a'\nclosed='open'", "closed: expected 'reopen' or 'new'"),
        ("[[mailboxes]]\naddress='c@a.example'\n[[mailboxes]]\naddress='C@a.example'", "stands here a second time"),
        ("[[widgets]]\nkey='w'\nqueue='a'\nsites=[]", "line 4: widgets[1].sites: expected a site at least"),
        ("[[widgets]]\nkey='w'\nqueue='a'\nsites=['shop.example']", "expected a site like https://shop.example.com"),
        ("[[widgets]]\nkey='w'\nqueue='a'\nsites=['https://a.example/x']", "without a path"),
        ("[[widgets]]\nkey='w'\n[[widgets]]\nkey='w'", "line 4: widgets[2].key: 'w' stands here a second time"),
        ("[[widgets]]\nkey='w'\nsecret_env='NONE'", "a secret of 32 or more characters was expected"),
        ("[[widgets]]\nkey='w'\nqueue='a'\nsites=['https://a.example']\nask=['age']", "expected 'name' or 'email'"),
        ("[[canned_answers]]\nname='a'\ntext='{{ customer.age }}'", "line 3: canned_answers[1].text"),
        ("[[canned_answers]]\nname='a'\ntext='b'\n[[canned_answers]]\nname='a'\ntext='c'", "stands here a second time"),
        ("[[canned_answers]]\nname='/a'\ntext='b'", "line 2: canned_answers[1].name: A name has 1 to 60 characters"),
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
        ("[[queues]]\nname='a'\nsurvey={ask='nps', by='keypad', prompt='x'}", "takes one digit, and nps goes to 10"),
        ("[[queues]]\nname='a'\nsurvey={ask='csat', by='keypad'}", "prompt is the recording that asks on the phone"),
        ("[[queues]]\nname='a'\nsurvey={ask='csat', prompt='x'}", "prompt is the recording that asks on the phone"),
        ("[[queues]]\nname='a'\nsurvey={ask='csat', by='api'}", "survey.by[1]: expected"),
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
