"""What customers are worth over REST: their orders, their tier and stage with the reasons, a tier set by hand."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from callcenter.actions import value as actions
from callcenter.actions.order_import import MOST_ORDERS, find_customers, read_order
from callcenter.domain.agent import Role
from callcenter.domain.value import Signal, Stage
from callcenter.errors import Invalid
from callcenter.store import customers
from callcenter.store import value as store
from callcenter.store.value import SQL, Value
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Line, answer, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place

_AT = f"/customers/{ID}/value"


@dataclass(frozen=True, slots=True)
class PointsItem:
    """1 to 5 each; 0: no order in the time that counts."""

    recency: int
    frequency: int
    monetary: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueItem:
    """`tier` is the one in force, `by` hand or rule; `figures` what it was worked out from, those that are not zero."""

    tier: str | None
    by: str | None
    rule_tier: str | None
    reason: str | None
    until: datetime | None
    set_by: str | None
    set_at: datetime | None
    points: PointsItem | None
    stage: Stage | None
    stage_since: datetime | None
    signals: list[Signal]
    figures: dict[str, Any]
    assessed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TierByHand:
    """`tier` null: the rules decide again."""

    __pydantic_config__ = STRICT
    tier: Annotated[str, Field(max_length=50)] | None
    reason: Annotated[str, Field(max_length=500)] | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderItem:
    id: int
    number: str
    ordered_on: date
    amount: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """Of the customer with this external id, or the only one with this phone number or mail address."""

    __pydantic_config__ = STRICT
    number: Line
    external_id: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    amount: Line
    currency: Line
    ordered_on: date


@dataclass(frozen=True, slots=True)
class NewOrders:
    __pydantic_config__ = STRICT
    items: Annotated[list[NewOrder], Field(min_length=1, max_length=MOST_ORDERS)]


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Paging:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Place | None = None


def _item(value: Value) -> ValueItem:
    points = value.points
    by_hand = value.hand_tier is not None and value.tier == value.hand_tier
    return ValueItem(
        tier=value.tier,
        by=None if value.tier is None else "hand" if by_hand else "rule",
        rule_tier=value.rule_tier,
        reason=value.hand_reason if by_hand else None,
        until=value.hand_until if by_hand else None,
        set_by=value.hand_by if by_hand else None,
        set_at=value.hand_at if by_hand else None,
        points=None if points is None else PointsItem(points.recency, points.frequency, points.monetary),
        stage=value.stage,
        stage_since=value.stage_at,
        signals=[Signal(each) for each in value.signals],
        figures=value.figures,
        assessed_at=value.assessed_at,
    )


async def _answer(request: web.Request, ident: int) -> web.StreamResponse:
    pool = request.app[POOL]
    customer = await customers.get(pool, ident)
    found = await store.get(pool, ident)
    return answer(_item(found or Value(customer=ident, tier=customer.tier, figures={})))


@operation("GET", _AT, summary="Tier and stage of a customer, and why", tag="customers", answer=ValueItem)
async def get_value(request: web.Request) -> web.StreamResponse:
    return await _answer(request, path_id(request))


@operation(
    "PUT", f"/customers/{ID}/tier", summary="Set a customer's tier by hand, or leave it to the rules again",
    tag="customers", role=Role.SUPERVISOR, body=TierByHand, answer=ValueItem,
)  # fmt: skip
async def put_tier(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, TierByHand)
    if given.until is not None and given.until.tzinfo is None:
        raise Invalid("A moment with its time zone, such as 2026-12-31T00:00:00Z.", field="until")
    ident = path_id(request)
    await actions.set_tier(
        request.app[LOG],
        ident,
        tier=given.tier,
        reason=given.reason,
        until=given.until,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _answer(request, ident)


@operation(
    "GET", f"/customers/{ID}/orders", summary="What a customer ordered, the newest first", tag="customers",
    query=Paging, answer=Page[OrderItem],
)  # fmt: skip
async def list_orders(request: web.Request) -> web.StreamResponse:
    query, ident, pool = read_query(request, Paging), path_id(request), request.app[POOL]
    await customers.get(pool, ident)
    rows = await pool.fetch(SQL.orders, ident, read_place(query.after, start=TOP), query.limit + 1)
    items = [OrderItem(**row) for row in rows[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(rows) > query.limit else None))


@operation(
    "POST", "/orders", summary="Orders from another system, each once by its number; all of them or none",
    tag="customers", role=Role.SUPERVISOR, body=NewOrders, answer=Imported,
)  # fmt: skip
async def post_orders(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewOrders)
    region, now = request.app[DIRECTORY].organisation.region, request.app[CLOCK]()
    rows = []
    for index, each in enumerate(given.items):
        cells = {
            "number": each.number, "external_id": each.external_id, "phone": each.phone, "email": each.email,
            "amount": each.amount, "currency": each.currency, "date": each.ordered_on.isoformat(),
        }  # fmt: skip
        try:
            rows.append(read_order(cells, region=region))
        except Invalid as error:
            raise Invalid(f"items[{index}]: {error}", field=f"items[{index}].{error.field}") from None
    orders, missing = await find_customers(request.app[POOL], rows)
    if missing:
        index = missing[0]
        raise Invalid(f"items[{index}]: there is no such customer.", field=f"items[{index}].external_id")
    actor = identity(request).user_id
    added, changed = await actions.take_orders(request.app[LOG], orders, actor=actor, now=now)
    return answer(Imported(added, changed, len(orders) - added - changed))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_value, put_tier, list_orders, post_orders)]
