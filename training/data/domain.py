#!/usr/bin/env python3
"""Requests as people write them to an assistant, by subject: the fourteen labels of the domain model. Help with programs is computer science; everyday
matters, travel, cooking, shopping, chat and creative writing are other.
"""

import documents
import intents
import topics
from grammar import Rows, casual, digest, lines, seeded

FRAMES = """
(explain|describe|summarise) {t}(.| in simple terms| for beginners| in two paragraphs| with an example|, please)
(what is|what are|what's) {t}(?| and why does it matter?)
(how does|how do|how would you explain) {t} (work|to a friend|to a student)?
(help me understand|I don't get|I'm confused about) {t}(.|, can you walk me through it?|)
(give me|I need|write) (a summary|an overview|study notes|a cheat sheet|five quiz questions) (of|on|about) {t}(.|)
(compare|what is the difference between) {t} and {t}(.|?|)
(what are|list) (common mistakes|key facts|open questions|typical problems|real examples) (with|about|in) {t}(.|?|)
(write|draft) (an essay|a report|a blog post|a short article|an exam question) (on|about) {t}(.|)
(I have|there's) (an exam|a seminar|a presentation|homework) (on|about) {t} (tomorrow|next week), (what should I know|quiz me|can you help|where do I start)?
(why is|why are) {t} (important|so difficult|controversial|useful)?
{t}(?| explained| pls| for dummies| tutorial| - overview)
(recommend|any good) (books|videos|papers|courses) (about|on) {t}(?|.|)
(is|are) {t} (still|really) (relevant today|used in practice|worth learning)?
(how is|how are) {t} related to {t}?
my (teacher|professor|boss|book) says something about {t} that I don't understand(.|, can you clarify?|)
"""
FRAMES_ZH = """
(解释|介绍|讲讲|总结)一下{t}(。|，举个例子|，通俗一点|)
{t}(是什么|是什么意思|怎么理解|为什么重要|有什么用)？
{t}和{t}有什么(区别|联系)？
(写一篇|给我一份)关于{t}的(文章|报告|笔记|提纲|练习题)
(明天|下周)要考{t}，(帮我复习|应该掌握什么|出几道题)
我(不太懂|搞不清){t}，(能讲讲吗|帮我分析一下)
(推荐|有没有)学习{t}的(书|资料|课程)
"""

OWN = {}
OWN["biology"] = ("""
why do (leaves|plants|trees) (turn yellow in autumn|need magnesium|bend towards light)
how do (bees|ants|bats|whales|salmon) (find their way|communicate|sleep|breathe|know when to migrate)
my (yeast|bacteria|fruit fly) culture (doesn't grow|smells odd|has two phenotypes), what genetic explanation is there
which organelle (makes atp|digests waste|stores water)
cross a (tall pea|white mouse|red flower) with a heterozygous one, what ratio do the offspring have
how do I (stain|extract dna from|identify) (onion cells|a strawberry|this mushroom)
what eats (jellyfish|mosquito larvae|eagles) in the food chain
is a (virus|sponge|lichen) alive and why
difference between (plant and animal cells|reptiles and amphibians|dna and rna)
how did (flight|eyes|multicellular life) evolve
""", """
(植物|树叶|向日葵)为什么(秋天变黄|需要光|朝着太阳)
(蜜蜂|蚂蚁|候鸟)是怎么(认路|交流|迁徙)的
高茎豌豆和矮茎豌豆杂交，后代比例是多少
病毒算不算生命
显微镜下怎么区分动物细胞和植物细胞
""")
OWN["business"] = ("""
(write|improve|review) (a business plan|a pitch|our mission statement|a sales mail) for (a coffee truck|a saas startup|a cleaning company)
how should a (bakery|freelance designer|small agency) (price its products|find clients|handle late payers)
our sales (dropped|doubled) after (the price change|the relaunch), what should management do
which kpis matter for (a shop|customer support|a hotel)
draft a (memo|strategy|agenda) for (the board|our quarterly review|the sales team)
how do I motivate a team that (works remotely|lost a big client)
profit margin is (8|35) percent, is that good for (a restaurant|software)
should we (franchise|outsource support|open a second shop|go international)
prepare a swot for (an electric scooter rental|a local gym|our hr startup)
negotiate with a supplier who raised prices by (5|12) percent
what does a (product manager|cfo|controller) do all day
make a marketing plan with a budget of (500|20,000) euros
""", """
帮我写一份(奶茶店|健身房|软件公司)的商业计划
(客户|供应商)拖欠款项公司应该怎么处理
怎么提高(店铺|网店)的销量
季度销售额下滑了，管理层该怎么办
(产品经理|财务总监)的职责是什么
做一份新品的营销方案
""")
OWN["chemistry"] = ("""
balance (Fe + O2 -> Fe2O3|C2H6 + O2 -> CO2 + H2O|Al + HCl -> AlCl3 + H2)
what happens when (sodium|vinegar|copper) meets (water|baking soda|nitric acid)
how many moles are in (36 g of water|10 g of NaOH|5 litres of gas at stp)
ph of a (0.01|0.2) molar (hydrochloric|acetic) acid
name this compound: (CH3-CH2-OH|C6H5-COOH|CuSO4)
why does (salt melt ice|iron rust|soap remove grease|copper turn green)
is (table salt|diamond|methane) (ionic|polar|covalent)
how do I prepare a (2 molar|10 percent) solution of (sulfuric acid|glucose)
oxidation number of (manganese in KMnO4|sulfur in H2SO4)
draw the lewis structure of (co2|ammonia|nitrate)
which gas forms when (zinc|chalk) is put into acid
which reagent turns an (alcohol into an aldehyde|alkene into an alkane)
""", """
配平(铁和氧气|乙烷燃烧|铝和盐酸)的化学方程式
(钠|铜|醋)和(水|硝酸|小苏打)反应会生成什么
36克水是多少摩尔
0.01摩尔每升盐酸的pH是多少
铁为什么会生锈
高锰酸钾里锰的化合价是多少
""")
OWN["computer science"] = ("""
why do I get (a null pointer exception|segmentation fault|cors error|keyerror) in my (java|c|express|python) code
write a (function|script|program) that (finds duplicates in a list|renames all files in a folder|checks a password|parses a log)
how do I (deploy|dockerise|test|debug) (a flask app|my react project|a lambda|a go service)
(undo the last commit|merge two branches|resolve a conflict) in git
what is the complexity of (this loop|quicksort|two nested loops over n)
select the (newest row per user|top ten customers) in sql
my website (is slow|doesn't load the css|shows 502), how do I find the cause
(set up|configure) (nginx|a vpn|ssh keys|a cron job) on (ubuntu|debian|my server)
is (python|rust|java) better for (web servers|games|beginners)
regex for (an email|a date|numbers with a comma)
convert this (for loop|callback|class) to (a list comprehension|async await|functions)
how does (a cpu cache|https|a compiler|git) work inside
train a model that (detects spam|recognises digits) with (pytorch|scikit-learn)
kubectl says (imagepullbackoff|pending), what now
design the database schema of (a library|a chat app|an online shop)
android studio (gradle sync fails|emulator won't start)
""", """
(Python|Java|C语言)代码报(空指针|下标越界|段错误)怎么办
写一个(函数|脚本)，(找出列表里的重复元素|批量重命名文件|解析日志)
git怎么(撤销提交|合并分支|解决冲突)
SQL怎么查(每个用户最新的一条记录|前十名客户)
服务器上怎么配置(nginx|定时任务|SSH密钥)
这个循环的时间复杂度是多少
网站打开很慢怎么排查
用PyTorch训练一个识别垃圾邮件的模型
""")
OWN["economics"] = ("""
what happens to (prices|employment|the currency) when (the central bank raises rates|the state spends more|oil gets scarce)
why is (rent so high|the yen weak|youth unemployment high in spain)
if demand is q = 100 - 2p and supply q = 3p, what is the equilibrium
who (wins|loses) from (a tariff on steel|rent control|a minimum wage)
is (printing money|a trade deficit|national debt) bad for a country
how do economists measure (poverty|growth|happiness|inflation)
effect of (immigration|robots|ageing) on wages
did (austerity|the new deal|opening to trade) help
compare the economies of (germany and japan|vietnam and thailand)
draw the supply and demand diagram for (a tax|a drought|a subsidy)
marginal cost equals price, why in perfect competition
elasticity when price goes from (4 to 5|10 to 8) and sales from (100 to 80|50 to 70)
""", """
央行(加息|降准|印钞)会怎样影响(物价|就业|汇率)
为什么(房租这么高|日元贬值|青年失业率高)
需求函数Q=100-2P，供给Q=3P，求均衡价格
(关税|最低工资|补贴)对谁有利
贸易逆差是坏事吗
怎么衡量一个国家的贫富差距
""")
OWN["engineering"] = ("""
how thick must a (steel|wooden) beam be to span (4|6) metres with (2|5) kn per metre
which (motor|pump|bearing) do I need for (a conveyor|20 litres a minute|a shaft at 3000 rpm)
my (arduino|plc|drive) (resets|overheats|oscillates) when the motor starts
calculate the (voltage drop|current|power loss) over (30|100) metres of 2.5 mm2 cable
how do (jet engines|suspension bridges|elevators|nuclear plants) work
choose a material for (a bike frame|a boiler|an outdoor housing)
tune a pid for (an oven|a drone|a water tank)
what causes (cavitation in pumps|fatigue cracks|resonance in a bridge)
design a (buck converter|drainage system|gearbox|water tower) for (24 volts|a small village|a wind mill)
read this (datasheet|p&id|technical drawing) with me
reinforcement for a (concrete slab|retaining wall) of (20|30) cm
efficiency of a (heat pump|gas turbine|transformer) at half load
""", """
跨度(四米|六米)的钢梁需要多大截面
(电机|水泵|轴承)怎么选型
单片机一启动电机就复位是什么原因
计算一百米电缆的电压降
(喷气发动机|悬索桥|电梯)的工作原理
烤箱温度控制的PID参数怎么整定
混凝土板的配筋怎么算
""")
OWN["health"] = ("""
I've had (a cough|stomach pain|a stiff neck|dizziness) for (three days|two weeks), should I see a doctor
my (baby|mother|husband) has (a fever of 39|swollen feet|a rash on the arms)
can I take (ibuprofen|antibiotics|melatonin) (while pregnant|with alcohol|every day)
what helps against (heartburn|insomnia|period pain|a hangover|a sore throat)
how many (calories|steps|hours of sleep) do (adults|teenagers) need
side effects of (statins|the pill|cortisone)
is (coffee|red meat|fasting|running) healthy for (people with diabetes|the heart|my knees)
first aid for (a burn|choking|a deep cut|heat stroke)
normal range of (blood sugar|blood pressure|ferritin)
recover from (knee surgery|the flu|a broken wrist)
what does (a high crp|an mri of the spine|a low heart rate) mean
which vaccine do I need before (school|a trip to kenya|turning sixty)
""", """
(咳嗽|胃疼|头晕|脖子僵)已经(三天|两周)了，要去医院吗
(孩子|妈妈)(发烧39度|脚肿|身上起疹子)怎么办
(布洛芬|抗生素|褪黑素)可以(长期吃|和酒一起吃|孕期吃)吗
(失眠|痛经|喉咙痛|烧心)有什么缓解办法
血压(150|90)正常吗
(烫伤|噎住|中暑)怎么急救
膝盖手术后怎么康复
""")
OWN["history"] = ("""
who was (the last tsar|the first emperor of china|lincoln's successor) and what happened to him
why did (rome fall|the weimar republic fail|japan close itself off)
what was life like (in a medieval village|on a slave ship|in the trenches|at versailles)
timeline of (the roman republic|the space age|indian independence)
how did (gunpowder|the plague|the railway) change (europe|society|war)
which (treaty|battle|speech) ended (the war of 1812|napoleon's rule)
causes and effects of (the opium war|the stamp act|the peasants' revolt)
was (cromwell|bismarck|mao) a hero or a villain, what do historians say
primary sources on (the gold rush|the black death|women in sparta)
what did people (eat|wear|believe) in (the middle ages|ancient egypt|the 1920s)
how long did the (ming|ottoman|habsburg) dynasty rule
what if the (armada had landed|allies had lost at normandy), how do historians judge it
""", """
(秦始皇|末代沙皇|武则天)是怎么(上台|下台|去世)的
为什么(罗马帝国会灭亡|清朝会闭关锁国|魏玛共和国会失败)
(中世纪农民|唐代人)的日常生活是什么样的
列出(抗日战争|罗马共和国)的时间线
(火药|铁路|黑死病)怎样改变了欧洲
古埃及人吃什么穿什么
""")
OWN["law"] = ("""
can my (landlord|employer|neighbour) (evict me|read my mails|build a fence on my land)
I was (fired|arrested|sued|bitten by a dog), what are my rights
do I have to (pay the fine|testify|sign this waiver|give my name to the police)
draft (a nda|a will|a cease and desist|a rental contract) for (two parties|a small flat|a widow)
is it legal to (record a phone call|download films|sell homemade jam|work two jobs)
what is the penalty for (shoplifting|perjury|driving without insurance|insider trading)
my contract says (at will|non compete for two years|no liability), is that valid
the shop refuses (a refund|to repair the tv), which law helps me
who gets (the house|custody|the debts) after (a divorce|my father's death)
difference between (a misdemeanor and a felony|copyright and patent|civil and criminal law)
how do I (appeal a judgment|register a trademark|file a small claim|apply for asylum)
analyse the elements of (negligence|fraud|contract formation) in this case
""", """
(房东|公司|邻居)可以(赶我走|看我的邮件|随意涨租)吗
我被(辞退|起诉|狗咬)了，有什么权利
起草一份(保密协议|遗嘱|租房合同)
(偷税|醉驾|作伪证)会判多久
(录音|下载电影|打两份工)违法吗
离婚后(房子|孩子|债务)归谁
商家拒绝退款可以用哪条法律维权
""")
OWN["math"] = ("""
solve (x^2 - 4x - 21 = 0|3x + 5 < 20|2x + y = 7 and x - y = 2)
(differentiate|integrate) (x^3 ln x|sin 2x|e^\\[-x^2\\]|1 / \\[1 + x^2\\])
probability of (two sixes|drawing three hearts|exactly two heads in five throws)
area of (a triangle with sides 5, 6, 7|a circle with radius 9|a hexagon)
prove that (there are infinitely many primes|n^3 - n is divisible by 6|the diagonals bisect each other)
how many ways can (eight people sit in a row|you choose 3 out of 10)
what is (the inverse|the rank|the determinant) of (this matrix|[[1,2],[3,4]])
a (car|train|cyclist) drives 150 km at (50|60) km/h, how long does it take
(simplify|factor|expand) (\\[x+3\\]^2 - 9|6x^2 + 11x + 3|\\[a-b\\]\\[a+b\\])
find the (limit|sum|nth term) of (1/n as n grows|1 + 1/2 + 1/4 + ...|2, 5, 8, 11)
(write|convert) (0.375 as a fraction|2/3 as a percentage|45 degrees in radians)
the price rises by 20 percent and falls by 20 percent, is it the same
standard deviation of (2, 4, 4, 6, 9|my five grades)
""", """
解方程(x的平方减4x减21等于0|3x+5小于20)
求(sin2x|x的三次方|e的x次方)的(导数|不定积分)
掷两次骰子都是六的概率是多少
边长为5、6、7的三角形面积是多少
证明(质数有无穷多个|根号2是无理数)
八个人排成一排有多少种排法
一辆车以每小时60公里行驶150公里需要多久
0.375化成分数是多少
""")
OWN["other"] = ("""
(hi|hello|good morning|hey)(!|, how are you?|, what's up?| there)
tell me (a joke|a fun fact|a bedtime story|something nice)
what should I (cook|watch|wear|do) (tonight|this weekend|with my kids)
(recipe|marinade|side dish) for (lasagna|salmon|leftover rice|pumpkin)
plan (a weekend in porto|a road trip through utah|three days in hanoi|a beach holiday)
(gift|name|costume|tattoo) ideas for (my dad|a puppy|halloween|a friend who loves tea)
write (a poem|a song|a short story|a birthday wish|a caption) about (my cat|the sea|growing old|a lighthouse)
translate (good night|this menu|thank you very much) into (spanish|thai|french)
which (phone|vacuum|shoes|laptop bag|tv) should I buy (for under 200|for my grandma|this year)
how do I (remove red wine from a carpet|tie a tie|iron a shirt|repot an orchid|clean a kettle)
who won the (match|final|race) (yesterday|last night)
set (an alarm for six|a timer for eggs|a reminder to water the plants)
play (some jazz|my workout playlist|the new episode)
what's the weather (tomorrow|in oslo|this weekend)
my girlfriend (is angry|wants a break|forgot my birthday), what do I say
recommend (a film like amelie|a fantasy novel|a board game for four|a podcast)
draw (a dragon|a logo for a bakery|a cat in a spaceship)
rewrite this (text|mail) so it sounds (kinder|shorter|more formal)
thanks(!| a lot| for the help|, bye)
what can you do
I'm bored
how do I get my (toddler to sleep|cat to like me|roses to bloom)
book a (table|hotel|taxi) (for two|near the station|for tomorrow)
where is my (order|parcel|refund)
act as (a pirate|a dungeon master|my personal stylist|a tour guide)
football (rules for kids|transfer news|drills)
best (beaches|tacos|playgrounds|bars) in (valencia|san diego|town)
""", """
(你好|早上好|在吗|晚安)(！|呀|，最近怎么样)
(讲个笑话|陪我聊聊天|我好无聊|给我讲个故事)
(今晚|周末)(吃什么|看什么电影|去哪玩)
(红烧肉|番茄炒蛋|蛋糕|饺子)怎么做
(帮我规划|推荐)(云南|日本|三亚)的(旅行路线|酒店|美食)
送(爸爸|女朋友|老师)什么礼物好
写一(首诗|个故事|条朋友圈文案)，关于(小猫|大海|秋天)
把(晚安|谢谢|菜单)翻译成(英文|泰语)
(手机|耳机|跑鞋)买哪个好
(红酒渍|水垢|墨水)怎么去除
明天天气怎么样
女朋友生气了怎么办
我的快递到哪了
画一只(小狗|龙|熊猫)
""")
OWN["philosophy"] = ("""
is it (wrong|ever right) to (lie to save a life|eat animals|break a promise|steal bread)
do we have (free will|a soul|duties to future people) or not
what would (kant|aristotle|a utilitarian|confucius|a stoic) say about (cheating|revenge|friendship|modern work)
can a machine (be conscious|have rights|understand)
does (beauty|evil|time|the self|nothingness) exist
what makes (a life good|an action moral|knowledge different from belief|a person the same over time)
argue (for|against) (determinism|moral relativism|the existence of god|ethical egoism)
spot the fallacy: (everyone does it, so it's fine|if we allow this, chaos will follow|he's a liar so he's wrong)
if a tree falls and nobody hears it, (is there a sound|what would berkeley say)
(discuss|criticise|interpret) (plato's republic|the social contract|the allegory of the cave|being and time)
why is there something rather than nothing
is happiness the (purpose of life|highest good)
""", """
(说谎|安乐死|吃动物|复仇)在道德上(对吗|可以被允许吗)
人有(自由意志|灵魂)吗
(康德|孔子|庄子|尼采)会怎么看待(友谊|死亡|工作|撒谎)
机器会不会有意识
什么样的人生才是好的人生
忒修斯之船换了所有木板还是原来的船吗
为什么存在着万物而不是一无所有
""")
OWN["physics"] = ("""
a ball is (thrown up|dropped) (at 20 m/s|from 45 metres), (how high does it go|how long does it fall)
why (does ice float|is the sky blue|do magnets attract|can't anything travel faster than light)
force on a (2 kg|1500 kg) mass that accelerates at (3|0.5) m/s2
two resistors of (4 and 6|10 and 20) ohm in (series|parallel), what current flows at 12 volts
what would happen if you (fell into a black hole|travelled at light speed|dug through the earth)
wavelength of (light at 500 thz|a 440 hz tone)
how do (lasers|rainbows|tides|mri scanners|microwaves) work physically
energy needed to (heat 2 litres of water by 30 degrees|lift 80 kg by 5 metres)
what is the difference between (mass and weight|speed and velocity|fission and fusion)
period of a pendulum of (1|2.5) metres on (earth|the moon)
how do we know (the age of the universe|that atoms exist|the mass of the sun)
a (block slides down|car brakes on) a slope of 30 degrees, find the (acceleration|friction coefficient)
""", """
一个球从(45米|20米)高处落下，(多久落地|落地速度是多少)
为什么(冰会浮在水上|天空是蓝色的|磁铁会相互吸引)
(2千克|1500千克)的物体以3米每二次方秒加速，受力多大
两个电阻并联，总电阻怎么算
掉进黑洞会发生什么
把2升水加热30度需要多少能量
(激光|彩虹|潮汐)的物理原理是什么
""")
OWN["psychology"] = ("""
why do I (procrastinate|bite my nails|dream about exams|get angry so fast|feel like a fraud)
how can I (build a habit|stop overthinking|be more confident|deal with grief|overcome stage fright)
why do people (follow orders|believe conspiracies|fall in love|stay in bad relationships)
what do therapists do about (panic attacks|social anxiety|trauma)
how does (sleep|stress|music|praise) affect (memory|children|motivation)
is (iq|personality|shyness) inherited
design a study on (conformity|attention and phones|first impressions)
what does it mean when someone (avoids eye contact|talks to himself|can't say no)
difference between (sadness and depression|empathy and sympathy|a psychologist and a psychiatrist)
which bias makes us (trust first prices|see faces in clouds|remember bad news)
my child (lies|is jealous of the baby|is afraid of school), what is behind it psychologically
what did the (marshmallow|stanford prison|little albert) experiment show
""", """
为什么我总是(拖延|咬指甲|梦到考试|容易生气)
怎么(养成习惯|停止胡思乱想|克服怯场|走出悲伤)
人为什么会(从众|嫉妒|坠入爱河|相信谣言)
心理医生怎么治疗(惊恐发作|社交恐惧)
(睡眠|压力|表扬)对(记忆|孩子)有什么影响
伤心和抑郁症有什么区别
棉花糖实验说明了什么
""")

rows = Rows("domain", {}, most=16, spread=2)
for label in topics.DOMAINS:
    rows.words = {"t": topics.EN[label]}
    for template in lines(FRAMES):
        if label == "other" and not template.startswith(("(give", "(what are|list)", "(write|draft)", "{t}", "(recommend")):
            continue
        # One frame is many groups, one for each subject: words of a subject fall on one side, and so do frames.
        rng = seeded("domain", label, template)
        for term in rng.sample(topics.EN[label], 22 if label != "other" else 30):
            rows.words = {"t": [term]}
            other = rng.choice([t for t in topics.EN[label] if t != term])
            single = template.replace("{t}", term, 1).replace("{t}", other)
            first = len(rows.rows)
            rows.add(label, "en", single, most=1)
            for row in rows.rows[first:]:
                row["gid"] = digest(label + term)[:10]
                row["split"] = "dev" if int(row["gid"], 16) % 8 == 0 else "train"
    for template in lines(FRAMES_ZH):
        rng = seeded("domain zh", label, template)
        for n in rng.sample(range(len(topics.ZH[label])), 14 if label != "other" else 8):
            term, other = topics.ZH[label][n], rng.choice(topics.ZH[label])
            first = len(rows.rows)
            rows.add(label, "zh", template.replace("{t}", term, 1).replace("{t}", other), most=1)
            for row in rows.rows[first:]:
                row["gid"] = digest(label + topics.EN[label][n])[:10]
                row["split"] = "dev" if int(row["gid"], 16) % 8 == 0 else "train"
    rows.words = {}
    en, zh = OWN[label]
    rows.block(label, "en", en.replace("\\[", "[").replace("\\]", "]"), most=14 if label != "other" else 20, spread=3)
    rows.block(label, "zh", zh, most=10, spread=3)

# Code pasted with a question is computer science; a pasted mail or page with a request is other.
for n in range(220):
    rng = seeded("domain text", str(n))
    if n % 2:
        ask = rng.choice(["why does this fail?", "what does this do?", "optimise this", "add tests for this", "is there a bug in here?", "rewrite this in rust", "explain line by line", "refactor please", "这段代码有什么问题？", "解释一下这段代码"])
        text = rng.choice([ask + "\n\n" + documents.code(rng), documents.code(rng) + "\n\n" + ask])
        rows.row("computer science", "en", "code" + digest(ask)[:8], text=text)
    else:
        ask = rng.choice(["summarise this", "translate this into French", "write a friendly answer", "make it shorter", "tl;dr", "fix the spelling", "who is the sender and what does she want?", "turn it into bullet points"])
        rows.row("other", "en", "mail" + digest(ask)[:8], text=ask + "\n\n" + documents.mail(rng))

# The requests of intents.py whose subject is plain.
SUBJECT = {
    "computer science": "explain_code unit_tests code_review git_help api_design machine_learning_training web_frontend cybersecurity_advice ethical_hacking_learning cloud_costs data_engineering",
    "business": "sales_negotiation startup_finance project_planning marketing_copy seo brand_naming",
    "law": "privacy_law copyright_questions inheritance criminal_law_questions traffic_law",
    "health": "drug_information nutrition_diet fitness_training pregnancy_and_baby first_aid",
    "history": "world_history_questions",
    "physics": "physics_concepts astronomy",
    "biology": "genetics_evolution",
    "math": "statistics_concepts",
    "economics": "macroeconomics",
    "engineering": "electronics_circuits mechanical_design",
    "psychology": "mental_wellbeing",
    "other": "email_drafting presentation_slides meeting_notes social_media_posts pet_care parenting movie_recommendations book_recommendations video_games sports_questions weather_questions product_comparison fashion_style home_repair gardening order_status "
    "appointments restaurant_booking event_planning gift_ideas relationship_advice speech_and_toast smart_home_control media_playback timers_and_reminders roleplay_character real_time_news unit_conversion proofreading summarization account_access subscription_plans car_trouble printer_and_office_hardware smartphone_help language_learning",
}
for label, names in SUBJECT.items():
    for name in names.split():
        for row in [r for r in intents.rows.rows if r["label"] == name]:
            if rows.row(label, row["lang"], row["gid"], text=row["text"]):
                rows.rows[-1]["split"] = row["split"]

if __name__ == "__main__":
    rows.main()
