"""Invented facts about invented companies, people, places, products, events and studies, and sentences that state them in several ways.

A record is a dict of slots; a sentence is a template over them. Two sentences of one fact are paraphrases; a sentence with another value is false.
"""

import re

import names as N

MONTHS = N.MONTHS


def person(rng):
    c = rng.choice(sorted(N.FIRST))
    return rng.choice(N.FIRST[c].split()) + " " + rng.choice(N.LAST[c].split())


def amount(rng):
    return rng.choice([f"{rng.randint(2, 90)} million", f"{rng.randint(1, 9)}.{rng.randint(1, 9)} billion", f"{rng.randint(100, 950)},000", f"{rng.randint(2, 99)}.{rng.randint(1, 9)} million"])


VALUES = {
    "year": lambda r: str(r.randint(1880, 2024)),
    "year2": lambda r: str(r.randint(1950, 2024)),
    "date": lambda r: f"{r.choice(MONTHS)} {r.randint(1, 28)}",
    "n": lambda r: str(r.choice([r.randint(3, 99), r.randint(100, 990), r.randint(11, 98) * 100])),
    "n2": lambda r: str(r.randint(2, 60)),
    "pct": lambda r: str(r.randint(2, 96)),
    "money": amount,
    "city": lambda r: r.choice(N.CITIES),
    "city2": lambda r: r.choice(N.CITIES),
    "country": lambda r: r.choice(N.COUNTRIES).replace("the ", "", 1),
    "person": person,
    "person2": person,
    "org": lambda r: r.choice(N.ORG_WORDS) + " " + r.choice(N.ORG_KINDS),
    "org2": lambda r: r.choice(N.ORG_WORDS) + r.choice("soft tech works hub line".split()),
    "day": lambda r: r.choice("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    "hour": lambda r: r.choice(["8 am", "9 am", "10 am", "noon", "2 pm", "4 pm", "6 pm", "7:30 pm"]),
    "good": lambda r: r.choice("batteries|bicycles|medical sensors|furniture|olive oil|solar panels|textbooks|shoes|water pumps|video games|ceramics|tractors|paint|tea|lenses".split("|")),
    "good2": lambda r: r.choice("elevators|cosmetics|cables|cheese|robots|toys|carpets|helmets|boats|seeds|cameras|glass|coffee|vaccines|wind turbines".split("|")),
    "colour": lambda r: r.choice("red blue green yellow black white silver orange purple".split()),
    "disease": lambda r: r.choice("asthma|migraine|type 2 diabetes|eczema|arthritis|insomnia|high blood pressure|depression".split("|")),
    "drug": lambda r: r.choice("Lo Ve Tri Am Zo Cel Ni Pra".split()) + r.choice("xamin baril tidol perone vastin lumab ciline".split()),
    "job": lambda r: r.choice("engineer|teacher|chemist|lawyer|painter|surgeon|journalist|carpenter|pilot|economist|architect|nurse".split("|")),
    "metal": lambda r: r.choice("steel copper aluminium bronze brick concrete timber granite".split()),
}

# Each kind: facts; each fact: ways to say it (the first way is for the context, any way for an answer), and which slots may be changed.
KINDS = {
    "company": {
        "use": "org city country year person person2 n money good good2 pct org2 year2",
        "facts": [
            ("{org} was founded in {year} by {person} in {city}.", "{person} started {org} in {city} in {year}.", "Founded in {year}, {org} goes back to {person}."),
            ("The company makes {good} and employs {n} people.", "{org} has {n} employees.", "It produces {good}.", "About {n} people work there, and its product is {good}."),
            ("Revenue reached {money} dollars last year, up {pct} percent.", "Sales rose by {pct} percent to {money} dollars.", "Last year the firm earned {money} dollars in revenue."),
            ("In {year2} it took over {org2}, a maker of {good2}.", "{org2} was bought in {year2}.", "The takeover of {org2}, which makes {good2}, happened in {year2}."),
            ("{person2} has been chief executive since {year2}.", "The chief executive is {person2}.", "{person2} has led the company since {year2}."),
            ("Its largest market is {country}.", "Most of its products are sold in {country}.", "{country} is the biggest market of {org}."),
        ],
        "more": ["{org} sponsors a local football club.", "The founder's daughter sits on the board.", "The company plans to build a second plant.", "Its headquarters won a prize for architecture.", "Many employees come to work by bicycle.", "Analysts expect a dividend this year."],
    },
    "person": {
        "use": "person job city city2 year year2 org n2 country person2 n",
        "facts": [
            ("{person} was born in {city} in {year}.", "{year} is the year in which {person} was born.", "{city} is the birthplace of {person}."),
            ("After school {person} trained as a {job} in {city2}.", "{person} learned to be a {job}.", "The training as a {job} took place in {city2}."),
            ("From {year2} on, {person} worked for {org}.", "{person} joined {org} in {year2}.", "In {year2} {org} hired {person}."),
            ("{person} wrote {n2} books and gave {n} talks.", "{person} is the author of {n2} books.", "In all, {person} held {n} talks."),
            ("Together with {person2}, {person} founded a school in {country}.", "{person} and {person2} set up a school in {country}.", "A school in {country} was founded by {person} and {person2}."),
        ],
        "more": ["{person} played the cello in an orchestra.", "{person} was a passionate gardener.", "The two met by chance on a train.", "{person} later regretted leaving the city.", "A street bears the name of {person}.", "{person} spoke four languages."],
    },
    "place": {
        "use": "city country n year metal money day hour pct n2",
        "facts": [
            ("The bridge in {city} is {n} metres long and was opened in {year}.", "The bridge was opened in {year}.", "With {n} metres, the bridge in {city} has been in use since {year}."),
            ("It is built of {metal} and cost {money} euros.", "The building material is {metal}.", "Construction cost {money} euros."),
            ("About {pct} percent of the traffic is by bicycle.", "Bicycles make up {pct} percent of the traffic.", "{pct} percent of those who cross it ride a bicycle."),
            ("The museum beside it opens at {hour} and is closed on {day}.", "On {day} the museum is closed.", "The museum opens its doors at {hour}."),
            ("Guided tours take {n2} minutes.", "A tour lasts {n2} minutes.", "Visitors are guided for {n2} minutes."),
        ],
        "more": ["The bridge appears in several films.", "Swimmers meet there in summer.", "A cafe on the north bank is popular with students.", "The mayor wants to repaint it.", "Old postcards show a ferry at the same spot."],
    },
    "product": {
        "use": "org colour n n2 money pct year2 country date",
        "facts": [
            ("The {org} washing machine holds {n2} kilograms and comes in {colour}.", "It is sold in {colour}.", "The machine takes {n2} kilograms of laundry."),
            ("It was launched in {country} on {date}.", "Sales began on {date} in {country}.", "The launch took place in {country}, on {date}."),
            ("A full cycle needs {n} watt hours, {pct} percent less than the model before.", "One cycle uses {n} watt hours.", "Compared with its predecessor it saves {pct} percent of energy."),
            ("The guarantee lasts until {year2} and covers the motor.", "The motor is covered by the guarantee.", "The guarantee ends in {year2}."),
            ("The drum is not suitable for shoes.", "Shoes must not be washed in it.", "One should not put shoes into the drum."),
        ],
        "more": ["The display can be dimmed.", "It may be ordered with a stand.", "Customers praise the quiet door.", "A smaller version is planned.", "The manual is printed on recycled paper."],
    },
    "study": {
        "use": "drug disease n pct country person year2 n2 org",
        "facts": [
            ("A trial in {country} tested {drug} against {disease} in {n} adults.", "{n} adults took part in the trial of {drug}.", "{drug} was tried out in {country} on patients with {disease}."),
            ("After {n2} weeks, symptoms fell by {pct} percent compared with placebo.", "Symptoms went down by {pct} percent within {n2} weeks.", "The treatment reduced symptoms by {pct} percent."),
            ("No serious side effects were seen.", "There were no serious side effects.", "Serious side effects did not occur."),
            ("The work was led by {person} and paid for by {org}.", "{person} led the study.", "{org} funded the work."),
            ("The authors say that children were not included.", "Children did not take part.", "No children were included in the study."),
        ],
        "more": ["The drug tastes bitter.", "Patients kept a diary on paper.", "A second trial will look at older people.", "The price of the drug has not been set.", "Two of the authors are married."],
    },
    "event": {
        "use": "city date hour n money person org day n2 city2",
        "facts": [
            ("The marathon in {city} takes place on {date} and starts at {hour}.", "Runners set off at {hour} on {date}.", "On {date} the marathon is held in {city}."),
            ("{n} runners have signed up, and the fee is {n2} euros.", "The entry fee amounts to {n2} euros.", "There are {n} registered runners."),
            ("Last year's winner was {person} from {city2}.", "{person} won the year before.", "The previous race was won by {person}, who comes from {city2}."),
            ("{org} gives {money} euros for charity.", "The charity receives {money} euros from {org}.", "{money} euros are donated by {org}."),
            ("Dogs are not allowed on the course.", "It is forbidden to bring dogs onto the course.", "Runners may not take dogs with them."),
        ],
        "more": ["A band plays at the finish.", "The course leads past a castle.", "Hotels in the centre are fully booked.", "Volunteers hand out bananas.", "Rain is expected in the afternoon."],
    },
}

ZH = {
    "year": lambda r: f"{r.randint(1880, 2024)}年",
    "n": lambda r: str(r.choice([r.randint(3, 99), r.randint(100, 990), r.randint(11, 98) * 100])),
    "n2": lambda r: str(r.randint(2, 60)),
    "pct": lambda r: f"{r.randint(2, 96)}%",
    "money": lambda r: f"{r.randint(2, 900)}万元",
    "city": lambda r: r.choice(N.ZH_CITIES),
    "city2": lambda r: r.choice(N.ZH_CITIES),
    "person": lambda r: r.choice(N.ZH_LAST) + r.choice(N.ZH_FIRST),
    "person2": lambda r: r.choice(N.ZH_LAST) + r.choice(N.ZH_FIRST),
    "org": lambda r: r.choice(N.ZH_ORGS) + r.choice(N.ZH_ORG_KINDS),
    "day": lambda r: "周" + r.choice("一二三四五六日"),
    "hour": lambda r: r.choice(["上午八点", "上午九点", "中午十二点", "下午两点", "晚上六点"]),
    "good": lambda r: r.choice("电池 自行车 医疗传感器 家具 橄榄油 太阳能板 教材 鞋子 水泵 陶瓷 茶叶".split()),
}
ZH_KINDS = {
    "company": {
        "use": "org city year person n money good pct person2",
        "facts": [
            ("{org}由{person}于{year}在{city}创立。", "{person}在{year}创办了{org}。", "{org}成立于{year}，总部在{city}。"),
            ("公司生产{good}，有{n}名员工。", "{org}的员工有{n}人。", "它的主要产品是{good}。"),
            ("去年营收为{money}，增长{pct}。", "去年的收入达到{money}。", "营收比前一年增长了{pct}。"),
            ("现任总经理是{person2}。", "{person2}担任总经理。", "公司由{person2}管理。"),
            ("公司没有上市。", "该公司尚未上市。", "它不是上市公司。"),
        ],
        "more": ["公司赞助了一支足球队。", "员工食堂在当地很有名。", "公司打算明年扩建厂房。", "创始人喜欢下围棋。"],
    },
    "event": {
        "use": "city day hour n money person n2 org",
        "facts": [
            ("{city}马拉松在{day}{hour}开始。", "比赛{day}在{city}举行。", "选手{hour}出发。"),
            ("共有{n}人报名，报名费{n2}元。", "报名人数是{n}。", "参赛要交{n2}元。"),
            ("去年的冠军是{person}。", "{person}赢得了去年的比赛。", "上一届由{person}夺冠。"),
            ("{org}捐出{money}做公益。", "公益捐款{money}来自{org}。", "{org}为公益出资{money}。"),
            ("比赛不允许带狗。", "选手不能带狗参赛。", "禁止携带宠物狗。"),
        ],
        "more": ["终点有乐队演出。", "沿途会经过一座古塔。", "志愿者会发香蕉。", "下午可能下雨。"],
    },
}

NEGATED = {
    "No serious side effects were seen.": "Several serious side effects were seen.",
    "There were no serious side effects.": "There were several serious side effects.",
    "Serious side effects did not occur.": "Serious side effects occurred often.",
    "The authors say that children were not included.": "The authors say that children were included.",
    "Children did not take part.": "Children took part as well.",
    "No children were included in the study.": "Many children were included in the study.",
    "Dogs are not allowed on the course.": "Dogs are welcome on the course.",
    "It is forbidden to bring dogs onto the course.": "It is fine to bring dogs onto the course.",
    "Runners may not take dogs with them.": "Runners may take dogs with them.",
    "The drum is not suitable for shoes.": "The drum is suitable for shoes.",
    "Shoes must not be washed in it.": "Shoes can be washed in it.",
    "One should not put shoes into the drum.": "One can safely put shoes into the drum.",
    "The motor is covered by the guarantee.": "The motor is not covered by the guarantee.",
    "公司没有上市。": "公司已经上市。",
    "该公司尚未上市。": "该公司早已上市。",
    "它不是上市公司。": "它是一家上市公司。",
    "比赛不允许带狗。": "比赛允许带狗。",
    "选手不能带狗参赛。": "选手可以带狗参赛。",
    "禁止携带宠物狗。": "欢迎携带宠物狗。",
}


def record(kind, rng, lang="en"):
    table, values = (ZH_KINDS, ZH) if lang == "zh" else (KINDS, VALUES)
    out = {}
    for slot in table[kind]["use"].split():
        while True:
            value = values[slot](rng)
            if value not in out.values():
                break
        out[slot] = value
    return out


def slots(template):
    return re.findall(r"\{([a-z0-9]+)\}", template)


def say(template, values):
    """The sentence and where each value stands in it: (text, [(slot, start, end)]) in characters."""
    text, places = "", []
    for piece in re.split(r"(\{[a-z0-9]+\})", template):
        if piece.startswith("{") and piece.endswith("}"):
            value = values[piece[1:-1]]
            places.append((piece[1:-1], len(text), len(text) + len(value)))
            text += value
        else:
            text += piece
    return text, places


def other_value(slot, values, rng, lang="en", near=0.3):
    """Another value for a slot; sometimes one that another slot of its kind has, which the context does mention."""
    maker = (ZH if lang == "zh" else VALUES)[slot]
    base = slot.rstrip("2")
    rivals = [v for s, v in values.items() if s != slot and s.rstrip("2") == base and v != values[slot]]
    if rivals and rng.random() < near:
        return rng.choice(rivals)
    while True:
        value = maker(rng)
        if value not in values.values():
            return value
