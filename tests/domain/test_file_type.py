"""What a file is by its content, and what is not taken."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.file_type import LONGEST_NAME, clean_name, type_of
from callcenter.errors import Invalid

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.mark.parametrize(
    ("name", "declared", "data", "kind"),
    [
        ("led.png", "image/png", PNG, "image/png"),
        ("led.txt", "text/plain", PNG, "image/png"),
        ("a.jpg", None, b"\xff\xd8\xff\xe0" + b"\x00" * 9, "image/jpeg"),
        ("bill.pdf", "application/octet-stream", b"%PDF-1.7\n<script>", "application/pdf"),
        ("note.txt", None, "水壶不亮".encode(), "text/plain"),
        ("note.txt", None, "水壶不亮".encode("gb18030"), "text/plain"),
        ("list.csv", None, b"a;b\r\n1;2\r\n", "text/csv"),
        ("a.odt", None, b"PK\x03\x04" + b"\x00" * 40, "application/vnd.oasis.opendocument.text"),
        ("list", "text/csv", b"a;b\r\n1;2\r\n", "text/csv"),
        ("a.bin", "video/x-unknown", b"\x00\x01\x02\x03", "application/octet-stream"),
        ("letter.txt", "text/plain", b"if a < b and <this> is text", "text/plain"),
        ("voice.amr", None, b"#!AMR\n\x00", "audio/amr"),
    ],
)  # fmt: skip
def test_content_says_what_a_file_is_and_the_name_only_what_is_left_open(name, declared, data, kind):
    assert type_of(name, declared, data) == kind


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.png", b"MZ\x90\x00"),
        ("photo.png", b"\x7fELF\x02"),
        ("setup.exe", b"anything"),
        ("run.SH", b"echo"),
        ("x", b"#!/bin/sh\n"),
        ("x.jar", b"PK\x03\x04"),
    ],
)
def test_programs_are_refused_whatever_they_are_called(name, data):
    with pytest.raises(Invalid, match="is a program"):
        type_of(name, "image/png", data)


@pytest.mark.parametrize(
    ("name", "declared", "data"),
    [
        ("a.html", None, b"hello"),
        ("a.txt", None, b"\xef\xbb\xbf <!DOCTYPE html><p>"),
        ("a.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.png", None, "<script>alert(1)</script>".encode("utf-16")),
        ("a.svg", None, PNG),
        ("a.txt", "text/html", b"hello"),
    ],
)
def test_pages_and_drawings_that_run_scripts_are_refused(name, declared, data):
    with pytest.raises(Invalid, match="can run scripts"):
        type_of(name, declared, data)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("灯 1.png", "灯 1.png"),
        ("C:\\Users\\wang\\bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("\u202egnp.exe\x00", "gnp.exe"),
        ('a<b>"c".txt', "a_b__c_.txt"),
        ("line\r\nbreak.txt", "line break.txt"),
        ("x" * 300 + ".png", "x" * (LONGEST_NAME - 12) + ".png"),
    ],
)
def test_names_are_those_of_files_and_nothing_else(name, clean):
    assert clean_name(name) == clean


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_can_be_printed_and_kept(name):
    clean = clean_name(name)
    assert 0 < len(clean) <= LONGEST_NAME
    assert clean.isprintable()
    assert "/" not in clean
    assert "\\" not in clean
    assert clean_name(clean) == clean


@given(st.binary(max_size=3000), st.text(max_size=20))
def test_whatever_is_in_it_a_file_has_a_type_or_is_refused(data, name):
    with suppress(Invalid):
        assert "/" in type_of(name, None, data)
