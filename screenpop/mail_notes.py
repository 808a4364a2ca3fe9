"""What could not be read of a message, and why a letter was not sent, in the reader's language."""

import re
from collections.abc import Sequence

from screenpop.i18n import Language
from screenpop.i18n import mark as _

# As channels/email writes them; a note is kept with its message, for readers of any language.
NOTES = (
    _("It does not say whom it is from."),
    _("Outlook packed what it sent into winmail.dat, which is kept as an attachment."),
    _("Some of its characters could not be read."),
    _("Its text is too long; the rest is in the message as it came."),
    _("Its formatted text is too long; the rest is in the message as it came."),
    _("Its formatted text is nested too deeply, and is shown without its form."),
    _("It has too many parts; the first ones are shown, and the message as it came has all."),
    _("It has too many lines that look like boundaries."),
    _("A part that should contain others contains none; it is shown as text."),
    _("It is nested too deeply; what is inside is kept in the message as it came."),
    _("It could not be understood; it is kept as it came."),
    _("It takes too long or too much memory to read; it is kept as it came."),
    _(
        "not sent: this is no address of the ticket's customer, or a programme's, or got too many automatic letters "
        "within the hour"
    ),
)
# Those with a number in them: what they look like, and the sentence.
WITH_NUMBERS = (
    (
        re.compile(r"Its text has more than (?P<most>\d+) characters; .*"),
        _("Its text has more than %(most)s characters; the rest is in the message as it came."),
    ),
    (
        re.compile(r"It has (?P<size>\d+) MB, more than the (?P<most>\d+) MB that are taken: .*"),
        _(
            "It has %(size)s MB, more than the %(most)s MB that are taken: "
            "this is its beginning; the mailbox has all of it."
        ),
    ),
)


def noted(language: Language, note: str) -> str:
    """Words that are not ours, as those of a mail server, stay as they are."""
    return language.said(note, WITH_NUMBERS) if note else ""


def without_notes(text: str, notes: Sequence[str]) -> str:
    """The text of a message as it was kept, with the notes below it, for a reader who is shown them by themselves."""
    below = "\n".join(f"[{note}]" for note in notes)
    return text.removesuffix(below).rstrip() if below else text
