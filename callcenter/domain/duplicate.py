"""Records that may be of one person: what makes two alike, and who was told apart."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from unicodedata import normalize

from callcenter.domain.customer import AddressKind

# An address that more records than this have is a switchboard's or a household's, and says little about a person.
MOST_SHARING = 5
# A browser is often shared, and nobody is known by it alone.
SHARED_KINDS = (AddressKind.PHONE, AddressKind.FAX, AddressKind.EMAIL, AddressKind.EXTERNAL)

# Characters of names and companies that are written in two ways: `_TRADITIONAL[n]` is `_SIMPLIFIED[n]`.
# The function `folded` of the database has the same; a test compares the two.
_TRADITIONAL = (
    "愛奧寶貝畢邊賓蒼產長暢陳稱誠遲齒傳創純達單膽當黨導燈鄧電東動鬥獨寧緞斷隊爾發範飛豐馮鋒鳳婦輔復蓋剛綱鋼閣個給鞏貢構購顧關觀廣規貴國過漢號賀紅"
    "鴻後護滬華畫話懷歡環還煥黃匯會輝貨機積極際濟計紀繼薊賈駕堅間檢簡見漸將薑蔣獎講膠腳節潔結傑僅謹進勁經驚靜鏡競舊舉劇鋸據絕覺軍駿開凱闞課墾庫塊"
    "寬鄺礦虧來賴蘭藍瀾覽樂類離裡禮歷麗勵連蓮聯煉練糧兩遼療劉龍瓏樓盧魯陸錄祿綠羅邏蘿呂倫論馬瑪買麥賣滿門們夢彌綿廟滅閔鳴銘謀畝納難鳥聶農歐龐鵬飄"
    "頻憑評蘋樸齊啟氣錢潛強喬橋僑親輕慶瓊區趨權勸確讓熱認榮銳潤薩賽傘喪掃曬閃陝傷賞紹攝設紳審聲勝聖師詩時實識視試勢釋壽書樹術帥雙順說碩絲飼鬆頌蘇"
    "訴肅歲孫鎖態談譚湯體條鐵聽廳圖團灣萬網為偉緯衛溫聞穩烏無吳務霧習襲戲細峽俠狹廈賢鮮縣現線鄉詳響項蕭曉協寫謝興許緒續軒學勳尋訓遜煙嚴鹽顏閻豔驗"
    "陽養樣瑤藥爺業葉醫儀藝億憶義議譯異蔭銀飲應穎營贏優郵魚漁與語預譽園員圓遠願約閱雲運韻雜載贊臟澤擇戰張漲趙針偵貞鎮爭證鄭織職執紙質誌製鐘鍾種眾"
    "軸豬燭築註專轉莊裝壯狀準資縱總鄒鑽瑩鶯嫻媧嬋嬌婭緋瀟瀅灝燁燦犖瑋璦疇禎穌縈纓翹艷蕓薔蘊虛詠賁賾軼邁鄖鉅鈞鈺錦鐸鑒閎闊雋靈韋頡頤顯飆驍驊驤鬱鯤"
    "鴛鵑鷺責臺儲鄔峯"
)
_SIMPLIFIED = (
    "爱奥宝贝毕边宾苍产长畅陈称诚迟齿传创纯达单胆当党导灯邓电东动斗独宁缎断队尔发范飞丰冯锋凤妇辅复盖刚纲钢阁个给巩贡构购顾关观广规贵国过汉号贺红"
    "鸿后护沪华画话怀欢环还焕黄汇会辉货机积极际济计纪继蓟贾驾坚间检简见渐将姜蒋奖讲胶脚节洁结杰仅谨进劲经惊静镜竞旧举剧锯据绝觉军骏开凯阚课垦库块"
    "宽邝矿亏来赖兰蓝澜览乐类离里礼历丽励连莲联炼练粮两辽疗刘龙珑楼卢鲁陆录禄绿罗逻萝吕伦论马玛买麦卖满门们梦弥绵庙灭闵鸣铭谋亩纳难鸟聂农欧庞鹏飘"
    "频凭评苹朴齐启气钱潜强乔桥侨亲轻庆琼区趋权劝确让热认荣锐润萨赛伞丧扫晒闪陕伤赏绍摄设绅审声胜圣师诗时实识视试势释寿书树术帅双顺说硕丝饲松颂苏"
    "诉肃岁孙锁态谈谭汤体条铁听厅图团湾万网为伟纬卫温闻稳乌无吴务雾习袭戏细峡侠狭厦贤鲜县现线乡详响项萧晓协写谢兴许绪续轩学勋寻训逊烟严盐颜阎艳验"
    "阳养样瑶药爷业叶医仪艺亿忆义议译异荫银饮应颖营赢优邮鱼渔与语预誉园员圆远愿约阅云运韵杂载赞脏泽择战张涨赵针侦贞镇争证郑织职执纸质志制钟钟种众"
    "轴猪烛筑注专转庄装壮状准资纵总邹钻莹莺娴娲婵娇娅绯潇滢灏烨灿荦玮瑷畴祯稣萦缨翘艳芸蔷蕴虚咏贲赜轶迈郧钜钧钰锦铎鉴闳阔隽灵韦颉颐显飙骁骅骧郁鲲"
    "鸳鹃鹭责台储邬峰"
)
_DROPPED = "'’`´"
_SPACES = '.,;:·・‧。、"“”()[]{}<>《》「」【】-–—_/\\&+|*#@!?~'
_FOLD = str.maketrans(
    dict(zip(_TRADITIONAL, _SIMPLIFIED, strict=True)) | dict.fromkeys(_DROPPED, "") | dict.fromkeys(_SPACES, " ")
)
_HAN = "\u2e80"  # from here on characters are written without spaces
_BETWEEN_HAN = re.compile(r"(?<=[\u2e80-\u9fff]) +(?=[\u2e80-\u9fff])")

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof"})
_HAN_TITLE = re.compile(r"(?<=..)(先生|女士|小姐|太太|老师|经理)$")
_FORMS = frozenset(
    {"the", "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "plc", "gmbh", "ag",
     "group", "holdings"}
)  # fmt: skip
_HAN_FORM = re.compile(r"(?<=..)(集团)?(股份|有限责任|责任)?(有限)?(公司|集团)$")

# Words of a name that are tried against each other in every order.
_MOST_WORDS = 4
_SHORTEST_MISSPELT = 5


class Reason(StrEnum):
    ADDRESS = "address"  # both have the same number or mail address
    NAME = "name"  # nearly the same name, of nearly the same company


@dataclass(frozen=True, slots=True)
class Record:
    """What of a customer's record tells who they are. `addresses`: kinds and values, without those of switchboards."""

    id: int
    name: str
    company: str | None = None
    addresses: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Suggestion:
    other: int
    reasons: tuple[Reason, ...]


def folded(text: str) -> str:
    """As it is compared: whatever case, width, signs and script (Traditional or Simplified) it is written in."""
    return " ".join(normalize("NFKC", text).lower().translate(_FOLD).split())


def name_words(name: str) -> tuple[str, ...]:
    """Without titles; a Chinese name is one word, with a space between family and given name too."""
    words = _BETWEEN_HAN.sub("", folded(name)).split()
    return tuple(sorted(_HAN_TITLE.sub("", word) for word in words if word not in _TITLES))


def company_words(company: str | None) -> tuple[str, ...]:
    """Without what only says that it is a company, unless it is called nothing else."""
    words = _BETWEEN_HAN.sub("", folded(company or "")).split()
    telling = [_HAN_FORM.sub("", word) for word in words if word not in _FORMS]
    return tuple(telling or words)


def near_names(one: str, other: str) -> bool:
    """In any order, with a slip in a long word, an initial for a word, or a middle name that the other leaves out.

    One word of at least two letters is the same in both; Chinese names differ in nothing.
    """
    these, those = name_words(one), name_words(other)
    if not any(len(word) > 1 for word in set(these) & set(those)):
        return False
    fewer, more = sorted((these, those), key=len)
    if len(fewer) != len(more):
        return len(fewer) > 1 and set(fewer) <= set(more)
    if len(fewer) > _MOST_WORDS:
        return these == those
    return any(all(map(_near_words, fewer, order)) for order in permutations(more))


def near_companies(one: str | None, other: str | None) -> bool:
    """Of the same beginning, and one says all that the other says; of no company nobody is a colleague."""
    these, those = company_words(one), company_words(other)
    if not these or not those:
        return False
    fewer, more = sorted(("".join(these), "".join(those)), key=len)
    return _beginning(these[0]) == _beginning(those[0]) and (more.startswith(fewer) or set(these) == set(those))


def alike(one: Record, other: Record) -> tuple[Reason, ...]:
    """Why the two may be the same; nothing when there is no reason to think so."""
    reasons = []
    if one.addresses & other.addresses:
        reasons.append(Reason.ADDRESS)
    if near_companies(one.company, other.company) and near_names(one.name, other.name):
        reasons.append(Reason.NAME)
    return tuple(reasons)


def suggest(one: Record, others: Iterable[Record], *, declined: Collection[int] = ()) -> Sequence[Suggestion]:
    """Who else may be this customer, those with most reasons first; nobody they were told apart from."""
    found = [
        Suggestion(other.id, reasons)
        for other in others
        if other.id != one.id and other.id not in declined and (reasons := alike(one, other))
    ]
    return sorted(found, key=lambda each: (-len(each.reasons), each.reasons, each.other))


def _beginning(word: str) -> str:
    """Companies written without spaces have words too, which nobody sees: two characters are told."""
    return word[:2] if word >= _HAN else word


def _near_words(one: str, other: str) -> bool:
    if one == other:
        return True
    fewer, more = sorted((one, other), key=len)
    if one >= _HAN or other >= _HAN or not fewer:
        return False
    return more.startswith(fewer) if len(fewer) == 1 else len(fewer) >= _SHORTEST_MISSPELT and _one_slip(fewer, more)


def _one_slip(fewer: str, more: str) -> bool:
    """A letter that is another one, too many, missing, or changed places with its neighbour."""
    if len(more) - len(fewer) > 1:
        return False
    at = next((n for n, (x, y) in enumerate(zip(fewer, more, strict=False)) if x != y), len(fewer))
    if len(more) > len(fewer):
        return fewer[at:] == more[at + 1 :]
    swapped = fewer[at : at + 2][::-1] == more[at : at + 2] and fewer[at + 2 :] == more[at + 2 :]
    return swapped or fewer[at + 1 :] == more[at + 1 :]
