"""What stands on the stage of a desk: one contact, a customer's card, or words about what will come."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from markupsafe import Markup

from callcenter.domain.interaction import Channel
from callcenter.domain.ticket import Priority
from callcenter.store.directory import Queue
from screenpop import words
from screenpop.desk import Desk, Draft, Work, WorkRow, empty_view, me_view, side_view, work_view
from screenpop.i18n import Language
from screenpop.pop import Pop, PopView, pop_view
from screenpop.render import Renderer


def shown_work(work: Sequence[WorkRow], *, wanted: int | None) -> WorkRow | None:
    """The contact on the stage: an offer comes first, since it runs out; then the one chosen.

    Else one that goes on, one to be wrapped up, or one that is interrupted; the oldest of each. Whoever writes in a
    chat is not torn away: another written contact is offered beside it (`offer_beside`).
    """
    offers = [row for row in work if row["state"] == "pending"]
    chosen = [row for row in work if row["interaction"] == wanted]
    if chosen and is_chat(chosen[0]) and not any(row["channel"] == Channel.PHONE for row in offers):
        return chosen[0]
    return next(iter([*offers, *chosen, *sorted(work, key=_rank)]), None)


def is_chat(row: WorkRow) -> bool:
    """Whether the agent chats there now."""
    return row["channel"] == Channel.CHAT and row["state"] == "accepted" and row["released_at"] is None


def offer_beside(work: Sequence[WorkRow], shown: WorkRow | None) -> WorkRow | None:
    """The offer that stands above another contact."""
    return next((row for row in work if row["state"] == "pending" and row is not shown), None) if shown else None


def _rank(row: WorkRow) -> int:
    return 2 if row["interrupted"] else int(row["released_at"] is not None)


def following(work: Sequence[WorkRow], shown: WorkRow | None) -> int | None:
    """The interaction that comes after the one on the stage; None when there is no other."""
    idents = [row["interaction"] for row in work]
    if shown is None:
        return next(iter(idents), None)
    return idents[(idents.index(shown["interaction"]) + 1) % len(idents)] if len(idents) > 1 else None


def draft_of(row: WorkRow) -> Draft:
    saved = row["draft_note"] is not None
    return Draft(row["draft_note"] or "", row["draft_disposition"], saved=saved and bool(row["draft_note"]))


def drawn_view(pop: Pop, renderer: Renderer, language: Language, *, now: datetime, zone: tzinfo) -> PopView:
    """The pop in words, its largest parts drawn already: for who has time now and none when the pop is due."""
    view = pop_view(pop, language, now=now, zone=zone)
    entries = renderer.draw("desk/_entries.html", language, {"pop": view})
    customer = renderer.draw("desk/_customer.html", language, {"pop": view}) if view.person else ""
    return replace(view, drawn_entries=Markup(entries), drawn_customer=Markup(customer))  # noqa: S704


def stage_context(
    row: WorkRow | None, view: PopView | None, queues: Mapping[int, Queue], language: Language, *, busy: bool = False
) -> dict[str, object]:
    """For `desk/_stage.html` with a pop on it; `row` is None on a customer's card. `busy`: other work is in hand."""
    current: Work | None = work_view(row, queues, language) if row is not None else None
    return {
        "state": current.state if current else "card" if view else "idle",
        "current": current,
        "beside": None,
        "pop": view,
        "draft": draft_of(row) if row is not None else Draft(),
        "priorities": [(slug, language.label(words.PRIORITY, slug)) for slug in Priority],
        "work": busy,
    }


def desk_context(
    desk: Desk,
    row: WorkRow | None,
    pop: Pop | None,
    queues: Mapping[int, Queue],
    language: Language,
    *,
    member_of: Sequence[str],
    selection: str,
    now: datetime,
    zone: tzinfo,
) -> dict[str, object]:
    """For `desk/_desk.html`: presence, the lists at the left, and the stage."""
    work = [work_view(each, queues, language) for each in desk.work]
    beside = offer_beside(desk.work, row)
    return {
        **stage_context(row, pop_view(pop, language, now=now, zone=zone) if pop else None, queues, language),
        **side_view(desk, language, now=now, zone=zone),
        "beside": None if beside is None else work_view(beside, queues, language),
        "me": me_view(desk, language),
        "work": work,
        "shown": row["interaction"] if row else None,
        "following": following(desk.work, row),
        "empty": empty_view(desk, language, queues=member_of),
        "selection": selection,
    }
