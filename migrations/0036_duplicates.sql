-- Records that may be of one person: found by what they have in common, and those who were told apart.

-- Bodies are parsed here (`return`): an index is built with no path to look names up by.
-- As texts are compared: whatever case, width, signs and script (Traditional or Simplified) they are written in.
-- callcenter/domain/duplicate.py says why, and has the same table of characters.
create function folded(p_text text) returns text
language sql immutable strict parallel safe
return translate(lower(normalize(p_text, nfkc)),
            '愛奧寶貝畢邊賓蒼產長暢陳稱誠遲齒傳創純達單膽當黨導燈鄧電東動鬥獨寧緞斷隊爾發範飛豐馮鋒鳳婦輔復蓋剛綱鋼閣個給鞏貢構購顧關觀廣規貴國過漢號賀紅鴻後護滬華畫話懷歡環還煥黃匯會輝貨機積極際濟計紀繼薊'
            || '賈駕堅間檢簡見漸將薑蔣獎講膠腳節潔結傑僅謹進勁經驚靜鏡競舊舉劇鋸據絕覺軍駿開凱闞課墾庫塊寬鄺礦虧來賴蘭藍瀾覽樂類離裡禮歷麗勵連蓮聯煉練糧兩遼療劉龍瓏樓盧魯陸錄祿綠羅邏蘿呂倫論馬瑪買麥賣滿門們夢'
            || '彌綿廟滅閔鳴銘謀畝納難鳥聶農歐龐鵬飄頻憑評蘋樸齊啟氣錢潛強喬橋僑親輕慶瓊區趨權勸確讓熱認榮銳潤薩賽傘喪掃曬閃陝傷賞紹攝設紳審聲勝聖師詩時實識視試勢釋壽書樹術帥雙順說碩絲飼鬆頌蘇訴肅歲孫鎖態談譚'
            || '湯體條鐵聽廳圖團灣萬網為偉緯衛溫聞穩烏無吳務霧習襲戲細峽俠狹廈賢鮮縣現線鄉詳響項蕭曉協寫謝興許緒續軒學勳尋訓遜煙嚴鹽顏閻豔驗陽養樣瑤藥爺業葉醫儀藝億憶義議譯異蔭銀飲應穎營贏優郵魚漁與語預譽園員'
            || '圓遠願約閱雲運韻雜載贊臟澤擇戰張漲趙針偵貞鎮爭證鄭織職執紙質誌製鐘鍾種眾軸豬燭築註專轉莊裝壯狀準資縱總鄒鑽瑩鶯嫻媧嬋嬌婭緋瀟瀅灝燁燦犖瑋璦疇禎穌縈纓翹艷蕓薔蘊虛詠賁賾軼邁鄖鉅鈞鈺錦鐸鑒閎闊雋靈'
            || '韋頡頤顯飆驍驊驤鬱鯤鴛鵑鷺責臺儲鄔峯'
            || '.,;:·・‧。、"“”()[]{}<>《》「」【】-–—_/\&+|*#@!?~'
            || '''’`´',
            '爱奥宝贝毕边宾苍产长畅陈称诚迟齿传创纯达单胆当党导灯邓电东动斗独宁缎断队尔发范飞丰冯锋凤妇辅复盖刚纲钢阁个给巩贡构购顾关观广规贵国过汉号贺红鸿后护沪华画话怀欢环还焕黄汇会辉货机积极际济计纪继蓟'
            || '贾驾坚间检简见渐将姜蒋奖讲胶脚节洁结杰仅谨进劲经惊静镜竞旧举剧锯据绝觉军骏开凯阚课垦库块宽邝矿亏来赖兰蓝澜览乐类离里礼历丽励连莲联炼练粮两辽疗刘龙珑楼卢鲁陆录禄绿罗逻萝吕伦论马玛买麦卖满门们梦'
            || '弥绵庙灭闵鸣铭谋亩纳难鸟聂农欧庞鹏飘频凭评苹朴齐启气钱潜强乔桥侨亲轻庆琼区趋权劝确让热认荣锐润萨赛伞丧扫晒闪陕伤赏绍摄设绅审声胜圣师诗时实识视试势释寿书树术帅双顺说硕丝饲松颂苏诉肃岁孙锁态谈谭'
            || '汤体条铁听厅图团湾万网为伟纬卫温闻稳乌无吴务雾习袭戏细峡侠狭厦贤鲜县现线乡详响项萧晓协写谢兴许绪续轩学勋寻训逊烟严盐颜阎艳验阳养样瑶药爷业叶医仪艺亿忆义议译异荫银饮应颖营赢优邮鱼渔与语预誉园员'
            || '圆远愿约阅云运韵杂载赞脏泽择战张涨赵针侦贞镇争证郑织职执纸质志制钟钟种众轴猪烛筑注专转庄装壮状准资纵总邹钻莹莺娴娲婵娇娅绯潇滢灏烨灿荦玮瑷畴祯稣萦缨翘艳芸蔷蕴虚咏贲赜轶迈郧钜钧钰锦铎鉴闳阔隽灵'
            || '韦颉颐显飙骁骅骧郁鲲鸳鹃鹭责台储邬峰'
            || '                                         ');

-- The words of a name or company; those of Chinese are one word, spaces or not.
create function folded_words(p_text text) returns text[]
language sql immutable strict parallel safe
return array_remove(string_to_array(
        regexp_replace(folded(p_text), '([\u2e80-\u9fff]) +(?=[\u2e80-\u9fff])', '\1', 'g'), ' '), '');

-- How the company begins, with each word of the name: whoever may be one person has one of these in common. Most customers
-- are of no company, and have none.
create function likeness_keys(p_name text, p_company text) returns text[]
language sql immutable parallel safe
return case when p_company is null or p_name is null then '{}' else (
        select coalesce(array_agg(distinct case when ascii(head) >= 11904 then left(head, 2) else left(head, 100) end || ' ' || left(told, 100)), '{}')
        from (
            select regexp_replace(word, '(?<=..)(集团)?(股份|有限责任|责任)?(有限)?(公司|集团)$', '') as head
            from unnest(folded_words(p_company)) with ordinality as company (word, n)
            order by word = any ('{ag,co,company,corp,corporation,gmbh,group,holdings,inc,incorporated,limited,llc,ltd,plc,the}'), n limit 1
        ) as company, (
            select regexp_replace(word, '(?<=..)(先生|女士|小姐|太太|老师|经理)$', '') as told
            from unnest(folded_words(p_name)) as name (word) where word <> all ('{dr,miss,mr,mrs,ms,prof}')
        ) as name
        where length(told) > 1
    ) end;

create index customer_likeness on customer using gin (likeness_keys(name, company));

-- Who was merged into somebody: asked with each pair.
create index customer_merged on customer (merged_into) where merged_into is not null;

-- Pairs that may be one. `declined_at`: somebody knows that they are two, and nobody is asked again.
create table duplicate (
    one_id bigint not null references customer (id),
    other_id bigint not null references customer (id),
    reasons text[] not null default '{}',     -- address, name
    found_at timestamptz not null,
    declined_at timestamptz,
    declined_by bigint references users (id),
    primary key (one_id, other_id),
    check (one_id < other_id)
);
create index duplicate_other on duplicate (other_id);
create index duplicate_declined on duplicate (one_id, other_id) where declined_at is not null;
create index duplicate_open on duplicate (found_at desc) where declined_at is null;

-- How far the search through all customers has come; it begins again at its end.
create table duplicate_search (
    only_row boolean primary key default true check (only_row),
    up_to bigint not null default 0
);
insert into duplicate_search default values;
