"""What can be done to a solution: write, publish, retire, bring back, use. Every text that was saved is kept.

Whatever is saved is a proposal until it is published; readers go on seeing the version that is live. Who may publish is
for the doors to ask (`callcenter.domain.solution.may_publish`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from callcenter.domain.machine import step
from callcenter.domain.solution import (
    TRANSITIONS,
    Readers,
    ShownAt,
    Solution,
    SolutionState,
    SolutionVerb,
    Use,
    Variant,
    checked_category,
    checked_language,
    checked_tags,
    checked_text,
    checked_title,
    readers_of,
    searched,
)
from callcenter.errors import Invalid, NotFound, Outdated
from callcenter.store import solutions as store
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.pool import Pool
from callcenter.store.solutions import SQL

# The class of solutions among what is locked (store/functions/10_log.sql).
_LOCK = 15
_CHANGEABLE = ("public", "category", "tags", "owner", "review_on")
# Of the searches and votes of the help pages.
KEPT = timedelta(days=180)
_VOTES_KEPT = timedelta(days=730)


async def create(
    log: ContactLog,
    *,
    texts: Mapping[str, tuple[str, str]],
    actor: int | None,
    now: datetime,
    public: bool = False,
    category: str | None = None,
    tags: Sequence[str] = (),
    owner: int | None = None,
    review_on: date | None = None,
    publish: bool = False,
    external_id: str | None = None,
) -> Solution:
    """A draft, or published at once. `texts`: title and text by language. Raises Invalid."""
    checked = {
        checked_language(code): (checked_title(title), checked_text(text)) for code, (title, text) in texts.items()
    }
    if not checked:
        raise Invalid("An article needs a text in one language at least.", field="texts")
    async with log.transaction() as tx:
        try:
            ident = await tx.connection.fetchval(
                SQL.add, public, checked_category(category), checked_tags(tuple(tags)), owner, review_on, actor, now,
                external_id,
            )  # fmt: skip
        except asyncpg.ForeignKeyViolationError:
            raise Invalid("There is no such owner.", field="owner") from None
        before = await store.get(tx.connection, ident)
        for language, (title, text) in checked.items():
            await tx.connection.execute(SQL.add_version, ident, language, 1, title, text, actor, now, None)
        state = SolutionState.PUBLISHED if publish else SolutionState.DRAFT
        live = 1 if publish else None
        variants = tuple(Variant(language, 1, live, *texts) for language, texts in checked.items())
        kind = "solution.published" if publish else "solution.drafted"
        return await _write(tx, before, replace(before, state=state, variants=variants), kind, actor=actor, now=now)


async def save(
    log: ContactLog,
    ident: int,
    *,
    language: str,
    title: str,
    text: str,
    version: int | None,
    actor: int | None,
    now: datetime,
    publish: bool = False,
    restored_from: int | None = None,
) -> Solution:
    """A new version of the article in a language, perhaps its first; a proposal unless it is published at once.

    Nothing is written when the text is the latest already. Raises Invalid, NotFound, Outdated.
    """
    language, title, text = checked_language(language), checked_title(title), checked_text(text)
    async with log.transaction() as tx:
        before = await _locked(tx, ident, version)
        known = next((each for each in before.variants if each.language == language), None)
        n = known.latest if known is not None else 0
        row = await tx.connection.fetchrow(SQL.version, ident, language, n)
        if row is None or (row["title"], row["text"]) != (title, text):
            n += 1
            await tx.connection.execute(SQL.add_version, ident, language, n, title, text, actor, now, restored_from)
        elif known is not None and (not publish or known.live == n):
            return before
        live = n if publish else known.live if known is not None else None
        shown = (title, text) if publish or known is None or known.live is None else (known.title, known.text)
        others = tuple(each for each in before.variants if each.language != language)
        after = replace(before, variants=(*others, Variant(language, n, live, *shown)))
        if publish:
            after = replace(after, state=step(TRANSITIONS, before.state, SolutionVerb.PUBLISH))
        kind = "solution.published" if publish else "solution.saved"
        return await _write(tx, before, after, kind, actor=actor, now=now, data={"language": language, "text": n})


async def restore(
    log: ContactLog, ident: int, *, language: str, n: int, version: int | None, actor: int | None, now: datetime
) -> Solution:
    """An earlier text once more, as a new version. Raises NotFound, Outdated."""
    row = await log.pool.fetchrow(SQL.version, ident, language, n)
    if row is None:
        raise NotFound(f"There is no version {n} of it in {language}.")
    return await save(
        log, ident, language=language, title=row["title"], text=row["text"], version=version, actor=actor, now=now,
        restored_from=n,
    )  # fmt: skip


async def change(
    log: ContactLog, ident: int, *, changes: Mapping[str, Any], version: int | None, actor: int | None, now: datetime
) -> Solution:
    """Changes public, category, tags, owner (id) or review_on. Raises Invalid, NotFound, Outdated."""
    if unknown := changes.keys() - set(_CHANGEABLE):
        raise Invalid(f"A solution has no {', '.join(sorted(unknown))} to change.", field=min(unknown))
    wanted = dict(changes)
    if "category" in wanted:
        wanted["category"] = checked_category(wanted["category"])
    if "tags" in wanted:
        wanted["tags"] = checked_tags(tuple(wanted["tags"]))
    async with log.transaction() as tx:
        before = await _locked(tx, ident, version)
        wanted = {field: value for field, value in wanted.items() if value != getattr(before, field)}
        if not wanted:
            return before
        try:
            return await _write(
                tx, before, replace(before, **wanted), "solution.changed", actor=actor, now=now,
                data={"changed": list(wanted)},
            )  # fmt: skip
        except asyncpg.ForeignKeyViolationError:
            raise Invalid("There is no such owner.", field="owner") from None


async def publish(log: ContactLog, ident: int, *, version: int | None, actor: int | None, now: datetime) -> Solution:
    """Readers see the latest text in every language from now on. Raises NotFound, Outdated."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident, version)
        state = step(TRANSITIONS, before.state, SolutionVerb.PUBLISH)
        variants = []
        for each in before.variants:
            row = await tx.connection.fetchrow(SQL.version, ident, each.language, each.latest)
            assert row is not None
            variants.append(Variant(each.language, each.latest, each.latest, row["title"], row["text"]))
        after = replace(before, state=state, variants=tuple(variants))
        return (
            before if after == before else await _write(tx, before, after, "solution.published", actor=actor, now=now)
        )


async def retire(log: ContactLog, ident: int, *, version: int | None, actor: int | None, now: datetime) -> Solution:
    """Nobody finds it any more; what it was used for stays. Raises NotFound, Outdated, IllegalTransition."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident, version)
        state = step(TRANSITIONS, before.state, SolutionVerb.RETIRE)
        return await _write(tx, before, replace(before, state=state), "solution.retired", actor=actor, now=now)


async def _locked(tx: Transaction, ident: int, version: int | None) -> Solution:
    await tx.connection.execute("select lock_aggregate($1, $2)", _LOCK, ident)
    found = await store.get(tx.connection, ident)
    if version is not None and version != found.version:
        raise Outdated("Somebody else changed this article meanwhile; look at what it says now.")
    return found


def _readers(solution: Solution, variant: Variant) -> Readers:
    return readers_of(solution.state, public=solution.public, live=variant.live)


async def _write(
    tx: Transaction,
    before: Solution,
    after: Solution,
    kind: str,
    *,
    actor: int | None,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> Solution:
    """Writes what differs, brings the search up to date, and tells."""
    published = kind == "solution.published"
    await tx.connection.execute(
        SQL.change, after.id, after.state, after.public, after.category, after.tags, after.owner, after.review_on,
        published, now,
    )  # fmt: skip
    known = {each.language: (each, _readers(before, each)) for each in before.variants}
    written = [
        (each, _readers(after, each))
        for each in after.variants
        if known.get(each.language) != (each, _readers(after, each))
    ]
    if written:
        counted = await _words(tx, after.id)
        for variant, readers in written:
            await tx.connection.execute(SQL.put_text, *store.text_row(after.id, variant, readers))
        await _count(tx, counted, await _words(tx, after.id))
    done = await store.get(tx.connection, after.id)
    image = {"solution": done.id, "state": done.state, "public": done.public}
    await tx.append(kind, actor=actor, now=now, data={**image, **(data or {})})
    return done


async def _words(tx: Transaction, ident: int) -> Counter[str]:
    """How many of the article's texts that readers find have each word; how many there are, at the empty one."""
    rows = await tx.connection.fetch(SQL.counted, ident)
    found = Counter(word for row in rows for word in row["words"])
    found[""] = len(rows)
    return found


async def _count(tx: Transaction, before: Counter[str], after: Counter[str]) -> None:
    moved = {word: after[word] - before[word] for word in before | after if after[word] != before[word]}
    if moved:
        await tx.connection.execute(SQL.count_words, list(moved.values()), list(moved))


# -- what is done with it


async def use(
    log: ContactLog | Transaction,
    ident: int,
    *,
    ticket: int | None,
    interaction: int | None,
    how: Use,
    actor: int | None,
    now: datetime,
) -> bool:
    """It was put into an answer, or it solved the case; counted once a case. Raises Invalid, NotFound."""
    if (ticket is None) == (interaction is None):
        raise Invalid("Name a ticket or an interaction.", field="ticket")
    async with log.transaction() as tx:
        try:
            added = await tx.connection.fetchval(SQL.add_use, ident, ticket, interaction, how, actor, now)
        except asyncpg.ForeignKeyViolationError as error:
            what = (error.constraint_name or "").removeprefix("solution_use_").removesuffix("_id_fkey")
            raise NotFound(f"There is no such {what}.") from None
        if added is None:
            return False
        data = {"solution": ident, "how": how}
        await tx.append("solution.used", ticket=ticket, interaction=interaction, actor=actor, now=now, data=data)
    return True


async def take_back(
    log: ContactLog, ident: int, *, ticket: int | None, interaction: int | None, how: Use, actor: int, now: datetime
) -> bool:
    """It was not this article after all."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.drop_use, ident, ticket, interaction, how) is None:
            return False
        data = {"solution": ident, "how": how}
        await tx.append("solution.unused", ticket=ticket, interaction=interaction, actor=actor, now=now, data=data)
    return True


async def note_shown(pool: Pool, ident: int, *, place: ShownAt, day: date, times: int = 1) -> None:
    """Counted, without who looked."""
    await pool.execute(SQL.shown, ident, day, place, times)


async def note_search(pool: Pool, text: str, *, place: ShownAt, found: int, now: datetime) -> None:
    """Kept without who searched, and without addresses and numbers in it."""
    if kept := searched(text):
        await pool.execute(SQL.note_search, kept, place, int(not found), now)


async def vote(pool: Pool, ident: int, *, voter: bytes, helped: bool, now: datetime) -> None:
    """Did it help? The last word of a visitor counts."""
    await pool.execute(SQL.vote, ident, voter, helped, now)


# -- by the clock


async def remind(log: ContactLog, *, today: date, now: datetime) -> int:
    """Tells the owners of articles whose review is due, once a date; how many articles it were.

    Without an owner who still works here the supervisors are told.
    """
    async with log.transaction() as tx:
        due = await tx.connection.fetch(SQL.due_review, today)
        if not due:
            return 0
        supervisors = [row["id"] for row in await tx.connection.fetch(SQL.supervisors)]
        active = {row["id"] for row in await tx.connection.fetch(SQL.active, [row["user_id"] for row in due])}
        for row in due:
            notified = [row["user_id"]] if row["user_id"] in active else supervisors
            await tx.connection.executemany(SQL.add_notice, [(user, row["id"], now) for user in notified])
            data = {"solution": row["id"], "notified": notified}
            await tx.append("notice.review_due", now=now, data=data)
        await tx.connection.execute(SQL.reminded, [row["id"] for row in due], now)
    return len(due)


async def purge(pool: Pool, *, now: datetime) -> None:
    """Forgets searches that nobody made for half a year, and votes after two years."""
    await pool.execute(SQL.purge_searches, now - KEPT)
    await pool.execute(SQL.purge_votes, now - _VOTES_KEPT)
