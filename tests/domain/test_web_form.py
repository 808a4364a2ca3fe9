"""Forms on web pages: what may be written in them, the case that it becomes, and how an organisation file says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import toml
from callcenter.domain.customer import AddressKind
from callcenter.domain.form import in_language
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_text import to_toml
from callcenter.domain.web_form import Choice, FieldKind, FormField, WebForm, case_of, read_values
from callcenter.domain.web_form_keys import form_of, form_table
from callcenter.toml import BadFile

FORM = WebForm(
    name="contact",
    queue="support",
    title={"en": "Write to us", "zh_CN": "联系我们"},
    fields=(
        FormField(name="name", kind=FieldKind.TEXT, text="Name", to="name"),
        FormField(name="email", kind=FieldKind.EMAIL, text="Mail", required=True),
        FormField(name="phone", kind=FieldKind.PHONE, text="Phone"),
        FormField(
            name="topic", kind=FieldKind.CHOICE, text="Topic", to="category",
            choices=(Choice("order", "An order"), Choice("parts", "Parts")),
        ),
        FormField(name="amount", kind=FieldKind.NUMBER, text="Amount", to="fields.amount"),
        FormField(name="day", kind=FieldKind.DATE, text="Day"),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="Text", required=True, to="text"),
        FormField(name="files", kind=FieldKind.FILE, text="Files"),
    ),
)  # fmt: skip
GOOD = {"email": "Wang@Post.Example ", "text": "It stays dark.\r\nAll day."}


def test_a_form_that_is_filled_in_well_is_a_case_with_everything_in_its_text():
    reading = read_values(
        FORM, {**GOOD, "name": "Wang", "phone": "13800138000", "topic": "parts", "amount": "12.50"}, region="CN"
    )
    assert reading.wrong == {}
    case = case_of(FORM, reading.values, language="en")
    assert (case.address_kind, case.address, case.name) == (AddressKind.EMAIL, "wang@post.example", "Wang")
    assert case.subject == "Write to us: It stays dark. All day."
    assert case.text.startswith("It stays dark.\nAll day.\n\nName: Wang\n")
    assert "Phone: +8613800138000" in case.text
    assert "Topic: Parts" in case.text
    assert (case.category, case.fields) == ("parts", {"amount": 12.5})


def test_without_a_mail_address_the_phone_number_says_who_it_is():
    form = WebForm(name="f", queue="q", title="F", fields=FORM.fields[2:3])
    case = case_of(form, {"phone": "+8613800138000"}, language="en")
    assert (case.address_kind, case.address) == (AddressKind.PHONE, "+8613800138000")
    assert case.subject == "F"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "", "This is needed."),
        ("email", "wang", "This is no e-mail address."),
        ("phone", "12", "This is no phone number."),
        ("topic", "weather", "Choose one of these."),
        ("amount", "many", "Write a number."),
        ("amount", "nan", "Write a number."),
        ("amount", "1e300", "Write a number."),
        ("day", "31.12.2026", "Write a day like 2026-12-31."),
        ("name", "Wang\nBcc: all", "Write one line here."),
        ("name", "x" * 201, "This is too long."),
        ("name", "a\x1bb", "Write text here."),
        ("text", ["a"], "Write text here."),
        ("colour", "red", "The form has no such field."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field, value, words):
    assert read_values(FORM, {**GOOD, field: value}, region="CN").wrong == {field: words}


def test_a_file_that_is_needed_is_missed():
    needed = FormField(name="a", kind=FieldKind.FILE, text="A", required=True)
    form = WebForm(name="f", queue="q", title="F", fields=(needed,))
    assert read_values(form, {}, region="CN").wrong == {"a": "Choose a file."}
    assert read_values(form, {}, region="CN", files=1).wrong == {}


VALUES = st.text(max_size=300) | st.floats() | st.none()


@given(st.dictionaries(st.sampled_from([each.name for each in FORM.fields]), VALUES))
def test_whatever_is_sent_is_read_or_refused_and_what_is_read_makes_a_case(values):
    reading = read_values(FORM, values, region="CN")
    assert not set(reading.values) & set(reading.wrong)
    case = case_of(FORM, reading.values, language="en")
    assert 0 < len(case.subject) <= 200
    assert case.subject.isprintable()
    assert case.text


def test_a_form_is_kept_as_it_was_written():
    assert form_of(form_table(FORM)) == FORM


FILE = """
[[queues]]
name = "support"
[[web_forms]]
name = "contact"
queue = "support"
title = { en = "Write", zh_CN = "写" }
at_least = "5s"
sites = ["https://www.example.com"]
fields = [
  { name = "topic", kind = "choice", to = "subject", text = "Topic", choices = [
    { name = "a", text = "A" }, { name = "b", text = "B" },
  ] },
  { name = "text", kind = "long_text", to = "text", required = true, text = "Text" },
]
[portal]
queue = "support"
session = "7d"
"""


def test_an_organisation_file_says_forms_and_portal_and_comes_back():
    file = understand(toml.parse(FILE, "org.toml"), {})
    [form] = file.organisation.web_forms
    assert in_language(form.title, "zh_CN") == "写"
    again = understand(toml.parse(to_toml(file.organisation), "again.toml"), {})
    assert again.organisation.web_forms == file.organisation.web_forms
    assert again.organisation.portal == file.organisation.portal


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('to = "subject"', 'to = "owner"', "line 11: web_forms[1].fields[1].to: expected name, subject"),
        ('to = "text"', 'to = "category"', "a field of kind long_text cannot be the category of a case"),
        ('name = "text"', 'name = "topic"', "two fields have the same name, topic"),
        ('to = "text"', 'to = "subject"', "a field of kind long_text cannot be the subject"),
        ('kind = "choice"', 'kind = "text"', "a choice has two choices or more, and other fields have none"),
        ("https://www.example.com", "www.example.com", "sites[1]: expected a site like https://www.example.com"),
        ('kind = "long_text"', 'kind = "colour"', "kind: expected 'text'"),
        ('session = "7d"', 'session = "0s"', "portal.session: expected a duration above zero"),
        ('at_least = "5s"', 'per_hour = 0', "per_hour: expected greater than or equal to 1"),
        ('[portal]', '[tickets]\ntypes = ["a"]\n[portal]', None),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_line_and_words(before, after, words):
    text = FILE.replace(before, after)
    if words is None:
        understand(toml.parse(text, "org.toml"), {})
        return
    with pytest.raises(BadFile) as caught:
        understand(toml.parse(text, "org.toml"), {})
    assert any(words in str(problem) for problem in caught.value.problems), str(caught.value)


def test_a_field_of_tickets_that_the_file_does_not_declare_is_refused():
    text = FILE.replace('to = "subject"', 'to = "fields.serial"') + '\n[tickets]\ntypes = ["a"]\n'
    words = r"line 11: web_forms\[1\]\.fields\[1\]\.to: there is no field 'serial' in \[tickets\]"
    with pytest.raises(BadFile, match=words):
        understand(toml.parse(text, "org.toml"), {})
