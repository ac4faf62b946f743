#!/usr/bin/env python3
"""Prompts whose answer stands or falls with facts about the world (fact_check_needed), and all others (no_fact_check).

Left out because one can see it either way: "explain X", advice about health, how-to questions about the world.
"""

import documents
import names
import topics
from grammar import Rows, casual, digest, draw, lines, seeded

words = {
    "country": [c.replace("the ", "", 1) for c in names.COUNTRIES],
    "city": names.CITIES,
    "figure": lines("""
        Marie Curie
        Napoleon
        Cleopatra
        Isaac Newton
        Ada Lovelace
        Charles Darwin
        Leonardo da Vinci
        Mozart
        Shakespeare
        Galileo
        Nikola Tesla
        Florence Nightingale
        Abraham Lincoln
        Queen Victoria
        Genghis Khan
        Confucius
        Simon Bolivar
        Frida Kahlo
        Alan Turing
        Louis Pasteur
        Joan of Arc
        Julius Caesar
        Beethoven
        Magellan
        Catherine the Great
        Mansa Musa
        Johannes Gutenberg
        Alexander Fleming
        Emmy Noether
        Marco Polo
        Rosa Parks
        Sigmund Freud
        Tolstoy
        Ibn Battuta
        Zheng He
        Hypatia
        Gregor Mendel
        James Watt
        Amelia Earhart
        Vincent van Gogh
    """),
    "invention": lines("""
        the telephone
        the light bulb
        penicillin
        the printing press
        the steam engine
        the world wide web
        dynamite
        the bicycle
        the microscope
        the telescope
        the zipper
        the transistor
        the periodic table
        the airplane
        the thermometer
        insulin
        paper money
        the compass
        the camera
        vulcanised rubber
        the sewing machine
        x-rays
        the barcode
        the microwave oven
        gunpowder
        the smallpox vaccine
        the elevator
        velcro
        the laser
        the stethoscope
    """),
    "film": lines("""
        Titanic
        The Godfather
        Casablanca
        Jaws
        The Matrix
        Parasite
        Amelie
        Spirited Away
        Psycho
        Alien
        Star Wars
        Pulp Fiction
        Metropolis
        Gone with the Wind
        Toy Story
        The Lord of the Rings
        Blade Runner
        Rocky
        Frozen
        Back to the Future
    """),
    "book": lines("""
        War and Peace
        Don Quixote
        Moby Dick
        Pride and Prejudice
        1984
        The Odyssey
        Hamlet
        Frankenstein
        Dracula
        Dune
        The Trial
        Journey to the West
        Dream of the Red Chamber
        The Great Gatsby
        Ulysses
        Les Misérables
        Brave New World
        The Hobbit
        Faust
        The Little Prince
    """),
    "animal": lines("""
        a blue whale
        an octopus
        a giraffe
        a cheetah
        a hummingbird
        a tortoise
        a honey bee
        a polar bear
        a bat
        a platypus
        an elephant
        a penguin
        a goldfish
        a kangaroo
        a lobster
        a house cat
        a wolf
        a crocodile
        an albatross
        a shark
        a snail
        a mosquito
        a camel
        an owl
    """),
    "element": "gold iron oxygen helium uranium mercury carbon silver lead nitrogen sodium copper titanium neon calcium zinc".split(),
    "planet": "Mars Venus Jupiter Saturn Neptune Mercury Uranus Pluto".split(),
    "company": "Toyota|Microsoft|IKEA|Nintendo|Samsung|Siemens|Nestlé|Boeing|Airbus|Netflix|Coca-Cola|Adidas|Sony|Lego|Volkswagen|Huawei|Starbucks|Ford|Philips|Nokia".split("|"),
    "event": topics.EN["history"],
    "bio": topics.EN["biology"],
    "phys": topics.EN["physics"],
    "chem": topics.EN["chemistry"],
    "health": topics.EN["health"],
    "econ": topics.EN["economics"],
    "law": topics.EN["law"],
    "phil": topics.EN["philosophy"],
    "psych": topics.EN["psychology"],
    "biz": topics.EN["business"],
    "code": topics.EN["computer science"],
    "maths": topics.EN["math"],
    "life": topics.EN["other"],
    "sport": lines("""
        the world cup
        the super bowl
        the Tour de France
        Wimbledon
        the Olympic marathon
        the Champions League
        the Masters
        the Ashes
        the Stanley Cup
        the 100 metres world record
        the Davis Cup
        the Six Nations
    """),
    "year": [str(y) for y in (1896, 1912, 1930, 1936, 1954, 1966, 1974, 1986, 1990, 1998, 2002, 2008, 2014, 2016, 2018)],
    "river": "Nile Amazon Danube Mississippi Yangtze Rhine Volga Ganges Mekong Congo Thames Seine Niger Indus".split(),
    "peak": "Mount Everest|K2|Kilimanjaro|Mont Blanc|Denali|Mount Fuji|the Matterhorn|Aconcagua|Ben Nevis|Mount Kosciuszko".split("|"),
    "claim": lines("""
        (bats are blind|goldfish only remember three seconds|ostriches bury their heads in the sand|bulls hate the colour red)
        (the great wall can be seen from space|the moon has its own light|mars has two moons|a day on venus is longer than its year)
        (we only use ten percent of our brain|hair grows back thicker after shaving|carrots improve eyesight|cold weather causes colds)
        (vaccines cause autism|5g spreads viruses|the earth is flat|the moon landing was staged)
        (einstein failed maths at school|napoleon was very short|vikings wore horned helmets|columbus proved the earth is round)
        (coffee stunts growth|sugar makes children hyperactive|msg is dangerous|red wine is good for the heart)
        (lightning never strikes twice|water drains the other way in australia|glass is a liquid|diamonds are made from coal)
        (finland has the most saunas per head|switzerland has four official languages|russia has eleven time zones|lesotho lies inside another country)
        (the unemployment rate fell last year|the population of japan is shrinking|renewables produce half of the power in portugal|crime went up in the capital)
        (the minister resigned in march|the bridge cost two billion|the company was founded in a garage|the law was passed in 1994)
        (honey never spoils|bananas are berries|peanuts are not nuts|tomatoes are fruits)
        (sharks don't get cancer|octopuses have three hearts|humans share half their genes with bananas|elephants can't jump)
        (shakespeare invented the word bedroom|beethoven was deaf|van gogh sold one painting|mozart wrote a requiem for himself)
        (the eiffel tower grows in summer|big ben is the name of the bell|the statue of liberty came from france|the pyramids were built by slaves)
        (ibuprofen thins the blood|antibiotics help against flu|vitamin c prevents colds|you need eight glasses of water a day)
        (bitcoin uses more energy than norway|electric cars emit more over their life|plastic takes 500 years to break down|planes cause two percent of emissions)
    """),
    "small": [str(n) for n in range(1, 12)],
    "zh_country": "法国 德国 日本 巴西 埃及 印度 加拿大 澳大利亚 意大利 俄罗斯 泰国 挪威 智利 肯尼亚 墨西哥 蒙古 新西兰 西班牙".split(),
    "zh_figure": "居里夫人 拿破仑 牛顿 李白 秦始皇 爱因斯坦 莫扎特 莎士比亚 郑和 孔子 达尔文 武则天 成吉思汗 贝多芬 张衡 苏轼 林肯 鲁迅 祖冲之 图灵".split(),
    "zh_invention": "电话 电灯 青霉素 蒸汽机 互联网 火药 指南针 造纸术 自行车 显微镜 晶体管 飞机 胰岛素 照相机 活字印刷".split(),
    "zh_animal": "蓝鲸 章鱼 长颈鹿 猎豹 蜂鸟 乌龟 蜜蜂 北极熊 蝙蝠 大象 企鹅 骆驼 大熊猫".split(),
    "zh_event": topics.ZH["history"],
    "zh_science": topics.ZH["biology"] + topics.ZH["physics"] + topics.ZH["chemistry"],
    "zh_health": topics.ZH["health"],
    "zh_code": topics.ZH["computer science"],
    "zh_maths": topics.ZH["math"],
    "zh_life": topics.ZH["other"],
    "zh_law": topics.ZH["law"] + topics.ZH["economics"],
    "zh_claim": "蝙蝠是瞎子 金鱼只有七秒记忆 在太空能看到长城 人只用了大脑的百分之十 剃毛会长得更粗 吃胡萝卜能治近视 喝红酒对心脏好 月球会自己发光 爱因斯坦小时候数学不及格 拿破仑很矮 香蕉是浆果 蜂蜜不会变质 味精有害健康 抗生素能治感冒 隔夜菜致癌 5G会传播病毒 金星的一天比一年长 章鱼有三颗心脏 日本人口在减少 瑞士有四种官方语言 这座桥花了二十亿 这条法律是1994年通过的".split(),
}

rows = Rows("fact_check", words, most=36, spread=2.2)
NEED, NOT = "fact_check_needed", "no_fact_check"

rows.block(NEED, "en", """
(who|which person) (invented|discovered|came up with|first patented|is credited with) {invention}?
when (was|were) {invention} (invented|discovered|first sold|introduced)?
(in which|what) year did {figure} (die|get born|become famous|publish the first work|leave home)?
(when|where) (was {figure} born|did {figure} die|did {figure} study|is {figure} buried)?
(how old was|what nationality was|what did|how did) {figure} (when he or she died|by birth|discover|die)?
what is {figure} (best known|famous|remembered) for?
(who|which actor|which actress) (directed|starred in|produced|wrote the music for) {film}?
(when|what year) (did {film} come out|was {film} released|was {film} filmed)?
how (many oscars did|much money did) {film} (win|make)?
(who|which author) wrote {book}(?| and when?)
(when|where) (was {book} published|is {book} set|was {book} banned)?
what is the (capital|population|area|currency|official language|highest mountain|gdp|life expectancy|national animal|largest city|time zone) of {country}?
(how many|what) (people live in|languages are spoken in|countries border|provinces make up|time zones are in) {country}?
(who is|who was|what is the name of) the (current|first|last|longest serving) (president|prime minister|king|queen|head of state) of {country}?
when did {country} (become independent|join the united nations|win its first olympic medal|abolish the death penalty|give women the vote)?
(how high|how tall) is {peak}(?| in metres?| and who climbed it first?)
(how long|through which countries|where) (is the {river}|does the {river} flow|does the {river} begin)?
how (far|big|hot|heavy) is (the moon|the sun|{planet})(?| compared with earth?| from here?)
how many (moons|rings|satellites) does {planet} have?
(how long|how much|how fast|how big) (does {animal} live|does {animal} weigh|can {animal} move|can {animal} get)?
(what|how much) does {animal} eat(?| per day?)
how many (hearts|bones|teeth|legs|eggs|babies) does {animal} have?
(what is|what's) the (atomic number|melting point|symbol|density|boiling point|price per ounce) of {element}?
who won {sport} in {year}?
(where|when) (was|did) (the {year} olympics|the {year} world cup|{sport} in {year}) (held|take place)?
(who|which athlete|which team) (holds the record in|won most often|was the youngest winner of) {sport}?
when (did|was) {event} (begin|end|take place|happen)?
(what|who) (caused|started|ended|led to|was responsible for) {event}?
how (many people died in|long did|did people live during) {event}(?| last?)
(where|why) did {event} (start|break out|fail|happen)?
(when|where|by whom) was {company} founded?
(who owns|who is the ceo of|how many people work for|what was the revenue last year of) {company}?
which company (bought|owns|makes|is bigger than) {company}?
what are the (symptoms|causes|risk factors|long term effects|complications) of {health}?
(how common is|what percentage of people have|is there a cure for|how is it treated, i mean) {health}?
(what is|what are|what's) {bio}?
(what is|what are|what's) {phys}?
(what is|what are|what's) {chem}?
(where|when) (was|were) {phys} (first|) (observed|described|predicted)?
who (discovered|first described|got a nobel prize for) {bio}?
(what is|what was) the (inflation rate|unemployment rate|minimum wage|average salary|interest rate|public debt) in {country}(?| in {year}?)
(which|what) (country|city|river|animal|planet|element|language) (is the largest|is the oldest|has the most speakers|is the rarest|is the smallest) (in the world|in europe|on record|in africa)?
(is it true|is it a fact|is it correct) that {claim}?
(fact check|fact-check|verify|please verify|true or false|check this claim|debunk or confirm)(:|) {claim}
(i read|someone told me|i heard|my uncle says|they say|a post claims) that {claim}(.|,) (is that right|is it true|true|can that be|can you verify this)?
did {figure} really (exist|die in poverty|say that|visit {country}|write {book}|invent {invention})?
did {country} (ever|really) (win {sport}|have a king|lose a war against {country}|use the euro)?
(are|is) {animal} (endangered|poisonous|nocturnal|a mammal|able to swim|native to {country})?
(is|was) {city} (the capital of {country}|older than {city}|ever bombed|a roman town|bigger than {city})?
(what is the legal|what's the) (drinking age|driving age|retirement age|speed limit|voting age|blood alcohol limit) in {country}?
what does the law in {country} say about {law}?
(when|how) was the law on {law} (last changed|introduced|passed) in {country}?
(what|which) studies (show|prove|say) that {claim}?
what is the (current|latest|official) (number|rate|price|record|estimate) (of|for) (covid deaths|gold|bitcoin|speakers of spanish|electric cars in {country}|refugees)?
what did (keynes|kant|freud|skinner|plato|adam smith) (say|write|think) about ({phil}|{psych}|{econ})?
in which (book|year|city) did (kant|hegel|freud|adam smith|confucius|jung) (introduce|describe|criticise) ({phil}|{psych}|{econ})?
(give|list|tell) me (the facts|the key dates|the main figures|statistics) (about|of|on) ({event}|{health}|{econ})(.|)
(name|list) (all|the) (countries in africa|kings of england|planets|us presidents since {year}|winners of {sport}|moons of {planet}|members of the eu)(.|)
(summarise|tell me) what (is known|scientists know|happened) (about|during) ({event}|{health}|{bio})(.|)
(where does|where do) (coffee|tea|potatoes|the word robot|chess|pizza|paper|rubber|tulips|silk) (come from|originate)?
(how long|how far|how many) (does light take to reach us from the sun|is the great wall|bones does a human have|litres of blood do we have|chromosomes do humans have|stars are in the milky way)?
(what|which) (vitamins|nutrients|hormones|enzymes) (are in|does|break down) (spinach|the thyroid produce|milk|eggs|starch)?
(when|who) (does|did) (the ottoman empire|daylight saving time|the next eclipse|the euro|slavery in brazil) (end|start|begin)?
who (painted|composed|designed|built|sculpted) (the night watch|the magic flute|the sydney opera house|the eiffel tower|the thinker|swan lake|hagia sophia)?
(who sings|who wrote|when was) (bohemian rhapsody|imagine|the song yesterday|la vie en rose) (released|) ?
how much (caffeine|sugar|protein|alcohol) is in (a cup of tea|a can of cola|an egg|a glass of wine)?
which (side effects|interactions) does (ibuprofen|metformin|warfarin|amoxicillin) have?
can (dogs eat grapes|humans survive on mars|birds smell|cats see red|plants hear)?
do (bees sleep|fish feel pain|vaccines contain mercury|trees talk to each other|identical twins share fingerprints)?
write a (short biography of|wikipedia style entry on|factual summary of|timeline of) ({figure}|{event}|{company}) with dates and sources
cite sources for the claim that {claim}
according to the (who|imf|un|world bank), (what is the life expectancy in {country}|how many people suffer from {health}|how high is growth in {country})?
""")
rows.words["show"] = lines("""
    friends
    the office
    breaking bad
    doctor who
    the crown
    stranger things
    game of thrones
    the simpsons
    sherlock
    downton abbey
    peaky blinders
    squid game
    mad men
    lost
    the wire
    seinfeld
""")
rows.block(NEED, "en", """
# as they are typed into a search box
(who plays|who played|who is the voice of|name of the actor who plays) (the father|the villain|the doctor|sheldon|the queen|the dog|the main character) (in|on) ({show}|{film})
(when does|when did|what date does|release date of) (season {small}|the next season|the last episode|the new series) of {show} (start|come out|end|air)
(how many|number of) (seasons|episodes|series) (are there of|does|of) {show} (have|)
(where|in which town) (was|is) ({show}|{film}) (filmed|set|shot)
(who sang|who sings|who wrote|who performed) (the theme song|the title song|the last song) (of|in|from) ({show}|{film})
(last time|first time|how many times) (england|brazil|italy|the us|germany|argentina) won (the world cup|a gold medal|{sport})
(who won|winner of|runner up of) {sport} (last year|in {year}|ever most)
(name of|who was) the (first|second|last) (man on the moon|woman in space|emperor of rome|king of scotland|chancellor of germany|tsar of russia)
(what is|where is) the (smallest|biggest|oldest|longest|deepest) (bone in the body|lake in europe|tree in the world|ocean trench|country in africa|desert)
(how much|what) (does it cost to build|was paid for|is the value of) (the burj khalifa|a nuclear plant|the mona lisa|alaska|the statue of liberty|a space suit)
(when|where) (was|were) the (declaration of independence|magna carta|first olympics|un charter|treaty of rome) (signed|held)
(population|area|capital|flag|currency|president|anthem|gdp per capita) of {country}
{country} (population|capital|currency|independence day|president|size in km2)
{figure} (birthday|death|nationality|wife|inventions|biography|age)
(what is the meaning of|where does) (the name|the word|the surname) (oslo|taco|smith|algorithm|tsunami|okapi) (come from|)
(who is|who was) (the author of|the narrator in|the heroine of) {book}
(which|what) (war|treaty|king|battle) came (before|after) {event}
(what part|which gland|which organ) of the (body|brain|cell) (makes insulin|stores memories|controls balance|filters blood|produces bile)
(how do|how does) (tides|vaccines|earthquakes|rainbows|glaciers|viruses|antibiotics) (form|work|spread|happen)
(what year|when) did (the euro|smoking bans|colour tv|the metric system|women's football) (start|begin|come) (in {country}|)
(difference in height between|which is higher,) {peak} (and|or) {peak}
(is|was) ({country}|{city}) (part of|in) (the eu|nato|the roman empire|the soviet union|the commonwealth|africa)
(how long|how far) is (a marathon|a light year|the panama canal|the drive from {city} to {city}|the border between {country} and {country})
(side effects|half life|maximum dose|price|inventor) of (aspirin|caffeine|morphine|insulin|penicillin)
(nobel prize|oscar|booker prize|fields medal|grammy) (winners|winner) (of |in |){year}
""")
rows.block(NEED, "zh", """
(谁|哪个人)(发明|发现)了{zh_invention}？
{zh_invention}是(哪一年|什么时候)(发明|出现)的？
{zh_figure}(是哪一年出生的|是哪国人|死于哪一年|最著名的成就是什么|葬在哪里)？
{zh_country}的(首都|人口|面积|货币|官方语言|最高峰|国花|现任总统)是(什么|多少|谁|哪里)？
{zh_event}(发生在哪一年|是怎么开始的|什么时候结束的|死了多少人|的起因是什么)？
{zh_animal}(能活多少年|有多重|吃什么|是哺乳动物吗|有几颗心脏|跑得多快)？
{zh_science}是(什么|谁提出的|什么时候发现的)？
{zh_health}的(症状|病因|发病率|并发症)(有哪些|是什么|是多少)？
(听说|有人说|网上说|据说){zh_claim}，(是真的吗|对吗|是谣言吗|有科学依据吗)？
(核实一下|事实核查|判断真假|辟谣)：{zh_claim}
{zh_claim}(，对不对|是真的吗|有依据吗|是事实还是谣言)？
世界上(最长的河|最高的山|最大的沙漠|人口最多的城市|最深的湖)(是什么|在哪里|有多长)？
(哪一届|哪年)(奥运会|世界杯)在(北京|巴西|东京|法国)举办？冠军是谁？
(水|金|铁|酒精)的(沸点|熔点|密度|化学式)是多少？
(红楼梦|三国演义|百年孤独|战争与和平)的作者是谁，(写于哪一年|讲的是哪个时代)？
{zh_country}(去年|现在)的(通胀率|失业率|国内生产总值|最低工资|法定退休年龄)是多少？
关于{zh_law}，(现行法律怎么规定|最新的规定是哪年出台的)？
月球(离地球多远|上有水吗)？
光从太阳到地球需要多久？
人体有多少块骨头？
(华为|丰田|任天堂|可口可乐)(是哪年成立的|创始人是谁|去年营收多少)？
列出(唐朝的皇帝|联合国常任理事国|太阳系的行星|诺贝尔文学奖近十年的得主)
""")
for lang, block in (("es", """
¿(quién inventó el teléfono|cuál es la capital de Australia|cuándo terminó la primera guerra mundial|cuántos habitantes tiene Perú|quién escribió Don Quijote)?
¿(cuál es la capital|cuántos habitantes tiene|cuál es la moneda|quién es el presidente|qué idioma se habla) (de|en) (Chile|Noruega|Egipto|Vietnam|Canadá)?
¿(cuándo|dónde|en qué año) (nació|murió) (Napoleón|Marie Curie|Mozart|Frida Kahlo|Cervantes)?
¿(quién descubrió|quién inventó) (la penicilina|América|la imprenta|la gravedad|los rayos X)?
¿es verdad que (los murciélagos son ciegos|la muralla china se ve desde el espacio|el vino tinto es bueno para el corazón)?
"""), ("de", """
(wer erfand das Telefon|was ist die Hauptstadt von Australien|wann endete der erste Weltkrieg|wie viele Einwohner hat Peru|wer schrieb Faust)?
(wie heißt die Hauptstadt|wie viele Einwohner hat|was ist die Währung|wer ist Präsident) von (Chile|Norwegen|Ägypten|Vietnam|Kanada)?
(wann|wo|in welchem Jahr) (ist|wurde) (Napoleon|Marie Curie|Mozart|Goethe) (gestorben|geboren)?
(wer entdeckte|wer erfand) (das Penicillin|Amerika|den Buchdruck|die Röntgenstrahlen)?
stimmt es, dass (Fledermäuse blind sind|man die chinesische Mauer vom Weltraum sieht|Rotwein gut für das Herz ist)?
"""), ("fr", """
(qui a inventé le téléphone|quelle est la capitale de l'Australie|quand s'est terminée la première guerre mondiale|combien d'habitants a le Pérou) ?
(quelle est la capitale|combien d'habitants a|quelle est la monnaie|qui est le président) (du Chili|de la Norvège|de l'Égypte|du Vietnam) ?
(quand|où|en quelle année) (est né|est mort) (Napoléon|Mozart|Victor Hugo|Louis Pasteur) ?
(qui a découvert|qui a inventé) (la pénicilline|l'Amérique|l'imprimerie|les rayons X) ?
est-il vrai que (les chauves-souris sont aveugles|la grande muraille se voit de l'espace|le vin rouge est bon pour le cœur) ?
"""), ("ja", """
(電話を発明したのは誰|オーストラリアの首都はどこ|第一次世界大戦はいつ終わった|ペルーの人口はどのくらい|源氏物語の作者は誰)ですか？
(チリ|ノルウェー|エジプト|ベトナム)の(首都|人口|通貨|大統領)は(何|どこ|誰)ですか？
(ナポレオン|モーツァルト|マリー・キュリー|織田信長)は(いつ|どこで)(生まれ|亡くなり)ましたか？
(ペニシリン|印刷機|X線)を(発見|発明)したのは誰ですか？
(コウモリは目が見えない|万里の長城は宇宙から見える|赤ワインは心臓に良い)というのは本当ですか？
""")):
    rows.block(NEED, lang, block)

rows.block(NOT, "en", most=56, spread=3, block="""
# code
(how do i|how can i|what is the best way to|can you show me how to) (reverse a string|read a csv|merge two lists|parse json|sort a dictionary|open a socket|center a div|write a unit test|catch an exception|debounce a function|remove duplicates) in (python|java|javascript|rust|c|go|css|php|bash)?
why (does|is|won't|doesn't) (my code|my function|this loop|the query|my docker container|my test|the build) (not compile|so slow|crash|return none|loop forever|fail in ci|print nothing)?
(write|implement|give me|create) (a|an|some) (python|java|sql|javascript|rust|bash|typescript|c++) (function|script|query|class|one-liner|snippet) (that|to|which) (finds primes|counts words|sends an email|validates a date|joins two tables|renames files|computes fibonacci|scrapes a page)(.|?|)
(fix|debug|refactor|review|optimise|explain) (this|my|the following) (code|function|query|regex|script|snippet|class)(.|: for i in range|: select * from t|?| please)
(what is wrong with|what does|which line breaks in|can you spot the bug in) (this function|this code|my script|the snippet below)(?| do?)
(what's|what is) the (error|bug|problem|output) (in|of) (this code|print\\(1+1\\)|my for loop|the following snippet)?
(which|what) (data structure|design pattern|framework|library) (should|would) (i|you) (use|pick) for {code}?
how would you (implement|design|structure|test) {code} (in python|for a small app|from scratch)?
(convert|port|rewrite) this (python|java|perl) (code|class|loop) (to|into) (rust|go|kotlin|javascript)(.|)
add (comments|type hints|logging|error handling|tests) to (this function|my class|the script)(.|)
# maths
(what is|what's|calculate|compute|how much is) (17 times 23|15% of 260|the square root of 169|3/4 plus 5/6|2 to the power of 10|1234 + 4321|the sum of 1 to 100|7 factorial)(?|.|)
(solve|simplify|factor|differentiate|integrate|expand|evaluate) (x^2 - 5x + 6 = 0|3x + 7 = 22|sin\\(x\\)cos\\(x\\)|x e^x|\\(a+b\\)^3|2x - 4 > 10|the fraction 18/24)(.|)
(a train leaves|tom has|a farmer has|a shop sells|two pipes fill) (12 apples and gives away 5|at 60 km an hour|a tank in 3 and 6 hours|shirts at 20 percent off|17 sheep), (how many are left|when does it arrive|how long does it take|what is the price)?
(how do i|how to|show me how to|what are the steps to) (solve|work out|do|calculate) (problems on |tasks about |){maths}?
(prove|show) that (the sum of two odd numbers is even|root 2 is irrational|n^2 + n is even|the angles add up)(.|)
what (comes next|number is missing|is the pattern)(:| in) (2, 4, 8, 16|1, 1, 2, 3, 5|3, 6, 12, 24)?
if (x = 3|a = 2 and b = 5|f\\(x\\) = 2x + 1), what is (2x + 4|a times b|f\\(10\\)|x squared)?
(convert|how many|what is) (10 miles in km|72 f in celsius|cups are in a litre|5 feet 9 in cm|inches are 30 cm|3/8 as a decimal)(?|.|)
# creative
(write|compose|create|invent|make up|come up with) (a|an|me a|a short) (poem|story|song|haiku|limerick|joke|dialogue|fairy tale|script|riddle|rap) about ({life}|a lonely robot|the sea|autumn|two friends|a lost key)(.|, please|)
(can you|could you|would you) (write|tell|sing|make up|improvise) (me |)(a story|a joke|a poem|a bedtime story|something funny|a rap)(?| about {life}?| about my cat?)
(what|which) (title|name|slogan|opening line|ending|plot twist) (would fit|suits|would you give|do you suggest for) (my novel|a bakery|my cat|a love story|our band|a blog about {life})?
(who|what) (should be the villain|would be a good hero|could happen next|is the murderer) in my (story|novel|play|game)?
what would (a dragon|a talking dog|a pirate|an alien|napoleon as a teenager|the moon) say (about|to) (mondays|a tax officer|{life}|its mother)?
(what if|imagine|suppose) (cats could talk|we lived on mars|time ran backwards|nobody had to sleep|everyone could fly)(?|, what would change?|. describe a day.)
(describe|paint) a (sunset|market|haunted house|city in the clouds|rainy street) (in vivid words|for a novel|as if you were a child|in three sentences)(.|)
# opinions, taste
(what|which) do you (think|prefer|like better|find better)(:| about| of|,) ({life}|cats or dogs|tea or coffee|summer or winter|my plan|this outfit)?
(do you like|are you a fan of|would you enjoy|what's your opinion on) ({life}|jazz|pineapple on pizza|mondays|long walks)?
(should i|shall i|would you|do you think i should) (quit my job|text him back|buy the red or the blue one|cut my hair|go to the party|learn guitar or piano|get a dog|forgive her)?
(is|are) (pizza better than pasta|mornings better than evenings|blue nicer than green|cats cuter than dogs|my poem any good|these shoes ugly)?
(what|which) (movie|book|game|gift|colour|song|dish) (should|would|could) (i|we|you) (watch|read|play|buy|choose|try|recommend) (tonight|next|for my mum|this weekend|)?
# advice that depends on the person, plans
(how do i|how can i|how should i|what's the best way to) (tell my boss|ask her out|say no to a friend|stay motivated|stop procrastinating|make friends|calm down|forgive myself|start a conversation|apologise to my sister)?
(what|where) should (i|we) (cook|eat|wear|go|do|write|say|give her) (tonight|tomorrow|for dinner|on the first date|at the weekend|for her birthday|to my landlord)?
(plan|organise|suggest|outline|help me plan) ({life}|a party|a workout week|my day|a study schedule|a menu for six)(.|, please|)
(any|do you have|got any) (ideas|tips|suggestions|advice) for ({life}|a date night|my speech|decorating|a rainy day)?
(i feel|i'm|i am) (sad|lonely|stressed|nervous about tomorrow|so happy|bored|tired)(.|, what should i do?|, talk to me|. any advice?)
my (boyfriend|mother|roommate|boss|friend) (ignores me|is angry|never cleans|wants a break|forgot my birthday)(.|,) (what would you do|what do i say|help|how do i react)?
(how was|how is|how's) (your day|it going|life|your weekend)?
# translation and language
(translate|put|say|render) ("good night"|"where is the bus"|this sentence|the text below|"I love you"|my menu) (in|into|to) (french|german|spanish|chinese|japanese|italian|english)(.|?|)
(how do you say|what is the word for|what's|how would one write) ("thank you"|"cat"|"see you tomorrow"|"screwdriver"|"cheers") in (korean|french|dutch|swedish|arabic|spanish)?
(what does|what's the meaning of) ("bonjour"|"gracias"|"guten tag"|"merci beaucoup"|"arigato"|this french sentence) (mean|) in english?
(is|are) (this sentence|the grammar|the commas|my english) (correct|okay|natural|right)(?|: he go home?|: i has seen it?)
(rewrite|rephrase|shorten|proofread|polish|simplify|summarise|edit|paraphrase|improve) (this|my|the following) (text|paragraph|e-mail|essay|sentence|cover letter|abstract|article)(.| in a formal tone.|?| please| in 50 words)
(what's|what is) (another word|a synonym|a better phrase|a fancier word) for (happy|good|to help|very tired|important)?
(can you|could you) (make|turn) (this|my text|the paragraph) (shorter|more formal|into bullet points|sound friendlier|into a poem)?
# documents given, data given
(based on|according to|using only) the (text|table|e-mail|notes) (below|above|i pasted), (what does he want|list the action items|who is responsible|which row is largest)?
(extract|list|count|highlight) (the|all) (names|dates|verbs|keywords|prices) (in|from) (this text|the paragraph|the list below|my notes)(.|)
(classify|tag|rate|sort) (this review|these sentences|the following mails|my list) (as positive or negative|by topic|by tone|alphabetically)(.|)
(draft|write|compose) (a|an) (e-mail|letter|message|complaint|invitation|cover letter|cv|thank you note|resignation|speech|toast|product description|tweet|caption|agenda|press release) (to my landlord|for {life}|for a job as a nurse|about the delay|to our customers|for my sister's wedding|)(.|)
(make|create|generate|build) (a|an) (table|outline|checklist|quiz|template|mind map|schedule|budget|shopping list|logo|picture) (for|of|about) ({life}|{biz}|my week|a cat|a school project)(.|)
# commands
(set|start|cancel|stop) (a|the|my) (timer|alarm|reminder|music|meeting) (for ten minutes|at seven|now|)(.|)
(turn|switch) (on|off) the (lights|heating|tv|radio|fan)(.|, please|)
(play|pause|skip|repeat) (this song|some jazz|the next track|my playlist|that)(.|)
(call|text|email|remind) (mom|anna|the dentist|my boss)(.| at six| that i'm late|)
(book|order|reserve|cancel) (a table for two|a taxi|the hotel|my appointment|a pizza)(.| for tonight|, please|)
add (milk|eggs|bread and butter) to (my|the) (shopping list|cart)(.|)
# about the assistant, small talk
(who|what) (are you|made you|can you do|is your name|do you know about me|is your favourite colour)?
(can|do|are|will) you (dream|feel|hear me|remember me|a robot|speak german|get tired|be my friend|help me)?
(hi|hello|hey|good morning|good evening|yo|howdy|what's up|sup)(!| there| friend|, how are you?|, got a minute?|)
(thanks|thank you|great|ok|cool|perfect|never mind|bye|good night|see you)(!|.| so much| for now|)
(tell me|surprise me with|give me|do you know) (a joke|something funny|a riddle|a compliment|a tongue twister|a pun)(.|?|)
(knock knock|guess what|i'm back|lol|haha that's funny|are you there)(?|!|)
# role play, prompts
(act as|pretend to be|you are|play) (a pirate|my english teacher|a job interviewer|a therapist|a dungeon master|a shopkeeper|sherlock holmes) (and|who) (ask me questions|greets me|correct my mistakes|sells me a sword|helps me with {life})(.|)
(let's|can we|shall we) (play a game|do a role play|practise small talk|brainstorm|write a story together|play twenty questions)(?|.|)
(ask me|give me|quiz me with) (a question|five interview questions|something to think about|a writing prompt|conversation starters)(.|?|)
(motivate|cheer|encourage|congratulate|roast) me(.|!| up| please| before my exam)
# business and everyday tasks in question form
(how should|how would you|how do we) (structure|organise|run|improve|present) ({biz}|our team meeting|the sales deck|a workshop)?
(what|which) (subject line|heading|name|tone|colour scheme) (works best for|should i use for|fits) (my newsletter|a sad e-mail|{biz}|the landing page)?
what (questions|goals|points|sections) should (i|we) (ask|set|include|cover) in (an interview|my cv|the report|a talk on {biz})?
(can you|could you|would you) (help me with|assist with|look at|check) (my homework|my cv|this spreadsheet|a letter|my excel formula|my code|some writing)?
(which|what) excel formula (adds|counts|finds|compares) (two columns|cells with text|duplicates|values over 100)?
(where is|what's the status of|can i return|how do i cancel|when will you ship) my (order|parcel|subscription|refund|package)?
(i forgot my password|i can't log in|my account is locked|the app keeps crashing|my payment failed)(.|, help|, what now?)
(what time is it|what day is today|what's on my calendar|do i have any meetings|how long until my next appointment)(?|)
""".replace("\\\\(", "(").replace("\\\\)", ")").replace("\\(", "[").replace("\\)", "]"))
rows.block(NOT, "zh", most=44, spread=3, block="""
(用|怎么用)(Python|Java|JavaScript|SQL|Go)(反转字符串|读取CSV|合并两个列表|去重|解析JSON|写冒泡排序|连接数据库)(？|)
(我的|这段)(代码|函数|程序|脚本)(为什么报错|哪里有问题|怎么优化|运行很慢|一直循环)？
(写|帮我写|实现)一个{zh_code}的(例子|小程序|函数)
(计算|求|解方程|化简)(：|)(17乘以23|x的平方减5x加6等于0|260的15%|1加到100|3/4加5/6|7的阶乘)
{zh_maths}的(题|应用题)怎么做？
(小明|商店|农民)(有12个苹果，给了小红5个|打八折卖衬衫|有17只羊)，(还剩几个|现价多少|一共多少)？
(写一首|写一篇|编一个|创作一个)关于({zh_life}|孤独的机器人|大海|秋天|友情)的(诗|故事|散文|笑话|歌词|童话)
(给我|帮我)(的猫|的店|的公众号|的小说)起个名字
(你觉得|你认为)({zh_life}怎么样|猫好还是狗好|我该辞职吗|这个方案好吗|茶和咖啡哪个好)？
(我该|我应该)(买红色还是蓝色|去不去聚会|怎么跟老板说|学吉他还是钢琴|原谅她吗)？
(今晚|周末|中午)(吃什么|穿什么|干什么|看什么电影)(好|呢|)？
(我|最近)(很难过|好孤独|压力好大|很紧张|无聊死了)(，怎么办|，陪我聊聊|。)
(把|请把)(下面这段话|"晚安"|这句话|菜单)翻译成(英文|法语|日语|德语)
"(谢谢|猫|明天见)"用(韩语|法语|英语|西班牙语)怎么说？
(改写|润色|缩写|总结|校对)(这段文字|我的邮件|这篇作文|下面的段落)(，正式一点|，五十字以内|)
这句话(通顺吗|语法对吗|有错别字吗)？
(写一封|起草一封)(给房东的|给客户的|求职的)(邮件|信|感谢信|投诉信)
(做一个|列一个)(关于{zh_life}的|)(计划|清单|提纲|表格|日程)
(定一个|取消)(闹钟|十分钟的计时器|明早七点的提醒)
(打开|关掉)(灯|空调|音乐|电视)
(你是谁|你能做什么|你叫什么|你会做梦吗|你喜欢什么颜色)？
(你好|早上好|晚安|在吗|谢谢|再见|哈哈)(！|呀|，吃了吗|)
讲个(笑话|冷笑话|睡前故事)
(扮演|假装你是)(海盗|我的英语老师|面试官|侦探)，(跟我对话|问我问题)
如果(猫会说话|时间倒流|人不用睡觉)，(会怎样|写一个故事)？
(我的订单|我的快递|退款)(到哪了|什么时候到|怎么取消)？
(根据上面的文字|根据表格)，(他想要什么|列出待办事项|哪一行最大)？
(怎么|如何)(跟女朋友道歉|拒绝朋友|保持动力|开始一段对话|克服拖延)？
给"(高兴|漂亮|努力)"找个近义词
鼓励我一下，明天要考试了
""")
for lang, block in (("es", """
(escribe|traduce|corrige|resume) (un poema sobre el mar|esta frase al inglés|mi correo|el texto de abajo)(.|)
¿(qué cocino hoy|cómo estás|qué opinas de mi plan|cómo ordeno una lista en python|cuánto es 17 por 23)?
"""), ("de", """
(schreib|übersetze|korrigiere|kürze) (ein Gedicht über das Meer|diesen Satz ins Englische|meine E-Mail|den Text unten)(.|)
(was soll ich heute kochen|wie geht es dir|was hältst du von meinem Plan|wie sortiere ich eine Liste in Python|wie viel ist 17 mal 23)?
"""), ("fr", """
(écris|traduis|corrige|résume) (un poème sur la mer|cette phrase en anglais|mon mail|le texte ci-dessous)(.|)
(que cuisiner ce soir|comment vas-tu|que penses-tu de mon plan|comment trier une liste en python|combien font 17 fois 23) ?
"""), ("ja", """
(海についての詩を書いて|この文を英語に訳して|メールを添削して|下の文章を要約して)(ください|)(。|)
(今日の夕飯は何がいい|元気ですか|私の計画をどう思う|Pythonでリストを並べ替えるには|17かける23は)？
""")):
    rows.block(NOT, lang, block)

# Longer ones: something pasted and what is to be done with it; a question with its occasion.
WITH_TEXT = lines("""
    (summarise|shorten|proofread|translate into German) (this|the text below):
    rewrite this so that it sounds (friendlier|more formal|shorter)
    what does the sender want from me?
    (list|extract) the (action items|names|dates|figures)
    write a polite answer to this
    turn this into (bullet points|a table|a tweet)
    is the tone of this mail okay?
    which of these points should come first?
    fix the spelling
    what would be a good title for this?
""")
WITH_CODE = lines("""
    why does this not work?
    (explain|review|optimise|refactor) this
    what does this return?
    add (tests|comments|types)
    where is the bug?
    rewrite it in (python|rust|javascript)
    is there a shorter way to write this?
""")
for n in range(520):
    rng = seeded("fact_check text", str(n))
    code = n % 3 == 2
    ask = rng.choice(WITH_CODE if code else WITH_TEXT)
    text = casual(draw(ask, {}, rng), "en", rng)
    body = documents.code(rng) if code else documents.any_document(rng, "zh" if n % 11 == 0 else "en")
    rows.row(NOT, "en", "text" + digest(ask)[:8], text=text + "\n\n" + body if rng.random() < 0.8 else body + "\n\n" + text)
OCCASION = lines("""
    I'm preparing a (pub quiz|lesson|talk|school project) and need to know this:
    My (son|daughter|grandpa|colleague) asked me something at (dinner|work|breakfast) and I had no answer.
    We had a bet about this yesterday.
    Quick question for my (crossword|essay|trip|podcast):
    I want to be sure before I (publish|print|say) it:
    I've looked on several sites and they disagree.
    Please answer with sources.
    Not sure where I read it, but
""")
OTHER = lines("""
    I'm sitting on a (train|sofa|balcony) and have an hour.
    We had a long day and my head is empty.
    It's for a (school project|newsletter|friend|presentation), nothing serious.
    Please keep it short, I'm on my phone.
    Take your time, it should be good.
    My (boss|teacher|sister) wants it by tomorrow.
    I've tried this myself and didn't like the result.
    Use simple words.
""")
for label, many in ((NEED, 420), (NOT, 420)):
    for split in ("train", "dev"):
        have = [r for r in rows.rows if r["label"] == label and r["lang"] == "en" and r["split"] == split and "\n" not in r["text"]]
        rng = seeded("fact_check long", label, split)
        for _ in range(many if split == "train" else many // 8):
            row = rng.choice(have)
            if label == NEED:
                text = draw(rng.choice(OCCASION), {}, rng) + " " + row["text"]
            else:
                extra = draw(rng.choice(OTHER), {}, rng)
                text = extra + " " + row["text"] if rng.random() < 0.5 else row["text"] + ("" if row["text"][-1] in ".?!" else ".") + " " + extra
            if rng.random() < 0.3:
                text = text.lower()
            if rows.row(label, "en", row["gid"], text=text):
                rows.rows[-1]["split"] = split

if __name__ == "__main__":
    rows.main()
