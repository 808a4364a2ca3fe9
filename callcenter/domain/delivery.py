"""What other systems get: its signature, and what their answer means; no IO.

The form is that of the Standard Webhooks specification (standardwebhooks.com), for which receivers have libraries.
"""

import base64
import binascii
import hmac
from datetime import datetime
from enum import StrEnum

# A secret that a library made; what stands behind it is Base64.
_PREFIX = "whsec_"


class DeliveryState(StrEnum):
    WAITING = "waiting"  # to be sent when it is due, or being sent under a lease
    SENT = "sent"  # the other side took it
    FAILED = "failed"  # its time ran out, or the other side wants no more of it; may be sent once more by hand


class Answer(StrEnum):
    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


def answer_of(status: int) -> Answer:
    """Redirects are not followed, since what is signed for one place is not for another; 410 is a farewell."""
    if 200 <= status < 300:
        return Answer.TAKEN
    return Answer.NEVER if 300 <= status < 400 or status == 410 else Answer.LATER


def headers_of(secret: str, *, ident: str, body: bytes, now: datetime) -> dict[str, str]:
    """Id, time in seconds since 1970, and the HMAC-SHA256 of both and the body."""
    stamp = str(int(now.timestamp()))
    signed = hmac.digest(_key(secret), f"{ident}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": ident,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # it only looks like one
    return secret.encode()
