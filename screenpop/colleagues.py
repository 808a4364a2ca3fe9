"""What a pop says of a customer's company: how much its other people have open."""

from typing_extensions import TypedDict

from screenpop.i18n import Language

# No more are counted (history.sql).
_MOST_TICKETS = 100


class Colleagues(TypedDict):
    """Of the customer's company, by id: how many tickets of its other people are open; 100 may be more."""

    company: int
    open_tickets: int


def colleagues_words(found: Colleagues | None, language: Language) -> str:
    """“Colleagues have 3 open tickets”; nothing where they have none, or where there is no company."""
    count = found["open_tickets"] if found else 0
    if not count:
        return ""
    if count >= _MOST_TICKETS:
        return language.gettext("Colleagues have %(num)d open tickets or more") % {"num": count}
    said = language.ngettext("Colleagues have %(num)d open ticket", "Colleagues have %(num)d open tickets", count)
    return said % {"num": count}
