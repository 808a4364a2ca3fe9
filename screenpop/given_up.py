"""The words of the ticket about somebody who was to be called back, and whom nobody reached."""

from collections.abc import Mapping
from typing import Any

from callcenter.domain.outbox import Letter
from screenpop.i18n import Language


def given_up(language: Language, data: Mapping[str, Any]) -> Letter:
    subject = language.gettext("Callback: nobody was reached")
    number = data["attempts"]
    text = language.ngettext(
        "The customer asked to be called back. It was tried %(num)d time, and nobody was reached.",
        "The customer asked to be called back. It was tried %(num)d times, and nobody was reached.",
        number,
    ) % {"num": number}
    return Letter(f"{subject}: {data['subject']}"[:200] if data["subject"] else subject, text)
