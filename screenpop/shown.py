"""That an offer stands on a desk is a fact like the dial of a call: `interaction.offered`."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel
from callcenter.store.db import TRY_AGAIN
from callcenter.store.log import ContactLog

log = structlog.get_logger()

# These ring: whoever places the call tells when the dial goes out.
_DIALLED = frozenset({Channel.PHONE, Channel.CALLBACK})
# Seconds; a console that takes no frame for so long shows what it gets later by a hint, if ever.
_WITHIN = 10.0


def is_card(event: Event) -> bool:
    """Whether a reservation is offered by what stands on the desk alone."""
    return event.kind == "interaction.reserved" and event.data.get("channel") not in _DIALLED


async def tell(
    contact_log: ContactLog, reservation: int, written: "asyncio.Future[bool]", *, clock: Callable[[], datetime]
) -> None:
    """Once the frame of its pop has gone to a socket of the desk; nothing when none takes it."""
    try:
        async with asyncio.timeout(_WITHIN):
            if not await asyncio.shield(written):
                return
        await interactions.show_offer(contact_log, reservation, now=clock())
    except TimeoutError:
        return
    except TRY_AGAIN as error:
        log.warning("offer.untold", reservation=reservation, error=repr(error))
