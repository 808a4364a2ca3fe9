"""Answers that nobody wrote, by their words: out of office, received with thanks, "prove who you are"; pure.

Many programmes say nothing in the fields where they should (RFC 3834), those of Chinese providers above all. People
write the same words about themselves, so only what programmes write is looked for, where they write it.
"""

import re

from callcenter.domain.quotes import Kind, passages
from callcenter.domain.thread import is_marked_answer

_RE = (
    r"\s*(?:(?:re|aw|sv|vs|antw|odp|rif|res|ynt|答复|回复|回覆|自动|返信)\s*[:\uff1a]\s*)*"
    r"[\[(\u3010\uff08<\u300a]?\s*"
)  # fmt: skip
_END = r"\s*(?:[:\uff1a\])\u3011\uff09>\u300b(\uff08\[,\uff0c!\uff01.\u3002-]|$)"
# At the beginning of a subject, where programmes put them: it says itself that it is automatic.
_SUBJECT = re.compile(
    _RE + r"(?:"
    r"auto(?:matic|mated|mat(?:isk|isch)e?s?)?[- ]?(?:reply|response|responder|answer|svar|antwoord|"
    r"antwort)(?:\s*message)?"
    + _END
    + r"|(?:i am |i'm |currently )?out of (?:the )?office\s*auto(?:matic)?[- ]?(?:reply|response|message)" + _END
    + r"|(?:vacation|holiday|absence|leave) auto[- ]?(?:reply|response|message)|"
    r"(?:automatische|autom\.) (?:antwort|abwesenheitsnotiz|rückmeldung)|"
    r"automatisch antwoord|réponse automatique|respuesta autom[áa]tica|resposta autom[áa]tica|risposta automatica|"
    r"автоматический ответ|автоответ|automatyczna odpowiedź|odpowiedź automatyczna|autosvar|automaattinen vastaus|"
    r"otomatik yan|自動返信|自動応答|자동 ?회신|자동 ?응답|"
    r"自(?:动|動)(?:回复|回覆|回復|答复|答覆|应答|應答)" + _END + r"|"
    r"(?:假期|休假|外出|离职|離職|请假|請假)自(?:动|動)(?:回复|回覆))",
    re.IGNORECASE,
)  # fmt: skip
# What programmes put there too, and people who write to say that they are away.
_AWAY = re.compile(
    _RE + r"(?:"
    r"(?:i am |i'm |currently )?out of (?:the )?office(?:\s*(?:reply|message|notification|"
    r"response|until\b.*|from\b.*|re\b.*))?" + _END + r"|ooo\s*[:\uff1a-]|"
    r"(?:away|absent) from (?:my|the) (?:desk|office|mail)|(?:on|annual|parental|maternity|sick) (?:leave|"
    r"vacation|holiday)"
    r"(?:s)?(?:\s*(?:until|from|notice|reply|message)\b.*)?" + _END + r"|vacation (?:reply|response|message|notice)|"
    r"abwesenheits|abwesend\b|nicht im büro|afwezig(?:heid)?\b|absence du bureau|absent du bureau|"
    r"message d'absence|fuera de (?:la )?oficina|ausência tempor|fora do escrit|fuori (?:sede|ufficio)|"
    r"нет на месте|不在通知|不在のお知らせ|부재 ?중|"
    r"外出(?:通知|中|公干|提醒|自动|自動|(?=[:\uff1a]))" + _END + r"|不在(?:办公室|辦公室|公司)" + _END + r"|"
    r"(?:休假|度假|请假|請假|出差|放假|年假|产假)(?:中|通知|提醒|期间|期間)?" + _END + r")",
    re.IGNORECASE,
)
_GREETING = r"(?:dear [^\n]{0,60}|hi|hello|您好|你好|尊敬的[^\n]{0,30})?[\s,!.\uff0c\uff01\u3002:\uff1a]*"
# How programmes begin their texts, whatever the subject: they say what they are.
_SAYS_SO = re.compile(
    _GREETING + r"(?:"
    r"this is an? (?:automat(?:ed|ic(?:ally generated)?)|auto[- ]?generated|auto)[- ]?"
    r"(?:reply|response|message|e-?mail|acknowledge?ment|notification)|"
    r"\*{2,}\s*(?:automatic|auto)[- ]?(?:reply|response)|"
    r"\[?(?:auto(?:matic)?[- ]?(?:reply|response))\]?\s*[:.\n]|"
    r"dies(?:e nachricht)? (?:ist eine automatische|wurde automatisch)|ceci est (?:un message|une réponse) automatique|"
    r"este es un mensaje autom|これは自動(?:返信|応答|送信)|このメールは自動|本邮件(?:为|由|是)?系统自动|"
    r"此(?:邮件|郵件|信)(?:为|為|由|是)?(?:系统|系統)?自(?:动|動)(?:发送|發送|回复|回覆)|"
    r"(?:这|這)是[^\n]{0,20}自(?:动|動)(?:回复|回覆|答复))",
    re.IGNORECASE,
)
# People say that they are away too, in answers that must not be missed; programmes go on in a way of their own.
_IS_AWAY = re.compile(
    _GREETING + r"(?:"
    r"(?:thank(?:s| you) for (?:your|the) (?:e-?mail|message)[.,!]?\s*)?(?:i am|i'm|i will be) (?:currently )?"
    r"(?:out of (?:the )?office|on (?:annual |parental |maternity |sick )?(?:leave|vacation|holidays?)|"
    r"away(?: from (?:my |the )?(?:desk|office|e-?mail))?)|"
    r"ich bin (?:derzeit |momentan |bis )?(?:nicht im büro|im urlaub|abwesend)|"
    r"je suis (?:actuellement )?(?:absent|en congé)|"
    r"我?(?:现在|目前|最近|正)?(?:正)?(?:在)?(?:休假|度假|出差|外出|请假)|"
    r"(?:您|你)的(?:来信|邮件|來信|郵件|信)?(?:我|我们|我們)?(?:已经|已經|已)?收到)",
    re.IGNORECASE,
)
_PROMISES = re.compile(
    r"(?:limited|no|without) access to (?:my )?e-?mail|(?:respond|reply|get back) to (?:you|your (?:e-?mail|message))|"
    r"return your (?:e-?mail|message|call)|(?:in|during) my absence|"
    r"(?:if (?:this|your|it) .{0,30}urgent|for urgent|in urgent|in case of urgen)|"
    r"in dringenden fällen|nach meiner rückkehr|wird nicht weitergeleitet|en cas d'urgence|à mon retour|"
    r"(?:尽快|盡快|尽早|及时)(?:给|給|与)(?:您|你)(?:回复|回覆|答复|联系)|(?:尽快|盡快|尽早|及时)(?:回复|回覆|"
    r"答复)(?:您|你)|"
    r"(?:无法|不能|不便|無法)(?:亲自|及时|立即|马上)?(?:回复|回覆|查看|处理)(?:您|你)?的?(?:邮件|郵件|来信|來信)|"
    r"(?:如有|如果有|若有)(?:急事|紧急|緊急)|紧急(?:事宜|事务|情况)请",
    re.IGNORECASE,
)
# Ask the sender to prove that they are a person: an answer of ours would be answered again.
_CHALLENGE = re.compile(
    r"(?:please )?(?:confirm|verify) (?:your|that you sent|you sent) (?:this |your )?(?:e-?mail|message|identity)|"
    r"(?:your (?:e-?mail|message) .{0,60})?(?:requires|awaiting|waiting for|needs) (?:your )?(?:sender )?"
    r"(?:verification|confirmation)(?: (?:to be delivered|from you))?|"
    r"(?:sender|message) (?:verification|confirmation) (?:required|request)|"
    r".{0,80}\b(?:boxbe|spamarrest|spam arrest|mailblocks|earthlink spamblocker|tmda|bluebottle|choicemail)\b|"
    r"(?:action required|bestätigung erforderlich)\s*[:\uff1a-]?\s*(?:verify|confirm|"
    r"bestätigen)\b.{0,40}(?:sender|message|absender)|"
    r"请(?:点击|验证|确认).{0,20}(?:您的)?(?:发件人|发信人|邮件)(?:身份)?(?:验证|确认)|発信者確認",
    re.IGNORECASE,
)
_LOOKED_AT = 600


def is_automatic(subject: str, text: str, *, answers: bool) -> bool:
    """`answers`: it says that it answers a message. What opens a conversation is judged by its subject alone.

    And there only by what calls itself automatic: "Annual leave" alone may be all that somebody wants to tell.
    """
    if _SUBJECT.match(subject) and not (is_marked_answer(subject) and _quotes(text)):
        return True
    if answers and is_away(subject):
        return True
    if not answers and not is_marked_answer(subject):
        return False
    begins = text[:_LOOKED_AT].lstrip()
    if _SAYS_SO.match(begins):
        return True
    return bool(_IS_AWAY.match(begins) and _PROMISES.search(begins)) and not _quotes(text)


def _quotes(text: str) -> bool:
    """Whether it has words of its own and those that it answers: so people answer what a programme wrote to them."""
    return {part.kind for part in passages(text) if part.text.strip()} >= {Kind.SAID, Kind.QUOTED}


def is_away(subject: str) -> bool:
    """Whether an answer with this subject is a programme's: somebody is away, or has to be shown who writes.

    Behind an answer's mark stand the words of what is answered: "Re: Annual leave" is about that.
    """
    return not is_marked_answer(subject) and bool(_AWAY.match(subject) or _CHALLENGE.match(subject.strip()))
