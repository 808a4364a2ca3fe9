"""Lists of tickets: the statement of a view, put together from what each condition and each order is in SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.domain.ticket_view import ME, NOBODY, Conditions, Order, Place, Search, View
from callcenter.errors import Invalid
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
LIMIT = 2.0  # seconds that a list may take; the built-in ones take some milliseconds

_OPEN = "t.state not in ('resolved', 'closed')"
# Order → what comes behind a place, and in which order; the columns are those of an index.
_ORDERS = {
    Order.DUE: ("(t.due_at, t.id) > (coalesce({at}::timestamptz, 'infinity'), {id}::bigint)", "t.due_at, t.id"),
    Order.QUIET: ("(t.updated_at, t.id) > ({at}::timestamptz, {id}::bigint)", "t.updated_at, t.id"),
    Order.NEWEST: ("t.id < {id}::bigint", "t.id desc"),
    Order.OLDEST: ("t.id > {id}::bigint", "t.id"),
}
_PLAIN = """
select t.id, nullif(t.due_at, 'infinity') as due_at, t.updated_at from ticket t
where {where} order by {order} limit {limit}
"""
# Apart from order and limit: a plan is made once for all values (store/db.py), and for the sake of the limit it would
# walk all tickets in their order, however rare a tag is.
_TAGGED = """
with t as materialized (select t.id, t.due_at, t.updated_at from ticket t where {where})
select t.id, nullif(t.due_at, 'infinity') as due_at, t.updated_at from t order by {order} limit {limit}
"""
# The newest tickets first, 16,384 at a time as ticket_words numbers them, until the page is full: a common word is
# found at once, and a rare one costs a look into the index for each. Nothing sorts the whole: the blocks come in order.
_WORDS = """
with asked as materialized (
    select array(select unnest(tsvector_to_array(to_tsvector('english', {spaced})))) || {signs}::text[] as words
)
select found.* from asked
cross join generate_series(
    least((select max(id) from ticket), {below}::bigint) >> 14, 0, -1) as block
cross join lateral (
    with hits as materialized (
        select ticket_id from ticket_text
        where ticket_words(ticket_id, text) @> array(select block || ':' || word from unnest(asked.words) as word)
    )
    select listed.* from (select ticket_id from hits order by ticket_id desc) as hit
    cross join lateral (
        select t.id, nullif(t.due_at, 'infinity') as due_at, t.updated_at
        from ticket t join ticket_text x on x.ticket_id = t.id
        where t.id = hit.ticket_id and {where}
          and not exists (select from unnest({phrases}::text[]) as phrase where strpos(x.text, phrase) = 0)
        offset 0
    ) as listed
    limit {limit}
) as found
where cardinality(asked.words) > 0
limit {limit}
"""


@dataclass(frozen=True, slots=True)
class Listed:
    id: int
    place: Place


class _Arguments(list[Any]):
    """Of a statement; each is put where it stands as $n."""

    def put(self, value: object) -> str:
        self.append(value)
        return f"${len(self)}"


def statement(
    view: View, directory: Directory, *, user: int, after: Place | None, limit: int, now: datetime
) -> tuple[str, Sequence[Any]]:
    """The SQL of a page behind `after`, and its arguments. The limit is a figure in it: the plan depends on it."""
    args = _Arguments()
    conditions, (behind, order) = view.conditions, _ORDERS[view.order]
    where = _where(conditions, directory, args, user=user, now=now)
    if after is not None:
        where.append(behind.format(at=args.put(after.at) if "{at}" in behind else "", id=args.put(after.id)))
    text = " and ".join(where) or "true"
    if not conditions.words:
        plain = _TAGGED if conditions.tags else _PLAIN
        return plain.format(where=text, order=order, limit=limit), args
    search = Search.parse(conditions.words)
    below = args.put(2**62 if after is None else after.id)
    return _WORDS.format(
        where=text,
        spaced=args.put(search.spaced),
        signs=args.put(search.signs),
        phrases=args.put(search.phrases),
        below=below,
        limit=limit,
    ), args


def _where(conditions: Conditions, directory: Directory, args: _Arguments, *, user: int, now: datetime) -> list[str]:
    found = []
    if conditions.only_open:
        found.append(_OPEN)  # as the indexes have it
    # Members of ours stand in the statement as they are: plans are made without arguments.
    for column, slugs in (("state", conditions.state), ("priority", conditions.priority)):
        if slugs:
            found.append(f"t.{column} in ({', '.join(repr(str(slug)) for slug in slugs)})")
    found += _kinds(conditions, args)
    if conditions.queue:
        names = set(conditions.queue)
        queues = [queue.id for queue in directory.queues.values() if queue.name in names]
        found.append(_one_of("t.queue_id", "bigint", queues, args))
    if conditions.owner:
        found.append(_owned(conditions.owner, directory, args, user=user))
    if conditions.customer is not None:
        found.append(f"t.customer_id = {args.put(conditions.customer)}::bigint")
    if conditions.breached:
        found.append(f"t.due_at <= {args.put(now)}::timestamptz")
    return found


def _kinds(conditions: Conditions, args: _Arguments) -> Iterator[str]:
    """By type, category and tags."""
    if conditions.type:
        yield _one_of("t.type", "text", conditions.type, args)
    if conditions.category:
        roots = [args.put(each) for each in conditions.category]
        each = " or ".join(f"t.category = {root}::text or starts_with(t.category, {root} || '/')" for root in roots)
        yield f"({each})"
    if conditions.tags:
        yield f"t.tags <> '{{}}' and t.tags && {args.put(list(conditions.tags))}::text[]"


def _one_of(column: str, kind: str, values: Sequence[Any], args: _Arguments) -> str:
    # One value keeps the order of an index; several do not, for all that the planner knows.
    if len(values) == 1:
        return f"{column} = {args.put(values[0])}::{kind}"
    return f"{column} = any ({args.put(list(values))}::{kind}[])"


def _owned(names: Sequence[str], directory: Directory, args: _Arguments, *, user: int) -> str:
    owners = [each.id for each in directory.users.values() if each.name in names]
    if ME in names:
        owners.append(user)
    by_name = _one_of("t.owner_id", "bigint", owners, args) if owners else "false"
    if NOBODY not in names:
        return by_name
    return f"({by_name} or t.owner_id is null)" if owners else "t.owner_id is null"


def check_names(conditions: Conditions, directory: Directory) -> None:
    """Raises Invalid for a queue or an owner that there is not."""
    queues = {queue.name for queue in directory.queues.values()}
    owners = {user.name for user in directory.users.values()} | {ME, NOBODY}
    for field, known in (("queue", queues), ("owner", owners)):
        if unknown := set(getattr(conditions, field)) - known:
            raise Invalid(f"There is no {field} {min(unknown)!r}.", field=field)


async def page(
    pool: Pool, view: View, directory: Directory, *, user: int, after: Place | None, limit: int, now: datetime
) -> Sequence[Listed]:
    """At most so many tickets of the list. Raises Invalid when it takes too long."""
    sql, args = statement(view, directory, user=user, after=after, limit=limit, now=now)
    try:
        rows = await pool.fetch(sql, *args, timeout=LIMIT)
    except TimeoutError:
        raise Invalid(
            f"This list takes longer than {LIMIT:.0f} seconds to find: narrow it down, or choose another order.",
            field="view",
        ) from None
    at = "updated_at" if view.order is Order.QUIET else "due_at"
    return [Listed(row["id"], Place(row["id"], row[at])) for row in rows]
