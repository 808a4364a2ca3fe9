"""What ties a reply to its case where its fields do not: a signed token in address and subject; pure."""

import base64
import hmac
import re

# 50 bits of the HMAC-SHA256: guessed in 10^15 mails. Of one case, since servers change that of addresses.
_PROOF = 10
_IN_SUBJECT = re.compile(r"\[#(\d{1,18})-([a-z2-7]{10})\]", re.IGNORECASE)
# As programs of these languages write it, some with how many times.
_ANSWERS = re.compile(
    r"^(?:(?:re|aw|sv|vs|antw|odp|rif|res|ynt|回复|回覆|回復|答复|答覆|返信|답장)\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?"
    r"\s?[:\uff1a]\s?)+",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"[^@]*\+t(\d{1,18})-([a-z2-7]{10})@.*", re.IGNORECASE)


def token(key: bytes, number: int) -> str:
    """Of the ticket of that number: 1024-k7x2m9qpab."""
    proof = hmac.digest(key, b"ticket\0" + str(number).encode(), "sha256")
    return f"{number}-{base64.b32encode(proof).decode().lower()[:_PROOF]}"


def is_marked_answer(subject: str) -> bool:
    """Whether it begins as those of answers do."""
    return _ANSWERS.match(subject.lstrip()) is not None


def answer_subject(subject: str) -> str:
    """Of an answer: with one `Re:` for all the marks of answers that it has by now, and without a token."""
    bare = " ".join(_IN_SUBJECT.sub(" ", subject).split())
    return f"Re: {_ANSWERS.sub('', bare, count=1)}".strip()


def tagged_subject(key: bytes, number: int, subject: str) -> str:
    """The subject of an answer; with the token once, whatever the one before had."""
    bare = " ".join(_IN_SUBJECT.sub(" ", subject).split())
    return f"{bare} [#{token(key, number)}]".strip()


def tagged_address(key: bytes, number: int, address: str) -> str:
    """A mailbox's address (care@example.com) for replies: care+t1024-k7x2m9qpab@example.com."""
    local, _, domain = address.rpartition("@")
    return f"{local}+t{token(key, number)}@{domain}"


def bare_address(address: str) -> str:
    """Without what stands behind a plus."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def number_of(key: bytes, *, recipients: "list[str] | tuple[str, ...]", subject: str) -> int | None:
    """The ticket that the token of an address names, else that of the subject; None when none is ours."""
    found = [match for each in recipients if (match := _IN_ADDRESS.fullmatch(each))]
    found += list(_IN_SUBJECT.finditer(subject))
    for match in found:
        number = int(match[1])
        if hmac.compare_digest(token(key, number), f"{number}-{match[2].lower()}"):
            return number
    return None
