"""Questionnaires, scorecards and sampling rules in an organisation file."""

import pytest

from callcenter import toml
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_text import to_toml
from callcenter.toml import BadFile

WHOLE = """
[[queues]]
name = "support"
survey = { ask = "csat", by = ["keypad", "mail"], prompt = "custom/how", form = "after" }

[[surveys]]
name = "after"
questions = [
  { name = "speed", kind = "score", text = { en = "How fast?", zh_CN = "快吗？" }, highest = 3 },
  { name = "why", kind = "choice", when = "bad", text = "Why?", choices = [
    { name = "slow", text = "Slow" }, { name = "rude", text = "Rude" },
  ] },
  { name = "more", kind = "text", text = "More?" },
]

[[scorecards]]
name = "phone"
pass_mark = 80
sections = [{ name = "open", text = "Opening", questions = [
  { name = "greeting", text = "Greeted?", weight = 2, na = true },
  { name = "identity", text = "Identified?", critical = "all" },
  { name = "tone", text = "Tone", kind = "scale", highest = 4 },
] }]

[[sampling]]
name = "weekly"
scorecard = "phone"
per_agent = 2
longer_than = "1m"
channel = "phone"
"""
CARD = "[[scorecards]]\nname='a'\npass_mark=80\nsections=[{{name='s', text='S', questions=[{}]}}]"
FORM = "[[surveys]]\nname='a'\nquestions=[{}]"


def test_what_was_read_is_written_and_reads_back_to_the_same():
    first = understand(toml.parse(WHOLE, "org.toml"), {})
    assert [each.name for each in first.organisation.forms] == ["after", "phone", "weekly"]
    again = understand(toml.parse(to_toml(first.organisation), "org.toml"), {})
    assert again.organisation == first.organisation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FORM.format("{name='q', kind='choice', text='Q'}"), "a choice has two choices or more"),
        (FORM.format("{name='q', kind='stars', text='Q'}"), "surveys[1].questions[1].kind: expected"),
        (FORM.format("{name='q', kind='text', text={}}"), "expected languages like zh_CN or en, not none"),
        (FORM.format("{name='q', kind='text', text={Klingon='Q'}}"), "not Klingon"),
        (FORM.format("{name='q', kind='text', text='Q'}, {name='q', kind='text', text='Q'}"), "q stands there twice"),
        (FORM.format(""), "surveys[1].questions"),
        (CARD.format("{name='q', text='Q', weight=0}"), "a question without weight says something only when"),
        (CARD.format("{name='q', text='Q', weight=0, critical='all'}"), "one question at least needs a weight"),
        (CARD.format("{name='q', text='Q', weight=-1}"), "weight"),
        (CARD.format("{name='q', text='Q'}, {name='q', text='Q'}"), "q stands there twice"),
        (CARD.format("{name='q', text='Q', critical='some'}"), "critical: expected"),
        ("[[scorecards]]\nname='a'\npass_mark=101\nsections=[]", "pass_mark"),
        ("[[sampling]]\nname='a'\nscorecard='b'\nper_agent=0", "per_agent"),
        ("[[sampling]]\nname='a'\nscorecard='b'\nper_agent=1\nlonger_than='long'", "expected a duration like"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text, words):
    with pytest.raises(BadFile) as refused:
        understand(toml.parse(text, "org.toml"), {})
    assert words in str(refused.value)
    assert "line" in str(refused.value)
