#!/usr/bin/env python3
"""Requests of many intents, none of which is one of the evaluation banks (banks.py): sentences of one intent belong together, others do not.

Split by intent: every eighth intent is dev, so that what is measured is ranking among intents never seen.
"""

from grammar import Rows, digest, lines

INTENTS = {}


def intent(name, block, zh=""):
    assert name not in INTENTS, name
    INTENTS[name] = (block, zh)


intent("explain_code", """
(what does|explain what|can you tell me what) this (function|snippet|one-liner|regex|script) (does|do)(?| line by line)
walk me through this (class|module|legacy file), i've never seen (lambda|yield|decorators) before
what is the purpose of (the static keyword|self|the ampersand|await) (here|in this example)
I inherited (a perl script|some cobol|a huge makefile). Describe in words what it is for.
which part of this program reads the (input|file|config)
add comments so that (a beginner|my colleague|an intern) understands the code
""", """
(解释一下|讲讲)这段(代码|脚本|函数)是(做什么的|怎么工作的)
给这个(函数|类)加上(中文注释|说明)
""")
intent("unit_tests", """
write (unit tests|pytest cases|a junit test|jest specs) for this (function|class|endpoint)
which edge cases should i (test|cover) for (a date parser|a login form|a shopping cart)
how do i mock (the database|an http call|the clock|a file) in (python|java|go)
our coverage is (40|61) percent, where do we begin
turn these manual checks into automated ones
property based testing for (a sort function|an encoder): give me an example
""", """
给这个(函数|接口)写(单元测试|几个测试用例)
怎么模拟(数据库|网络请求)来做测试
""")
intent("code_review", """
review (my pull request|this diff|this commit) and (be strict|comment on style|list problems)
is this (clean|idiomatic|readable) (python|kotlin|rust)?
what would a senior engineer criticise (here|in this class)?
suggest better names for (these variables|the methods)
can this be refactored into smaller (functions|modules)
any code smells in the attached (service|file)?
""", """
帮我(评审|看看)这次(提交|合并请求)有什么(问题|可以改进的地方)
这段代码(怎么重构|命名规范吗)
""")
intent("git_help", """
undo my last (commit|merge|push) (without losing changes|please)
(rebase|merge|cherry-pick) (conflict|gone wrong), how do i get out
how to (squash|split|reword) commits on a branch
i committed (a password|a 2 gb file) by mistake, remove it from history
what is the difference between (fetch and pull|reset and revert|stash and worktree)
detached HEAD, what now
""", """
git(怎么撤销上一次提交|合并冲突怎么解决|如何切换分支)
不小心把(密码|大文件)提交上去了怎么办
""")
intent("api_design", """
design (a rest api|a graphql schema|an openapi document) for (a library|a parking app|bookings)
should this endpoint be (put or patch|get or post)
how do i version (an api|my endpoints)
which status code fits (a duplicate|an expired token|a partial success)
pagination by cursor or by (page|offset)?
sketch the resources for (a food delivery|a school|an inventory) backend
""", """
设计一个(图书管理|停车|预约)系统的接口
接口(分页|版本|错误码)怎么设计比较好
""")
intent("machine_learning_training", """
my (loss|validation error) (is nan|doesn't go down|explodes) after (two|ten) epochs
which (learning rate|batch size|optimizer) for fine tuning a (bert|resnet|small llama)
how much data do i need to train a (classifier|detector|speech model)
overfits badly, what (regularisation|augmentation) would help
(lora|full fine tuning|distillation): which one with one gpu
confusion matrix shows class 3 never predicted, ideas?
""", """
模型训练时(损失不下降|过拟合了|显存不够)怎么办
微调大模型需要(多少数据|什么显卡)
""")
intent("web_frontend", """
center a (div|button|form) (vertically|in the middle of the page)
make this (layout|menu|table) responsive on (phones|tablets)
css (grid|flexbox) or (tables|float) for a (gallery|dashboard)
build a (landing page|navbar|pricing section) with html and tailwind
the (dropdown|modal) is hidden behind the (header|map), z-index?
dark mode toggle in (plain javascript|vue|svelte)
""", """
(导航栏|弹窗|表格)怎么做成响应式
用CSS实现(居中|瀑布流|暗色模式)
""")
intent("cybersecurity_advice", """
how do i (secure|harden) my (home network|nas|router|wordpress site)
is (this mail|this text message|the pop-up) a scam?
set up (two factor login|a password manager|a vpn) for my (parents|team)
what should a small company do after (a breach|ransomware|a lost laptop)
are (public wifi|qr codes|browser extensions) dangerous
threat model for (an online shop|a baby camera)
""", """
怎么(保护家里的路由器|设置双重验证|判断是不是诈骗短信)
电脑中了勒索病毒怎么办
""")
intent("smartphone_help", """
my (iphone|android|pixel|galaxy) (won't charge|is slow|keeps restarting|has no signal)
how do i (transfer photos|move contacts|back up whatsapp) to a new phone
storage full though i deleted (everything|all videos)
turn off (autocorrect|location|that annoying vibration)
battery drains overnight, which app is it
(cracked screen|water in the speaker), repair or replace?
""", """
手机(充不进电|很卡|没有信号|内存不足)怎么办
怎么把(照片|通讯录|聊天记录)转到新手机
""")
intent("printer_and_office_hardware", """
the printer (prints blank pages|is offline|jams|smears)
second monitor is not (detected|sharp|the right size)
scanner (makes stripes|doesn't show up) on (windows|my mac)
which (toner|cable|docking station) do i need for (this model|a thinkpad)
keyboard types (double letters|the wrong characters)
projector has no (picture|sound) in the meeting room
""", """
打印机(卡纸|脱机|打出来是空白)怎么办
外接显示器(没有信号|分辨率不对)
""")
intent("spreadsheet_formulas", """
excel formula to (look up a price|count cells by colour|split first and last name)
(vlookup|xlookup|index match) returns (#n/a|the wrong row)
how do i (freeze|hide|protect|group) (rows|columns) in (sheets|excel|libreoffice)
conditional formatting for dates older than (30 days|a week)
sum only the (visible|filtered|even) rows
macro that (saves each sheet as pdf|mails the table)
""", """
Excel怎么(统计重复值|按条件求和|拆分姓名|冻结首行)
VLOOKUP(返回错误|匹配不到)是什么原因
""")
intent("presentation_slides", """
make an outline for a (ten|five) slide talk on (recycling|our roadmap|robots)
turn this report into (slides|a deck|speaker notes)
better title for my (opening|last) slide
how many (slides|minutes) for a (thesis defence|pitch|team update)
too much text on this slide, what can go
which (chart|picture) would make slide 4 less boring
""", """
帮我做一份(述职|产品发布|毕业答辩)PPT的大纲
这页幻灯片(文字太多|标题不好)怎么改
""")
intent("project_planning", """
break this (project|launch|thesis) into tasks with (deadlines|owners|estimates)
gantt chart for (building a shed|an office move|a website)
what is the critical path if (design slips a week|the vendor is late)
risks and mitigations for (the migration|the fair|an event with 200 guests)
kanban or scrum for a team of (three|nine)?
we are behind schedule, what can we cut
""", """
把这个项目拆成(任务|里程碑)并排出时间表
项目(延期了|人手不够)怎么调整计划
""")
intent("meeting_notes", """
turn this transcript into (minutes|action items|a short protocol)
who promised what in (the call|this recording)?
summarise our (standup|board meeting|retro) in (five|three) bullets
write the agenda for (tomorrow's sync|the kick-off|a budget meeting)
list open questions from these notes
what was decided about (the venue|pricing|the logo)
""", """
把这段录音整理成会议纪要
列出会议里的(待办事项|决定|负责人)
""")
intent("email_drafting", """
write a (polite|short|firm) e-mail to (my landlord|the supplier|my professor) about (the delay|a meeting|an extension)
how do i answer this (angry|strange|formal) mail
(decline|accept|postpone) the invitation in (two|a few) lines
subject line for a mail about (the survey|new opening hours)
remind (a client|ann) to pay, third time, still friendly
out of office reply for (two weeks|parental leave)
""", """
给(房东|教授|供应商)写一封(委婉的|正式的)邮件
怎么回复(这封投诉|面试邀请|催款)邮件
""")
intent("summarization", """
(summarise|sum up|condense) (this article|the chapter|the paper) in (one paragraph|three sentences|100 words)
tl;dr of the following (text|thread|ruling)
key points of this (podcast|report|white paper), please
what is the main argument (here|of the author)?
shorten the abstract without losing (numbers|the result)
give me the gist, i have two minutes
""", """
(总结|概括)一下这篇(文章|论文|报告)的(要点|主要内容)
用(三句话|一百字)说清楚这段话
""")
intent("proofreading", """
correct the (spelling|commas|grammar) in this (letter|paragraph|post)
does this sentence sound (natural|native|right)?
(who or whom|affect or effect|fewer or less) here?
check my (cover letter|abstract|essay) for mistakes but keep the style
is there a comma before (and|which|because)
mark every error and tell me the rule
""", """
(检查|改正)这段话里的(错别字|语病|标点)
这个句子(通顺吗|有语法错误吗)
""")
intent("brand_naming", """
name ideas for a (bakery|podcast|dog salon|fintech)
slogan for (a bike shop|organic soap|a gym)
short domain-friendly names with the letter (k|z) for (an app|a cafe)
does (Lumora|Brikko|Tavina) sound good as a brand?
rename our (newsletter|beer|yoga studio)
tagline that is (funny|bold|calm) for (a mattress|tea|an insurance)
""", """
给(咖啡店|宠物店|公众号)起个名字
帮我想一句(健身房|茶叶|民宿)的广告语
""")
intent("marketing_copy", """
write (an ad|a product text|a landing page) for (wireless earbuds|a rain jacket|honey)
facebook ad in (three|two) versions for (a language course|a spa)
describe (this candle|our e-bike|a wooden table) so that people want it
newsletter announcing (a sale|new opening hours|our anniversary)
call to action that isn't (pushy|boring)
black friday (mail|banner) for (shoes|plants)
""", """
写一段(耳机|护肤品|蜂蜜)的商品文案
(双十一|开业)促销的宣传语怎么写
""")
intent("seo", """
which keywords should (a dentist|a florist|my blog) rank for
why did my page drop from (position 3|the first page) in google
write a meta description for (this article|a pizza place)
are (backlinks|alt texts|long urls) still important
sitemap and robots.txt for (a shop|a multilingual site)
how long until a new site shows up in search
""", """
网站(排名下降|没有收录)怎么优化
(文章标题|关键词)怎么写有利于搜索
""")
intent("social_media_posts", """
(instagram caption|tweet|linkedin post) about (my new job|our fair stand|a sunset)
hashtags for (vintage cameras|vegan food|trail running)
content calendar for (a month|two weeks) of (tiktok|instagram)
reply to a nasty comment under (our video|my photo)
hook for the first three seconds of a reel on (budgeting|cacti)
thread of five tweets that explains (our research|inflation simply)
""", """
写一条(朋友圈|小红书|微博)文案，(关于旅行|晒娃|新工作)
短视频(开头|标题|标签)怎么写
""")
intent("sales_negotiation", """
cold call script for selling (software|windows|insurance) to (schools|plumbers)
the client says it's too expensive, what do i answer
how do i ask for (a raise|a discount|better payment terms)
follow up after (a demo|no reply|a trade fair)
objections when selling (solar roofs|used cars) and good replies
they want 20 percent off. counter offer?
""", """
客户说(太贵了|再考虑一下)怎么回应
怎么跟(老板谈加薪|供应商谈价格)
""")
intent("startup_finance", """
how much equity should (an advisor|my co-founder|the first employee) get
pre-money and post-money with a (safe|convertible note)
burn rate and runway with (300k|2 million) in the bank
what do investors want to see in (a seed|a series a) deck
unit economics of (a meal kit|scooter sharing)
bootstrapping or venture capital for (a niche saas|an app)
""", """
(种子轮|天使轮)应该出让多少股份
创业公司的(现金流|估值)怎么算
""")
intent("personal_budget", """
help me make a monthly budget on (1,800|3,200) net
how much should i (save|spend on rent|put aside for emergencies)
pay off (the credit card|student debt) or build savings first?
i always run out of money by the (20th|third week)
cut our grocery bill by (a third|half)
envelope method or app for (a couple|students)
""", """
月薪(五千|一万)怎么理财和存钱
怎么(控制花销|还清信用卡|做家庭预算)
""")
intent("investing", """
(etf|index fund|bonds|gold) for someone (my age|with ten years to go|who hates risk)
should i (sell|hold|buy) when the market falls (10|30) percent
what is (a dividend|an expense ratio|rebalancing|dollar cost averaging)
portfolio of 60/40, still (sensible|safe)?
lump sum or monthly for (20,000|an inheritance)
difference between (growth and value|acc and dist) funds
""", """
新手(买基金|定投|买债券)要注意什么
股市大跌时该(卖出|加仓|持有)吗
""")
intent("mortgage_and_housing", """
fixed or variable rate for a (20|30) year mortgage
how much house can we afford with (two incomes|6,000 a month)
hidden costs when buying (a flat|an old house)
rent or buy in (a big city|the suburbs)?
is it worth (refinancing|paying extra) at (4|6.5) percent
what does the survey say about (damp|the roof) and should i pull out
""", """
买房(首付|贷款年限|利率)怎么选
(二手房|期房)交易要注意哪些坑
""")
intent("insurance_claims", """
does my (home|travel|car) insurance pay for (a burst pipe|a stolen bike|hail)
how do i file a claim after (a crash|a flood|a burglary)
the insurer rejected it, what can i write
deductible of (300|1,000): what does it mean for me
which insurance does (a freelancer|a student abroad|a dog owner) need
term life or whole life?
""", """
(车险|医疗险)怎么理赔
保险公司(拒赔|只赔一部分)怎么办
""")
intent("visa_immigration", """
how long does a (work permit|student visa|green card) take
documents for (family reunion|citizenship|a blue card)
my residence card expires in (two weeks|may), can i still (fly|work)
can my (husband|parents) join me in (canada|germany)
what to say at the embassy interview
overstayed by (three|ten) days, consequences?
""", """
(工作签证|留学签证|永居)需要哪些材料
签证快到期了怎么(续签|延期)
""")
intent("traffic_law", """
flashed at (71 in a 50|120 in a 100) zone, what will it cost
who has right of way at (a roundabout|this crossing|a zebra crossing)
can i (park|stop|turn) (here|on the pavement|in front of a garage)
points on my licence, when do they go away
accident in a car park, whose fault
is it legal to (ride an e-scooter with two|eat while driving|drive barefoot)
""", """
闯红灯(扣几分|罚多少钱)
追尾了是谁的责任
""")
intent("privacy_law", """
do we need a cookie banner for (a static site|analytics without ids)
customer asks us to delete (all data|his account), what must we do
can my employer read my (mails|chats|browser history)
data processing agreement with (a cloud vendor|a newsletter tool)
is (an ip address|a photo of a crowd|a licence plate) personal data?
breach of 300 records: whom do we notify and by when
""", """
公司收集(人脸|手机号)需要用户同意吗
个人信息被泄露了怎么维权
""")
intent("copyright_questions", """
may i use (a song|this photo|a meme) in (my video|a school play|an ad)
who owns (the logo i paid for|ai generated pictures|a tattoo design)
mit or gpl for (my library|a plugin)
someone copied my (blog|pattern|course), how do i get it taken down
is quoting (two pages|a chorus|a tweet) fair use?
when does a book enter the public domain
""", """
(视频里用别人的音乐|转载文章)算侵权吗
作品被抄袭了怎么(投诉|维权)
""")
intent("inheritance", """
who inherits if there is no (will|spouse|child)
my brother emptied mum's account before she died
can i disinherit (my son|a parent)
how do we split (the house|a farm|a collection) among three heirs
executor duties, what do i do first
renounce an estate full of debts, by when
""", """
没有遗嘱，遗产(怎么分|归谁)
继承的房子(怎么过户|要交税吗)
""")
intent("criminal_law_questions", """
what is the difference between (theft and robbery|murder and manslaughter)
may the police search my (car|phone|bag) without a warrant
first offence shoplifting, what happens
i was called as a witness, do i have to go
how does bail work (in the us|here)
is it a crime to (record a call|carry a pocket knife|climb a crane)
""", """
(正当防卫|盗窃罪|诈骗罪)怎么认定
警察可以(搜查手机|拘留多久)吗
""")
intent("drug_information", """
can i take (ibuprofen|paracetamol|antihistamines) with (alcohol|blood thinners|coffee)
maximum daily dose of (aspirin|melatonin|vitamin d)
missed a (pill|dose|shot), what now
generic or brand, any difference for (statins|allergy tablets)
does (amoxicillin|the syrup) have to stay in the fridge
how long until (antidepressants|iron tablets) work
""", """
(布洛芬|阿莫西林)和(酒|咖啡)能一起吃吗
忘记吃(降压药|避孕药)怎么办
""")
intent("nutrition_diet", """
how much protein do i need at (60|95) kilos
is (oat milk|sushi|peanut butter) healthy
meal plan with (1,600|2,200) calories without (meat|gluten)
low iron, which foods help
keto or mediterranean for (losing belly fat|diabetes)
is breakfast really important
""", """
减脂期(晚餐吃什么|一天要多少蛋白质)
(燕麦|牛油果|全麦面包)真的健康吗
""")
intent("fitness_training", """
(three|four) day workout for (beginners|busy dads|runners)
how do i get my first (pull-up|handstand|10k)
squat form: knees (cave in|hurt|over toes)
training plan for a half marathon in (twelve|sixteen) weeks
gym or home with (dumbbells|a kettlebell) only
rest days: how many between leg sessions
""", """
新手(健身计划|跑步训练)怎么安排
(俯卧撑|深蹲|引体向上)怎么做才标准
""")
intent("mental_wellbeing", """
i feel (empty|anxious|overwhelmed) (lately|every sunday|since the move)
how do i stop (overthinking|panicking before exams|comparing myself)
can't get out of bed, no motivation for (anything|weeks)
breathing exercise against (stress|anger)
am i burnt out or just tired?
my friend talks about giving up, how can i support her
""", """
最近(压力很大|总是焦虑|提不起劲)怎么办
怎么(停止胡思乱想|控制情绪)
""")
intent("pregnancy_and_baby", """
(14|30) weeks pregnant and (can't sleep|craving ice|swollen feet)
which foods should i avoid while (expecting|nursing)
newborn (won't latch|cries every evening|sleeps only on me)
when do babies (crawl|smile|eat solids)
hospital bag list
is it okay to (fly|dye my hair|swim) in the third trimester
""", """
怀孕(三个月|后期)(能吃螃蟹吗|睡不好)怎么办
宝宝(几个月添加辅食|晚上总哭)
""")
intent("first_aid", """
someone is (choking|unconscious|bleeding badly), what do i do
burned my hand on (the oven|steam)
cpr on a child: how many compressions
(bee sting|snake bite|nosebleed) first steps
how to tell if it's a (sprain|fracture)
what belongs in a first aid kit for (the car|hiking)
""", """
(烫伤|流鼻血|噎住)了怎么急救
心肺复苏的步骤是什么
""")
intent("pet_care", """
my (dog|cat|rabbit) ate (chocolate|grapes|a sock)
how often should i (feed|walk|brush) a (puppy|husky|persian cat)
kitten (bites|scratches the sofa|doesn't use the litter box)
parrot is losing feathers, why
best (aquarium|hamster cage) size for (two goldfish|a beginner)
puppy training: (sit|not pulling|being alone)
""", """
(狗狗|猫咪)(不吃东西|拉肚子|乱抓沙发)怎么办
新手养(仓鼠|金鱼|鹦鹉)要准备什么
""")
intent("parenting", """
my (3|8|14) year old (refuses vegetables|lies|won't do homework)
how much screen time for a (toddler|teenager)
siblings fight over (everything|toys)
explain (death|divorce|where babies come from) to a child
potty training, day (two|ten), no success
pocket money: how much at (seven|twelve)
""", """
孩子(不爱吃饭|沉迷手机|不写作业)怎么教育
怎么跟孩子解释(离婚|死亡)
""")
intent("lesson_planning", """
lesson plan on (fractions|the water cycle|adjectives) for (grade 4|year 7)
icebreakers for a (new class|language course)
worksheet with ten questions about (volcanoes|the past tense)
how do i keep (noisy|bored) pupils busy for (15|45) minutes
rubric for marking (essays|presentations)
field trip ideas for (biology|history) class
""", """
设计一节(四年级分数|初中语文)课的教案
课堂(导入|游戏|小测验)怎么设计
""")
intent("language_learning", """
how do i learn (japanese|arabic|spanish) in (six months|my lunch break)
when do you use (ser and estar|der die das|the subjunctive)
practise (small talk|ordering food|job interview) in (french|italian) with me
mnemonics for (kanji|irregular verbs)
is (duolingo|reading novels|a tutor) enough for b1
how to roll the r
""", """
英语(听力|口语|单词)怎么提高
(日语|法语)零基础怎么学
""")
intent("exam_preparation", """
study plan for the (bar exam|gre|ielts) in (four|eight) weeks
quiz me on (anatomy|road signs|vocabulary)
how do i remember (dates|formulas|articles of law)
flash cards from this (chapter|lecture)
i panic in oral exams
multiple choice strategy for the (toefl|driving test)
""", """
(考研|雅思|高考)复习计划怎么安排
考前(紧张|记不住)怎么办
""")
intent("world_history_questions", """
why did (rome|the maya|the soviet union) collapse
what led to (world war one|the opium wars|the french revolution)
who was (saladin|catherine the great|simon bolivar)
life of (a peasant|a samurai|a nun) in the (12th|17th) century
timeline of (ancient egypt|the cold war)
was (napoleon|genghis khan) really that bad
""", """
(唐朝|罗马帝国|苏联)为什么会灭亡
介绍一下(丝绸之路|鸦片战争|工业革命)的历史
""")
intent("geography_facts", """
capital of (mongolia|burkina faso|new zealand)
longest (river|border|tunnel) in (asia|the world)
which countries border (laos|niger|austria)
how high is (kilimanjaro|k2|the zugspitze)
why does (chile|norway) have that shape
population of (lagos|jakarta) compared with (paris|london)
""", """
(蒙古|新西兰|巴西)的首都是哪里
世界上最(长的河|高的山|大的沙漠)是什么
""")
intent("astronomy", """
why is (mars red|venus so hot|pluto not a planet)
how far can we (see|travel) into (space|the milky way)
what happens inside (a black hole|a red giant|the sun)
when is the next (eclipse|meteor shower|comet)
which telescope for (saturn's rings|a balcony|children)
how do astronomers measure the age of (stars|the universe)
""", """
(黑洞|中子星|彗星)是怎么形成的
下一次(日食|流星雨)是什么时候
""")
intent("physics_concepts", """
why does (ice float|the sky look blue|a spinning top stay up)
explain (relativity|entropy|magnetism) to a (child|pilot)
how fast does an object fall from (10|300) metres
what is the difference between (mass and weight|heat and temperature)
does a (mirror|vacuum|magnet) reverse (left and right|time)
momentum of a (900 kg car|tennis ball) at (20|50) m/s
""", """
为什么(天空是蓝的|冰会浮在水上)
(相对论|熵|磁场)是什么意思
""")
intent("genetics_evolution", """
can two (blue-eyed|tall) parents have a (brown-eyed|short) child
how did (whales|eyes|feathers) evolve
what is a (recessive|dominant) trait
dna test says (12|30) percent viking, what does it mean
are humans still evolving
difference between a gene, an allele and a chromosome
""", """
(双眼皮|色盲|血型)是怎么遗传的
人类(还在进化吗|和黑猩猩的关系)
""")
intent("climate_environment", """
how much co2 does (a flight to rome|a steak|streaming) cause
is (nuclear|wind|hydrogen) the answer to climate change
what can (households|cities|schools) do about (plastic|heat|waste)
why are (bees|glaciers|mangroves) important
paper bag or plastic bag
what does net zero mean
""", """
(垃圾分类|碳中和|全球变暖)是怎么回事
怎样减少(塑料|碳排放)
""")
intent("statistics_concepts", """
what does a p value of (0.03|0.2) tell me and what not
explain (bayes|variance|a confidence interval) with (coins|cookies)
when is the (poisson|binomial|t) distribution used
why divide by n minus 1
type one and type two error, give me an everyday case
is a sample of (30|400) enough
""", """
(P值|置信区间|标准差)怎么理解
什么时候用(泊松|二项)分布
""")
intent("logic_puzzles", """
a farmer, a (wolf|fox), a goat and a boat: how do they cross
three (switches|doors|hats) and one (lamp|prize|prisoner), solve it
what comes next: (2, 6, 12, 20|o, t, t, f, f|1, 11, 21)
riddle me something (hard|for kids)
knights and knaves: a says we are both liars
sudoku hint for row (4|7)
""", """
出一道(逻辑题|脑筋急转弯|推理题)
(过河问题|找规律)怎么解
""")
intent("macroeconomics", """
why do (central banks|they) raise rates when prices climb
what would happen if a country (prints money|leaves the euro|defaults)
is (debt|deflation|a strong dollar) bad
explain (gdp|stagflation|the yield curve) in plain words
do minimum wages cost jobs
winners and losers of (tariffs|free trade)
""", """
为什么(加息能抑制通胀|人民币会贬值)
(GDP|通货紧缩|关税)对普通人有什么影响
""")
intent("political_systems", """
how does (the electoral college|proportional voting|impeachment) work
difference between a (president and a chancellor|federation and a union)
who makes laws in the (eu|uk|us)
what is (gerrymandering|a filibuster|a referendum)
why do some countries have (a king|two chambers|no written constitution)
how is a (mayor|judge|prime minister) chosen
""", """
(联合国|欧盟|美国选举)是怎么运作的
(总统制|议会制)有什么区别
""")
intent("religion_and_myth", """
what do (muslims|jews|hindus) celebrate in (spring|autumn)
story of (odysseus|ganesha|thor) in short
difference between (sunni and shia|catholics and protestants)
meaning of (the lotus|the fish symbol|halal)
which gods did the (egyptians|incas|celts) worship
how should i behave in a (mosque|temple|synagogue)
""", """
(佛教|伊斯兰教|道教)的主要节日有哪些
讲一个(希腊|北欧|中国)神话故事的来历
""")
intent("art_history", """
what makes (vermeer|kahlo|hokusai) special
explain (cubism|baroque|bauhaus) with (three|two) works
what does this (still life|fresco|altarpiece) mean
who painted (the kiss|the scream|las meninas)
must-see pictures in the (prado|uffizi)
how do i tell (monet from manet|gothic from romanesque)
""", """
(印象派|巴洛克|立体主义)有什么特点
(蒙娜丽莎|清明上河图)好在哪里
""")
intent("music_theory_practice", """
chords that go well after (a minor|g7|d)
how do i read (bass clef|7/8|tablature)
practice routine for (violin|drums) with (20|60) minutes a day
what is a (cadence|mode|tritone)
which instrument is easiest for (adults|a six year old)
sing higher without (strain|falsetto)
""", """
(吉他|钢琴)新手怎么练习
(和弦|调式|切分音)是什么
""")
intent("movie_recommendations", """
films like (inception|amelie|alien) but (funnier|older|less scary)
what should we watch tonight, (two|three) people, (no horror|something short)
best (korean|french|western) movies of the (90s|last ten years)
series that are finished and not too long
is (dune|the new batman) worth it
movie where a man wakes up on the same day again
""", """
推荐几部(悬疑|喜剧|科幻)电影
有什么(适合全家看的|结局反转的)片子
""")
intent("book_recommendations", """
novels for someone who loved (dune|pride and prejudice|murakami)
read next after (sapiens|the hobbit)?
short books for (a flight|holiday|reluctant readers)
good biographies of (scientists|women|musicians)
which translation of (dante|the odyssey)
picture books for a (two|five) year old about (trains|fear)
""", """
推荐几本(历史|推理|励志)类的书
看完(三体|百年孤独)还可以读什么
""")
intent("video_games", """
how do i beat (the fire boss|level 12|the last race) in (this game|elden ring)
best (build|weapon|deck) for (a mage|beginners)
co-op games for (couples|four friends) on (switch|pc)
game stutters on (my rtx|the steam deck), settings?
where do i find the (silver key|third shrine)
minecraft: (automatic farm|nether portal) how to
""", """
(原神|塞尔达|我的世界)怎么(打过这个boss|升级快)
推荐适合(双人|手机)玩的游戏
""")
intent("sports_questions", """
explain (offside|the infield fly|icing|a let) to me
who won (the cup|roland garros|the derby) in (1998|2012)
how many players in a (rugby|handball|water polo) team
greatest (goalkeeper|sprinter|climber) ever?
when does the (season|transfer window|tour) start
why do (cyclists|swimmers) shave their legs
""", """
(越位|三分线|网球计分)是什么规则
(世界杯|奥运会)历史上谁(夺冠最多|进球最多)
""")
intent("weather_questions", """
will it (rain|snow|be windy) (tomorrow|on sunday) in (kiel|turin)
what should i wear at (3|28) degrees
how is the forecast for (the weekend|our wedding on the 12th)
is a storm coming
why is fog (thicker in autumn|so local)
average temperature in (may|november) in (crete|seoul)
""", """
(明天|周末)(北京|广州)天气怎么样
出门要带伞吗
""")
intent("product_comparison", """
(robot vacuum|mattress|e-reader) under (300|150), which one
oled or qled for a (bright room|gamer)
compare (the kindle and the kobo|air fryers|two strollers)
is the (pro|plus) version worth (200|90) more
pros and cons of (induction|a heat pump dryer)
most reliable (washing machine|toaster) brand
""", """
(扫地机器人|电视|笔记本)买哪个(牌子|型号)好
(三千|五百)以内的(手机|耳机)推荐
""")
intent("fashion_style", """
what goes with (green trousers|a camel coat|white sneakers)
dress for a (garden wedding|job interview|funeral)
capsule wardrobe for (spring|a short person|a new mum)
does (navy|yellow) suit pale skin
how to tie (a scarf|a bow tie|a sari)
beard or no beard with a round face
""", """
(面试|婚礼|约会)穿什么合适
(黑色大衣|小白鞋)怎么搭配
""")
intent("home_repair", """
tap (drips|has low pressure), how do i fix it
drill into (tiles|plasterboard|concrete) without cracks
toilet keeps (running|gurgling)
squeaky (floor|door|bed)
how do i (grout|paint|insulate) a (bathroom|attic)
light switch is (warm|buzzing), dangerous?
""", """
(水龙头漏水|马桶堵了|墙面发霉)怎么修
怎么在(瓷砖|承重墙)上打孔
""")
intent("gardening", """
when do i (plant|prune|repot) (tomatoes|roses|a lemon tree)
yellow leaves on my (basil|orchid|cucumbers)
slugs ate (everything|the lettuce), what helps
raised bed: which soil and (layers|depth)
grass won't grow under the (oak|trampoline)
herbs for a (shady|windy) balcony
""", """
(多肉|绿萝|番茄)怎么养
叶子(发黄|长虫)了怎么办
""")
intent("car_trouble", """
engine light is on and the car (shakes|smells|has no power)
battery dead after (two|five) days of standing
squeal when i (brake|turn|start)
how often (oil|tyres|spark plugs) on a (golf|corolla)
what does (the p0420|an oil) warning mean
electric car charges only to (80|60) percent
""", """
汽车(打不着火|发动机故障灯亮了|刹车有异响)怎么办
多久换一次(机油|轮胎)
""")
intent("electronics_circuits", """
which resistor for (a red led|a fan) on (5|12) volts
arduino reads (garbage|always 1023) from the sensor
mosfet or relay to switch (a pump|24 v)
my buck converter gets hot
decoupling capacitors: how many and where
design a low pass at (1 khz|50 hz)
""", """
(LED串联多大电阻|单片机读不到传感器)怎么解决
设计一个(低通滤波器|稳压电路)
""")
intent("mechanical_design", """
how thick must a steel (shelf|beam|plate) be for (200|900) kg
choose a bearing for (3,000|600) rpm and (radial|axial) load
gear ratio to get from (1,500 to 60|3,000 to 90) rpm
aluminium or (carbon|plastic) for a (drone arm|bracket)
tolerances for a press fit of (20|8) mm
cad: how do i loft between two (sketches|profiles)
""", """
(轴承|齿轮|螺栓)怎么选型
这根梁能承受多大的(载荷|弯矩)
""")
intent("order_status", """
where is my (parcel|order|package) (number 88213|from last week|it should have come today)
when will (the shoes|my refund|the spare part) arrive
can i change the (address|size|date) of an order that is (paid|on its way)
tracking says delivered but (nothing is here|the box isn't)
has my (return|exchange) been (received|booked)
which courier brings it
""", """
我的(快递|订单)到哪里了
订单(可以改地址|什么时候发货)吗
""")
intent("account_access", """
forgot my (password|username|pin)
i can't (log in|get the code|verify my mail)
how do i (change|delete|merge) my account
locked out after (three|five) tries
somebody else is signed in as me
the reset link (expired|never came)
""", """
(忘记密码|账号被锁|收不到验证码)怎么办
怎么(注销账号|修改绑定手机)
""")
intent("subscription_plans", """
what is included in the (pro|family|free) plan
upgrade me to (yearly|the team version)
is there a student (discount|rate)
how many (users|devices|gb) do i get
difference between (basic and plus|monthly and annual)
can i try it for (a week|free) first
""", """
(会员|套餐)有什么区别，(怎么升级|多少钱)
有(学生优惠|免费试用)吗
""")
intent("appointments", """
book (a haircut|the dentist|a test drive) for (friday|next week)
move my appointment to (tuesday|the afternoon)
is there a slot (after five|on saturday)
cancel (the viewing|my massage) tomorrow
how long does (a check-up|the inspection) take
put (lunch with mo|the vet) in my calendar at (noon|4)
""", """
帮我预约(周五|明天下午)的(理发|牙医)
把预约(改到周二|取消)
""")
intent("restaurant_booking", """
table for (two|six) (tonight|on the 14th) at (eight|half past seven)
do you have (vegan|gluten free|kids) dishes
which places near (the station|here) are open (late|on mondays)
good (thai|tapas|fish) restaurant in (ghent|this area)
can we bring (a dog|our own cake)
change the reservation to (four|ten) people
""", """
订一张(今晚|周六)(四|六)人的桌子
附近有什么好吃的(火锅|素食)餐厅
""")
intent("event_planning", """
plan a (surprise party|baby shower|retirement do) for (20|60) people
timeline for a wedding day in (june|a barn)
cheap ideas for a (school fair|street party)
seating plan with (divorced parents|three families)
theme for a (40th|kids') birthday
checklist for a (conference|concert) with (200|500) guests
""", """
策划一场(生日|公司年会|婚礼)活动
(预算五千|三十人)的聚会怎么安排
""")
intent("gift_ideas", """
present for (a teacher|my mother in law|a man who has everything)
what do i give for a (silver wedding|housewarming|first birthday)
something under (20|50) for (secret santa|a gamer)
gift for a friend who (moves abroad|is ill|likes tea)
diy (advent calendar|valentine) idea
is (money|a voucher) rude as a gift
""", """
送(妈妈|男朋友|老师)什么礼物好
(一百|五百)元以内的生日礼物推荐
""")
intent("relationship_advice", """
my (boyfriend|wife|best friend) (ignores me|lied|wants a break)
how do i tell (her i like her|him it's over)
we argue about (money|chores|her mother) all the time
long distance for (a year|two more years), does it work
is it okay to (check his phone|stay friends with an ex)
he cheated, forgive or leave
""", """
(男朋友|女朋友|老公)(冷暴力|骗了我|要分手)怎么办
怎么(表白|挽回|提分手)
""")
intent("resume_and_career", """
improve my cv for (a nurse|a junior developer|a warehouse lead)
how do i explain (a gap|being fired|many short jobs)
cover letter for (an internship|a museum)
change career at (35|50): where do i start
answer to "(tell me about yourself|why do you want to leave|your weakness)"
should i accept the (lower|second) offer
""", """
帮我(优化简历|写求职信)
面试被问到(离职原因|缺点|薪资期望)怎么回答
""")
intent("speech_and_toast", """
best man speech for (my brother|a shy friend), (three|five) minutes
eulogy for (grandpa|a colleague)
farewell words for (our boss|a teacher who retires)
opening speech for (the exhibition|a sports day)
how do i begin a talk to (200 engineers|parents)
graduation speech with a bit of humour
""", """
写一篇(婚礼致辞|毕业演讲|年会发言稿)
(悼词|欢迎词)怎么写
""")
intent("research_literature", """
find papers on (microplastics in rivers|sleep and memory|federated learning) since (2019|2021)
what is the state of the art in (speech synthesis|carbon capture)
research gap in (urban farming|peer tutoring) studies
how do i cite (a preprint|a dataset|a website) in (apa|chicago)
structure of a literature review on (nudging|battery ageing)
critique the method section of this article
""", """
找几篇关于(微塑料|睡眠与记忆)的论文
(文献综述|参考文献格式)怎么写
""")
intent("agriculture", """
when do i sow (winter wheat|maize|rapeseed) on (clay|sandy) soil
my (cows|hens) give less (milk|eggs)
nitrogen per hectare for (potatoes|barley)
organic way against (aphids|late blight)
is drip irrigation worth it for (almonds|a small vineyard)
crop rotation with (four|three) fields
""", """
(玉米|小麦|水稻)什么时候施肥
(奶牛产奶少|鸡不下蛋)是什么原因
""")
intent("energy_at_home", """
how many solar panels for (4,000|7,500) kwh
heat pump in an old house: (sensible|loud|expensive)?
my electricity bill doubled, find the culprit
standby costs of (a tv|a router|the boiler)
insulate the (roof|cellar ceiling) first?
battery storage of (5|10) kwh, when does it pay
""", """
家里装(太阳能板|热泵|充电桩)划算吗
电费突然(翻倍|变高)怎么查
""")
intent("real_time_news", """
what happened (today|this morning) in (brazil|parliament|the markets)
latest on (the strike|the election|the wildfire)
headlines from (germany|the tech world), please
who won last night's (debate|match|award)
is the (bridge|airport|exchange) open again
any news about (the merger|the missing boat)
""", """
今天有什么(国际|科技|财经)新闻
(选举|罢工|台风)的最新情况
""")
intent("smart_home_control", """
turn (on|off) the (kitchen lights|heating|fan)
set the (thermostat|bedroom) to (19|22) degrees
lock the (front door|garage) and (arm the alarm|close the blinds)
dim the lights to (30|10) percent
start the (vacuum|dishwasher) at (nine|night)
is the (oven|back door) still (on|open)
""", """
(打开|关掉)(客厅的灯|空调|窗帘)
把(空调|卧室温度)调到(二十六|二十二)度
""")
intent("media_playback", """
play (some jazz|the new album of that band|rain sounds) (in the bath|louder)
skip this (song|episode)
pause, (i'm on the phone|the doorbell rang)
add this track to (my running|the party) playlist
what's the name of this song
next episode of the (space|history) podcast
""", """
播放(轻音乐|周杰伦的歌|有声书)
(下一首|暂停|声音大一点)
""")
intent("timers_and_reminders", """
set a timer for (seven|25) minutes (for the eggs|)
remind me to (water the plants|call dad) (at six|when i get home)
wake me at (6:40|half past seven) on (weekdays|sunday)
how long is left on the (pasta|laundry) timer
delete all (alarms|reminders)
add (milk|stamps|batteries) to the shopping list
""", """
(提醒我|叫我)(六点给妈妈打电话|明天七点起床)
定一个(十分钟|半小时)的闹钟
""")
intent("unit_conversion", """
(5 feet 11|12 stone|3 cups|90 fahrenheit) in (metric|cm|kg|grams|celsius)
how many (litres|ounces|yards) are (two gallons|a pint|50 metres)
convert (40 mph|7 bar|250 usd) to (km/h|psi|euros)
what is (two tablespoons|a quarter acre) in (ml|square metres)
(9 pm in tokyo|noon eastern) in my time
shoe size (42|8 uk) in us
""", """
(一百英里|五英尺|三杯)等于多少(公里|厘米|克)
(100美元|500日元)换成人民币是多少
""")
intent("word_meaning", """
what does (ephemeral|to moonlight|schadenfreude|ubiquitous) mean
synonym for (happy|important|to improve)
where does the word (salary|robot|alcohol) come from
is it (spelled|pronounced) (rhythm or rythm|kernel like colonel)
opposite of (frugal|transparent)
use (albeit|nevertheless|to cope) in a sentence
""", """
"(内卷|斟酌|觊觎)"是什么意思
给"(高兴|重要|努力)"找几个近义词
""")
intent("roleplay_character", """
be (a medieval innkeeper|my strict piano teacher|a talking tree) and greet me
let's play: i'm a (detective|space trader), you are (the suspect|my ship)
stay in character as (a pirate|an old sailor|queen victoria)
you are a dungeon master, i enter the (cave|tavern)
pretend to be a customer who (can't decide|wants his money back)
speak like (yoda|a butler) from now on
""", """
扮演(客栈掌柜|古代侠客|我的猫)跟我说话
我们来玩(侦探|太空冒险)角色扮演
""")
intent("ethical_hacking_learning", """
how do i start with (ctf|bug bounties|penetration testing)
set up a lab to practise (sql injection|privilege escalation) legally
what is the difference between (xss and csrf|hashing and encryption)
certificates for (security analysts|red teamers)
explain how (a buffer overflow|kerberos|a man in the middle) works
read this (pcap|nmap output) with me
""", """
怎么入门(网络安全|渗透测试|CTF)
(XSS|缓冲区溢出)的原理是什么
""")
intent("cloud_costs", """
our (aws|gcp|azure) bill went up by (40|200) percent
cheapest way to host (a static site|a nightly job|postgres)
reserved or spot instances for (batch jobs|ci)
estimate monthly costs for (2 tb|10 million requests)
which unused (volumes|load balancers) can we delete
serverless or containers for (low|spiky) traffic
""", """
云服务器(费用太高|怎么选配置)
怎么降低(AWS|阿里云)的账单
""")
intent("data_engineering", """
build a pipeline from (kafka|s3|salesforce) to (bigquery|a lakehouse)
airflow dag (fails at midnight|runs twice)
(parquet|avro|csv) for (logs|event data)
slowly changing dimension type (2|4), how
deduplicate (events|late data) in (spark|flink)
dbt model for (orders|sessions)
""", """
(数据仓库|ETL流程)怎么设计
Spark任务(数据倾斜|内存溢出)怎么处理
""")

# What a router would be given for the intent: sentences that name it in general words. Rows of them have `role` "candidate", the others "request".
CANDIDATES = {}
for line in lines("""
    explain_code: Explain what this code does / Describe the purpose of a function in words / Help me read a program that somebody else wrote / Comment the source line by line
    unit_tests: Write automated tests for this code / Which cases should a test cover? / Mocking dependencies in tests / Increase the test coverage
    code_review: Review my changes and criticise the style / Is this implementation clean and readable? / Suggest refactorings and better names / Feedback on a pull request
    git_help: How to undo or rewrite commits / Resolve a conflict between branches / Questions about version control commands / Restore a lost branch
    api_design: Design the endpoints of a web service / Which status codes and versions should an interface use? / Sketch a schema for clients of our backend
    machine_learning_training: My neural network does not learn / Choose hyperparameters for training a model / Fine tune a language model on my own data / Avoid overfitting
    web_frontend: Lay out a page with HTML and CSS / Fix the look of a website on mobile screens / Build a user interface component
    cybersecurity_advice: Protect my accounts and devices from attackers / Is this message a fraud attempt? / What to do after a security incident in a company
    smartphone_help: My mobile phone has a problem / Transfer data to a new handset / Battery and storage trouble on a phone
    printer_and_office_hardware: The printer does not work / Connect a monitor or a scanner / Trouble with keyboards, projectors and cables
    spreadsheet_formulas: Write a formula for my spreadsheet / Excel shows an error in a cell / Sort, filter and format a worksheet
    presentation_slides: Prepare slides for a talk / Structure and design of a presentation / Shorten the text of a slide
    project_planning: Plan the phases and milestones of a project / Estimate effort and risks / Our project is late, help to reorganise it
    meeting_notes: Summarise a meeting and list the tasks / Write minutes from a transcript / Prepare an agenda
    email_drafting: Draft an e-mail for me / How should I reply to this message? / A polite reminder or refusal in writing
    summarization: Summarise a long text / Give me the key points of an article / Condense a document into a few sentences
    proofreading: Check my text for grammar and spelling / Correct the mistakes in this paragraph / Is this sentence right?
    brand_naming: Find a name for a business or product / Invent a slogan / Ideas for a catchy tagline
    marketing_copy: Write advertising text / Product description that sells / Announce a sale to customers
    seo: Improve the ranking of a site in search engines / Choose keywords for a page / Why do visitors not find my website?
    social_media_posts: Write a post for social networks / Captions and hashtags for a photo / Plan content for my channel
    sales_negotiation: Convince a customer who finds it too expensive / Negotiate a better price or salary / Script for calling potential clients
    startup_finance: Raise money for a young company / How much equity do founders give away? / Runway, valuation and investors
    personal_budget: Manage my monthly income and expenses / Save money and pay off debt / Make a household budget
    investing: Where should I put my savings for the long term? / Buy or sell funds and shares / Build a portfolio
    mortgage_and_housing: Finance the purchase of a home / Should I rent or buy? / Costs and risks of buying property
    insurance_claims: File a claim with an insurer / Does my policy cover this damage? / Which insurance do I need?
    visa_immigration: Apply for a residence or work permit / Documents for moving to another country / Extend my stay
    traffic_law: Fines and points for drivers / Who is at fault in an accident on the road? / Rules for parking and right of way
    privacy_law: Rules for handling personal data / Consent, deletion and data breaches / May a company collect this about me?
    copyright_questions: Am I allowed to use this picture or song? / Who owns a work? / Licences and plagiarism
    inheritance: Who inherits after a death? / Disputes about an estate / Duties of heirs and executors
    criminal_law_questions: Is this a crime and what is the punishment? / My rights towards the police / How does a criminal trial work?
    drug_information: May these medicines be taken together? / Dose and side effects of a drug / What if I forgot to take my pills?
    nutrition_diet: What should I eat to stay healthy? / Calories, proteins and vitamins in food / Plan a diet
    fitness_training: Make a workout plan / How to do an exercise correctly / Train for a race
    mental_wellbeing: I feel low and need someone to talk to / Cope with stress and anxiety / Find motivation again
    pregnancy_and_baby: Questions of expectant mothers / Caring for a newborn / Development of babies
    first_aid: What to do right now for an injured person / Treat burns, bites and wounds / Emergency steps until help arrives
    pet_care: My pet is ill or behaves strangely / Feeding and keeping animals at home / Train a young dog
    parenting: Raising children and setting limits / My child does not listen / How do I talk to kids about hard subjects?
    lesson_planning: Prepare a lesson for my class / Worksheets and activities for pupils / How should a teacher grade this?
    language_learning: Learn a foreign language / Practise conversation and vocabulary / Grammar of another language explained
    exam_preparation: Prepare for a test / Quiz me on the material / Study schedule and memory techniques
    world_history_questions: Explain an event of the past / Why did an empire rise or fall? / Lives of people in earlier centuries
    geography_facts: Capitals, rivers and mountains / Facts about countries and their borders / How many people live there?
    astronomy: Stars, planets and the universe / When can I see the next eclipse? / How does space work?
    physics_concepts: Why does nature behave like this? / Explain forces, heat and light / Laws of motion
    genetics_evolution: How are traits passed on? / How did species develop? / Genes and DNA
    climate_environment: Global warming and what to do about it / Protect nature and reduce waste / Carbon footprint of daily life
    statistics_concepts: Explain a statistical term / Distributions, significance and samples / How should uncertainty be read?
    logic_puzzles: Give me a riddle / Solve a brain teaser / Find the pattern in a series
    macroeconomics: How do interest rates and inflation work? / The economy of a whole country / Effects of taxes, tariffs and debt
    political_systems: How do governments and elections work? / Compare forms of state / Who makes the laws?
    religion_and_myth: Beliefs and festivals of religions / Gods and heroes of old tales / Customs in holy places
    art_history: Painters, styles and famous works / What does this painting mean? / Periods of art
    music_theory_practice: Learn to play an instrument / Chords, scales and rhythm / How to practise music
    movie_recommendations: Which film should we watch? / Suggest a series that I would like / Is this movie good?
    book_recommendations: What should I read next? / Recommend novels or non-fiction / Books for children
    video_games: Get past a level in a game / Tips, builds and settings for gamers / Which game shall we play?
    sports_questions: Rules and records of sports / Who won the championship? / Famous athletes and teams
    weather_questions: What will the weather be like? / Do I need an umbrella? / Forecast for the coming days
    product_comparison: Which model should I buy? / Compare two devices / Best value for my money
    fashion_style: What should I wear? / Match clothes and colours / Style advice for an occasion
    home_repair: Fix something in the house / Leaks, walls, floors and paint / Do it yourself instructions
    gardening: Grow plants and vegetables / My plant is dying / When to sow and prune
    car_trouble: My car makes trouble / A warning light came on / Maintenance of vehicles
    electronics_circuits: Build a circuit with resistors and sensors / My board does not work as wired / Choose components for a power supply
    mechanical_design: Dimension a machine part / Loads, gears and bearings / Choose a material and tolerances
    order_status: Where is my order? / Track a delivery / Change an order that is on its way
    account_access: I cannot sign in / Reset my password / Somebody took over my account
    subscription_plans: Which plans do you offer and what do they cost? / Upgrade or downgrade my membership / Is there a free trial?
    appointments: Book an appointment / Move or cancel a date / Put something into my calendar
    restaurant_booking: Reserve a table / Find a place to eat nearby / Does the restaurant have dishes for my diet?
    event_planning: Organise a party or a wedding / Checklist and schedule for an event / Ideas for a celebration
    gift_ideas: What present should I give? / Find a gift for somebody / A surprise on a small budget
    relationship_advice: Problems with my partner / How do I tell someone that I love them? / Trust, quarrels and break-ups
    resume_and_career: Improve my application / Prepare for a job interview / Change my profession
    speech_and_toast: Write a speech for a celebration / Words for a funeral or farewell / Open an event with a few sentences
    research_literature: Find scientific papers on a subject / Cite sources correctly / Write a review of research
    agriculture: Grow crops on a farm / Keep cattle and poultry / Soil, fertiliser and pests
    energy_at_home: Save electricity and heating costs / Solar power and heat pumps for a house / Insulate a building
    real_time_news: What is in the news today? / Latest developments of an event / Headlines
    smart_home_control: Switch lights and devices / Set the temperature of a room / Lock the doors and close the blinds
    media_playback: Play music or a podcast / Pause, skip, louder / Add a song to a list
    timers_and_reminders: Remind me of something / Set an alarm or a timer / Put things on my list
    unit_conversion: Convert units of measure / Currencies and time zones / How much is that in metric?
    word_meaning: What does this word mean? / Find a synonym or antonym / Origin and pronunciation of a word
    roleplay_character: Play a character with me / Stay in a role during our talk / Tell an adventure in which I decide
    ethical_hacking_learning: Learn about security testing / Practise attacks in a lab legally / Explain a vulnerability
    cloud_costs: Lower the bill of our cloud provider / Estimate what hosting will cost / Choose cheaper instances
    data_engineering: Build a data pipeline / Model tables for a warehouse / Batch and stream processing jobs fail
"""):
    name, texts = line.split(": ", 1)
    CANDIDATES[name] = texts.split(" / ")
assert set(CANDIDATES) == set(INTENTS), set(CANDIDATES) ^ set(INTENTS)


rows = Rows("intents", most=22, spread=3)
for n, (name, (block, zh)) in enumerate(INTENTS.items()):
    first = len(rows.rows)
    rows.block(name, "en", block)
    rows.block(name, "zh", zh, most=12)
    for row in rows.rows[first:]:
        row["role"] = "request"
    for text in CANDIDATES[name]:
        rows.row(name, "en", digest(text)[:10], text=text, role="candidate")
    for row in rows.rows[first:]:
        row["template"], row["gid"] = row["gid"], name
        row["split"] = "dev" if n % 8 == 3 else "train"

if __name__ == "__main__":
    rows.main()
