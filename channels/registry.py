"""The channels of this server. A new one is a folder beside this file and a line in the table."""

from collections.abc import Callable, Mapping

from channels.channel import Channel, Ground
from channels.cti.adapter import Cti
from channels.email.adapter import Email
from channels.forms.adapter import Forms
from channels.messages.adapter import Messages
from channels.telephony.adapter import Telephony
from channels.web.adapter import Chats

PHONE = "phone"

CHANNELS: Mapping[str, Callable[[Ground], Channel]] = {
    PHONE: Telephony,
    "email": Email,
    "chat": Chats,
    "form": Forms,
    "message": Messages,
    "cti": Cti,
}
