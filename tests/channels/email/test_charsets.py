"""Sets of characters that senders get wrong, and those that they get right."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.charsets import charset_in, decode
from channels.email.parse import parse
from tests.channels.email.messages import message

SIMPLIFIED = [
    "您好，宽带从昨天开始就不能上网了，请帮忙处理一下。",
    "我的订单号是 20260310，一直没有收到货，请问什么时候发？谢谢！",
    "Hi Amy,\n发票抬头开错了，麻烦重开。\nThanks, Wang Fang",
    "宽带故障",
]
RARE = "镀锌钢管报价"  # what nobody writes every day
TRADITIONAL = [
    "您好，我的寬頻從昨天開始就無法上網，請協助處理，謝謝。",
    "請問我的訂單什麼時候會寄出？",
    "Hi Amy,\n發票開錯了，麻煩您重新開立。\nThanks",
    "寬頻故障",
]
WESTERN = (
    "Grüße aus Köln schöne Straße für Ärger über Öl Übung naïf déjà créée été où garçon œuvre Noël Hôtel élève "
    "À bientôt Señor mañana ¿Cómo está? ¡Ayuda! ¡Buenos días! años ÑANDÚ INFORMAÇÃO AÇÃO PROMOÇÃO São João informações "
    "não ça PÄÄTÖS YÖÖN TÖÖ älä sähköposti Åse Ærø smørrebrød får köp KÖP ÅÄÖ 20°C 30°C 80m² «guillemets» »Zitat« §5 "
    "£20 ¥30 ½ ¼ µm ±5 © ® perché città È così è più Æ Ø Þór íslenska façade piñata L'été ÉTÉ ÉÉN één ÇA É È Ê FÊTE ÂGÉ"
)


@pytest.mark.parametrize("said", ["iso-8859-1", "windows-1252", "us-ascii", "iso-8859-15", "big5", "gb2312", None])
@pytest.mark.parametrize("text", SIMPLIFIED)
def test_gbk_is_read_whatever_it_is_called(text: str, said: str | None) -> None:
    assert decode(text.encode("gb18030"), said) == (text, True)


@pytest.mark.parametrize("said", ["iso-8859-1", "windows-1252", "us-ascii", "gb2312", None])
def test_a_few_rare_characters_are_known_by_standing_in_a_row(said: str | None) -> None:
    assert decode(RARE.encode("gb18030"), said) == (RARE, True)


@pytest.mark.parametrize("said", ["iso-8859-1", "windows-1252", "us-ascii", "gb2312", "gbk", "big5"])
@pytest.mark.parametrize("text", TRADITIONAL)
def test_big5_is_read_whatever_it_is_called(text: str, said: str) -> None:
    assert decode(text.encode("cp950"), said) == (text, True)


@pytest.mark.parametrize("text", [*SIMPLIFIED, *TRADITIONAL])
def test_what_is_called_right_stays(text: str) -> None:
    for charset in ("gb18030", "utf-8"):
        assert decode(text.encode(charset), charset) == (text, True)


@pytest.mark.parametrize("charset", ["cp1252", "iso-8859-1"])
@settings(max_examples=500)
@given(
    words=st.lists(st.sampled_from(WESTERN.split()), min_size=1, max_size=30),
    upper=st.booleans(),
    joint=st.sampled_from([" ", ", ", "\n", "-"]),
)
def test_a_western_text_stays_as_it_is(charset: str, words: list[str], upper: bool, joint: str) -> None:
    text = joint.join(word.upper() if upper else word for word in words)
    data = text.encode("cp1252", "ignore")
    text = data.decode("cp1252")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert decode(data, charset) == (text, True)


@pytest.mark.parametrize(
    "line", ["····················", "»»»» neu ««««", "°°°°°°°°", "¡¡¡Atención!!!", "Ä Ö Ü ä ö ü ß", "×××× ×××"]
)
def test_what_people_draw_in_western_sets_stays(line: str) -> None:
    assert decode(line.encode("cp1252"), "iso-8859-1") == (line, True)


def test_a_subject_as_it_came_is_read_where_the_text_is_said_to_be_western() -> None:
    raw = b"Subject: " + SIMPLIFIED[0].encode("gb18030") + b"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n"
    mail = parse(b"From: a@b.example\r\n" + raw + SIMPLIFIED[1].encode("gb18030"))
    assert mail.subject == SIMPLIFIED[0]
    assert mail.text == SIMPLIFIED[1]


@pytest.mark.parametrize("said", ["", "; charset=us-ascii"])
@pytest.mark.parametrize(
    "meta", ['<meta charset="{}">', '<META http-equiv=Content-Type content="text/html; charset={}">']
)
def test_html_that_says_its_set_only_in_itself_is_read_in_it(said: str, meta: str) -> None:
    html = f"<html><head>{meta.format('koi8-r')}</head><p>Здравствуйте</p>".encode("koi8-r")
    assert parse(message(html, kind=f"text/html{said}")).text == "Здравствуйте"


def test_html_is_believed_about_itself_only_where_it_can_be_right() -> None:
    assert charset_in(b"<meta charset=utf-16>") is None
    assert charset_in(b"<meta " + b"x" * 5_000 + b"charset=gbk>") is None
    html = "<meta charset=gb2312><p>Grüße aus Köln</p>".encode("latin-1")
    assert parse(message(html, kind="text/html; charset=iso-8859-1")).text == "Grüße aus Köln"


def test_japanese_is_read_with_the_signs_that_windows_adds() -> None:
    text = b"\x1b$B-!$3$s$K$A$O-j\x1b(B, \x1b(I1\x1b$B\r\n$O\x1b(B!"  # ① and ㈱ are not in the standard
    for said in ("iso-2022-jp", "cp50220", None):
        assert decode(text, said) == ("①こんにちは㈱, ｱ\r\nは!", True)
    assert decode("①こんにちは".encode("iso2022_jp_2004"), "iso-2022-jp") == ("①こんにちは", True)


@given(st.lists(st.sampled_from([b"\x1b$B", b"\x1b(B", b"\x1b(I", b"\x1b$@", b"$", b"~", b"\n", b"a!", b"\xff"])))
def test_broken_japanese_is_some_text(pieces: list[bytes]) -> None:
    assert isinstance(decode(b"".join(pieces), "iso-2022-jp")[0], str)


@pytest.mark.parametrize("damage", [b"\x80", b"\xff\xff", b"\xc4"])
@pytest.mark.parametrize(("said", "codec"), [("gb2312", "gb18030"), ("big5", "cp950"), ("utf-8", "utf-8")])
def test_a_damaged_character_does_not_make_the_rest_western(said: str, codec: str, damage: bytes) -> None:
    text = TRADITIONAL[0]
    read, whole = decode(text.encode(codec) + damage, said)
    assert (read.rstrip("\ufffd"), whole) == (text, False)
    assert decode("Grüße aus München, schöne Straße".encode("cp1252") + damage[:1], said)[0].startswith("Grüße")
