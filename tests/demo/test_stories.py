"""The stories fit the demo organisation, can be told in every language, and leave no brace unfilled."""

from random import Random

import pytest

from callcenter.demo.stories import Stories

STORIES = Stories.load()


@pytest.mark.parametrize("story", STORIES.all, ids=lambda story: story.name)
def test_a_story_is_told_in_every_language_of_the_company(story):
    for language in ("en", "zh_CN", "zh_TW", "de"):
        telling = STORIES.begin(story, language=language, city="厦门", dice=Random(1))
        telling.handled_by("Bo")
        for step in story.steps:
            said = [telling.say(texts) for texts in (step.note, step.subject, step.text, step.reply, story.ticket)]
            assert said[0]
            for text in filter(None, said):
                assert "{" not in text
                assert language.startswith("zh") or text.replace("厦门", "").replace("¥", "").isprintable()


@pytest.mark.parametrize("story", STORIES.all, ids=lambda story: story.name)
def test_the_queue_of_a_story_knows_its_dispositions(story, company):
    queues = {queue.name: queue for queue in company.queues.values()}
    asked = ["support", "international"] if story.queue == "support" and not story.home else [story.queue]
    for name in asked:
        unknown = {step.disposition for step in story.steps} - set(queues[name].dispositions)
        # Technicians drive only at home, so nobody abroad is booked one.
        assert unknown <= {"technician_booked"}, name


@pytest.mark.parametrize("story", STORIES.all, ids=lambda story: story.name)
def test_written_contacts_say_what_was_written(story):
    for step in story.steps:
        if step.channel in ("email", "form", "chat", "fax"):
            assert step.text is not None or step.direction == "outbound"
            assert step.subject is not None


def test_taiwan_reads_traditional_characters():
    assert STORIES.traditional.write("联系客户回复发票，周一干净") == "聯繫客戶回覆發票，週一乾淨"


def test_the_same_dice_tell_the_same_story():
    story = STORIES.all[0]
    tellings = [STORIES.begin(story, language="en", city="Leeds", dice=Random(5)) for _ in range(2)]
    assert tellings[0].say(story.steps[0].note) == tellings[1].say(story.steps[0].note)
