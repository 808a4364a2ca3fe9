"""The script that any site loads to chat with its visitors: one file with its style and its words in all languages."""

import hashlib
import json

from aiohttp import web

from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.render import STATIC, Renderer
from screenpop.web_words import REFUSALS, WITH_NAMES

_PARTS = ("talk.js", "instead.js", "panel.js", "start.js")
# Sites need not wait for a change longer than this (seconds).
_KEPT = 300
_WORDS = {
    "title": _("Chat"),
    "open": _("Chat with us"),
    "hide": _("Close the chat window"),
    "unread": _("Chat with us: %(n)s new"),
    "conversation": _("Our conversation"),
    "message": _("Your message"),
    "write": _("Write a message…"),
    "send": _("Send"),
    "attach": _("Send a file"),
    "name": _("Your name (optional)"),
    "email": _("Your mail address (optional)"),
    "end": _("End the chat"),
    "you": _("You"),
    "agent": _("Our agent"),
    "sending": _("Sending…"),
    "sent": _("Sent"),
    "read": _("Read"),
    "refused": _("Not sent."),
    "why_bad": _("It cannot be taken like this."),
    "why_rate": _("That was too fast; wait a moment."),
    "why_over": _("The chat is over."),
    "why_closed": _("Nobody is here now."),
    "why_files": _("So many files are enough for now."),
    "typing": _("%(name)s is typing…"),
    "connecting": _("Connecting… What you write is kept."),
    "waiting": _("We are looking for somebody for you."),
    "next": _("You are next."),
    "place": _("You are number %(n)s in line."),
    "wait": _("About %(n)s min."),
    "talking": _("You are talking to %(name)s."),
    "closed": _("Nobody is here at this hour."),
    "back_at": _("We are back on %(when)s."),
    "leave": _("Leave us a message"),
    "write_us": _("Write to us; we answer by mail."),
    "who": _("Your name"),
    "address": _("Mail address"),
    "optional": _("if you like"),
    "choose": _("Choose…"),
    "unsent": _("Not sent yet: something is missing or wrong below."),
    "received": _("Thank you, we have received it."),
    "case": _("Number of your case"),
    "write_more": _("Send something else"),
    "call_me": _("Call me back"),
    "call_instead": _("Call me back instead"),
    "number": _("Your phone number"),
    "call_when": _("When we may call"),
    "in_turn": _("When it is my turn: I keep my place"),
    "at_time": _("At a time of my choice"),
    "time": _("Time"),
    "zone": _("By the clock of %(zone)s."),
    "no_times": _("No time can be chosen now"),
    "call_ask": _("Ask for the call"),
    "back": _("Back"),
    "promised_turn": _("We call you on %(number)s when it is your turn; you need not wait here."),
    "promised_at": _("We call you on %(number)s: %(when)s."),
    "over": _("The chat is over. Thank you."),
    "again": _("New chat"),
    "how_was_it": _("How was it?"),
    "stars": _("%(n)s of 5 stars"),
    "thanks": _("Thank you for your answer."),
    "transcript": _("Have the conversation sent to you by mail"),
    "transcript_send": _("Send it to me"),
    "transcript_sent": _("It is on its way."),
    "not_now": _("That did not work."),
}


class Script:
    """The file as it is served, put together once."""

    def __init__(self, renderer: Renderer) -> None:
        words = {code: _words(language) for code, language in renderer.languages.items()}
        folder = STATIC / "widget"
        style = (folder / "widget.css").read_text(encoding="utf-8")
        source = "\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS)
        text = (
            '(() => {\n"use strict";\n'
            f"const WORDS = {json.dumps(words, ensure_ascii=False)};\n"
            f"const STYLE = {json.dumps(style)};\n{source}\n}})();\n"
        )
        self.body = text.encode()
        self.etag = hashlib.sha256(self.body).hexdigest()[:16]


def _words(language: Language) -> dict[str, object]:
    """`said`: refusals, which come in English; those with something of the visitor's in them by patterns."""
    exact = {text: language.gettext(text) for text in REFUSALS}
    alike = [(pattern.pattern.replace("(?P<", "(?<"), language.gettext(text)) for pattern, text in WITH_NAMES]
    return {name: language.gettext(text) for name, text in _WORDS.items()} | {"said": {"exact": exact, "alike": alike}}


SCRIPT: web.AppKey[Script] = web.AppKey("widget_script")


async def get_widget(request: web.Request) -> web.StreamResponse:
    """The same for every key: which one it is stands in the address that the page has."""
    script = request.app[SCRIPT]
    known = any(tag.value in (script.etag, "*") for tag in request.if_none_match or ())
    response = (
        web.Response(status=304)
        if known
        else web.Response(body=script.body, content_type="text/javascript", charset="utf-8")
    )
    response.etag = script.etag
    response.headers["Cache-Control"] = f"public, max-age={_KEPT}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def routes() -> list[web.RouteDef]:
    return [web.get("/widget.js", get_widget)]
