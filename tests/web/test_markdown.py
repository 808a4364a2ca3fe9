"""Long texts are drawn while the server goes on."""

import asyncio

import pytest

from callcenter.web import markdown


@pytest.mark.parametrize("draw", [markdown.html_of, markdown.plain_of])
async def test_the_server_goes_on_while_a_text_that_takes_long_is_drawn(draw):
    drawn, turns = asyncio.create_task(draw("[" * 50_000)), 0
    while not drawn.done():
        await asyncio.sleep(0)
        turns += 1
    assert "[[[" in drawn.result()
    assert turns > 10
