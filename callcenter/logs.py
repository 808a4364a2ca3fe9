"""Logs as JSON lines on stderr, or coloured for a person at a terminal; numbers of people are masked."""

import logging
import sys
from typing import Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Keys whose values lead to a person.
_PERSONAL = frozenset({"phone", "number", "caller", "callerid", "called", "address", "email", "to", "from_"})
SHOWN = 3
# Without the values of local variables: they hold numbers and secrets, and printing them stops the server for seconds.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def mask(number: str | None) -> str:
    """Hide a phone number or an address but for its last characters, enough to tell two calls apart."""
    if not number:
        return ""
    return "…" + number[-SHOWN:] if len(number) > 2 * SHOWN else "…"


def redact(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """Mask the values that lead to a person; a developer's debug lines keep them."""
    if level != "debug":
        for key in _PERSONAL & event.keys():
            if isinstance(event[key], str):
                event[key] = mask(event[key])
    return event


def configure(*, level: str = "info", style: Literal["json", "console"] = "json", stream: TextIO | None = None) -> None:
    """Send structlog's lines and the standard library's to one place; called once, by the program's start."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    finish: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if style == "console"
        else [_TRACEBACKS, structlog.processors.JSONRenderer(serializer=_to_json)]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def _to_json(event: EventDict, **_how: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
