"""Words of the pages that customers fill in: refusals, waits and states, in their language."""

import re
from collections.abc import Mapping

from callcenter.domain.ticket import TicketState
from callcenter.errors import CallcenterError
from callcenter.ports import Wait
from callcenter.web.problem import problem_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import explain

# What customers are told of the state of a case: what it means for them.
CASE_STATE: Mapping[str, str] = {
    TicketState.NEW: _("we have received it"),
    TicketState.OPEN: _("we are working on it"),
    TicketState.PENDING: _("we wait for your answer"),
    TicketState.ON_HOLD: _("we wait for somebody else"),
    TicketState.RESOLVED: _("solved"),
    TicketState.CLOSED: _("closed"),
}
_MORE = _("It will take more than two hours.")
REFUSALS = (
    _("This is needed."),
    _("Write text here."),
    _("Write one line here."),
    _("This is too long."),
    _("Write a number."),
    _("Write a day like 2026-12-31."),
    _("Choose one of these."),
    _("This is no e-mail address."),
    _("This is no phone number."),
    _("Choose a file."),
    _("The form takes no files."),
    _("The form cannot be read."),
    _("Leave the last field empty: only programs see it."),
    _("That was fast; send it once more."),
    _("So many files are waiting to be sent; send those first."),
    _("There is no such case of yours."),
    _("This page was open for long; send it once more."),
    _("This contact asks for no opinion."),
    _("That was often; wait a moment."),
    _("That is no telephone number that could be called."),
    _("Numbers that cost extra are not called."),
    _("Whoever has this number does not want to be called."),
    _("That moment has passed."),
    _("Nobody is there to call back."),
    _("Nobody is called back from here."),
    _("Somebody is there already."),
    _("This was being called at that moment: ask again."),
)
# Refusals with something of the customer's in them: what they look like, and the sentence for it.
WITH_NAMES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(?P<name>.+) is a program; programs are not taken\. .*", _("%(name)s is a program; we take no programs.")),
        (
            r"(?P<name>.+) is a page or drawing that can run scripts; .*",
            _("%(name)s is a page or drawing that can run scripts; send a picture or PDF."),
        ),
        (r"(?P<name>.+) is empty\.", _("%(name)s is empty.")),
        (r"(?P<name>.+) is larger than (?P<size>[\d.]+) MB\.", _("%(name)s is larger than %(size)s MB.")),
        (
            r"The files are larger than (?P<size>[\d.]+) MB together\.",
            _("The files are larger than %(size)s MB together."),
        ),
        (r"At most (?P<count>\d+) files go with a message\.", _("At most %(count)s files go with a message.")),
        (r"Numbers of (?P<places>[A-Z, ]+) are called back, and no others\.", _("We call numbers of %(places)s only.")),
        (r"That is further ahead than .+\.", _("That is too far ahead.")),
        (
            r"Nobody is there then; open again (?P<at>[-\d: ]+) \((?P<zone>.+)\)\.",
            _("Nobody is there then; we open again at %(at)s (%(zone)s)."),
        ),
    )
)


def said(language: Language, words: str) -> str:
    """A sentence of ours in the reader's language."""
    return language.said(words, WITH_NAMES)


def refusal(language: Language, error: CallcenterError) -> str:
    words = said(language, str(error))
    return words if words != str(error) else explain(language, problem_of(error)[0])


def wait_words(language: Language, wait: Wait | None) -> str:
    """Where one who waits stands; empty for who does not wait, or for a moment after the start."""
    if wait is None:
        return ""
    place = language.gettext("You are number %(n)d in line.") % {"n": wait.position}
    if wait.expected_seconds is None:
        return place
    minutes = max(1, round(wait.expected_seconds / 60))
    if minutes > 120:
        return f"{place} {language.gettext(_MORE)}"
    about = language.ngettext("It will take about %(n)d minute.", "It will take about %(n)d minutes.", minutes)
    return f"{place} {about % {'n': minutes}}"
