"""What bad input gets, what every answer carries, and the description of it all."""

import gzip
import io

import pytest
from aiohttp import web
from openapi_spec_validator import validate

from callcenter.web import api_customers, api_interactions, api_queues, api_session, api_tickets, exports
from callcenter.web.openapi import Operation, describe
from tests.web.conftest import Doors


async def problem(response):
    assert response.content_type == "application/problem+json"
    document = await response.json()
    assert document["status"] == response.status
    assert document["detail"]
    assert document["request_id"] == response.headers["X-Request-ID"]
    assert "Traceback" not in str(document)
    return document


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404), ("GET", "/api/v1/interactions/0", 404), ("GET", "/api/v1/interactions/x", 404),
        ("GET", "/api/v1/interactions/99999999999999999999", 404), ("GET", "/api/v1/interactions/-1", 404),
        ("DELETE", "/api/v1/queues", 405), ("PATCH", "/api/v1/queues", 405),
        ("PUT", "/api/v1/agents/%00/presence", 415),
        ("GET", "/api/v1/customers?q=%00", 422), ("GET", "/api/v1/customers?q=%ff", 200),
        ("GET", "/api/v1/customers?q=a&q=b", 422),
        ("GET", "/api/v1/tickets/9223372036854775808", 404),
        ("GET", "/api/v1/tickets?customer=9223372036854775808", 422),
        ("GET", "/api/v1/interactions?after=ffffffffffffffff", 422), ("GET", "/api/v1/interactions?after=zz", 422),
    ],
)  # fmt: skip
async def test_bad_addresses_get_the_status_that_fits(doors: Doors, method: str, path: str, status: int) -> None:
    response = await doors.call("sue", method, path)
    assert response.status == status, await response.text()
    if status >= 400:
        await problem(response)
    if status == 405:
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400), (b"", "application/json", 400), (b"\xff", "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400), (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"[" * 100_000, "application/json", 400), (b"{}", "text/plain", 415), (b"{}", "", 415),
        (b'{"name": "a\\u0000b"}', "application/json", 422), (b'{"name": 7}', "application/json", 422),
        (b'{"name": "' + b"x" * 2_000_000 + b'"}', "application/json", 413),
        (b'{"name": "x", "name": "x"}', "application/json", 201),
        (b'{"name": "x", "addresses": [{"kind": "phone"}]}', "application/json", 422),
    ],
)  # fmt: skip
async def test_bad_bodies_get_the_status_that_fits(doors: Doors, body: bytes, content_type: str, status: int) -> None:
    response = await doors.call(
        "sue", "POST", "/api/v1/customers", data=io.BytesIO(body), headers={"Content-Type": content_type}
    )
    assert response.status == status, await response.text()
    if status >= 400:
        await problem(response)


async def test_a_body_that_grows_when_unpacked_is_limited_too(doors: Doors) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 50_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await doors.call("sue", "POST", "/api/v1/customers", data=bomb, headers=headers)
    assert response.status in (400, 413)
    await problem(response)


async def test_every_answer_keeps_browsers_safe(doors: Doors) -> None:
    for path in ("/healthz", "/api/v1/me", "/api/v1/nothing"):
        headers = (await doors.client.get(path)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert len(headers["X-Request-ID"]) == 16


async def test_a_bug_of_ours_is_a_document_and_no_stack_trace(doors: Doors, monkeypatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("callcenter.web.api_queues._agent", broken)
    monkeypatch.setattr("callcenter.web.api_queues._queue", lambda _: 1 / 0)
    await doors.arrive()
    response = await doors.call("sue", "GET", "/api/v1/queues")
    assert response.status == 500
    assert "division" not in str(await problem(response))


async def test_a_database_that_is_away_is_503_with_when_to_try_again(doors: Doors, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("callcenter.web.api_queues._queue", away)
    response = await doors.call("sue", "GET", "/api/v1/queues")
    assert response.status == 503
    assert response.headers["Retry-After"] == "2"


async def test_pages_send_to_sign_in_and_programs_get_401(doors: Doors) -> None:
    assert (await doors.client.get("/api/v1/agents")).status == 401


async def test_health_readiness_and_metrics(doors: Doors) -> None:
    assert (await doors.client.get("/healthz")).status == 200
    ready = await doors.client.get("/readyz")
    assert (ready.status, await ready.json()) == (200, {"ready": True, "missing": {}})
    await doors.arrive()
    await doors.deliver()
    text = await (await doors.client.get("/metrics")).text()
    for line in (
        'callcenter_waiting{queue="support"} 1.0', 'callcenter_interactions{channel="phone",state="queued"} 1.0',
        'callcenter_events_total{kind="interaction.arrived"} 1.0', "callcenter_database_up 1.0",
        "callcenter_log_lag_seconds",
        'callcenter_http_requests_total{method="GET",route="/readyz",status="200"} 1.0',
    ):  # fmt: skip
        assert line in text, line


async def test_a_server_that_is_not_ready_says_what_is_missing(doors: Doors) -> None:
    async def missing() -> str:
        return "migrations are pending"

    async def away() -> None:
        raise ConnectionRefusedError

    doors.readiness |= {"database": missing, "agi": away}
    response = await doors.client.get("/readyz")
    assert response.status == 503
    assert (await response.json())["missing"] == {
        "database": "migrations are pending",
        "agi": "out of reach (ConnectionRefusedError)",
    }


async def test_the_description_is_valid_and_complete(doors: Doors) -> None:
    document = await (await doors.client.get("/api/v1/openapi.json")).json()
    validate(document)
    app = doors.client.server.app  # type: ignore[attr-defined]
    for route in app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if not path.startswith("/api/v1/") or path.endswith(("/openapi.json", "/stream")):
            continue
        assert isinstance(route.handler.__self__, Operation), path
        if route.method != "HEAD":
            assert route.method.lower() in document["paths"][path], path
    assert document == describe(app, version=document["info"]["version"])


def test_nothing_is_open_to_everybody_by_accident() -> None:
    app = web.Application()
    for part in (api_customers, api_interactions, api_queues, api_session, api_tickets, exports):
        app.add_routes(part.routes())
    public = {
        (route.method, route.resource.canonical if route.resource else "")
        for route in app.router.routes()
        if route.handler.__self__.role is None  # type: ignore[attr-defined]
    }
    assert public == {("POST", "/api/v1/session")}
