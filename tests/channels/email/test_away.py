"""Answers that nobody wrote, as people's programmes write them, and what people write that looks like them."""

import pytest

from callcenter.domain.mail import Nature
from channels.email.away import is_automatic
from channels.email.parse import parse
from tests.channels.email.messages import message

SUBJECTS = [
    "Automatic reply: No light",
    "Automatic Reply: RE: Ticket 1042",
    "Auto Reply: your invoice",
    "Auto-Reply",
    "AutoReply: Re: Your order",
    "[Auto-Reply] No light",
    "Autoresponse: Thanks for writing",
    "Automated response: No light",
    "Auto-Response Message",
    "Re: Out of Office AutoReply: hello",
    "Automatische Antwort: Kein Licht",
    "Automatisch antwoord: Geen licht",
    "Réponse automatique : Pas de lumière",
    "Respuesta automática: Sin luz",
    "Resposta automática: Sem luz",
    "Risposta automatica: Senza luce",
    "Автоматический ответ: нет света",
    "Odpowiedź automatyczna: Brak światła",
    "Autosvar: Intet lys",
    "自動返信: ご注文について",
    "【自動応答】お問い合わせ",
    "자동 회신: 문의",
    "自动回复: 宽带不通",
    "自动回复",
    "【自动回复】宽带不通",
    "回复:自动回复:宽带不通",
    "自動回覆：寬頻",
    "自動回復: 寬頻",
    "自动答复：您好",
    "假期自动回复：您好",
    "休假自动回复",
    "離職自動回覆",
]
# Of answers, and of people who write to say it.
AWAY = [
    "Out of Office: back on Monday",
    "Out of Office Re: No light",
    "Out of office until 12 March",
    "Out of the office",
    "OOO: annual leave",
    "I am out of office",
    "On vacation until 3 April",
    "Annual leave: Re: No light",
    "On leave",
    "Vacation reply",
    "Away from my desk: hello",
    "Abwesenheitsnotiz: Kein Licht",
    "Abwesend bis Montag",
    "Absence du bureau: facture",
    "Fuera de la oficina",
    "Fuori sede: ordine",
    "不在通知: 出張中",
    "부재중: 문의",
    "外出通知",
    "外出: 宽带不通",
    "不在办公室：回复您的邮件",
    "休假中，请联系同事",
    "年假期间",
    "出差中",
    "请假通知",
    "Please confirm your message",
    "Sender verification required",
    "Your message to wang is waiting for confirmation from you",
    "Wang Fang's Boxbe: please prove that you are a person",
    "Annual leave",
    "On holiday until Monday – please call my colleague",
    "请假",
]
# Of answers whose subject says nothing.
TEXTS = [
    "这是来自QQ邮箱的假期自动回复邮件。\n您好，我最近正在休假中，无法亲自回复您的邮件。我将在假期结束后，尽快给您回复。",
    "这是一封自动回复邮件。已经收到您的来信，我会尽快回复。",
    "您好！您的邮件我已经收到，我会尽快给您回复。",
    "您好,我正在出差,无法及时回复您的邮件,如有急事请拨打手机。",
    "您好，我目前在休假，紧急事宜请联系李雷。",
    "此邮件为系统自动回复，请勿直接回复。",
    "本邮件由系统自动发送，请勿回复。",
    "這是自動回覆，我將盡快回覆您。",
    "This is an automated response. We have received your message.",
    "This is an automatic reply, please do not answer it.",
    "Hello,\n\nI am currently out of the office with limited access to email.",
    "Hi, I am on annual leave until 4 May. If this is urgent, please call Bo.",
    "Thank you for your email. I am on vacation and will respond to your message when I return.",
    "Ich bin derzeit nicht im Büro. In dringenden Fällen wenden Sie sich an Frau Weber.",
    "Je suis actuellement absent. En cas d'urgence, appelez le standard.",
    "これは自動返信です。お問い合わせありがとうございます。",
    "Dies ist eine automatische Antwort.",
]
PEOPLES_SUBJECTS = [
    "Nobody answers out of office hours",
    "Out of office hours delivery is impossible",
    "My autoreply does not work",
    "Automatic payment failed",
    "Automatic update broke my router",
    "On holiday we lost our connection",
    "Vacation home: no internet",
    "Away from home, can you hold my delivery?",
    "Absent courier",
    "Response to your offer",
    "自动扣费是怎么回事",
    "自动回复功能怎么关闭",
    "自动续费请取消",
    "出差途中手机不能上网",
    "外出期间宽带停机保号",
    "外出安装师傅没有来",
    "休假期间想停机",
    "请假证明怎么开",
    "年假政策咨询",
    "不在家，快递改期",
    "回复：宽带不通",
    "Verify my account please",
    "Confirm my order 4711",
    "Re: Ticket 1042",
    "自動引き落としについて",
    "度假套餐怎么办理",
]
PEOPLES_TEXTS = [
    "Yes, it is plugged in. I am out of the office today, so please call my mobile.",
    "I am on annual leave next week: please deliver on Monday.",
    "I am away until Friday, the technician may come on Saturday.",
    "你的邮件我收到了，请尽快回复我的问题。",
    "我最近出差在外地，请把路由器寄到上海。",
    "您的邮件收到，附件打不开。",
    "我在休假，下周三可以上门。",
    "The automated response I got did not help at all.",
    "Automatic replies are not what I pay for. It is still dark.",
    "还是不行，灯不亮。",
    "On vacation I use the other router.",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_programmes_subject_is_known(subject: str) -> None:
    assert is_automatic(subject, "", answers=False)


@pytest.mark.parametrize("subject", AWAY)
def test_a_subject_that_does_not_call_itself_automatic_is_a_programmes_answer_only_to_something(subject: str) -> None:
    assert parse(message(Subject=subject)).nature is Nature.BULK  # seen, and not answered by itself
    assert parse(message(Subject=subject, In_Reply_To="<1@heronbay.example>")).nature is Nature.AUTO_REPLY
    assert parse(message(Subject=subject, Precedence="bulk")).nature is Nature.BULK
    assert parse(message(Subject=subject)).robot


@pytest.mark.parametrize("text", TEXTS)
def test_a_programmes_answer_is_known_by_how_it_begins(text: str) -> None:
    assert is_automatic("Re: No light", text, answers=False)
    assert is_automatic("No light", text, answers=True)


@pytest.mark.parametrize("subject", PEOPLES_SUBJECTS)
def test_a_persons_subject_is_none(subject: str) -> None:
    assert not is_automatic(subject, "Please help.", answers=True)


@pytest.mark.parametrize("text", PEOPLES_TEXTS)
def test_a_persons_answer_is_none(text: str) -> None:
    assert not is_automatic("Re: No light", text, answers=True)


def test_what_opens_a_conversation_is_not_judged_by_its_text() -> None:
    assert parse(message(TEXTS[0].encode())).nature is Nature.PERSON
    assert parse(message(TEXTS[0].encode(), In_Reply_To="<1@heronbay.example>")).nature is Nature.AUTO_REPLY


@pytest.mark.parametrize("subject", ["Re: Annual leave [#1001-abcdefghij]", "回复: 请假"])
def test_an_answer_about_leave_is_a_persons(subject: str) -> None:
    mail = parse(message(b"Please correct my days.", Subject=subject, In_Reply_To="<1@heronbay.example>"))
    assert (mail.nature, mail.robot) == (Nature.PERSON, False)


@pytest.mark.parametrize(
    "quotation",
    ["On 10 March 2026, Amy wrote:\n> I am away.", "------------------ 原始邮件 ------------------\n我在休假"],
)
def test_a_person_who_answers_a_programme_is_one(quotation: str) -> None:
    for subject in ("Re: Automatic reply: No light", "回复: 自动回复: 宽带不通"):
        assert not is_automatic(subject, f"Then I wait until Monday.\n\n{quotation}", answers=True)
        assert is_automatic(subject, "I have left.", answers=True)
    assert is_automatic("Automatic reply: No light", f"I am away.\n\n{quotation}", answers=True)


def test_a_person_who_says_that_they_are_away_and_quotes_us_is_one() -> None:
    said = "I am away until Friday, so he cannot come on Wednesday. If it is urgent, my neighbour has a key."
    assert not is_automatic("Re: Your visit", f"{said}\n\nOn 10 March 2026, Amy wrote:\n> On Wednesday?", answers=True)
    assert is_automatic("Re: Your visit", said, answers=True)
