#!/usr/bin/env python3
"""Pairs of requests to an assistant, with how near they are: `relation` is paraphrase, related (same thing, something else is asked), near (same subject,
another thing), frame (other subject, the same words around it) or unrelated; `score` is what similarity is meant to say.

Groups are made from what is asked and a topic; groups of hand-written ones share hardly a word.
"""

from grammar import Rows, casual, digest, lines, seeded, tidy, draw
from topics import DOMAINS, EN, ZH

SCORE = {"paraphrase": 0.92, "related": 0.6, "near": 0.35, "frame": 0.1, "unrelated": 0.0}

ASK = {
    "explain": ("""
        (explain|describe) {t}(.|, please|)
        (can|could) you (explain|help me understand) {t}?
        I don't know much about {t}, what should I understand first?
        give me (a simple introduction|an overview) to {t}
        {t}, in plain words
        how would you describe {t} to someone who hears about it for the first time?
        what is meant by {t}?
        tell me what {t} is all about
        """, """
        (解释|讲解|介绍)一下{t}
        {t}是什么意思？
        能用简单的话说明{t}吗？
        我对{t}不了解，请讲讲
        """),
    "mistakes": ("""
        (common|typical|frequent) (mistakes|errors) (with|about|concerning) {t}
        what do people (often|usually) get wrong about {t}?
        which misunderstandings about {t} should I avoid?
        what pitfalls are there when dealing with {t}?
        list things that beginners misunderstand about {t}
        """, """
        关于{t}常见的误区有哪些？
        学习{t}时容易犯什么错误？
        人们对{t}有哪些误解？
        """),
    "quiz": ("""
        (make|write|create) (a quiz|five test questions|ten exercises) (on|about) {t}
        test my knowledge of {t}
        ask me questions about {t} and check my answers
        I want to be examined on {t}
        multiple choice questions covering {t}, with solutions
        """, """
        出几道关于{t}的练习题
        考考我{t}的知识
        给我做一个{t}的小测验
        """),
    "sources": ("""
        (recommend|suggest) (books|good sources|reading) (on|about) {t}
        where can I read more about {t}?
        which textbook covers {t} best?
        I'm looking for literature about {t}
        a reading list for {t}, please
        """, """
        推荐几本关于{t}的书
        哪里可以找到{t}的资料？
        想深入了解{t}该读什么？
        """),
    "essay": ("""
        (write|draft|compose) (an essay|a short text|an article|a blog post) (about|on) {t}
        I have to hand in a paper on {t}, write a draft
        produce 500 words about {t}
        can you author a piece dealing with {t}?
        """, """
        写一篇关于{t}的文章
        我要交一份{t}的报告，帮我起草
        以{t}为题写五百字
        """),
    "example": ("""
        (give|show) me (an example|a concrete example|a real case) of {t}
        what does {t} look like in practice?
        illustrate {t} with something from everyday life
        where do we meet {t} in daily life?
        """, """
        举一个{t}的例子
        生活中{t}有什么体现？
        用具体案例说明{t}
        """),
    "why": ("""
        why is {t} important?
        what is the point of {t}?
        why should anybody care about {t}?
        what role does {t} play?
        """, """
        {t}为什么重要？
        {t}有什么作用？
        为什么要关注{t}？
        """),
    "history": ("""
        (who|how was it that somebody) first (thought of|came up with|noticed) {t}?
        tell me the story behind {t}
        how has our view of {t} changed over time?
        where does {t} come from and how did it develop?
        """, """
        {t}的由来是什么？
        讲讲{t}的发展过程
        """),
    "child": ("""
        explain {t} to a (child|ten year old|kid)
        my (son|daughter) is (eight|nine) and asks about {t}, what do I say?
        {t} for children, short and fun
        how do I tell a little kid about {t}?
        """, """
        怎么给小朋友讲{t}？
        孩子问我{t}，该怎么回答？
        """),
    "news": ("""
        what is new in {t}?
        latest (developments|trends|findings) concerning {t}
        how has {t} changed in the last few years?
        is there anything recent I should know about {t}?
        """, """
        {t}最近有什么新进展？
        近几年{t}有哪些变化？
        """),
}
ALWAYS = ["explain", "mistakes", "quiz", "sources", "essay", "example", "why", "history", "child", "news"]

HAND = """
my laptop won't turn on || the notebook stays black when I press the power button || computer is dead, no light at all, what now || how do I clean a laptop screen
how do I get rid of a stain on a white shirt || red wine on my blouse, help || remove spots from light coloured clothes || where can I buy a white shirt
I can't fall asleep at night || lying awake until three every night || what helps against insomnia || how do I wake up earlier
cheap flights to Rome in May || low cost air tickets to the Italian capital for spring || fly to Rome in May without spending much || best pizza in Rome
my function returns the wrong value || the method gives back an incorrect result || output of my routine is not what it should be || how do I write a function
how long do I boil an egg || egg timing: soft yolk, firm white || minutes for a breakfast egg || how many eggs can I eat per week
write a letter of resignation || I want to quit my job, put it into words for my boss || draft notice that I'm leaving the company || how do I ask for a raise
what's the weather like tomorrow || do I need an umbrella in the morning || forecast for the next day || what causes rain
translate good morning into Japanese || how do the Japanese greet each other before noon || Japanese for "good morning" || history of Japan
how do I lose weight || I'd like to get slimmer || tips for shedding ten kilos || which scales are the most exact
my tooth hurts || strong ache in a molar since yesterday || dental pain, what can I take || how often should I brush my teeth
convert celsius to fahrenheit || from centigrade to the American temperature scale || what is 20 degrees in F || why does water freeze at zero
what should I cook tonight || dinner ideas please || I'm hungry and have no plan for supper || when did people start to cook
the server does not answer || our website is down || requests time out since this morning || how do I choose a web host
summarise this article || what are the main points of the text || give me the gist of this piece || who wrote this article
learn guitar as an adult || I'm forty, can I still start to play the guitar || first steps on six strings for grown-ups || how are guitars made
how do I apologise to a friend || I hurt my best friend and want to make up || words to say sorry to a mate || how do I make new friends
is my landlord allowed to keep the deposit || the owner won't give back the money I paid at move-in || get my rental security payment returned || how do I find a flat
how much tax do I pay on a bonus || deductions from a one-off payment by my employer || what's left of my Christmas bonus after the state takes its share || when is tax day
what causes high blood pressure || reasons for hypertension || why is my pressure 160 over 95 || how is blood pressure measured
a poem about autumn || verses on falling leaves || write something lyrical for October || why do leaves change colour
teach my dog to sit || training a puppy to obey a basic command || how do I get my dog to stay on the ground when told || which breed is good for families
my password does not work || I can't log in any more || access denied though I type the right secret word || what makes a strong password
who won the match yesterday || result of last night's game || did our team win || when is the next match
how can I save money every month || spend less and put something aside || ways to keep more of my salary || what is the interest on savings
make this text more formal || rewrite it in a professional tone || turn this casual note into business language || how long should a formal letter be
plan a birthday party for a six year old || my kid turns six, games and cake and so on || organise a children's celebration || what do I give a six year old
how do vaccines work || what does a jab do in the body || how does immunisation train our defences || where do I get a flu shot
sort a list in Python || order the elements of an array with Python || put these items in ascending sequence, python || what is a python list
what is the speed of light || how fast do photons travel in vacuum || c in metres per second || who measured the speed of light first
how do I grow tomatoes on a balcony || planting tomatoes in pots || vegetables for a small terrace: tomatoes || are tomatoes fruits
cancel my subscription || stop the monthly payments, I don't want it any more || end my membership || what does the premium plan cost
explain the rules of chess || how do you play chess || what may each chess piece do || who is the best chess player
my baby has a fever || the infant is hot, 38.7 degrees || temperature in a six month old, should I worry || when do babies start to walk
find the area of a circle || how large is a round surface with radius r || formula for the surface inside a circle || how do I draw a circle
where is my package || parcel hasn't come yet || track an order || how do I send a package abroad
what to wear to a job interview || outfit for meeting a future employer || clothes that make a good first impression with HR || questions asked in interviews
fix a dripping tap || water keeps coming out of the faucet || leaking kitchen faucet repair || how much water do we use per day
is coffee bad for you || does caffeine harm the body || health effects of drinking espresso daily || how is coffee roasted
how do I speak in front of people without fear || stage fright before presentations || nervous when talking to an audience || how long should a talk be
generate a picture of a dragon || draw me a fire breathing beast || image: winged lizard spitting flames || do dragons appear in Chinese myths
get a visa for China || entry permit for a trip to Beijing || documents to be allowed into China as a tourist || best time to visit China
difference between a virus and a bacterium || how do bacteria differ from viruses || are germs and viruses the same || who discovered bacteria
my car makes a strange noise || rattling sound while driving || the vehicle squeaks when I brake || how often does a car need oil
how do I invest a small amount || what can I do with 500 euros on the stock market || begin with shares on a low budget || what is a stock exchange
name ideas for a cat || what should I call my kitten || we adopted a tomcat and need a name || how long do cats live
set up wifi at home || connect the router for the first time || wireless internet in my new flat || what does wifi stand for
write a product description for a backpack || sales text for a rucksack || advertise this hiking bag in a few lines || how do I wash a backpack
make friends in a new city || I moved and know nobody here || how to meet people after moving || cheapest cities to live in
how does a loan work || borrowing from a bank, explained || what does one pay back on credit || how do I open a bank account
calm down before an exam || test anxiety tips || I panic when the exam starts || how do I cheat sheet legally in an open book exam
delete duplicates in excel || remove rows that occur twice in a spreadsheet || keep unique entries only in my table || how do I print an excel sheet
what is the capital of Australia || Australia's seat of government || which city governs Australia || how large is Australia
my code is too slow || speed up this program || how can I make the script run faster || how do I time a function
a vegetarian dish for guests || I have friends over who don't eat meat || impress visitors without fish or beef || is tofu healthy
remind me to call mom at six || at 18:00 I must phone my mother || don't let me forget the call to mum this evening || what is mom's number
how to tie a tie || knot for a necktie, step by step || getting my cravat right for the wedding || where do ties come from
the meaning of life || why are we here || what is the purpose of existence || what is philosophy
how can I tell whether gold is real || test for fake gold jewellery || is my ring genuine || what is the price of gold
why is the sky blue || what gives the heavens their colour by day || reason that the air looks azure || why are sunsets red
our deployment failed last night || the release didn't go through || rollout broke at midnight || what is continuous deployment
explain this error message || what does the compiler want to tell me || meaning of this exception || how do I log errors
best laptop for students || which notebook for university || a computer for studying under 700 || how do I reset a laptop
teach me some French || I'd like to learn French || first words for a trip to Paris || is French harder than Spanish
my back aches after sitting all day || sore spine from office work || lumbar pain due to desk job || how tall should a desk be
refund for a cancelled flight || the airline dropped my flight, I want my money || compensation when a plane doesn't leave || how early must I be at the airport
a bedtime story about a bear || tell my kids a tale with a bear before they sleep || goodnight story, main character: a bear || how long do bears hibernate
what did Einstein discover || Einstein's main contributions || which theories are Albert Einstein's || where was Einstein born
who pays when a guest breaks something || a visitor damaged my vase, liability? || is my friend obliged to replace what he knocked over || how do I repair a vase
how do I make a budget || plan my income and expenses || keep track of what I earn and spend || what is the average income
improve my running time || get faster over 5 km || be quicker when jogging || which shoes are good for running
how to stop smoking || quit cigarettes for good || I want to give up tobacco || how much does a pack of cigarettes cost
how do I register a company || found a business: which forms || start my own firm officially || what is a good company name
the printer is not found || computer can't see the printing device || windows doesn't list my laser printer || which printer paper is best
我的电脑开不了机 || 按了电源键没有任何反应 || 笔记本死机黑屏怎么办 || 怎么清洁电脑屏幕
晚上睡不着怎么办 || 失眠有什么好办法 || 躺在床上翻来覆去到凌晨 || 怎么早起
帮我写一封辞职信 || 我想离职，怎么跟公司书面说明 || 起草一份不干了的申请 || 怎么要求加薪
今晚吃什么 || 晚饭有什么推荐 || 肚子饿了不知道做什么菜 || 人类什么时候开始用火
快递怎么还没到 || 查一下我的包裹在哪 || 买的东西一直没收到 || 怎么寄国际快递
怎么学好英语 || 提高英语水平的方法 || 想把英文练好该从哪里开始 || 英语起源于哪里
孩子发烧了怎么办 || 宝宝体温三十九度 || 小孩身体很烫需要去医院吗 || 宝宝什么时候会走路
代码运行太慢 || 程序性能怎么优化 || 脚本跑一次要半小时，能快点吗 || 怎么给函数计时
怎么减肥 || 想瘦十斤 || 有什么办法让体重降下来 || 体重秤哪个牌子准
房东不退押金 || 租房时交的保证金要不回来 || 退租后房主扣着钱不给 || 怎么找房子
把这段话翻译成英文 || 用英语怎么说下面的内容 || 请译为英语 || 英语有多少个单词
推荐一部电影 || 有什么好看的片子 || 周末想看个影片，给点建议 || 电影票多少钱
画一只猫 || 生成一张小猫的图片 || 帮我做一幅猫咪插画 || 猫能活多久
怎么跟老板请假 || 想向领导申请休息一天 || 请假的理由怎么说 || 今年放假安排
"""

CROSS = """
my laptop won't turn on || 我的电脑开不了机
I can't fall asleep at night || 晚上睡不着怎么办
write a letter of resignation || 帮我写一封辞职信
what should I cook tonight || 今晚吃什么
where is my package || 我的快递到哪了
how do I lose weight || 怎么减肥
recommend a movie || 推荐一部电影
translate this into English || 把这段话翻译成英文
my child has a fever || 孩子发烧了怎么办
my code is too slow || 代码运行太慢了，怎么优化
draw a cat || 画一只猫
how do I ask my boss for a day off || 怎么跟老板请假
what is the weather tomorrow || 明天天气怎么样
summarise this article || 总结一下这篇文章
how do I cancel my order || 怎么取消订单
where can I park here || 附近哪里可以停车
what is the capital of Australia || 澳大利亚的首都是哪里
write a poem about the moon || 写一首关于月亮的诗
how do I learn Python || 怎么学习Python
what are the symptoms of diabetes || 糖尿病有什么症状
find the derivative of x squared || 求x平方的导数
is this contract valid || 这份合同有效吗
plan a trip to Yunnan || 帮我规划云南旅行
I want a refund || 我要退款
fix the bug in this function || 修复这个函数里的错误
how much tax do I pay || 我要交多少税
¿cómo puedo adelgazar? || how do I lose weight
mi portátil no enciende || my laptop won't turn on
escribe un poema sobre la luna || write a poem about the moon
¿qué tiempo hará mañana? || what is the weather tomorrow
quiero cancelar mi pedido || how do I cancel my order
no puedo dormir por la noche || I can't fall asleep at night
mein Laptop geht nicht an || my laptop won't turn on
was soll ich heute kochen? || what should I cook tonight
schreib ein Gedicht über den Mond || write a poem about the moon
wie wird das Wetter morgen? || what is the weather tomorrow
ich möchte mein Geld zurück || I want a refund
wie kann ich abnehmen? || how do I lose weight
mon ordinateur ne s'allume plus || my laptop won't turn on
je n'arrive pas à dormir || I can't fall asleep at night
écris un poème sur la lune || write a poem about the moon
quel temps fera-t-il demain ? || what is the weather tomorrow
je veux être remboursé || I want a refund
comment maigrir ? || how do I lose weight
パソコンの電源が入らない || my laptop won't turn on
明日の天気は？ || what is the weather tomorrow
月についての詩を書いて || write a poem about the moon
返金してほしい || I want a refund
夜眠れません || I can't fall asleep at night
どうすれば痩せられますか || how do I lose weight
"""

rows = Rows("triples")


def pair(gid, a, b, relation, lang):
    if a.lower() != b.lower():
        rows.row(None, lang, gid, a=a, b=b, score=SCORE[relation], relation=relation)


def ask(kind, lang, term, rng, but=None):
    """One way to ask it, another one than the template `but`."""
    block = lines(ASK[kind][1 if lang == "zh" else 0])
    template = rng.choice([t for t in block if t != but])
    text = tidy(draw(template.replace("{t}", "\0"), {}, rng).replace("\0", term), lang)
    return casual(text, lang, rng, 0.8), template


for domain in DOMAINS:
    for n, (term, term_zh) in enumerate(zip(EN[domain], ZH[domain])):
        for turn in range(2):
            gid = digest(f"{domain}/{term}")[:10]
            rng = seeded("triples", domain, term, str(turn))
            lang = "zh" if (n + turn) % 5 == 0 else "en"
            table = ZH if lang == "zh" else EN
            mine = term_zh if lang == "zh" else term
            kind, other = rng.sample(ALWAYS, 2)
            if {kind, other} == {"explain", "child"}:
                other = "quiz"
            near = rng.choice([t for t in table[domain] if t != mine])
            far_domain = rng.choice([d for d in DOMAINS if d != domain])
            far = rng.choice(table[far_domain])
            a, template = ask(kind, lang, mine, rng)
            pair(gid, a, ask(kind, lang, mine, rng, template)[0], "paraphrase", lang)
            pair(gid, a, ask(other, lang, mine, rng)[0], "related", lang)
            pair(gid, a, ask(kind, lang, near, rng)[0], "near", lang)
            pair(gid, a, casual(tidy(draw(template.replace("{t}", "\0"), {}, rng).replace("\0", far), lang), lang, rng, 0.8), "frame", lang)
            pair(gid, a, ask(other, lang, far, rng)[0], "unrelated", lang)
            if turn == 0 and n % 2 == 0:
                pair(gid, ask(kind, "en", term, rng)[0], ask(kind, "zh", term_zh, rng)[0], "paraphrase", "zh")

groups = [[x.strip() for x in line.split("||")] for line in lines(HAND)]
for n, group in enumerate(groups):
    gid = digest(group[0])[:10]
    rng = seeded("triples", "hand", group[0])
    lang = "zh" if group[0][0] > "\u4e00" else "en"
    same, related = group[:3], group[3]
    for i in range(3):
        for j in range(i + 1, 3):
            pair(gid, casual(same[i], lang, rng, 0.6), casual(same[j], lang, rng, 0.6), "paraphrase", lang)
    for text in same:
        pair(gid, text, related, "related", lang)
    for other in rng.sample([g for g in groups if g is not group and (g[0][0] > "\u4e00") == (lang == "zh")], 4):
        pair(gid, rng.choice(same), rng.choice(other), "unrelated", lang)
crossed = [[x.strip() for x in line.split("||")] for line in lines(CROSS)]
for a, b in crossed:
    rng = seeded("triples", "cross", a, b)
    pair(digest(b)[:10], a, b, "paraphrase", "mul")
    for other in rng.sample([y for _, y in crossed if y != b and not {b, y} <= {"我的快递到哪了", "怎么取消订单", "我要退款"}], 2):
        pair(digest(b)[:10], a, other, "unrelated", "mul")

if __name__ == "__main__":
    rows.main()
