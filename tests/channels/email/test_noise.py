"""Who is behind a message."""

from typing import Any

import pytest

from callcenter.domain.mail import Nature
from channels.email.parse import parse
from tests.channels.email.messages import bounce, message, multipart, part


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: No light",
        "Out of Office AutoReply: back on Monday",
        "自动回复: 宽带",
        "自動回覆:寬頻",
        "外出自动回复",
        "Auto-Reply",
        "休假自动回复",
    ],
)
def test_an_out_of_office_reply_is_known_by_its_subject(subject: str) -> None:
    assert parse(message(Subject=subject)).nature is Nature.AUTO_REPLY


@pytest.mark.parametrize(
    "subject",
    ["Nobody answers out of office hours", "自动扣费是怎么回事", "My autoreply does not work", "出差途中手机不能上网"],
)
def test_a_person_may_write_of_such_things(subject: str) -> None:
    assert parse(message(Subject=subject)).nature is Nature.PERSON


@pytest.mark.parametrize(
    ("fields", "nature"),
    [
        ({"Auto_Submitted": "auto-replied"}, Nature.AUTO_REPLY),
        ({"Auto_Submitted": "auto-replied (vacation); owner-email=x"}, Nature.AUTO_REPLY),
        ({"Auto_Submitted": "no"}, Nature.PERSON),
        ({"Auto_Submitted": "auto-generated"}, Nature.BULK),
        ({"X_Autoreply": "yes"}, Nature.AUTO_REPLY),
        ({"Precedence": "auto_reply"}, Nature.AUTO_REPLY),
        ({"Precedence": "bulk"}, Nature.BULK),
        ({"Precedence": "list", "List_Id": "<x.example>"}, Nature.BULK),
        ({"List_Unsubscribe": "<mailto:x@y.example>"}, Nature.BULK),
        ({"Return_Path": "<>"}, Nature.BULK),
        ({"Return_Path": "<>", "In_Reply_To": "<a@b>"}, Nature.AUTO_REPLY),
        ({"X_Auto_Response_Suppress": "All"}, Nature.BULK),
    ],
)
def test_fields_tell_programmes_from_people(fields: dict[str, Any], nature: Nature) -> None:
    assert parse(message(**fields)).nature is nature


@pytest.mark.parametrize(
    ("fields", "robot"),
    [
        ({"Auto_Submitted": "auto-generated"}, True),
        ({"Auto_Submitted": "auto-notified; x=y"}, True),
        ({"Precedence": "bulk"}, True),
        ({"Precedence": "Junk"}, True),
        ({"Precedence": "list"}, True),
        ({"Precedence": "list", "List_Id": "<x.example>"}, False),
        ({"Precedence": "bulk", "List_Post": "<mailto:x@y.example>"}, False),
        ({"Precedence": "list", "List_Id": "<x.example>", "Auto_Submitted": "auto-generated"}, True),
        ({"Auto_Submitted": "no"}, False),
        ({"In_Reply_To": "<a@b>"}, False),
    ],
)
def test_a_programme_is_known_should_it_answer_us_and_a_person_on_a_list_is_none(
    fields: dict[str, Any], robot: bool
) -> None:
    assert parse(message(**fields)).robot is robot


def test_a_report_that_a_person_passes_on_is_no_bounce() -> None:
    report = bounce("abc@heronbay.example").replace(b"edge", b"inner")
    mail = parse(multipart(part(b"What is this?"), part(report, "message/rfc822")))
    assert mail.nature is Nature.PERSON
    assert mail.bounce is None


def test_a_bounce_says_which_letter_and_whose_address() -> None:
    mail = parse(bounce("abc@heronbay.example"))
    assert mail.nature is Nature.BOUNCE
    assert mail.bounce is not None
    assert list(mail.bounce.message_ids) == ["abc@heronbay.example"]
    assert list(mail.bounce.recipients) == ["wang@customer.example"]
    assert (mail.bounce.permanent, mail.bounce.words) == (True, "550 5.1.1 User unknown")


def test_a_mailbox_that_is_full_may_yet_take_mail() -> None:
    mail = parse(bounce("abc@heronbay.example", status="5.2.2"))
    assert mail.bounce is not None
    assert not mail.bounce.permanent


def test_a_bounce_in_plain_words_is_known_too() -> None:
    text = "无法投递到以下地址\n\nMessage-ID: <abc@heronbay.example>\n".encode()
    mail = parse(message(text, From="PostMaster@qq.example", Subject="系统退信"))
    assert mail.bounce is not None
    assert list(mail.bounce.message_ids) == ["abc@heronbay.example"]


def test_a_receipt_is_an_automatic_reply_and_a_delivery_no_failure() -> None:
    status = b"Final-Recipient: rfc822; a@b.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n"
    delivered = multipart(part(b"ok"), part(status, "message/delivery-status"), subtype="report")
    assert parse(delivered).nature is Nature.AUTO_REPLY
    read = multipart(part(b"read"), part(b"Disposition: x", "message/disposition-notification"), subtype="report")
    assert parse(read).nature is Nature.AUTO_REPLY
