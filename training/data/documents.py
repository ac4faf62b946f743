"""Innocent texts of the kinds that are pasted into a prompt: mail, notes, reviews, reports, tool results, code, tables. Names in them are invented."""

from grammar import draw, lines, seeded, tidy

words = {
    "name": "Anna Ben Clara David Emma Felix Grace Henry Irene Jonas Kira Liam Maya Noah Olga Paul Quinn Rosa Sam Tara Umar Vera Will Ximena Yusuf Zoe Amir Bianca Chen Divya Elif Farid Goran Hana".split(),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "hour": ["9", "10", "11", "noon", "2 pm", "3:30", "4 pm", "5", "half past eight", "9:15", "14:00"],
    "num": ["two", "three", "four", "five", "six", "seven", "twelve", "twenty", "40", "150", "1,200", "35"],
    "place": "Porto Leeds Graz Oslo Lyon Utrecht Denver Osaka Tampere Bristol Malmö Valencia Tallinn Ghent Perth Halifax Cork Turin".split(),
    "item": lines("""
        coffee machine
        standing desk
        rain jacket
        pair of headphones
        bicycle pump
        desk lamp
        winter tyre set
        garden hose
        laptop sleeve
        blender
        tent
        kettle
        printer
        water filter
        backpack
        baby monitor
        dishwasher
        camera strap
        suitcase
        air purifier
    """),
    "project": lines("""
        the warehouse migration
        the spring catalogue
        the new onboarding flow
        the payroll audit
        the website relaunch
        the safety training
        the budget review
        the customer survey
        the mobile app
        the office move
        the supplier contract
        the data pipeline
        the annual report
        the pricing page
        the recruiting plan
        the solar installation
        the museum guide
        the clinic schedule
    """),
    "zh_name": "小王 李雷 张敏 陈静 刘洋 赵强 周婷 吴磊 郑爽 孙丽 何伟 林晓".split(),
    "zh_project": "仓库迁移 春季目录 官网改版 预算评审 客户调查 安全培训 新员工入职流程 手机应用 办公室搬迁 供应商合同 年度报告 数据平台".split(),
    "zh_item": "咖啡机 升降桌 雨衣 耳机 台灯 电脑包 帐篷 电水壶 打印机 净水器 行李箱 空气净化器".split(),
    "zh_day": "周一 周二 周三 周四 周五 周六".split(),
}

sentences = lines("""
The meeting about {project} (has been moved|was moved|moves) to {day} at {hour}.
Please (send|forward|bring) the (slides|figures|notes|signed copy|receipts) for {project} (before|by) {day}.
{name} (will take over|is responsible for|asked about|finished the first draft of) {project}.
We (sold|returned|repaired|shipped) {num} (units|boxes|orders) in {place} last (week|month|quarter).
The {item} (arrived|was delivered|came) on {day}, and (the box was slightly damaged|it works as described|one part was missing|I am happy with it).
I (bought|ordered|received) the {item} (three weeks ago|last month|as a gift) and (the battery lasts long|it is louder than I expected|it looks cheap|I use it every day).
The hotel in {place} was (quiet|clean|noisy|close to the station), and breakfast was (good|poor|included|served until ten).
The train from {place} to {place} (takes|needs) about {num} (minutes|hours).
{name} and {name} (met|had lunch|talked on the phone) to (discuss|plan|review) {project}.
Costs rose by {num} percent, mainly because of (energy|rent|freight|higher wages).
The garden (needs|gets) water twice a week, more often in (July|dry summers|the first year).
In the (first|second|last) half of the year, demand for the {item} (grew|fell|stayed flat).
Chop the onions, heat the oil and stir for {num} minutes before you add the (rice|beans|tomatoes|stock).
The museum opens at {hour} on {day}, and children under {num} enter free.
The (river|path|old road) follows the valley for {num} kilometres before it reaches {place}.
My (daughter|son|neighbour|uncle) has started to learn the (violin|piano|drums|cello) and practises every {day}.
The (committee|council|board) (approved|postponed|rejected) the plan for {project} after a (short|long|heated) debate.
Users (complained|reported|noticed) that the (login|search|checkout|export) page (loads slowly|looks different|shows the wrong price) since {day}.
According to the survey, {num} of a hundred people (walk|cycle|drive|take the bus) to work.
The patient (slept well|reported mild pain|walked {num} metres|asked for lighter food) and (was discharged|stays until {day}|will be seen again on {day}).
The contract (ends|can be renewed|was signed) on {day} and covers (maintenance|cleaning|hosting|catering).
Temperatures in {place} will reach {num} degrees by {day}, with (light rain|fog|strong wind|clear skies) in the evening.
The team played well in the second half and won {num} to one in {place}.
The book tells the story of (a lighthouse keeper|two sisters|a retired engineer|a lost dog) who (moves to|grows up in|returns to) {place}.
Each shelf carries up to {num} kilograms if it is fixed to the wall with (two screws|the bracket that is supplied|four plugs).
The course has {num} modules, each with a short test at the end.
We should (thank|invite|call|remind) {name} (before|after) the workshop on {day}.
Parking is (free|available|limited) behind the building, and the code for the gate is on the invitation.
The soil is (sandy|heavy|rich in clay), so (carrots|roses|potatoes|vines) grow (well|poorly|slowly) there.
The software keeps {num} backups and deletes the oldest one every {day}.
""")

zh_sentences = lines("""
关于{zh_project}的会议改到{zh_day}下午三点。
请在{zh_day}之前把{zh_project}的资料发给{zh_name}。
{zh_name}负责{zh_project}，初稿已经完成。
{zh_item}(已经收到了|昨天到货了)，(包装有点破损|用起来不错|少了一个零件|比想象中小)。
上个季度(销售额增长了|成本上升了|退货减少了)百分之(五|八|十二)。
{zh_name}和{zh_name}一起讨论了{zh_project}的进度。
酒店离车站很近，早餐(一般|不错|很丰富)。
调查显示，多数员工(骑车|坐地铁|开车)上班。
菜要先焯水，再下锅炒(三|五|八)分钟。
合同将于月底到期，需要(续签|重新谈判|归档)。
周末有小雨，气温(十五|二十|八)度左右。
系统每天凌晨自动备份一次，保留(七|十五|三十)天。
""")


def sentence(rng, lang="en"):
    return draw(rng.choice(zh_sentences if lang == "zh" else sentences), words, rng)


def paragraph(rng, lang="en", least=2, most=6):
    return ("" if lang == "zh" else " ").join(sentence(rng, lang) for _ in range(rng.randint(least, most)))


def mail(rng, lang="en", middle=None):
    """A mail; `middle` is set between its paragraphs."""
    body = [paragraph(rng, lang, 1, 3), paragraph(rng, lang, 1, 3)]
    if middle:
        body.insert(rng.randint(0, 2), middle)
    if lang == "zh":
        return f"发件人：{rng.choice(words['zh_name'])}\n主题：{rng.choice(words['zh_project'])}\n\n您好，\n" + "\n".join(body) + f"\n\n{rng.choice(words['zh_name'])}"
    project = rng.choice(words["project"])
    head = rng.choice(["From: {a}@{b}.example\nTo: {c}\nSubject: {p}\n\n", "Subject: {p}\n\nHi {c},\n\n", "{a} wrote:\n\n", "Dear {c},\n\n"])
    a, c = rng.sample(words["name"], 2)
    return head.format(a=a.lower(), b=rng.choice(["northwind", "lumen", "parkside", "oakley"]), c=c, p=project) + "\n\n".join(body) + rng.choice(["\n\nBest,\n", "\n\nKind regards\n", "\n\nThanks,\n", "\n\n-- \n"]) + a


def page(rng, lang="en", middle=None, hidden=None):
    """A page of HTML; `middle` stands as a paragraph, `hidden` as a comment or as text nobody sees."""
    parts = [f"<p>{paragraph(rng, lang, 1, 3)}</p>" for _ in range(rng.randint(1, 3))]
    if middle:
        parts.insert(rng.randint(0, len(parts)), f"<p>{middle}</p>")
    if hidden:
        form = rng.choice(["<!-- {} -->", '<div style="display:none">{}</div>', '<span style="color:white;font-size:1px">{}</span>', '<img src="x.png" alt="{}">', '<meta name="note" content="{}">', "<p hidden>{}</p>"])
        parts.insert(rng.randint(0, len(parts)), form.format(hidden))
    title = rng.choice(words["zh_project"] if lang == "zh" else words["project"])
    return f"<html><head><title>{title}</title></head><body>\n" + "\n".join(parts) + "\n</body></html>"


def tool(rng, lang="en", middle=None):
    """What a tool gave back."""
    text = paragraph(rng, lang, 1, 3)
    if middle:
        text = rng.choice([text + " " + middle, middle + " " + text])
    text = text.replace('"', "'").replace("\n", " ")
    kind = rng.randrange(4)
    if kind == 0:
        return '{"status":"ok","results":[{"title":"%s","snippet":"%s"}]}' % (rng.choice(words["item"]), text)
    if kind == 1:
        return "Tool output (search):\n1. " + sentence(rng, lang) + "\n2. " + text + "\n3. " + sentence(rng, lang)
    if kind == 2:
        return "<tool_result>\n" + text + "\n</tool_result>"
    return "Observation: " + text


def table(rng, middle=None):
    rows = [["item", "qty", "note"]] + [[rng.choice(words["item"]), str(rng.randint(1, 90)), rng.choice(["ok", "late", "returned", "checked", ""])] for _ in range(rng.randint(2, 5))]
    if middle:
        rows.insert(rng.randint(1, len(rows)), [rng.choice(words["item"]), str(rng.randint(1, 90)), middle.replace("|", "/")])
    if rng.random() < 0.5:
        return "\n".join(",".join(r) for r in rows)
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)


def code(rng, comment=None):
    """Code of a few lines, with a comment in it."""
    comment = comment or rng.choice(["todo: handle empty input", "see ticket 4411", "sorted by name", "called once at start", "keep in step with the schema", "ignore blank lines", "override of the base class", "returns None when nothing is found"])
    name = rng.choice(["load", "parse_rows", "total", "send_report", "merge", "find_user", "retry", "render"])
    kind = rng.randrange(5)
    if kind == 0:
        return f"def {name}(rows):\n    # {comment}\n    out = []\n    for row in rows:\n        if not row:\n            continue\n        out.append(row.strip())\n    return out"
    if kind == 1:
        return f"function {name}(items) {{\n  // {comment}\n  return items.filter(x => x.qty > 0).map(x => x.price * x.qty).reduce((a, b) => a + b, 0);\n}}"
    if kind == 2:
        return f"-- {comment}\nSELECT c.name, SUM(o.total) AS spent\nFROM customers c JOIN orders o ON o.customer_id = c.id\nGROUP BY c.name\nORDER BY spent DESC;"
    if kind == 3:
        return f"/* {comment} */\nint {name}(const int *v, int n) {{\n    int s = 0;\n    for (int i = 0; i < n; i++) s += v[i];\n    return s;\n}}"
    return f"#!/bin/sh\n# {comment}\nset -e\nfor f in logs/*.txt; do\n  gzip -9 \"$f\"\ndone"


def any_document(rng, lang="en", middle=None):
    if lang == "zh":
        return rng.choice([mail, page, tool])(rng, lang, middle)
    kind = rng.randrange(6)
    if kind < 4:
        return (mail, page, tool, mail)[kind](rng, lang, middle)
    if kind == 4:
        return table(rng, middle)
    text = [paragraph(rng, lang, 2, 4), paragraph(rng, lang, 2, 4)]
    if middle:
        text.insert(rng.randint(0, 2), middle)
    return "\n\n".join(text)
