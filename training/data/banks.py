#!/usr/bin/env python3
"""An evaluation set for ranking: eighteen intents with the sentences that a router would be given for them, and questions that users would ask.

Never trained on: check.py looks whether a sentence of it stands in another set. Usage: banks.py BANKS.jsonl QUERIES.jsonl
"""

import json
import sys

from grammar import lines

BANKS = {}

BANKS["code_debugging"] = ("""
Find the bug in this function
My program crashes with a stack trace, help me fix it
Why does this code raise an exception?
Debug a failing unit test
The loop never ends, what is wrong with my code?
Explain this compiler error and how to solve it
""", """
my python script dies with KeyError: 'user_id' halfway through the loop
Why am I getting a NullPointerException when I call getName() here?
segfault in strcpy after I upgraded gcc, what should I look at first
The button handler fires twice in my React component and I can't see why.
TypeError: cannot read properties of undefined (reading 'map')
I have a Go service. Since yesterday two goroutines wait for each other and the process hangs. Here is the relevant part, can you spot the mistake?
it works on my machine but fails in docker with exit code 139
My recursive function returns None instead of the sum, where did I go wrong?
rust says "borrowed value does not live long enough", how do I make it compile
The test expects [1,2,3] but receives [1,2,3,null]. Which line is at fault?
这段代码一运行就报数组越界，帮我看看哪里错了
程序卡死在while循环里出不来，怎么排查
off by one somewhere in my binary search, pls find it
""")
BANKS["sql_help"] = ("""
Write a SQL query for these tables
Join two tables and group the result
How do I select the latest row per customer?
Optimise a slow database query
Explain this SELECT statement with a window function
""", """
I need the top five products by revenue per month from orders and order_items
postgres: get rows from a that have no match in b
how to pivot rows into columns in mysql
Which index would make this query on created_at and status faster?
Count distinct users per week, with zero for weeks without any.
difference between having and where
Can you rewrite this subquery as a CTE?
update one table from another table where ids match
running total over partition by account ordered by date
my select with three left joins returns duplicate rows
查询每个部门工资最高的员工，SQL怎么写
delete duplicates but keep the row with the smallest id
写一条语句统计每天的订单数量，按地区分组
""")
BANKS["contract_law"] = ("""
Review this contract clause for risks
What happens if one party breaches the agreement?
Is this non-compete enforceable?
Explain the termination clause of my lease
Draft a confidentiality agreement
Can I withdraw from a signed contract?
""", """
The supplier delivered three weeks late. Does the agreement let us claim damages?
what does "indemnify and hold harmless" mean in the NDA I got
can my landlord raise the rent in the middle of a fixed term lease
Please check whether the liability cap in section 9 is one-sided.
I signed a gym membership for two years, is there any way to get out early?
We want a clause that protects our source code when we work with freelancers.
is a verbal agreement binding if there were witnesses
What remedies do I have if the buyer refuses to pay the second instalment?
our partner invoked force majeure because of a strike, is that allowed
对方违约了，我可以要求解除合同并赔偿吗？
帮我看看这份租赁合同里的押金条款有没有问题
governing law clause: Delaware or England for a software licence?
The contract renews automatically; how much notice must I give?
""")
BANKS["tax"] = ("""
How do I file my tax return?
Which expenses can I deduct?
VAT for a small business
Income tax on freelance earnings
When do I have to pay capital gains tax?
""", """
i work from home three days a week, can i write off my desk and part of the rent
Sold my apartment after four years with a profit, what do I owe the revenue office?
do i have to declare the 300 euros i made on etsy
What's the deadline for submitting last year's return if I use an advisor?
difference between a tax credit and a deduction
As a sole trader, must I charge VAT to a client in another EU country?
How are stock options taxed when I exercise them?
I moved to Portugal in June. Where am I resident for that year and how do I avoid being taxed twice on the same salary?
my employer withheld too much, how do i get a refund
can i deduct the laptop in one year or must i depreciate it
个人所得税专项附加扣除怎么填
年终奖应该单独计税还是并入综合所得
1099 vs W-2, which forms do I need
""")
BANKS["medical_symptoms"] = ("""
I have a headache and fever, what could it be?
Should I see a doctor about this pain?
What are the symptoms of an infection?
My child has a rash, is it dangerous?
Side effects of a medication
""", """
woke up dizzy and my left ear is ringing since tuesday
Sharp pain under the right ribs after eating fatty food, any idea what causes it?
my toddler has red spots on his belly and 38.9
is it normal that the wound is still swollen a week after the stitches came out
chest feels tight when i climb stairs, im 52
I started metoprolol ten days ago and now I'm tired all the time. Could the pills be the reason?
numb fingers every morning
how do i know if it's a cold or the flu
Stool has been black for two days, do I need the emergency room?
my knee clicks and hurts when i squat
嗓子疼，还有点低烧，要不要去医院？
最近总是失眠心慌，是什么原因引起的
my grandmother suddenly speaks slurred and one corner of her mouth hangs down
""")
BANKS["lab_science"] = ("""
Design an experiment with a control group
Balance this chemical equation
Protocol for a PCR or a gel
How do I measure the concentration of a solution?
Interpret these laboratory results
""", """
How much NaCl do I weigh in for 250 ml of a 0.5 molar solution?
my western blot shows two bands where I expect one
Which indicator suits the titration of acetic acid with sodium hydroxide?
The bacteria don't grow on the plate after transformation, what could have gone wrong?
calibration curve for a spectrophotometer, how many standards do i need
Suggest a way to test whether light colour affects the growth of cress, with all variables under control.
annealing temperature for primers with tm of 58 and 61
what is the yield if 4 g of magnesium burn completely
How do I store competent cells?
balance: C3H8 + O2 -> CO2 + H2O
配制100毫升1摩尔每升的盐酸需要多少浓盐酸？
电泳跑出来的条带很模糊，应该怎么改进实验？
centrifuge speed: convert 4000 rpm to g for a rotor with 9 cm radius
""")
BANKS["travel_planning"] = ("""
Plan a five day trip
What should I see in this city?
Find a good area to stay
Which train or flight should I take?
Do I need a visa for my holiday?
Packing list for a beach vacation
""", """
we land in Osaka on friday evening and have until wednesday, two kids, love food
Is three days enough for Iceland's south coast?
cheapest way from Vienna to Venice overnight
I'd like an itinerary for Andalusia in October without a car, not too many museums.
where to stay in mexico city if its my first time
Is it safe to drink the tap water in Bali, and which vaccinations do people get before they go?
best month for the northern lights
what to pack for ten days of hiking hut to hut
Can I enter Turkey with an ID card only?
romantic weekend within two hours of Lyon
国庆想去云南玩七天，怎么安排路线比较好
去日本旅游需要提前多久办签证
layover of 9 hours in Doha, worth leaving the airport?
""")
BANKS["cooking"] = ("""
Give me a recipe for dinner
What can I cook with these ingredients?
How long do I bake a cake?
Substitute for eggs in baking
How do I make a sauce thicker?
""", """
got half a cabbage, eggs and some bacon, ideas?
My risotto always turns into porridge. What am I doing wrong?
how long to roast a 2 kg chicken and at what heat
vegan lasagna that my meat loving dad would eat
can i freeze cooked rice
What could I use instead of buttermilk in pancakes?
internal temperature for medium rare lamb
I need a dessert for eight people that can be made the day before, without nuts and gelatine.
why did my bread not rise
simple marinade for tofu
红烧肉怎么做才不腻？
冰箱里只剩土豆和鸡蛋，能做什么菜
too much salt in the soup, can it be saved
""")
BANKS["customer_complaint"] = ("""
I want a refund for a defective product
My order has not arrived
The support agent was rude to me
Cancel my subscription, I was charged twice
I want to complain about the bad service
""", """
Third time this month that your courier leaves the parcel in the rain!
you took 49.99 from my card again although i quit in march
The zip broke on day two. I demand my money back.
been on hold for an hour and then your colleague hung up on me
The sofa was delivered in the wrong colour and nobody answers my mails.
I am very disappointed. The room smelled of smoke, the shower was cold and reception told me to live with it.
where is my package, tracking hasn't moved for nine days
this is unacceptable, let me speak to a manager
the app keeps logging me out and i pay for premium
My invoice shows a fee that I never agreed to.
东西收到就是坏的，我要退货退款！
你们的客服态度太差了，我要投诉
wrong size again, and now you want me to pay return shipping??
""")
BANKS["creative_writing"] = ("""
Write a short story
Compose a poem about the sea
Help me invent a character for my novel
Continue this scene
Write song lyrics about lost love
""", """
a bedtime tale about a snail who wants to win a race
I need an opening line for a crime novel that takes place in a ski lift.
four stanzas on autumn, rhymed, melancholic
my villain feels flat, give her a past that explains her anger
haiku about monday
Describe an abandoned railway station at dusk from the point of view of a dog.
dialogue between two astronauts who stopped trusting each other
chorus for a country song about a broken tractor
Write the last paragraph of a letter that a soldier never sent.
limerick with a mathematician in it
写一首关于故乡月亮的现代诗
帮我编一个关于时间旅行的微小说，结局要反转
plot twist for a love story in a bakery
""")
BANKS["translation"] = ("""
Translate this text into French
How do you say this in Spanish?
Translate from Chinese to English
What does this German sentence mean?
""", """
please put the following paragraph into Italian: We look forward to your visit.
what's "I miss you" in Korean
Ins Deutsche bitte: The early bird catches the worm.
English version of "il pleut des cordes"?
把这句话翻成英文：我们下周再讨论这个问题
请翻译成日语：会议推迟到星期五
my japanese pen friend wrote よろしくお願いします, what is she saying
I have a birth certificate in Polish. Can you give me an English rendering that keeps the layout?
how would a native speaker of portuguese say "take it easy"
latin for "always faithful"
Render this Arabic proverb in idiomatic English
subtitle this line in dutch: "See you on the other side."
What's the French word for screwdriver?
""")
BANKS["data_analysis"] = ("""
Analyse this spreadsheet and find trends
Which statistical test should I use?
Make a chart from these numbers
Find outliers in my data
Interpret the results of a regression
""", """
sales per region for 24 months in a csv, what stands out
Is the difference between group A (n=43) and group B (n=39) significant?
my r squared is 0.91 but the residuals fan out
How should I treat missing ages in a survey before I compare the means?
seasonality in daily visitor counts, how do I show that
Which plot would make the relation between price and rating clear to my boss?
clean up this dataframe, dates come in three formats
correlation vs causation in my newsletter a/b test
Compute the churn rate by cohort from the table below and tell me which month is odd.
median or mean for house prices
用这份问卷数据做个相关性分析，告诉我结论
这组数据应该用t检验还是方差分析？
forecast next quarter from these twelve values: 120, 131, 127, ...
""")
BANKS["image_prompt"] = ("""
Generate an image of a landscape
Draw a picture of a cat
Create a logo for my company
Make a photorealistic portrait
Design a poster with a vintage look
""", """
a fox in a raincoat under neon lights, cinematic, 35mm
paint me a quiet harbour at dawn in the style of watercolour
I need an icon for a hiking app, flat, two colours
pixel art of a tiny spaceship
show me what a treehouse library could look like
Picture of my dream kitchen: green cabinets, brass handles, morning sun.
birthday card illustration with dinosaurs holding balloons
render an isometric coffee shop
album cover, foggy forest, one red door
cartoon version of an angry toaster
画一只在月球上喝茶的熊猫
生成一张赛博朋克风格的城市夜景
A t-shirt motif with a skeleton that rides a bicycle, please.
""")
BANKS["hr_policy"] = ("""
How many vacation days do I have?
What is the parental leave policy?
How do I request sick leave?
Rules for working from home at our company
Who approves overtime and expenses?
""", """
can i carry over unused days off into next year
My baby is due in May. What do I have to hand in and how long am I protected?
do we get paid for the public holiday if it's a saturday
Am I allowed to work from Spain for two weeks in the summer?
doctor's note: from which day on do i need one
What is the notice period during probation here?
how do i claim the train ticket for the conference
Is there a budget for training and who has to sign it off?
dress code for client visits
my manager wants me to take my overtime as time off, is that our rule
公司年假怎么计算，入职半年能休几天？
员工离职需要提前多久提出申请
where do I report harassment anonymously in the company
""")
BANKS["devops_incident"] = ("""
The production server is down
Our deployment failed, how do we roll back?
CPU is at one hundred percent on the database host
Alerts are firing in the cluster
Pods are restarting in a crash loop
""", """
502 from nginx since the release at 14:10, users can't log in
disk full on /var, what can i delete safely
latency p99 jumped from 80 ms to 4 s and nobody changed anything
CrashLoopBackOff on payments-api, OOMKilled
The certificate expired an hour ago and the site shows a warning. Quickest way to get back online?
replica lag keeps growing after failover
how do i revert to the previous helm release
kafka consumers stopped, offset isn't moving
Half of the nodes went NotReady after the kernel patch. Give me a checklist for the on-call engineer.
dns resolves to the old load balancer
线上服务全部超时，怎么快速定位问题？
磁盘写满导致数据库挂了，紧急怎么处理
write a status page update for an outage in region eu-west
""")
BANKS["math_homework"] = ("""
Solve this equation step by step
Find the derivative of a function
What is the area of a triangle?
Help me with a probability problem
Prove this identity
""", """
2x + 7 = 31, what is x
integrate x times e to the x
A bag holds 5 red and 3 blue balls. I draw two without putting them back. How likely are two reds?
factor x^2 - 5x - 24
sum of the first 100 odd numbers
Show that the square root of 2 is irrational.
the perimeter of a rectangle is 36 and one side is twice the other
log base 2 of 32 plus log base 3 of 81
A train leaves at 8:00 with 90 km/h, another at 8:40 with 120 km/h. When does the second one catch up?
how many ways can 6 people sit around a round table
求函数y=x^3-3x的极值
一个圆的周长是31.4厘米，面积是多少？
simplify (3a^2b)(4ab^3)/6ab
""")
BANKS["philosophy_discussion"] = ("""
What is the meaning of life?
Discuss free will and determinism
Is it ever right to lie?
Explain Kant's view of duty
Does morality depend on culture?
""", """
if every part of a ship is replaced, is it still the same ship
Would a perfect simulation of me be me?
Do we have obligations towards people who are not born yet?
how can anything be beautiful in itself
Sartre says we are condemned to be free. I don't feel free at all when my alarm rings. Where's the flaw?
is happiness the same as pleasure
would you pull the lever in the trolley case, and why
can there be knowledge without certainty
Plato versus Aristotle on what makes a good state
what's left of the self if memory is gone
人有没有自由意志？
庄子梦蝶想说明什么道理
Is nothing something?
""")
BANKS["small_talk"] = ("""
Hi, how are you?
Tell me a joke
What's your favourite colour?
Good morning!
I'm bored, let's chat
""", """
hey there
whats up
had a long day, just want to talk a bit
Do you like music?
knock knock
good night, sleep well
lol that was fun. so what do you do when nobody writes to you
it's raining again here, I hate mondays
Guess what I did this weekend!
are you a robot
在吗？陪我聊聊天
早上好呀，今天过得怎么样
you seem nice
""")


def main():
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} BANKS.jsonl QUERIES.jsonl")
    with open(sys.argv[1], "w", encoding="utf-8") as banks, open(sys.argv[2], "w", encoding="utf-8") as queries:
        for name, (candidates, asked) in BANKS.items():
            for out, block in ((banks, candidates), (queries, asked)):
                for text in lines(block):
                    lang = "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) and text[0] > "z" else "en"
                    out.write(json.dumps({"text": text, "label": name, "lang": lang, "gid": name, "src": "own/banks", "synthetic": True, "split": "test"}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
