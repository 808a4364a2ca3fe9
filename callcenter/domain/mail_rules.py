"""How much of mail one correspondent may set going, and who is no correspondent at all; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

HOUR = timedelta(hours=1)
# Nobody reads what is sent there, or a programme does. The whole of the local part, or before what a sender adds to it.
_ROBOT = re.compile(
    r"(.*[._-])?(no|not|do[._-]?not|never|donot|dont)[._-]?(reply|answer|respond)([._+=-].*)?"
    r"|(mailer|mail)[._-]?daemon|daemon|postmaster|mdaemon|bounces?([._+=-].*)?|.*[._-]bounces?|autoreply|auto-reply|"
    r"(owner|request)-.+|.+-(owner|request|bounces)|(double-)?(verify|confirm)\+.+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRules:
    """`messages_per_hour`: of one address; what comes beyond opens no ticket of its own and is offered to nobody.

    `automatic_per_hour`: letters that nobody wrote, to one address. `acknowledge_every`: from one to the next.
    """

    acknowledge_every: timedelta = HOUR
    messages_per_hour: int = 20
    automatic_per_hour: int = 6


def is_robot(address: str) -> bool:
    """Whether the address says itself that nobody reads what comes to it."""
    return _ROBOT.fullmatch(address.rpartition("@")[0]) is not None


def read_mail_rules(kept: Mapping[str, Any]) -> MailRules:
    """As the database has them: durations in seconds, and only what is not as usual."""
    given = dict(kept)
    if "acknowledge_every" in given:
        given["acknowledge_every"] = timedelta(seconds=given["acknowledge_every"])
    return MailRules(**given)


def write_mail_rules(rules: MailRules) -> dict[str, Any]:
    """What `read_mail_rules` reads."""
    usual = MailRules()
    kept: dict[str, Any] = {}
    if rules.acknowledge_every != usual.acknowledge_every:
        kept["acknowledge_every"] = rules.acknowledge_every.total_seconds()
    for name in ("messages_per_hour", "automatic_per_hour"):
        if getattr(rules, name) != getattr(usual, name):
            kept[name] = getattr(rules, name)
    return kept
