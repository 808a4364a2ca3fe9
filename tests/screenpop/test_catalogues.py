"""The translations are complete, fit their originals, and every template compiles in every language."""

import re
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from callcenter.domain.agent import IdleOrder, Presence, RoutingStatus
from callcenter.domain.order import Strategy
from callcenter.web.chosen import CHOSEN
from screenpop import admin_words, i18n, words
from screenpop.i18n import NAMES, load_languages
from screenpop.render import Renderer

PACKAGE = Path(i18n.__file__).parent
_PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%")


def catalogue(code: str) -> Catalog:
    with (PACKAGE / "locale" / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=code)


def messages_of(code: str) -> dict[object, object]:
    return {message.id: message.string for message in catalogue(code) if message.id}


@pytest.fixture(scope="module")
def extracted() -> set[object]:
    with (PACKAGE / "locale" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(PACKAGE, method_map=methods, options_map=options)
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("code", NAMES)
def test_every_string_of_the_console_is_translated_and_none_is_left_over(code: str, extracted: set[object]):
    messages = messages_of(code)
    assert set(messages) == extracted
    for message, said in messages.items():
        assert all(said if isinstance(said, tuple) else (said,)), message


@pytest.mark.parametrize("code", NAMES)
def test_translations_have_the_same_places_as_their_originals(code: str):
    for message, said in messages_of(code).items():
        wanted = set(_PLACES.findall(message[1] if isinstance(message, tuple) else str(message)))
        for text in said if isinstance(said, tuple) else (said,):
            extra = set(_PLACES.findall(str(text))) - wanted
            assert extra <= {"{number}"}, (message, text)


def test_all_three_languages_are_compiled_and_every_template_in_each():
    renderer = Renderer(load_languages())
    assert set(renderer.languages) == set(NAMES)
    for environment in renderer._environments.values():
        for name in environment.list_templates(extensions=["html"]):
            environment.get_template(name)


def test_every_presence_status_strategy_and_idle_order_has_a_name() -> None:
    assert set(words.PRESENCE) == set(Presence)
    assert set(words.ROUTING) == set(RoutingStatus)
    assert set(admin_words.STRATEGY) == set(CHOSEN) == set(get_args(Strategy)) <= set(words.REASON)
    assert set(admin_words.IDLE_ORDER) == set(IdleOrder)
