"""Who is no correspondent, and how the numbers are kept."""

from datetime import timedelta

import pytest

from callcenter.domain.mail_rules import MailRules, is_robot, read_mail_rules, write_mail_rules


@pytest.mark.parametrize(
    "local",
    [
        "no-reply", "noreply", "no_reply", "No.Reply", "do-not-reply", "donotreply", "do_not_reply", "shop-noreply",
        "noreply+a1b2", "noreply-bookings", "mailer-daemon", "MAILER-DAEMON", "postmaster", "bounce",
        "bounces+77=x.example",
        "list-bounces", "owner-list", "list-request", "never-reply", "dontreply", "confirm+abc",
    ],
)  # fmt: skip
def test_an_address_that_nobody_reads_is_known(local: str) -> None:
    assert is_robot(f"{local}@shop.example")


@pytest.mark.parametrize(
    "local",
    ["wang", "norepply", "arno.reply", "reply", "noah", "bouncer", "postmastery", "info", "owner", "nora.replyson"],
)
def test_people_are_no_robots(local: str) -> None:
    assert not is_robot(f"{local}@shop.example")


def test_rules_are_kept_as_far_as_they_are_unusual() -> None:
    rules = MailRules(acknowledge_every=timedelta(hours=4), messages_per_hour=7)
    assert write_mail_rules(MailRules()) == {}
    assert write_mail_rules(rules) == {"acknowledge_every": 14400.0, "messages_per_hour": 7}
    assert read_mail_rules(write_mail_rules(rules)) == rules
