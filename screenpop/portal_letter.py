"""The letter with the link by which customers come to their own cases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callcenter.domain import link
from callcenter.domain.outbox import Letter
from callcenter.store.directory import Organisation
from screenpop.i18n import Language

ENTER = "my/enter"  # what the link is good for, and its path


def portal_letter(
    language: Language, organisation: Organisation, data: Mapping[str, Any], *, key: bytes, site: str
) -> Letter:
    name = organisation.name or "Callcenter"
    token = link.sign(key, ENTER, data["link"], expires=datetime.fromisoformat(data["expires"]))
    lines = [
        language.gettext("Here is the way to your cases with %(organisation)s:") % {"organisation": name},
        f"{site}/{ENTER}?t={token}&lang={language.code}",
        language.gettext("The link works once, within 15 minutes. It is for you alone: please do not pass it on."),
        language.gettext("You did not ask for it? Then you need not do anything."),
        name,
    ]
    subject = language.gettext("%(organisation)s: your cases") % {"organisation": name}
    return Letter(subject, "\n\n".join(lines) + "\n")
