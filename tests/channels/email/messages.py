"""Messages as bytes, valid unless told otherwise."""

import base64


def message(
    body: bytes = b"The router does not start.\r\n", /, *, kind: str = "text/plain; charset=utf-8", **fields: str | None
) -> bytes:
    """`fields` by their names with _ for -; None leaves one out."""
    given: dict[str, str | None] = {
        "From": "Wang Fang <wang@customer.example>",
        "To": "care@heronbay.example",
        "Subject": "No light",
        "Message-ID": "<1@customer.example>",
        "Date": "Tue, 10 Mar 2026 16:20:00 +0800",
        "Content-Type": kind,
    }
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
    return head.encode("utf-8") + b"\r\n" + body


def multipart(*parts: bytes, subtype: str = "mixed", more: str = "", **fields: str | None) -> bytes:
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return message(body, kind=f"multipart/{subtype}; boundary=edge{more}", **fields)


def part(body: bytes, kind: str = "text/plain; charset=utf-8", **fields: str) -> bytes:
    head = f"Content-Type: {kind}\r\n" + "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in fields.items())
    return head.encode() + b"\r\n" + body


def attached(content: bytes, name: str, kind: str = "application/pdf") -> bytes:
    return part(
        base64.encodebytes(content),
        kind,
        Content_Transfer_Encoding="base64",
        Content_Disposition=f'attachment; filename="{name}"',
    )


def bounce(message_id: str, *, status: str = "5.1.1", recipient: str = "wang@customer.example") -> bytes:
    report = (
        f"Reporting-MTA: dns; mx.customer.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} User unknown\r\n"
    )
    return multipart(
        part(b"Sorry.\r\n"),
        part(report.encode(), "message/delivery-status"),
        part(f"Message-ID: <{message_id}>\r\nSubject: Hello\r\n\r\n".encode(), "text/rfc822-headers"),
        subtype="report",
        more="; report-type=delivery-status",
        From="MAILER-DAEMON@mx.customer.example",
        Subject="Undelivered Mail Returned to Sender",
        Return_Path="<>",
        Message_ID="<dsn@mx.customer.example>",
    )
