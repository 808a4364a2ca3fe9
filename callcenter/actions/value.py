"""What customers are worth: orders that were imported, tiers set by hand, and what the rules make of it all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.domain.value import Cuts, ValueRules, assess, next_night, tier_in_force
from callcenter.errors import Invalid
from callcenter.store import customers as customer_store
from callcenter.store import value as store
from callcenter.store.contracts import SQL as CONTRACTS
from callcenter.store.log import ContactLog, Entry, Transaction
from callcenter.store.value import SQL, Move, Order, Standing

LONGEST_REASON = 500
_LONGEST_TIER = 50


async def note_by_hand(
    tx: Transaction,
    customer: int,
    tier: str | None,
    *,
    actor: int | None,
    now: datetime,
    reason: str | None = None,
    until: datetime | None = None,
) -> None:
    """Part of each action that sets a customer's tier: the rules leave it alone from now on. None: they decide again.

    What the customer's open tickets are promised is worked out anew.
    """
    await tx.connection.execute(SQL.by_hand, customer, tier, reason, until, actor, now)
    await tx.connection.execute(CONTRACTS.ask_review, [customer])


async def set_tier(
    log: ContactLog,
    customer: int,
    *,
    tier: str | None,
    reason: str | None,
    until: datetime | None,
    actor: int | None,
    now: datetime,
) -> None:
    """By hand, with a reason and perhaps an end; None leaves it to the rules again.

    Raises Invalid without a reason, with an end that is past and for what is no tier; NotFound.
    """
    tier, reason = (tier or "").strip() or None, (reason or "").strip() or None
    if tier is not None and (len(tier) > _LONGEST_TIER or not tier.isprintable()):
        raise Invalid(f"One word of at most {_LONGEST_TIER} characters.", field="tier")
    if tier is not None and reason is None:
        raise Invalid("Say why.", field="reason")
    if reason is not None and (len(reason) > LONGEST_REASON or "\x00" in reason):
        raise Invalid(f"At most {LONGEST_REASON} characters.", field="reason")
    if until is not None and (tier is None or until <= now):
        raise Invalid("The end of a tier lies in the future.", field="until")
    async with log.transaction() as tx:
        await tx.lock_customer(customer)
        before = await customer_store.get(tx.connection, customer)
        await note_by_hand(tx, customer, tier, reason=reason, until=until, actor=actor, now=now)
        in_force = tier or await tx.connection.fetchval(SQL.rule_tier, customer)
        if in_force != before.tier:
            await tx.connection.execute(SQL.set_tier, customer, in_force)
        data = {"tier": in_force, "before_tier": before.tier, "by": "hand" if tier is not None else "rule"}
        version = before.version + (in_force != before.tier)
        await tx.append("customer.valued", customer=customer, actor=actor, version=version, data=data, now=now)


async def ask(log: ContactLog, customers: Collection[int], *, now: datetime) -> None:
    """Something happened that may change what these are worth: they are looked at soon."""
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.ask, list(customers), now)


async def assess_due(log: ContactLog, *, zone: ZoneInfo, now: datetime, limit: int = 200) -> int:
    """Works out anew what so many customers are worth; how many were looked at.

    Any number of servers may do it at once: each customer is locked, looked at again, and left as done.
    """
    async with log.transaction() as tx:
        due = [row["customer_id"] for row in await tx.connection.fetch(SQL.due, now, limit)]
        if due:
            await _assess(tx, due, zone, now)
    return len(due)


async def _assess(tx: Transaction, customers: Sequence[int], zone: ZoneInfo, now: datetime) -> None:
    await tx.connection.execute(SQL.hold, customers)
    rules, revision = await store.rules(tx.connection)
    today = now.astimezone(zone).date()
    cuts = await store.cuts(tx.connection, rules, today) if rules is not None else Cuts()
    people = await store.standing(tx.connection, customers, rules or ValueRules(), today)
    # Another server was here between our question and our lock where nothing is due any more.
    people = [each for each in people if each.is_due(revision, now)]
    moves = [_move(each, rules, cuts, zone, now) for each in people]
    await tx.connection.executemany(SQL.put, [store.put_row(move, revision=revision, now=now) for move in moves])
    if tiers := [(move.before.customer, move.tier) for move in moves if move.tier != move.before.tier]:
        await tx.connection.executemany(SQL.set_tier, tiers)
    if told := [move for move in moves if move.tells]:
        # What is promised may ask for the tier or the stage.
        await tx.connection.execute(CONTRACTS.ask_review, [move.before.customer for move in told])
        await tx.append_all([_entry(move, now) for move in told])


def _move(before: Standing, rules: ValueRules | None, cuts: Cuts, zone: ZoneInfo, now: datetime) -> Move:
    until = before.hand_until if before.hand_until is not None and before.hand_until > now else None
    if rules is None:
        return Move(before, None, tier_in_force(None, before.hand_tier, before.hand_until, now), until)
    found = assess(before.figures, rules, cuts, now.astimezone(zone).date())
    night = next_night(now, zone)
    tier = tier_in_force(found.tier, before.hand_tier, before.hand_until, now)
    return Move(before, found, tier, min(night, until or night), rules.currency)


def _entry(move: Move, now: datetime) -> Entry:
    before, found = move.before, move.found
    data = {
        "tier": move.tier,
        "before_tier": before.tier,
        "stage": None if found is None else found.stage,
        "before_stage": before.stage,
        "signals": [] if found is None else list(found.signals),
        "by": "hand" if before.hand_tier is not None and move.tier == before.hand_tier else "rule",
    }
    version = before.version + (move.tier != before.tier)
    return Entry(kind="customer.valued", at=now, customer=before.customer, version=version, data=data)


# -- orders


async def take_orders(log: ContactLog, orders: Sequence[Order], *, actor: int | None, now: datetime) -> tuple[int, int]:
    """Each order once, by its number; a known one is brought up to date. How many were new, and how many changed."""
    async with log.transaction() as tx:
        told = await store.put_orders(tx.connection, {order.number: order for order in orders}.values())
        if told:
            await tx.connection.execute(SQL.ask, sorted({customer for customer, _ in told}), now)
        added = sum(new for _, new in told)
        if told:
            counts = {"added": added, "changed": len(told) - added}
            await tx.append("orders.imported", actor=actor, data=counts, now=now)
    return added, len(told) - added
