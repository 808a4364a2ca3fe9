"""Signing in, staying in, getting out."""

import asyncio
from collections import Counter

import pytest
from aiohttp import ClientSession, CookieJar

from callcenter.actions import users
from callcenter.errors import TooMany, Unauthorized
from tests.web.conftest import PASSWORD, Doors, SignIn

NEW = "another walk home"


async def post(doors: Doors, name: str, password: str, **more):
    return await doors.client.post("/api/v1/session", json={"name": name, "password": password}, **more)


async def test_a_person_signs_in_and_is_known_by_the_cookie(doors: Doors, sign_in: SignIn) -> None:
    csrf = await sign_in("amy")
    me = await (await doors.client.get("/api/v1/session")).json()
    assert me == {
        "id": doors.ids["amy"],
        "name": "amy",
        "full_name": "Amy",
        "role": "agent",
        "language": None,
        "csrf": csrf,
    }


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(doors: Doors) -> None:
    cookie = (await post(doors, "amy", PASSWORD)).cookies["cc_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"


async def test_a_wrong_password_and_an_unknown_name_sound_alike(doors: Doors) -> None:
    wrong, unknown = await post(doors, "amy", "no"), await post(doors, "nobody", "no")
    assert wrong.status == unknown.status == 401
    assert (await wrong.json())["detail"] == (await unknown.json())["detail"]


async def test_guessing_ends_in_429_that_says_when_to_try_again(doors: Doors) -> None:
    for _ in range(10):
        assert (await post(doors, "amy", "guess")).status == 401
    refused = await post(doors, "amy", PASSWORD)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert (await post(doors, "bo", PASSWORD)).status == 201
    doors.clock.move(minutes=16)
    assert (await post(doors, "amy", PASSWORD)).status == 201


async def test_guesses_at_the_same_moment_are_all_counted(doors: Doors) -> None:
    answers = await asyncio.gather(*(post(doors, "amy", f"guess {n}") for n in range(40)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {401, 429}
    assert statuses[401] <= 10


async def test_guessing_many_names_from_one_address_ends_too(doors: Doors) -> None:
    for n in range(60):
        assert (await post(doors, f"name{n}", "guess")).status == 401
    assert (await post(doors, "bo", "guess")).status == 429


async def test_guessing_from_all_addresses_of_one_network_ends_too(doors: Doors) -> None:
    async def guess(name: str, address: str) -> None:
        await users.sign_in(doors.log, name, password="guess", address=address, user_agent="", now=doors.clock())

    for n in range(60):
        with pytest.raises(Unauthorized):
            await guess(f"name{n}", f"2001:db8:1:2::{n:x}")
    with pytest.raises(TooMany):
        await guess("bo", "2001:db8:1:2:ffff::1")
    with pytest.raises(Unauthorized):
        await guess("bo", "2001:db8:1:3::1")


async def test_writes_of_a_session_need_the_proof(doors: Doors, sign_in: SignIn) -> None:
    csrf = await sign_in("amy")
    without = await doors.client.patch("/api/v1/me", json={"language": "zh_CN"})
    wrong = await doors.client.patch("/api/v1/me", json={"language": "zh_CN"}, headers={"X-CSRF-Token": "é"})
    right = await doors.client.patch("/api/v1/me", json={"language": "zh_CN"}, headers={"X-CSRF-Token": csrf})
    assert (without.status, wrong.status, right.status) == (403, 403, 204)
    assert (await (await doors.client.get("/api/v1/me")).json())["language"] == "zh_CN"


async def test_other_sites_cannot_write_not_even_sign_in(doors: Doors, sign_in: SignIn) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert (await post(doors, "amy", PASSWORD, headers=headers)).status == 403
    csrf = await sign_in("amy")
    evil = {"X-CSRF-Token": csrf, "Origin": "https://evil.example"}
    assert (await doors.client.patch("/api/v1/me", json={"language": "en"}, headers=evil)).status == 403
    own = {"X-CSRF-Token": csrf, "Origin": str(doors.client.make_url("")).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert (await doors.client.patch("/api/v1/me", json={"language": "en"}, headers=own)).status == 204


async def test_signing_out_ends_the_session_on_the_server(doors: Doors, sign_in: SignIn) -> None:
    csrf = await sign_in("amy")
    [cookie] = doors.client.session.cookie_jar
    assert (await doors.client.delete("/api/v1/session", headers={"X-CSRF-Token": csrf})).status == 204
    again = await doors.client.get("/api/v1/session", headers={"Cookie": f"cc_session={cookie.value}"})
    assert again.status == 401


async def test_a_session_lasts_while_it_is_used_but_not_for_ever(doors: Doors, sign_in: SignIn) -> None:
    await sign_in("amy")
    for _ in range(16):
        doors.clock.move(hours=10)
        assert (await doors.client.get("/api/v1/me")).status == 200
    doors.clock.move(hours=10)
    assert (await doors.client.get("/api/v1/me")).status == 401


async def test_an_unused_session_ends(doors: Doors, sign_in: SignIn) -> None:
    await sign_in("amy")
    doors.clock.move(hours=12)
    assert (await doors.client.get("/api/v1/me")).status == 401


async def test_changing_the_password_ends_the_other_sessions_only(doors: Doors, sign_in: SignIn) -> None:
    csrf = await sign_in("amy")
    url = doors.client.make_url("/api/v1/me")
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as other:
        await other.post(url.with_path("/api/v1/session"), json={"name": "amy", "password": PASSWORD})
        assert (await other.get(url)).status == 200
        changed = await doors.client.post(
            "/api/v1/me/password", json={"old": PASSWORD, "new": NEW}, headers={"X-CSRF-Token": csrf}
        )
        assert changed.status == 204, await changed.text()
        assert (await other.get(url)).status == 401
        assert (await doors.client.get("/api/v1/me")).status == 200
    assert (await post(doors, "amy", PASSWORD)).status == 401
    assert (await post(doors, "amy", NEW)).status == 201


async def test_a_new_password_must_be_good_and_the_old_one_known(doors: Doors) -> None:
    async def change(old: str, new: str) -> int:
        return (await doors.call("amy", "POST", "/api/v1/me/password", json={"old": old, "new": new})).status

    assert await change("no", NEW) == 403
    assert await change(PASSWORD, PASSWORD) == 422
    for weak in ("short", "aaaaaaaaaaaaaa", "password123", "amyamyamyamy", "x" * 300):
        assert await change(PASSWORD, weak) == 422
    assert await change(PASSWORD, NEW) == 204


async def test_a_token_is_its_own_proof_and_can_expire(doors: Doors) -> None:
    assert (await doors.call("amy", "PATCH", "/api/v1/me", json={"language": "en"})).status == 204
    for header in ("Bearer nonsense", "Bearer ", "Basic YW15OmFteQ==", "\xff"):
        assert (await doors.client.get("/api/v1/me", headers={"Authorization": header})).status == 401


async def test_who_no_longer_works_here_gets_no_further(doors: Doors, sign_in: SignIn) -> None:
    await sign_in("amy")
    await doors.log.pool.execute("update users set active = false where name = 'amy'")
    assert (await doors.client.get("/api/v1/me")).status == 401
    assert (await doors.call("amy", "GET", "/api/v1/me")).status == 401
    assert (await post(doors, "amy", PASSWORD)).status == 401


async def test_no_secret_is_kept_readable(doors: Doors, sign_in: SignIn) -> None:
    await sign_in("amy")
    [cookie] = doors.client.session.cookie_jar
    rows = await doors.log.pool.fetch("select s::text as row from session s union all select t::text from token t")
    kept = " ".join(row["row"] for row in rows)
    assert cookie.value not in kept
    assert doors.tokens["amy"] not in kept
    assert (await doors.log.pool.fetchval("select password_hash from users limit 1")).startswith("$argon2id$")
