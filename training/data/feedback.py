#!/usr/bin/env python3
"""What people write after an answer: satisfied, need_clarification, wrong_answer, want_different - and none, a turn that says nothing about the answer."""

from grammar import Rows, lines

words = {
    "thing": lines("""
        code
        script
        query
        recipe
        essay
        email
        summary
        table
        outline
        poem
        plan
        itinerary
        function
        regex
        translation
        list
        letter
        cover letter
        spreadsheet formula
        diagram
        config
        proof
        calculation
        paragraph
        draft
        intro
        headline
        speech
        caption
        workout
        explanation
        answer
        story
        title
        slogan
        dockerfile
        test
    """),
    "made": lines("""
        essay
        email
        summary
        poem
        plan
        itinerary
        letter
        draft
        intro
        headline
        speech
        caption
        story
        title
        slogan
        cover letter
        bio
        description
        reply
        name
        logo idea
        outline
        menu
        post
        paragraph
        joke
        toast
        lesson plan
    """),
    "concept": lines("""
        recursion
        compound interest
        the chain rule
        a foreign key
        entropy
        the p value
        gradient descent
        a covalent bond
        the subjunctive
        an escrow account
        osmosis
        depreciation
        a closure
        the placebo effect
        a monad
        photosynthesis
        inflation
        a mutex
        standard deviation
        liability
        the second law
        the categorical imperative
        amortization
        backpropagation
        the doppler effect
        double-entry bookkeeping
        cognitive dissonance
        a tort
        elasticity
        the krebs cycle
        oauth
        cache invalidation
        eigenvalues
        torque
        a call option
        half-life
        a load balancer
        sourdough hydration
        insulin resistance
        a derivative
    """),
    "part": lines("""
        the second step
        step 3
        step two
        the last part
        the first paragraph
        the middle bit
        the formula
        the third point
        point 4
        the part about {concept}
        the bit where you mention {concept}
        the last line
        line 12
        the loop
        the return statement
        the example
        the second sentence
        the conclusion
        the table
        that final equation
        the assumption at the start
        the bullet about costs
        the dosage part
        the setup section
    """),
    "tone": lines("""
        formal
        casual
        friendly
        funny
        professional
        dramatic
        poetic
        playful
        serious
        polite
        confident
        persuasive
        upbeat
        neutral
        conversational
        academic
        romantic
        dry
        warm
        punchy
    """),
    "wrongfact": lines("""
        the capital of Australia is Canberra, not Sydney
        the war ended in 1918
        she was born in 1867
        water boils at 100 degrees at sea level
        7 times 8 is 56
        the answer should be 42
        the answer is 3.5, not 35
        it was released in 2007
        Python lists start at index 0
        there are 28 days in that month
        the function returns a list, not a dict
        the deadline is in May
        a triangle has three sides
        the mean is 12.4
        there are 206 bones in the adult body
        it's the left ventricle, not the right one
        he never won that prize
        the meeting is on tuesday
        that law was repealed years ago
        the boiling point is higher than that
        the river flows north
        JPY is the yen, not the yuan
        the integral needs a constant
        that method was removed in version 3
        it should be x squared minus 4
        whales are mammals
        the interest is compounded monthly
        that dose is far too high
        the train only runs on weekdays
        2019 was not a leap year
        there is no such parameter
        that book was written by her sister
        the flag is on --verbose, not --debug
        the tax rate is 19 percent
        the sum of the angles is 180 degrees
        the second place went to Norway
    """),
    "error": lines("""
        a syntax error
        a NullPointerException
        a TypeError
        undefined is not a function
        a 404
        a segfault
        a 500 error
        an index out of range error
        permission denied
        a key error
        ModuleNotFoundError
        the same error as before
        an empty result
        garbage output
        #REF! in every cell
        a compile error
        a timeout
        nan everywhere
        a division by zero
        "column does not exist"
        a merge conflict
        a blank page
    """),
    "topic": lines("""
        solar panels
        the French Revolution
        python decorators
        sourdough bread
        tax deductions
        renting an apartment
        knee pain
        the stock market
        marathon training
        black holes
        machine learning
        wedding speeches
        the roman empire
        kubernetes
        sleep hygiene
        vegan dinners
        job interviews
        a trip to Lisbon
        cats and dogs
        climate change
        chess openings
        excel pivot tables
        guitar chords
        immigration law
        vitamin D
        a birthday party
        meditation
        SQL joins
        world war two
        houseplants
        resume writing
        gardening in small spaces
        quantum computing
        home insurance
        first aid
        the housing market
        the moon landing
        learning spanish
        react hooks
        time management
        potty training
        used cars
        photography
        blockchain
        antibiotics
        camping gear
        electric cars
        mortgages
        public speaking
        the periodic table
    """),
    "who": lines("""
        my boss
        my manager
        my sister
        a customer
        my landlord
        a friend
        my teacher
        my neighbour
        the client
        my team
        my daughter
        a colleague
        our supplier
        my doctor
        the hotel
        my professor
        grandma
        the school
        the bank
        HR
    """),
    "zh_topic": "太阳能板 法国大革命 装饰器 面包 个人所得税 租房合同 膝盖疼 股票 马拉松 黑洞 机器学习 婚礼致辞 罗马帝国 睡眠 面试 旅行攻略 气候变化 象棋 数据透视表 吉他 签证 维生素 冥想 数据库索引 二战 多肉植物 简历 量子计算 保险 急救 房价 登月 英语口语 时间管理 二手车 摄影 区块链 抗生素 露营 电动车 贷款 演讲 元素周期表".split(),
    "zh_concept": "递归 复利 链式法则 外键 熵 P值 梯度下降 共价键 虚拟语气 渗透作用 折旧 闭包 安慰剂效应 光合作用 通货膨胀 互斥锁 标准差 连带责任 反向传播 多普勒效应 复式记账 认知失调 侵权 弹性 三羧酸循环 缓存失效 特征值 力矩 看涨期权 半衰期 负载均衡 胰岛素抵抗 导数 微服务 边际成本".split(),
    "zh_thing": "代码 脚本 查询 菜谱 文章 邮件 摘要 表格 提纲 诗 计划 行程 函数 正则 翻译 清单 信 公式 证明 段落 草稿 开头 标题 演讲稿 文案 故事 答案 解释".split(),
    "zh_made": "文章 邮件 摘要 诗 计划 行程 信 草稿 开头 标题 演讲稿 文案 故事 口号 简介 回复 名字 提纲 菜单 朋友圈文案 段落 笑话 祝词 教案".split(),
    "zh_part": "第二步 第三步 最后一部分 第一段 中间那段 那个公式 第三点 第四点 关于{zh_concept}的部分 最后一行 那个循环 返回值那里 那个例子 第二句 结论 那张表 前面的假设".split(),
    "zh_fact": "澳大利亚的首都是堪培拉 战争是1918年结束的 她是1867年出生的 七八五十六 答案应该是42 结果是3.5不是35 那是2007年发布的 列表下标从0开始 那个月只有28天 函数返回的是列表 截止日期是五月 三角形只有三条边 平均值是12.4 成年人有206块骨头 是左心室不是右心室 他没有得过那个奖 会议在周二 那条法律早就废止了 沸点没有那么低 积分要加常数 这个方法在新版本里已经删掉了 鲸鱼是哺乳动物 利息是按月复利的 2019年不是闰年 根本没有这个参数 那本书是她姐姐写的 税率是百分之十九 内角和是180度".split(),
    "zh_tone": "正式 轻松 友好 幽默 专业 戏剧化 诗意 活泼 严肃 礼貌 自信 有说服力 口语化 学术 浪漫 简洁".split(),
    "zh_who": "老板 经理 我妹妹 客户 房东 朋友 老师 邻居 团队 女儿 同事 供应商 医生 酒店 教授 奶奶 学校 银行".split(),
    "zh_error": "语法错误 空指针异常 类型错误 404 段错误 500错误 下标越界 权限不足 找不到模块 一样的错误 空结果 乱码 编译错误 超时 除零错误 白屏".split(),
}

rows = Rows("feedback", words, most=28, spread=1.6)

rows.block("satisfied", "en", """
(thanks|thank you|thx|ty|cheers)(!|.|!!|) (that|this) (helped|worked|did it|is perfect|is great|was really useful|is exactly what i needed)(!|.|)
(perfect|great|awesome|excellent|wonderful|brilliant|amazing|nice|lovely|super|fantastic|sweet)(!|.|, thanks|, thank you|, cheers| thanks a lot|)
(perfect|great|awesome|excellent|brilliant|amazing|nice), (exactly|just) what i (needed|wanted|was looking for|was after)(.|!|)
(that's|this is|that is) (exactly|just|precisely) what i (needed|wanted|was looking for|had in mind|was asking for)(!|.|, thanks.|)
(ok|okay|ah|oh|right|alright), (got it|i get it now|that makes sense|makes sense now|i see|understood)(, thanks|, thank you|. thank you so much|.|!)
(now|ah now|oh now|finally) (i get it|i understand|it makes sense|it clicks|i see it|it's clear)(!|.|. Thanks!|, thank you)
the {thing} (works|works great|works perfectly|runs fine now|is perfect|looks great|turned out great|is spot on)(!|.|, thanks!|, thank you so much)
(your|the) {thing} (is|was) (great|really helpful|very clear|super useful|fantastic|lovely|so good)(.|!|, thank you.|, i'll use it.)
(i|I just) (tried|ran|tested|sent|used) (it|the {thing}|that) and it (works|worked|was perfect|did the job|went great)(!|.|, thanks)
(that|it) (fixed|solved) (it|the problem|my problem|the issue|everything)(!|.| thank you!|, you're a genius|, appreciate it)
(you're|you are) (a lifesaver|amazing|the best|so helpful|a genius|awesome)(!|.|, thank you!)
(really|very|super|extremely) (helpful|useful|clear|thorough)(, thanks|, thank you|!|.)
(great|good|nice|clear|excellent|very clear) (explanation|answer|summary|breakdown|example|overview)(!|, thanks.|, thank you|. I understand {concept} now.)
(love|loved) (it|this|that|the {thing})(!|!!|, thank you|.)
(my boss|my teacher|my wife|my husband|my son|the client|everyone) (loved|liked|is happy with) the {thing}(!|, thanks|, thank you so much)
(i appreciate|I really appreciate|appreciate) (it|the help|your help|your patience|the detail)(!|.|)
(no more questions|that's all|that is all|that will be all|that's everything i needed)(, thanks|, thank you|. Thanks a lot!|. bye)
(cool|ok cool|nice one|neat|sweet), (i'll|i will) (try that|use this|go with that|take it from here|do that)(.|!|, thanks)
(yes|yep|yeah|yup|exactly), (that's it|that's right|that's the one|correct|that was it|this is what i meant)(!|.|, thanks|)
(i learned a lot|i learnt something|that taught me a lot|that cleared everything up|that clears it up)(, thanks|. Thank you!|!|.)
thanks (so much|a lot|a million|a bunch|again|very much) for (the {thing}|the help|explaining {concept}|helping me with {topic}|your time|taking the time)(!|.|)
(good|great) (bot|job|work|stuff|one)(!|.|, thanks|)
(couldn't have|could not have) (asked for a better {thing}|done it without you|put it better myself)(.|!|, thanks)
(wow|whoa|oh wow), (that's|this is) (so good|really good|impressive|better than i expected|incredible|fast)(!|.|. Thank you!)
(the|your) (part about|tip about|point on|example with|advice on) {topic} (was really helpful|was great|is just what i needed|helped a lot)(.|!|, thanks)
(10/10|5 stars|a+|chef's kiss|gold|nailed it|you nailed it|spot on|bingo|bang on|perfecto)(!|.|, thanks|)
(ok|okay|alright|great)(,|) (that'll do|that will do|good enough for me|i'm happy with that|i'm good|all set|we're good)(.|!|, thanks|)
(this|that) (answers|answered) (my question|everything|all my questions)(.|!|, thank you|, thanks a lot.)
(i'm|i am) (so|really|very) (happy|pleased|satisfied|impressed) with (this|the result|the {thing}|that answer)(.|!|)
(it|the {thing}) (compiles|passes|runs|builds) now(!|, thanks|, thank you|. all tests green)
(saved|you saved|that saved) me (hours|a lot of time|so much time|the whole afternoon)(, thanks|!|.)
(haha|lol|hah) (that's|this is) (great|perfect|brilliant|hilarious)(, thanks|, thank you|!|)
(much|way|so much) (better|clearer)(, thanks|!|, thank you|. that's perfect now)
👍
🙏 thank you
❤️ perfect
ty!!
tysm
thanks 😊
Thanks, have a great day!
That is really kind of you, thank you for walking me through it.
Great, I managed to submit the form with your help. Thank you.
Ok I tried what you said about restarting the router and the internet is back. Cheers mate.
Honestly I was stuck on this all week and your answer cleared it up in two minutes.
Brilliant, I passed the quiz because of your explanation of {concept}!
Thank you for being patient with me, I finally understand how {concept} works.
This is the best explanation of {concept} I have read so far.
You explained {concept} better than my professor did.
That was easier than I thought, thanks for the step by step.
I followed all the steps and it works like a charm.
Works like a charm, thank you.
The refund came through this morning, so all good now. Thanks for the help.
Great, I'll send it to {who} right away.
Perfect, I copied it into my document. Done for today.
Good, no further questions from my side.
I think we are done here, this is what I wanted.
Yes that is correct, well done.
Beautiful, my daughter cried when I read it to her, in a good way.
Just wanted to say the {thing} you gave me yesterday was a hit.
Solved. Thanks.
solved, closing this
Looks good to me.
lgtm, thanks
lgtm
sounds good
sounds good, thanks
That does it.
yay it works
IT WORKS thank you thank you thank you
finally!! works now
omg yes that's it
oh that's clever, nice
Makes total sense, cheers.
Well explained, I can follow it now.
The comparison was very helpful for my decision, I'll go with the second one.
Good call on {topic}, I had not thought of that.
I'm impressed, that's better than what I would have written.
All clear now, goodbye!
Thank you kindly, you have been most helpful.
Awesome summary, saved me reading forty pages.
Fantastic, tests are green and the deploy went through.
That's a relief, thank you for the quick answer.
k thanks
kk got it
okay thank u
you rock
Right, that is what I suspected. Thanks for confirming.
I get the idea now, thank you, really clear.
We used your {thing} in the meeting and it went very well.
No complaints, it's exactly right.
Not bad at all, I like it!
Couldn't be better.
No need to change anything, it's perfect as it is.
No problems so far, it runs smoothly now.
Nothing to add, great answer.
Didn't expect it to be this good, thanks.
Not wrong at all, you were right and I was mistaken. Thanks!
Ah you were right, I had a typo. It works now.
My mistake, your answer was correct. Thank you!
I double checked and you are right.
i stand corrected, your numbers are right
""")

rows.block("satisfied", "zh", """
(谢谢|多谢|感谢|谢了|谢谢你|非常感谢|太感谢了)(！|。|，)(很有帮助|解决了|问题解决了|就是这个|正是我要的|帮大忙了|我明白了|我懂了)(！|。|)
(太好了|完美|太棒了|很好|不错|厉害|牛|赞|可以|非常好|很棒)(！|。|，谢谢！|，谢谢你|，就这样吧|)
(这|这个|这正|这就)是我(想要的|需要的|要找的|要的答案)(！|。|，谢谢|，太感谢了)
(明白了|懂了|清楚了|原来如此|我知道了|理解了|原来是这样)(，谢谢|，谢谢你|，多谢讲解|！|。)
{zh_thing}(很好|可以用了|运行成功了|写得真好|很清楚|没有问题|非常实用)(，谢谢|！|，感谢)
(我试了一下|刚试过了|按你说的做了|测试了一下)，(可以了|成功了|没问题了|真的有用|完全正确)(！|，谢谢|。)
(讲得|解释得|说得|写得)(很清楚|真好|太好了|很详细|很到位|通俗易懂)(，谢谢|！|，我终于明白了)
终于(明白{zh_concept}是什么了|搞懂{zh_concept}了|解决了|跑通了)(！|，谢谢你|，太感谢了)
(没有其他问题了|没问题了|就这些|暂时没有别的问题了|够用了)(，谢谢|。|，再见)
{zh_who}(很满意|很喜欢|看了说很好)(，谢谢你|！|)
(你真厉害|你太厉害了|你真是帮了大忙|你比我老师讲得还好|给你点赞)(！|，谢谢|)
关于{zh_topic}的(建议|讲解|说明)(很有用|对我帮助很大|正是我需要的)(，谢谢|！)
好的，谢谢
好嘞，多谢
收到，谢谢
嗯嗯，懂了
可以可以，就用这个
这下全明白了，之前一直卡在这里。
程序跑起来了，测试也都过了，谢谢！
回答得很全面，省了我不少时间。
对，就是这个意思。
没错，是我想的那样，谢谢确认。
写得比我自己写的好多了，直接用了。
太及时了，明天开会正好用上。
是我之前弄错了，你说得对，谢谢。
挺好的，不用改了。
爱了爱了，太好用了
""")

rows.block("satisfied", "es", """
(gracias|muchas gracias|mil gracias)(!|,|.) (me sirvió|eso era|funcionó|muy útil|ya lo entendí|quedó perfecto)(.|!|)
(perfecto|genial|excelente|estupendo|buenísimo)(!|, gracias|, justo lo que necesitaba|)
(ahora|ya) (lo entiendo|entiendo {topic_es}|funciona|está claro)(, gracias|!|.)
""".replace("{topic_es}", "todo"))
rows.block("satisfied", "de", """
(danke|vielen Dank|dankeschön|super, danke)(!|,|.) (das hat geholfen|genau das wollte ich|jetzt verstehe ich es|funktioniert|sehr hilfreich)(.|!|)
(perfekt|super|klasse|prima|wunderbar|genial)(!|, danke|, genau das habe ich gebraucht|, passt so|)
(jetzt|ah, jetzt) (habe ich es verstanden|ist alles klar|läuft es)(, danke|!|.)
""")
rows.block("satisfied", "fr", """
(merci|merci beaucoup|un grand merci)(!|,|.) (c'est parfait|ça marche|c'est exactement ce que je voulais|j'ai compris|très utile)(.|!|)
(parfait|génial|super|excellent|nickel)(!|, merci|, c'est ce qu'il me fallait|)
(maintenant|là) (c'est clair|je comprends|ça fonctionne)(, merci|!|.)
""")
rows.block("satisfied", "ja", """
(ありがとう|ありがとうございます|助かりました|感謝します)(！|。|、)(よくわかりました|解決しました|うまくいきました|まさにこれです|とても役に立ちました)(。|！|)
(完璧|最高|すごい|いいですね|素晴らしい)(です|)(！|。|、ありがとう|)
なるほど、(理解できました|わかりました|納得です)(。|！|、ありがとうございます)
""")

rows.block("need_clarification", "en", """
(i don't|i do not|i still don't|i didn't|I really don't) (understand|get|follow) (that|it|{part}|what you mean|your answer|the {thing}|this at all)(.|, can you explain?|, sorry|)
(what|wait, what|sorry, what|hm, what) (do you mean|did you mean|does that mean|is that supposed to mean)(?| by {concept}?| with {part}?| by that?)
(can|could|would) you (explain|clarify|elaborate on|expand on|go into more detail on|unpack|walk me through) {part}(?| again?| please?| a bit more?| in simpler words?)
(can|could) you (explain|put|say|describe) (that|it|this) (in simpler terms|more simply|in plain english|like i'm five|for a beginner|without the jargon|differently, i don't follow)(?|, please?|)
(eli5|explain like i'm 5|dumb it down for me|in layman's terms|plain english)(?| please|, please)
(i'm|i am|im) (confused|lost|a bit lost|not sure i follow|still confused|puzzled)(.|, what is {concept}?| about {part}|, can you explain {part}?|, what do you mean by {concept}?|)
(could|can) you give (me|) (an example|a concrete example|a simple example|an example of {concept}|another example so i understand)(?|, i don't quite get it| please?)
(what|and what) (is|exactly is) {concept} (in this context|here|that you mentioned|in your answer)?
(how|why) (did you get|do you get|did you arrive at|did you come up with) (that|that number|{part}|the result)?
(why|but why) (does that work|is that|did you do that|do we need {part}|is {concept} needed here|not just skip {part})?
(when you say|you said|you wrote|you mentioned) "{concept}"(,|, what) (what do you mean|what is that|can you explain that|does that mean)?
(which|what) (file|cell|column|setting|button|version|line|one|menu) (do you mean|are you talking about|are you referring to|is that)?
(that's|this is|your answer is) (too (technical|complicated|advanced|dense|vague|abstract) for me|over my head|confusing|not clear|unclear|a bit vague)(.|, can you simplify?|, could you break it down?|)
(can|could) you be (more specific|clearer|more precise|a bit more concrete)(?| about {part}?| about what i should do?)
(huh|what|sorry|pardon|come again|hm|wait)(?|??|, what?|? i don't get it)
(i got|i get|i understand) (the first part|{part}|most of it) but (not|i'm lost at|i don't understand|what about) {part}(.|?|, please explain)
(more details|more detail|more info|elaborate|clarify|explain further|please elaborate)(?|, please|.| on {part})
(where|how) (exactly|) (do i|should i|am i supposed to) (put|type|click|run|find|do) (that|it|this|{part})?
(does that mean|so does that mean|so you're saying|do you mean|are you saying) (i need {concept}|i have to redo {part}|it only works with {part}|i should skip {part}|{concept} is not needed)?
(not sure|i'm not sure|not entirely sure) (i understand|what you mean|what that means|what {concept} is|how {part} works)(.|, can you clarify?|?|)
(can|could) you (break|split) (it|that|this|{part}) down (for me|step by step|into smaller steps|further|)?
(what's|what is) the difference between {part} and {part}? you lost me there
(i need|i'd need|i could use) (more context|a clearer explanation|more explanation|some clarification|an example) (on|for|about) {part}(.|, please|)
your (answer|explanation) (assumes i know|skips over|doesn't explain) {concept}(.|, what is it?|, can you explain it first?)
(is|was) that (supposed to be|the same as|related to) {concept}(? i'm confused|? not clear to me|, or did i misunderstand?)
(sorry|apologies), (i'm not following|you lost me|i didn't catch that|can you rephrase that|i am not a native speaker, what is {concept}|english is not my first language, can you say it simpler)(.|?|)
??
???
what
what??
i don't get it
don't understand
Could you define the terms you used?
What does the abbreviation in the second line stand for?
What do the letters in that formula stand for?
Sorry if this is a dumb question but what is {concept}?
I read it three times and I still don't see how you get from step two to step three.
Hold on, what is the variable k you introduce there?
By "it" do you mean the file or the folder?
You mention "the usual setup" - what is that?
Which of the two options do you actually recommend, I can't tell from your answer.
So is it a yes or a no?
so yes or no?
What would that look like in practice?
I'm not technical at all, what should I click on?
Can you show me where that is in the menu?
Why do you divide by n minus one there?
What's the point of {part}?
I lost you at {part}.
You lost me at {concept}.
Is {part} before or after the other one? The order isn't clear to me.
I am following until {part}, then it gets fuzzy.
Do I do this before or after the update? You did not say.
How much is "a pinch"? I need it in grams.
How long is "a while"? minutes or hours?
In what order do I do these?
Does this apply to me if I'm self employed? It's not clear from what you wrote.
What did you mean by "it depends"? Depends on what?
depends on what?
such as?
like what?
meaning?
meaning what exactly?
how so?
in what way?
could you spell that out
Could you spell out what that implies for a beginner?
Please explain your reasoning, I can't see how you came to that.
Walk me through the reasoning again, slowly.
Can you illustrate that with numbers?
Can you draw it out with a small example, I'm a visual person and the text confuses me
I don't know half of these words.
Too many acronyms. What is an SLA and what is an SLO?
Not clear to me whether I should install it first.
Thanks, but I don't understand {part}.
thank you but what does {concept} mean?
Ok thanks, but can you explain {part} a bit more?
Good answer I guess, but I'm still not clear about {part}.
Interesting, but what exactly do you mean by {concept}?
I think I understand, but can you explain why {part} matters?
Can you explain what you just said about {topic}?
What did you mean with that remark about {topic}?
I don't see how this relates to {topic}, please clarify.
You jumped from {topic} to {topic}, what is the connection?
How does what you said apply to {topic}?
""")

rows.block("need_clarification", "zh", """
(我|我还是|我有点|不好意思，我)(没看懂|不明白|没听懂|不太理解|看不懂|没懂)(。|{zh_part}。|，能再解释一下吗？|你说的{zh_concept}|)
(什么意思|这是什么意思|你说的是什么意思|啥意思|这句话什么意思)(？|啊？|，没看懂|)
(能|能不能|可以|可不可以)(解释|说明|展开讲|详细讲|具体说)一下{zh_part}(吗？|？|，我没看懂|)
(能|可以|能不能)(说得|讲得|解释得)(简单一点|通俗一点|更具体|再详细一些|直白一点)(吗？|？|，太专业了)
(能|可以|请)(举个例子|给个具体的例子|举个简单的例子)(吗？|？|说明{zh_concept}|，我不太懂)
{zh_concept}(是什么|是指什么|在这里是什么意思|具体指什么)？你(刚才|上面)提到的
你(说的|提到的|写的)"{zh_concept}"(是什么意思|是指什么|我没懂)(？|)
{zh_part}(为什么要这样做|是怎么来的|怎么得出来的|我没看明白|能再讲一遍吗)？
(太复杂了|太专业了|太抽象了|太笼统了)，(看不懂|能简单点吗|能讲得通俗点吗|我是新手|可以分步骤说吗)(？|。|)
(具体|到底)(应该怎么做|点哪里|放在哪个文件|是哪一个|要多久)？(没说清楚|你没说明白|)
(所以|那)(意思是|你是说)(我需要{zh_concept}|不用管{zh_part}|要重做{zh_part})(吗？|？我有点糊涂)
(前面|第一步|开头)我懂了，但是{zh_part}(不明白|没看懂|看糊涂了)
啊？
？？？
没懂
什么？
比如呢？
怎么说？
为什么呢？没太理解
能说人话吗
用大白话讲一遍可以吗
我是外行，这些术语都看不懂
这个缩写是什么的简称？
公式里的那个k代表什么？
你推荐的到底是哪一个？看完还是不清楚
所以是能还是不能？
你说"视情况而定"，视什么情况？
第二步和第三步中间是不是少了什么，我接不上
谢谢，不过{zh_part}我还是没看懂
好的，但是{zh_concept}是什么？
和{zh_topic}有什么关系？我没看出来，能解释一下吗
""")
rows.block("need_clarification", "es", """
(no entiendo|no lo entiendo|no me queda claro|sigo sin entender)(.|, ¿puedes explicarlo?| la segunda parte| lo último)
¿(qué quieres decir|a qué te refieres|qué significa eso)( con eso|)? (no lo entiendo|)
¿(puedes|podrías) (explicarlo más fácil|dar un ejemplo|aclarar el segundo paso|ser más específico)?
""")
rows.block("need_clarification", "de", """
(das verstehe ich nicht|ich verstehe {x} nicht|ich komme nicht mit|das ist mir zu hoch|mir ist {x} nicht klar)(.|, kannst du das erklären?|)
was (meinst du damit|heißt das|bedeutet das genau|soll das heißen)?
(kannst|könntest) du (das genauer erklären|das einfacher sagen|ein Beispiel geben|{x} erläutern)?
""".replace("{x}", "(der zweite Schritt|den zweiten Schritt|die Formel)") )
rows.block("need_clarification", "fr", """
(je ne comprends pas|j'ai pas compris|je ne vois pas)(.|, tu peux expliquer ?| la deuxième étape| ce que tu veux dire)
(qu'est-ce que tu veux dire|ça veut dire quoi|c'est-à-dire)( par là| exactement|) ?
(peux-tu|pouvez-vous) (expliquer plus simplement|donner un exemple|préciser|détailler la deuxième étape) ?
""")
rows.block("need_clarification", "ja", """
(よくわかりません|意味がわかりません|理解できませんでした|ちょっと難しいです)(。|、もう一度説明してください|、もっと簡単に教えてください)
(それは|これは|さっきの説明は)(どういう意味|つまりどういうこと)ですか？
(例を挙げて|もう少し詳しく|もっと具体的に|簡単な言葉で)(説明してください|教えてもらえますか|お願いできますか)(？|。|)
""")

rows.block("wrong_answer", "en", """
(that's|that is|this is|thats) (wrong|incorrect|not right|not correct|not true|false|nonsense|completely wrong|plain wrong)(.|!|, {wrongfact}.|. {wrongfact}|)
(no|nope|no no|uh no|sorry, no|actually no)(,|.) {wrongfact}(.|!|)
(no|nope|nah), (that's not it|that's wrong|that's not what it says|that's not true|wrong again|you got it wrong)(.|!|)
(actually|hmm|wait|hold on|i think you're wrong|are you sure?)(,|, i believe|, i'm pretty sure) {wrongfact}(.|)
(i|I just) (tried|ran|tested) (it|that|the {thing}|your {thing}) and (i get|got|it gives|it throws|now i see) {error}(.|!|)
(it|that|this|the {thing}) (doesn't|does not|didn't|still doesn't) (work|compile|run|fix it|solve the problem|do anything)(.|!|, i get {error}|, same result as before|)
(your|the) {thing} (is wrong|has a mistake|has an error|is broken|has a bug|is incorrect|contains errors)(.|!|: {wrongfact}|, {wrongfact})
(you|u) (made a mistake|got it wrong|are wrong|got that wrong|messed up|miscounted|miscalculated)(.|!|: {wrongfact}| in {part}|, check {part}| with {part})
(there's|there is|i see|i found) (an error|a mistake|a bug) in (your answer|{part}|the {thing})(.|: {wrongfact}|, {wrongfact}|, please fix it)
(that's|this is|thats) not what i (asked|asked for|meant|said)(.|!|, i asked about {topic}|. I asked for a {thing}.|)
i (asked|was asking) (for a {made}|about {topic}|for three items), not (a {made}|{topic}|this)(.|!|)
(you|it) (misunderstood|misread|ignored) (me|my question|what i said|the question|half of what i wrote)(.|!|, i meant {topic}|)
(wrong|incorrect|false|nope|wrong answer|not correct|bad answer|no!)(.|!|!!|)
(are you sure|you sure)(?|??|? {wrongfact}|? I think {wrongfact})
(that|this) (contradicts|doesn't match|is different from|is not) (what my textbook says|the official docs|what you said before|the numbers i have|the source)(.|, please check|, one of them must be wrong|)
(the numbers|the dates|the names|these figures|the totals) (don't add up|are wrong|are off|are made up|don't match|are mixed up)(.|!|, please check again|)
(you|u) (made that up|invented that|hallucinated that|are making things up)(.|!|, {wrongfact}|, that function does not exist|)
(that|this) (function|method|option|book|paper|place|law|setting|flag) does(n't| not) exist(.|!|, i checked|, you invented it|)
(still|it's still) (wrong|not right|broken|failing|not working|the same error|incorrect)(.|!|, {error}|)
(check|recheck|double check) (your math|{part}|your facts|that again), (it's wrong|that can't be right|{wrongfact}|i get something else)(.|)
(i|we) (followed your steps|did what you said|used your {thing}) (and|but) (it made it worse|nothing happened|it failed|i got {error}|it deleted my file)(.|!|)
(outdated|that's outdated|your info is outdated|this is out of date)(.|, {wrongfact}|, that was years ago)
(that|it) (should be|is supposed to be|must be) (the other way around|reversed|a negative number|much smaller|in meters, not feet|42)(.|, you got it wrong|, check {part})
(bad|terrible|useless|horrible|awful) (answer|advice|result)(.|!|, {wrongfact}|, it's all wrong)
(ugh|wtf|come on|seriously|omg|jesus) (that's wrong|wrong again|it still fails|that is not even close|you keep making the same mistake)(.|!|)
you (forgot|left out|missed|skipped) (the second condition|a whole step|{concept}|the last item|the negative sign), so (the result|the {thing}) is wrong(.|)
wrong
no
nope
incorrect!
not true
That can't be right.
that cant be right lol
that's not even close
false, look it up
lol no
No, he was the brother, not the father.
It says "file not found" when I do exactly what you wrote.
The test fails on the third case with your function.
Your solution gives 15 for the sample, it should give 14.
You swapped the two columns.
You translated "bank" as the money place, but it is a river bank here.
The quote is not from that book.
The link you gave me leads to a page that isn't there.
The phone number you gave is not theirs.
You said it's open on Mondays. I'm standing here and it's closed.
I cooked it for 40 minutes as you said and it burned.
That recipe can't be right, a cup of salt?
He died in 1985, so he can't have said that in 1990.
That's the old price.
I counted 7, not 8.
You repeated the same wrong answer.
You gave me the same broken code again.
Same error again.
still getting {error}
now it's {error}
It crashes with {error}.
Not working.
doesnt work
didnt work
it broke everything
that made it worse
The answer key says B.
My teacher marked this as wrong.
My accountant says this is wrong, you can't deduct that.
The doctor told me the opposite of what you said.
According to the docs {wrongfact}.
I looked it up and {wrongfact}.
pretty sure {wrongfact}
Unless I am mistaken, {wrongfact}.
Thanks, but that's not correct: {wrongfact}.
Thank you, but it doesn't work, I get {error}.
Nice try but {wrongfact}.
Good effort, but the result is wrong.
Great, now it's even worse than before.
Perfect, except that none of it is true.
I like the style but the facts are wrong, {wrongfact}.
Close, but {wrongfact}.
Almost, but the last digit is wrong.
I don't think that's right.
I don't believe that is correct, could you check again?
Hmm, I don't think {topic} works like that.
That is not how {topic} works.
That's not how {concept} works.
What you wrote about {topic} is simply not true.
You are confusing two different people.
You're mixing up {concept} and {concept}.
You've got the units wrong.
You are off by one.
off by one error in your loop
The sign is wrong in {part}.
There is a mistake in {part}.
""")

rows.block("wrong_answer", "zh", """
(不对|错了|不是|这不对|你错了|这是错的|答案错了|完全错误|不正确)(。|！|，{zh_fact}|，{zh_fact}。|，再检查一下|)
(你确定吗|确定吗|真的吗|是不是搞错了)？(我记得{zh_fact}|{zh_fact}吧|{zh_fact}|查了一下，{zh_fact})
(其实|实际上|应该是|我查过了，|资料上写的是){zh_fact}(。|，你说错了|，不是你说的那样)
(代码|脚本|函数|你给的{zh_thing})(跑不起来|报错了|运行报{zh_error}|有错误|有bug|不能用|编译不过)(。|！|，出现{zh_error}|)
(按你说的|照你的步骤|用你的方法)(做了|试了)，(还是不行|没有用|报{zh_error}|结果更糟了|出现{zh_error})(。|！|)
{zh_part}(算错了|写错了|有问题|是错的|不对)(。|，{zh_fact}|，请检查)
(这不是我问的|我问的不是这个|答非所问|你理解错了|你没看懂我的问题)(。|，我问的是{zh_topic}|！|，我说的是{zh_topic})
(数据|日期|名字|数字|单位)(不对|搞错了|是错的|对不上|弄反了)(。|，请核对|！)
(你编的吧|这是编造的|胡说|瞎编|别胡说)(。|！|，根本没有这个{zh_thing}|，{zh_fact})
(还是|依然|仍然)(不对|报错|错的|不行|{zh_error})(。|！|，和刚才一样|)
(你|这里)(漏了|忘了|少了)(一个条件|负号|第二步|最后一项)，(结果不对|所以答案错了)(。|)
错
不对
不是这样的
搞错了吧
没用，还是一样的错误
不行啊，{zh_error}
我老师说这是错的
参考答案是B
你把两个人搞混了
你把{zh_concept}和{zh_concept}弄混了
谢谢，但是不对，{zh_fact}
这个链接打不开，是假的吧
信息过时了，现在早就不是这样了
差一点，最后一位错了
{zh_topic}根本不是这样的，你说错了
和官方文档写的不一样，你的参数不存在
""")
rows.block("wrong_answer", "es", """
(eso|esto) (está mal|es incorrecto|no es correcto|no es cierto|es falso)(.|!|, revísalo|, la capital es otra|, fue en 1918)
(no|no no), (te equivocas|no es así|la respuesta es 42|eso no es lo que pregunté)(.|!)
(no funciona|sigue sin funcionar|me da error|da un error de sintaxis)(.|!|, lo probé|)
""")
rows.block("wrong_answer", "de", """
(das|die Antwort|das Ergebnis) (ist falsch|stimmt nicht|ist nicht richtig|kann nicht stimmen)(.|!|, der Krieg endete 1918|, bitte prüfen)
(nein|nee), (das stimmt so nicht|du irrst dich|falsch|die Antwort ist 42|danach habe ich nicht gefragt)(.|!)
(es funktioniert nicht|geht immer noch nicht|ich bekomme einen Fehler|der Code läuft nicht)(.|!|)
""")
rows.block("wrong_answer", "fr", """
(c'est|la réponse est|le résultat est) (faux|incorrect|erroné)(.|!|, la guerre a fini en 1918|, vérifie)
(non|mais non), (tu te trompes|ce n'est pas ça|c'est l'inverse|ce n'est pas ce que j'ai demandé)(.|!)
(ça ne marche pas|ça marche toujours pas|j'ai une erreur|le code plante)(.|!|)
""")
rows.block("wrong_answer", "ja", """
(違います|間違っています|それは間違いです|正しくありません|違うと思います)(。|、答えは42です|、1918年です|、確認してください|)
(動きません|エラーになります|まだ動かない|同じエラーが出ます)(。|、やり直してください|)
(そうじゃなくて|いや、)(聞いたのはそれではありません|計算が間違っています|名前が違います)(。|)
""")

rows.block("want_different", "en", """
(can|could|would) you (try|do it|write it|phrase it|show it) (another way|a different way|differently|in a different style|in another format)(?|, please?|)
(give|show|tell) me (another|a different|one more|an alternative|some other) (one|option|{made}|idea|version|approach|suggestion)(.|, please|, i'm not into this one|)
(any|do you have any|are there any|got any) (other|different|more|better|cheaper) (options|ideas|suggestions|alternatives|ways|versions)(?|, these don't do it for me|)
(make|can you make|could you make) (it|the {made}|that) (shorter|longer|more {tone}|less {tone}|simpler|more detailed|a bit more {tone}|half as long|punchier)(.|?|, please|)
(rewrite|redo|rephrase|reword|rework|revise) (it|that|the {made}|the last one) (in a more {tone} tone|to be shorter|so that it sounds {tone}|with more detail|from scratch|without the cliches|in bullet points)(.|, please|)
(try again|again|regenerate|another one|one more|next|redo it|start over)(.|, please|, with a {tone} tone|, but shorter|, but more {tone}|)
(i|I'd|I would) (prefer|rather have|like) (a different {made}|something more {tone}|something shorter|something else|another approach|a {tone} version)(.|, please|)
(not|it's not|that's not) (really|quite|exactly) (my style|what i had in mind|what i'm looking for|my thing|my taste)(.|, can you try something more {tone}?|, show me something else|, got anything else?)
(i don't like|i'm not a fan of|not a fan of|not loving|i dislike) (this|it|that {made}|the {made}|the tone|this version)(.|, try something else|, can you change it?|, too {tone}|)
(too|it's too|that's too|way too) (long|short|{tone}|generic|boring|wordy|basic|expensive|complicated to do)(.|, make it shorter|, try again|, can you do another one?|, something more {tone} please)
(something|anything|maybe something) (else|different|more {tone}|less {tone}|cheaper|simpler|shorter)(?|, please|.|, maybe about {topic}?)
(instead of|rather than) {topic}, (let's do|can you do|use|make it about|go with) {topic}(.|?|)
(can|could) you (use|do it with|make it with|write it in|format it as) (bullet points|a table|plain text|another language|pandas|typescript|british spelling|rhyme|json|a list|short sentences) instead?
(is there|isn't there) (another|a better|an easier|a faster|a cheaper|a different) (way|approach|method|option|solution)(?| to do this?| that doesn't need {concept}?)
(what|how) about (a different approach|something more {tone}|another angle|a {tone} {made}|going a different way)(?|, i don't like this one)
(let's|can we|could we) (try|go with|take) (a different approach|another approach|something else|another angle|a {tone} version|plan b)(?|.|, please)
(change|swap|replace) {part} (with something more {tone}|to something else|for another one|and keep the rest)(.|, please|)
(i want|i need|give me) (more variety|other choices|five more|ten more|three other options|a second version|two alternatives|a plan b)(.|, please|, these are all the same)
(same thing|same|the same) but (shorter|more {tone}|in {tone} style|for {topic}|with fewer words|with a different ending|without {part})(.|, please|)
(less|more) {tone}(, please| please|.|)
(can you|could you|please) (shorten|expand|lengthen|simplify the wording of|tone down|spice up|reorder) (it|the {made}|{part})(?|, please|.)
(it's|this is|that's) (fine|ok|good|correct|right), but (i'd like another version|can i see a different one|give me alternatives|try it more {tone}|i want something else)(.|?|)
(show me|is there) (a version|one|a variant) (without {concept}|that's more {tone}|for beginners|with less text|in another color|for kids)(?|.|, please)
(none of these|none of them|nothing here) (works for me|appeals to me|is what i want|fits)(.|, show me others|, what else do you have?|, try again)
another one please
next one
another
more
different one
something different please
try harder, be creative
Let's scrap this and take another angle.
Forget this version, start from scratch with a new idea.
Do it over, but this time as a dialogue.
Give me three more in the same spirit but with other names.
Could you do a version that my grandmother would enjoy?
I'd like to see how it would look in the first person.
Switch to the second person.
Use British spelling instead.
No emojis please, redo it.
Without emojis.
Remove the bullet points and write it as prose.
As a table instead.
In one sentence, please.
Cut it to 100 words.
half the length
keep it under 280 characters
Make the ending happier.
Can the main character be a cat instead?
Do you have anything for vegetarians instead?
I already know these, give me less obvious ones.
I've seen all of these films. Other ideas?
Already tried those. What else could I do?
I already tried that. Anything else?
That's too pricey for me, do you have something under 50?
We went there last year, suggest somewhere else.
I can't use a library, do it with plain code.
I don't have an oven, is there another way to make it?
We don't use AWS, show me the same with Azure.
Can this be done without a loop?
Is there a one-liner for that?
Is there a way that doesn't involve installing anything?
I'm allergic to nuts, swap them for something.
Correct, but I'd like a more elegant solution.
It works but it's ugly. Can you write it more cleanly?
It works, but I'd prefer a faster version.
The answer is right, I just want it in a different format.
Nice, but I'd like another option.
Nice but can you make it more {tone}?
Good, but make it shorter.
Thanks, but I was hoping for something more {tone}.
Thank you, could you also give me an alternative?
Great start. Now a version that is less {tone}.
Love the idea, hate the wording. Rephrase it.
hmm not feeling it, another?
meh, next
meh. try something else
boring, again
nah something else
I'd rather not use {concept}, what else is there?
Let us not talk about {topic}, pick another subject.
Pick a different topic than {topic}.
Could we do {topic} instead?
Show me how else one could do it.
How else could I say this?
What other ways are there?
What else do you have?
what else
other ideas?
any other suggestions?
""")

rows.block("want_different", "zh", """
(换一个|换一种|再来一个|换个别的|来点不一样的|重新来一个|再换一个)(吧|。|，谢谢|，这个不喜欢|，要{zh_tone}一点的|)
(能|可以|能不能)(换一种方式|换个思路|换个风格|换个角度|用别的方法)(吗？|写吗？|说吗？|做吗？|再写一遍吗？)
(还有|有没有|有)(别的|其他|更好的|更便宜的|更简单的|不同的)(方法|选择|方案|建议|办法|版本)(吗？|？|，这些都不合适)
(写得|改得|弄得)(短一点|长一点|{zh_tone}一点|简洁一些|再{zh_tone}一些|详细一点)(。|，谢谢|，太啰嗦了|)
(重写|重新写|改写|润色|改)一下(这个|这篇|){zh_made}(，更{zh_tone}一点|，短一点|，不要这么正式|，换个开头|，用列表形式)(。|)
(太长了|太短了|太正式了|太普通了|太无聊了|太贵了|太死板了)(，换一个|，重写|，简短一点|，有别的吗？|，再{zh_tone}一点)
(我不喜欢|不太喜欢|不是很喜欢)(这个{zh_made}|这个|这种风格|这个版本)(，换一个|，再来一个|，有别的吗？|)
(我想要|我更想要|我希望要|给我)(另一个版本|别的方案|更{zh_tone}的{zh_made}|不一样的{zh_made}|三个备选)(。|，谢谢|)
不要{zh_topic}了，(换成{zh_topic}|说说{zh_topic}|改成关于{zh_topic}的)(吧|。|)
(可以|能)(用表格|用列表|用英文|分点|用一句话|用JSON格式)(代替吗|重新写吗|再写一遍吗)？
(一样的内容|同样的意思|内容不变)，(但是|不过)(短一点|更{zh_tone}|换个结尾|换种说法)(。|)
(答案是对的|没错|挺好的|可以)，(但是我想要别的写法|不过想看看其他方案|但能不能更{zh_tone}一点|再给一个备选)(。|？|)
(这些|前面那些)(我都试过了|我都看过了|都去过了)，(还有别的吗|换几个|再推荐几个)(？|。|)
再来一个
下一个
换
重新生成
再试一次，有创意一点
有没有不用安装软件的办法？
我没有烤箱，有别的做法吗
不要表情符号，重写
缩短到一百字
结局改得开心一点
主角换成一只猫可以吗
能不用循环写吗
还能怎么说？
还有呢？
""")
rows.block("want_different", "es", """
(dame|muéstrame|quiero) (otra opción|otra versión|algo diferente|otra idea|algo más corto)(.|, por favor|)
¿(puedes|podrías) (hacerlo más corto|escribirlo de otra forma|probar otro enfoque|darme otras opciones)?
(hazlo|reescríbelo) (más formal|más corto|en otro tono|más divertido)(.|, por favor)
""")
rows.block("want_different", "de", """
(gib|zeig) mir (eine andere Version|noch einen Vorschlag|eine Alternative|etwas anderes)(.|, bitte|)
(kannst|könntest) du (es kürzer machen|es anders formulieren|einen anderen Ansatz nehmen|noch andere Vorschläge machen)?
(gibt es|hast du) (noch andere Möglichkeiten|einen anderen Weg|etwas Günstigeres|weitere Ideen)?
(mach es|schreib es) (kürzer|förmlicher|lustiger|lockerer)(.|, bitte)
""")
rows.block("want_different", "fr", """
(donne-moi|montre-moi|je voudrais) (une autre version|autre chose|une autre idée|une alternative)(.|, s'il te plaît|)
(peux-tu|pourrais-tu) (faire plus court|le dire autrement|essayer une autre approche|proposer d'autres options) ?
(réécris-le|refais-le) (plus court|en plus formel|avec un autre ton|en plus drôle)(.|)
""")
rows.block("want_different", "ja", """
(別の|他の|違う)(案|方法|バージョン|アイデア|言い方)(はありますか？|を教えてください|をお願いします|が欲しいです)
もっと(短く|長く|カジュアルに|丁寧に|面白く)(してください|書き直してください|お願いします)(。|)
(やり直して|もう一度、違う感じで|別のアプローチで)(ください|お願いします)(。|)
""")

# Turns that say nothing about the answer before: new requests, plain questions, follow-up questions on another subject, answers to the assistant's questions, chat.
rows.block("none", "en", """
(what|which) (is|are) (the best|some good|the main|the most important) (books|tools|tips|facts|risks|benefits|examples) (about|for|on|of) {topic}?
(how|when|why) (do i|should i|would i|can i) (start with|learn about|prepare for|read about|get into|deal with) {topic}?
(write|draft|compose|create) (a|me a|a short) {made} (about|on) {topic}(.|, please|)
(write|draft) (a|an) (email|message|letter|note) to {who} (about {topic}|saying thank you|to say sorry for the wrong invoice|asking for a different appointment|explaining that i don't understand the contract)(.|)
(explain|describe|tell me about|summarize|give me an overview of) ({concept}|{topic})(.|, please| in two paragraphs| for a school project|)
(what|who) (is|was) ({concept}|{topic})(?| and why does it matter?)
(what about|and what about|how about|and) {topic}?
(next question|new question|another question|different topic|ok next|moving on)(:|,) (how does {topic} work|what is {concept}|can you help me with {topic}|i want to learn {topic})(?|)
(translate|put) (this|the following) into (spanish|french|german|chinese|japanese|italian): (where is the train station|the contract ends in june|i would like to book a table for two|thank you for your visit)(.|)
(can|could) you (help me|recommend something|suggest a book|make a list|write a quiz) (with|about|on|for) {topic}?
(i|we) (need|want|have) to (decide about|prepare for|write about|plan|budget for|present) {topic} (next week|tomorrow|by friday|this month)(.|, where do i start?|, any advice?|)
(my|the) {thing} (returns|shows|gives) {error} when (i start it|the input is empty|i click save|it runs on linux), (what could be the cause|how do i debug that|where should i look)?
(calculate|compute|work out) (the interest on 5000 at 3 percent for 4 years|15 percent of 260|the area of a circle with radius 7|my monthly payment for a 20 year loan|the average of 4, 8 and 15)(.|)
(convert|change) (3 cups to grams|10 miles to km|72 f to celsius|5 feet 9 to cm|250 usd to eur)(.|)
(compare|what's the difference between) {topic} and {topic}(.|?|)
(is|are) {topic} (worth it|a good idea|dangerous|expensive|difficult|still relevant|good for beginners)?
(list|name|give me) (five|ten|three|some) (facts|ideas|questions|tips) (about|on) {topic}(.|)
(set|add|remind) (a timer for ten minutes|milk to my list|me to call {who} at six|an alarm for 7)(.|)
(play|find|open|book|order|search) (some jazz|a table for four|a taxi|the news|a cheap flight to rome|flowers for {who})(.|)
(i'm|i am) (a student|a nurse|35|vegetarian|in Berlin|using windows 11|new to this|on version 2.4|a teacher)(.|, by the way.|)
(yes|no|sure|ok|yeah), (my budget is 500|i use python 3.11|it's for {who}|i'm in canada|i have two kids|it's due on monday|the file is a csv)(.|)
(yes|yes please|sure|go ahead|please do|continue|go on|ok continue|do it)(.|)
(what|how) (time is it in tokyo|is the weather tomorrow|old are you|are you today|far is the moon|tall is mount everest|many people live in chile)?
(who|what) (won the world cup in 1998|wrote hamlet|invented the telephone|discovered penicillin|is the president of france|painted the night watch)?
(hi|hello|hey|good morning)(!|,|) (can you help me with {topic}?|i have a question about {topic}|how are you?|)
(proofread|check|correct) (this|this sentence|the following): (he go to school every day|their going to love it|i has been waiting since an hour|me and him was late)
(how do i|what's the polite way to|help me) (tell|ask|apologize to|thank|complain to) {who} (about {topic}|for a wrong delivery|about a mistake in the bill|for the great service|that i want something different)(?|)
(what does|what do) (the word|the phrase|the term|people mean by) "({concept}|fair use|touch base|force majeure|ephemeral|quid pro quo)" mean?
(why|how) (is|was) {topic} (important|controversial|so popular|taught in schools|different in other countries)?
(act as|be|pretend to be) (a tour guide|a math tutor|a chef|an interviewer|a travel agent) and (help me with {topic}|ask me questions about {topic}|tell me about {topic})(.|)
(debug|fix|review|refactor|optimize) this (python|java|sql|javascript|rust|c) (code|function|snippet): (def f\\(x\\): return x+|SELECT * FORM users|for i in range\\(10\\) print\\(i\\)|let x = [1,2,3]; x.lenght)
(also|and also|one more thing|by the way)(,|:) (how does {topic} work|what is {concept}|i need a {made} about {topic})(?|)
Explain the difference between "wrong" and "false".
How can I tell a customer that his answer is wrong without being rude?
Write a thank-you note for {who}.
How do I say "thank you very much" in Korean?
What is a good reply to "thanks, that was helpful"?
Write a bad review for a restaurant that got my order wrong.
Suggest a different word for "perfect".
What's another word for "confused"?
What are some alternatives to cow's milk?
Is there an alternative to Photoshop on Linux?
Give me a list of synonyms for "different".
I was given the wrong medication at the hospital, what are my rights?
My employer paid me the wrong amount, who do I talk to?
I got a different product than the one I ordered, how do I return it?
The bank says my PIN is incorrect, what should I do?
My son doesn't understand fractions, how can I help him?
I don't understand why cats purr, is there a reason?
Why don't I understand jazz?
What should I do when my manager says my work is not good enough?
How do I write clearer emails?
How do I explain {concept} to a child?
What is customer satisfaction and how is it measured?
What does "satisfied" mean in a SAT solver?
How can I find out whether an answer is wrong in a survey?
Classify this review as positive or negative: "It broke after two days."
Is the following sentence correct: "He don't like it"?
Rewrite this paragraph in a formal tone: "hey guys, the launch is off, sorry".
Shorten this: "Due to the fact that it was raining we decided not to go outside."
Make this title shorter: "A Comprehensive Introduction to the Art of Baking Bread at Home"
Tell me a joke about {topic}.
Tell me something interesting.
I feel sad today.
My dog died last week.
I got the job!!!
What did I ask you at the beginning?
How many words was that?
What languages do you speak?
Who made you?
Monday at 9.
The second one.
Option B
2
both
Berlin
it's for my daughter's birthday
around 30 people
in euros
Here is the file: name,age\\nanna,31\\nben,28
Let's continue with chapter two.
Now tell me about {topic}.
Next: {topic}.
Good morning, what's on my calendar today?
Translate "that's wrong" into Italian.
How do you say "I don't understand" in Portuguese?
What is the French for "something else"?
Translate into English: "das ist falsch".
Write a dialogue where a customer says the answer is wrong.
Write a scene in which a pupil tells the teacher "I don't get it".
Create five survey questions to measure whether users are satisfied.
Write a python function that returns True if the answer is wrong.
If two wrongs don't make a right, where does the saying come from?
who is right in the debate about {topic}?
What's wrong with {topic}?
what went wrong in the battle of waterloo
Show me pictures of something different: {topic}
Give me the steps to change a tyre.
Could you explain how {topic} works?
Can you explain {concept}?
Can you explain {concept} in simple terms?
Please explain the rules of cricket to me.
What does {concept} mean?
Give me an example of {concept}.
I would like to understand {topic} better. Where do I begin?
Is it true that {wrongfact}?
""".replace("\\\\(", "(").replace("\\\\)", ")"))

rows.block("none", "zh", """
(请|帮我|麻烦)(写一篇|写一个|起草一份)关于{zh_topic}的{zh_made}(。|，谢谢|)
(介绍一下|讲讲|说说|解释一下|概述一下)({zh_topic}|{zh_concept})(。|，三百字左右|)
({zh_topic}|{zh_concept})(是什么|有什么用|怎么学|为什么重要|有哪些风险|怎么入门)？
(怎么|如何)(给{zh_who}写道歉信|跟{zh_who}说明情况|感谢{zh_who}|准备{zh_topic}|学习{zh_topic})？
{zh_topic}和{zh_topic}(有什么区别|哪个更好|有什么关系)？
(那|另外|还有|顺便问一下，|下一个问题：)({zh_topic}呢|{zh_concept}怎么算|{zh_topic}怎么样)？
(翻译成|用)(英文|日语|法语)(：|翻译：)(车站在哪里|合同六月到期|谢谢您的光临|我想订一张两人桌)
我的(程序|网页|脚本)(出现|提示){zh_error}，(是什么原因|怎么排查|该怎么办)？
(计算|算一下)(5000元年利率3%存4年的利息|260的15%|半径为7的圆的面积|4、8和15的平均数)(。|)
(今天|明天|周末)(天气怎么样|有什么新闻|适合去哪玩|吃什么好)？
(推荐|列出)(五|三|十)(本书|个技巧|个问题)，关于{zh_topic}(。|的)
(扮演|你是|假设你是)一位(导游|数学老师|厨师|面试官)，(给我讲讲{zh_topic}|回答我关于{zh_topic}的问题)(。|)
"不对"用英语怎么说？
"谢谢"用日语怎么写？
客户说我们的答案是错的，怎么礼貌地回复？
快递送错了东西，怎么退货？
孩子听不懂分数，怎么教？
"满意度"一般怎么统计？
给"完美"找几个近义词
有没有可以代替牛奶的饮料？
把这句话改得正式一点："大家好，明天不开会了"
这句话有语病吗：他的水平得到了改进
是的，我用的是3.11版本
预算五百左右
周一上午九点
选第二个
继续
好的，继续
给我女儿生日用的
你是谁开发的？
讲个笑话
我今天心情不好
谁写了《红楼梦》？
水的沸点是多少？
帮我检查这段代码：print(1+"1")
""")
rows.block("none", "es", """
(escribe|redacta|haz) (un correo|un resumen|un poema|una lista) (sobre la inflación|para mi jefe|sobre energía solar|de libros)(.|, por favor|)
¿(cuál es|qué es|quién inventó|cómo funciona) (la capital de Chile|la inflación|el teléfono|un préstamo)?
(traduce al inglés|calcula|explica) (la siguiente frase: hace frío|el 15 % de 260|la fotosíntesis)(.|)
""")
rows.block("none", "de", """
(schreib|verfasse|erstelle) (eine E-Mail an meinen Chef|ein Gedicht über den Herbst|eine Einkaufsliste|eine Zusammenfassung über Solaranlagen)(.|, bitte|)
(was ist|wer hat|wie funktioniert|wo liegt) (die Hauptstadt von Chile|das Telefon erfunden|eine Wärmepumpe|Vaduz)?
(übersetze ins Englische|berechne|erkläre) (den Satz: mir ist kalt|15 Prozent von 260|die Photosynthese)(.|)
""")
rows.block("none", "fr", """
(écris|rédige|fais) (un mail à mon chef|un poème sur l'automne|une liste de courses|un résumé sur l'énergie solaire)(.|, s'il te plaît|)
(quelle est la capitale du Chili|c'est quoi l'inflation|qui a inventé le téléphone|comment marche un prêt) ?
(traduis en anglais|calcule|explique) (il fait froid|15 % de 260|la photosynthèse)(.|)
""")
rows.block("none", "ja", """
(太陽光発電|確定申告|量子コンピュータ|睡眠)(について教えてください|とは何ですか？|の仕組みを説明して)
(上司へのメール|秋の詩|買い物リスト|自己紹介文)を(書いてください|作って)(。|)
(次の文を英語に訳して|計算して)(：今日は寒いです|：260の15%|：駅はどこですか)
""")

# Longer turns: two remarks of the same kind.
for label, many in (("satisfied", 260), ("need_clarification", 260), ("wrong_answer", 260), ("want_different", 260), ("none", 160)):
    rows.join(label, "en", many)
    rows.join(label, "zh", many // 5)

if __name__ == "__main__":
    rows.main()
