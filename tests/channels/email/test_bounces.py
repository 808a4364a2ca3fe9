"""Letters that came back, as providers say so that keep to no form (RFC 3464)."""

import base64
from typing import Any

import pytest

from callcenter.domain.mail import Mail, Nature
from channels.email.parse import parse
from tests.channels.email.messages import bounce, message, multipart, part

ID = "abc@heronbay.example"
TO = "wang@qq.example"


def html(text: str, charset: str = "utf-8") -> bytes:
    return part(
        base64.encodebytes(text.encode(charset)), f"text/html; charset={charset}", Content_Transfer_Encoding="base64"
    )


def qq() -> bytes:
    """Formatted alone, in GB18030, with the letter's head attached as a file of no type."""
    said = (
        f"<h2>抱歉，您的邮件被退回来了……</h2><p>原邮件信息：</p>"
        "<table><tr><td>时间</td><td>2026-03-10 16:20:00</td></tr>"
        f"<tr><td>收件人</td><td>{TO}</td></tr></table><p>退信原因：收件人邮件地址（{TO}）不存在，邮件无法送达。"
        "550 Mailbox not found</p>"
    )
    head = part(
        f"Message-ID: <{ID}>\r\nSubject: x\r\n\r\n".encode(),
        "application/octet-stream",
        Content_Disposition='attachment; filename="original.eml"',
    )
    return multipart(html(said, "gb18030"), head, From="PostMaster@qq.example", Subject="系统退信", Return_Path="<>")


def qq_without_the_letter() -> bytes:
    said = f"<p>您发送的邮件 被退回。收件人：{TO}</p><p>退信原因：对方邮箱已满</p>"
    return multipart(html(said, "gb18030"), From="PostMaster@qq.example", Subject="来自qq.example的退信")


def netease() -> bytes:
    """Its subject is in both languages; the letter is attached whole."""
    said = f"系统退信/Systems bounce\n您的邮件无法送达\n收件人 {TO}\n原因：550 User not found: {TO}\n"
    letter = part(f"Message-ID: <{ID}>\r\nSubject: x\r\n\r\nHello".encode(), "message/rfc822")
    return multipart(part(said.encode()), letter, From="Postmaster@163.example", Subject="系统退信/Systems bounce")


def aliyun() -> bytes:
    """A report by its form, with a diagnostic in Chinese and no status."""
    report = f"Reporting-MTA: dns; smtp.aliyun.example\r\n\r\nFinal-Recipient: rfc822; {TO}\r\nAction: failed\r\n"
    report += "Diagnostic-Code: smtp; 554 收件人不存在\r\n"
    return multipart(
        part("您的邮件未能送达。".encode()),
        part(report.encode(), "message/delivery-status"),
        part(f"Message-ID: <{ID}>\r\n\r\n".encode(), "text/rfc822-headers"),
        subtype="report",
        From="MAILER-DAEMON@aliyun.example",
        Subject="退信通知：邮件无法送达",
    )


def exmail() -> bytes:
    """In words, with the id among them."""
    said = f"您的邮件无法投递到以下地址：\n{TO}\n错误信息：host mx said: 550 5.1.1 no such user\nMessage-ID: {ID}\n"
    return message(said.encode(), From="postmaster@exmail.example", Subject="邮件投递失败")


def qmail() -> bytes:
    said = f"Hi. This is the qmail-send program.\n\n<{TO}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    said += f"--- Below this line is a copy of the message.\n\nMessage-ID: <{ID}>\n"
    return message(said.encode(), From="MAILER-DAEMON@mx.example", Subject="failure notice", Return_Path="<>")


def exim() -> bytes:
    said = f"This message was created automatically by mail delivery software.\n\n  {TO}\n    550 Unrouteable address\n"
    raw = message(said.encode(), From="Mailer-Daemon@mx.example", Subject="Mail delivery failed: returning message")
    return raw.replace(b"\r\n\r\n", f"\r\nX-Failed-Message-ID: <{ID}>\r\n\r\n".encode(), 1)


@pytest.mark.parametrize("form", [qq, netease, aliyun, exmail, qmail, exim], ids=lambda form: form.__name__)
def test_a_letter_that_came_back_is_known_with_its_id_and_recipient(form: Any) -> None:
    mail: Mail = parse(form())
    assert mail.nature is Nature.BOUNCE
    assert mail.bounce is not None
    assert mail.bounce.message_ids[0] == ID
    assert TO in mail.bounce.recipients
    assert mail.bounce.permanent
    assert mail.bounce.words


def test_without_the_letter_there_is_its_recipient_and_why() -> None:
    found = parse(qq_without_the_letter()).bounce
    assert found is not None
    assert (list(found.message_ids), list(found.recipients)) == ([], [TO])
    assert (found.words, found.permanent) == ("对方邮箱已满", False)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Warning: could not send message for past 4 hours", f"<{TO}> deferred. No action is required on your part."),
        ("Delivery Status Notification (Delay)", f"Delivery to {TO} has been delayed. We will keep trying."),
        ("Message delivery delayed", f"{TO}: still being retried"),
        ("邮件投递延迟通知", f"您发给 {TO} 的邮件暂时无法送达，系统将继续尝试投递。"),
        ("系统退信：邮件发送延迟", f"{TO} 稍后重试"),
    ],
)
def test_a_delay_in_words_is_no_failure(subject: str, text: str) -> None:
    mail = parse(message(text.encode(), From="mailer-daemon@mx.example", Subject=subject, Return_Path="<>"))
    assert mail.nature is Nature.BOUNCE
    assert mail.bounce is not None
    assert not mail.bounce.permanent
    assert TO in mail.bounce.recipients


@pytest.mark.parametrize("subject", ["退信怎么办", "系统退信是什么意思", "Undelivered parcel", "快递被退回"])
def test_a_person_may_write_of_what_came_back(subject: str) -> None:
    assert parse(message(Subject=subject)).nature is Nature.PERSON


def test_a_report_that_a_person_passes_on_is_a_message_of_theirs() -> None:
    report = bounce(ID)
    attached = multipart(part(b"Your letter came back to me."), part(report, "message/rfc822"))
    assert parse(attached).nature is Nature.PERSON
    assert parse(attached).bounce is None
    status = report[report.index(b"Reporting-MTA") : report.index(b"--edge", report.index(b"Reporting-MTA"))]
    copied = multipart(part(b"Your letter came back to me."), part(status, "message/delivery-status"))
    assert parse(copied).bounce is None
    # A mail server may put another part round its report.
    inner = report.partition(b"\r\n\r\n")[2].replace(b"--edge", b"--inner")
    wrapped = multipart(
        part(inner, "multipart/report; boundary=inner; report-type=delivery-status"), From="postmaster@mx.example"
    )
    assert parse(wrapped).nature is Nature.BOUNCE
