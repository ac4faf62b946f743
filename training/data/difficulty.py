#!/usr/bin/env python3
"""How much thought a request takes: easy (a look-up, small talk, one step), medium (some steps, general knowledge), hard (an expert at work, many constraints)."""

import topics
from grammar import Rows, casual, draw, lines, seeded

words = {d.replace(" ", "_"): topics.EN[d] for d in topics.DOMAINS}
words.update({"zh_" + d.replace(" ", "_"): topics.ZH[d] for d in topics.DOMAINS})
words["sci"] = [t for d in ("biology", "physics", "chemistry", "engineering") for t in topics.EN[d]]
words["hum"] = [t for d in ("history", "philosophy", "psychology", "economics", "law") for t in topics.EN[d]]
words["any"] = [t for d in topics.DOMAINS if d != "other" for t in topics.EN[d]]
words["zh_any"] = [t for d in topics.DOMAINS if d != "other" for t in topics.ZH[d]]
words["deep"] = lines("""
    a distributed key-value store that stays consistent during a network partition
    a scheduler for (heterogeneous clusters|real-time tasks) with provable deadlines
    a lock-free queue for many producers on weakly ordered hardware
    a type system with (linear types|higher-ranked polymorphism)
    an index for (approximate nearest neighbours|time series) beyond memory
    a compiler pass that vectorises loops with unknown aliasing
    a zero-downtime migration of a sharded database with 4 TB
    an exactly-once pipeline across two regions
""")
rows = Rows("difficulty", words, most=110, spread=4)
rows.block("easy", "en", """
(hi|hello|hey|good morning|thanks|thank you|bye|ok)(!| there| again|, how are you?|)
(what time is it|what day is it|what's the date) (in tokyo|today|in new york|)?
(what is|what's) (the capital of france|the opposite of hot|5 plus 7|12 times 3|the plural of mouse|h2o|the colour of grass|100 minus 37|a synonym for happy|the past tense of go)?
(how many) (days are in a week|legs does a spider have|cents are in a dollar|minutes are in two hours|letters are in the alphabet)?
(set|start|stop|cancel) (a|the|my) (timer|alarm|music)(.| for five minutes| at seven|)
(turn|switch) (on|off) the (light|radio|heating)(.|, please|)
(tell me|say) (a joke|good night|something nice|a fun fact)(.|)
(translate|how do you say) (hello|good night|thank you|cat|water) (into|in) (spanish|french|german|italian)(?|.|)
(spell|define) (necessary|rhythm|umbrella|hello|accommodation)(.|)
(convert) (1 km to miles|20 celsius to fahrenheit|2 hours to minutes|1 kg to grams)(.|)
(is|are) (a whale a fish|tomatoes red|9 an odd number|bananas fruit|paris in france)?
(remind me|add milk|play some music|call mom|what's the weather)(.| tomorrow| please|)
(correct|fix) the (typo|spelling)(:| in:) (helo wrld|i has a dog|recieve|teh cat)
(what does|what is) (lol|asap|a banana|a circle|a noun) (mean|)?
(who wrote|who painted) (hamlet|the mona lisa|romeo and juliet)?
(name|list) three (colours|fruits|animals|planets|countries in europe)(.|)
(capitalise|sort|reverse|count the words in) (this: the red fox|apple, pear, fig|hello world)(.|)
print hello world in (python|java|c|javascript)
""")
rows.block("easy", "zh", """
(你好|早上好|谢谢|再见|在吗)(！|呀|，吃了吗|)
(今天星期几|现在几点|一周有几天|5加7等于几|法国的首都是哪里|苹果是什么颜色)？
(把|请把)(你好|谢谢|猫)翻译成(英语|法语)
(定个闹钟|打开灯|放首歌|讲个笑话)
(鲸鱼是鱼吗|9是奇数吗|香蕉是水果吗)？
写出三个(颜色|水果|动物)
""")
rows.block("medium", "en", """
(explain|summarise|describe) {any}(.| in simple terms| with an example| in two paragraphs)
(what is|what are) the (main|most important) (causes|effects|features|uses|advantages) of {any}?
(compare|what is the difference between) {sci} and {sci}(.|?)
(compare|what is the difference between) {hum} and {hum}(.|?)
(write|draft) (a|an) (email to my landlord about a broken heater|cover letter for a job as a nurse|product description for a backpack|short speech for a retirement|blog post about sleep)(.|)
(write|implement) a (python|javascript|java) function that (checks for palindromes|merges two sorted lists|counts words in a file|validates an email|computes the median)(.|)
(plan|make) (a three day trip to rome|a weekly meal plan for two|a budget for a student|a workout plan for beginners|a study schedule for june)(.|)
(solve|work out) (x^2 - 5x + 6 = 0|2x + 3y = 12 and x - y = 1|the interest on 5000 at 3% for 4 years|the area of a trapezoid with sides 4 and 9 and height 5)(.| and show the steps|)
(write a sql query|give me a query) (for the top five customers by revenue|that counts orders per month|with a left join and a group by)(.|)
(how do i|how can i) (remove mould from a wall|prepare for an interview|train a puppy|fix a flat tyre|learn chords|negotiate my rent|start composting)?
(summarise|rewrite|translate) (this article|the paragraph below|my report) (in 100 words|for a young audience|into french)(.|)
(give me|list) (five|ten) (ideas|tips|arguments|examples) (for|on|about) (saving energy|school uniforms|a team event|{hum}|public transport)(.|)
(why|how) did (rome fall|the first world war begin|the printing press change europe|vaccines develop)?
(what are the side effects of|how does the body process|what helps against) (caffeine|ibuprofen|jet lag|stress|lactose)?
(find the bug in|explain|add comments to) this (short function|loop|css rule|shell script)(.|)
""")
rows.block("medium", "zh", """
(解释|介绍|总结)一下{zh_any}(。|，举例说明|，两段话)
{zh_any}的主要(原因|影响|特点|作用)有哪些？
(写一封|起草)(求职信|给房东的投诉信|感谢信)(。|)
用Python写一个(判断回文|合并有序列表|统计词频)的函数
(制定|安排)(三天的罗马旅行|一周的菜单|复习计划)
解方程(x的平方减5x加6等于0|2x+3y=12且x-y=1)，写出步骤
""")
rows.block("hard", "en", """
(design|architect|specify) {deep}(.|, and argue why it is correct.|; discuss failure modes, trade-offs and how you would test it.)
(prove|give a rigorous proof|disprove) that (every compact metric space is separable|the halting problem is undecidable|there are infinitely many primes congruent to 3 mod 4|a continuous bijection from a compact to a hausdorff space is a homeomorphism|the sum of the reciprocals of the primes diverges)(.|)
(derive|derive from first principles) (the navier-stokes equations for an incompressible fluid|the black-scholes formula and its assumptions|the einstein field equations from the action|the variational bound of a diffusion model|the kalman filter|the bcs gap equation)(.| step by step|)
(analyse|critically assess) (the econometric identification strategy of a difference-in-differences study with staggered treatment|the tension between rawlsian justice and libertarian property rights|the legal liability of a platform for third party content across the eu and the us|the mechanism of resistance to kinase inhibitors)(.|, with references to the main positions.|)
(my|our) (cluster|service|training run) (deadlocks only under load|loses writes after a failover|diverges after 40k steps in bf16), (here are the traces|logs below)(.|:) (find the root cause, rank the hypotheses and design an experiment that separates them|what invariants are violated and how would you fix it without downtime)(.|)
(a|the) patient, (58|71), (with chronic kidney disease and atrial fibrillation|on immunosuppressants after a transplant) (presents with|develops) (fever, hypotension and a new murmur|acute confusion and hyponatraemia)(.|:) (give a differential diagnosis, a work-up and a plan with dose adjustments)(.|)
(compare|evaluate) (three|four) (consensus protocols|approaches to causal inference|interpretations of quantum mechanics|theories of reference) (formally|in depth|with their assumptions), (and decide which fits|and construct a counterexample to each|and quantify the trade-offs for) (a payment ledger|observational health data|my thesis|an adversarial network)(.|)
(write|implement) (a|an) (raft consensus library|garbage collector|jit compiler|fft without recursion|b-tree with crash recovery|parser for a whitespace sensitive language|simd base64 decoder) in (c|rust|go|c++)(,| with) (full error handling and property tests|no dynamic allocation|benchmarks and a proof sketch|support for concurrent readers)(.|)
(optimise|reduce) (the p99 latency of a jvm service under gc pressure|the memory of a transformer at 128k context|a query with seven joins and skewed keys|a production schedule with 200 machines and setup times)(.|, give the model, the algorithm and its complexity.|)
(draft|negotiate|review) (a share purchase agreement with earn-out and indemnity caps|a cross-border data transfer clause after schrems ii|a patent claim set for a coated electrode)(.| and point out every risk for the buyer.|)
(research|write) (a literature review|a grant proposal|a systematic analysis) on (the interaction of {sci} and {sci}|how {hum} bears on {hum}|unsolved questions of {sci})(,| with) (hypotheses, methods and statistical power|a critique of the main papers|a plan for two years)(.|)
(model|simulate|formulate) (the spread of a pathogen on a contact network with interventions|a three-body transfer orbit with minimal fuel|turbulent mixing in a stirred reactor|a market with asymmetric information) (mathematically|as an optimal control problem|and discuss identifiability)(.|)
(find|evaluate) (the integral of x^2 / \\[e^x - 1\\] from 0 to infinity|all integer solutions of x^3 + y^3 = z^2 + 1 below 100|the spectrum of the laplacian on a torus|the asymptotics of the number of partitions)(.| and justify each step|)
(given|with) (these six constraints|a budget of 2 million, three sites and uncertain demand|conflicting stakeholder goals), (build a decision model, run a sensitivity analysis and defend a recommendation)(.|)
""".replace("\\\\[", "(").replace("\\\\]", ")"))
rows.block("hard", "zh", """
(证明|严格证明)(紧度量空间是可分的|停机问题不可判定|模4余3的质数有无穷多个)(。|)
(设计|论证)一个(在网络分区下保持一致的分布式存储|无锁多生产者队列|跨两个地域的精确一次数据管道)，(分析故障模式和取舍|并证明正确性)(。|)
(推导|从基本原理推导)(纳维-斯托克斯方程|布莱克-斯科尔斯公式|卡尔曼滤波|扩散模型的变分下界)(。|，并讨论假设)
(用Rust|用C语言)实现(Raft共识|垃圾回收器|带崩溃恢复的B树)，(包含并发测试和错误处理|不使用动态内存)(。|)
(批判性地分析|深入比较)(罗尔斯正义论与自由至上主义|双重差分法在错期处理下的识别问题|四种量子力学诠释)(。|)
71岁慢性肾病患者出现(发热和低血压|急性意识障碍)，(给出鉴别诊断、检查和剂量调整方案)
""")
# Length says little: easy ones with a long lead, hard ones short.
LEAD = lines("""
    Hope you're doing well! I am sitting in the train on my way to my sister and my phone is nearly empty, so just quickly:
    My (son|grandmother|friend) and I were talking about this at breakfast, and since nobody knew, I thought I would ask you.
    Sorry to bother you again with something so simple. I know I could look it up, but anyway:
""")
SHORT = lines("""
    prove (goldbach for all even numbers below 4 * 10^18 feasibly|the spectral theorem|cauchy's integral formula)
    derive (the rg flow of phi^4|the fisher equation|the lamb shift)
    p vs np: (strongest known barrier results|why natural proofs fail)
    (lock-free hash map in c|raft in rust|suffix automaton), complete
    optimal (stopping|transport|taxation): derive
    formalise (zorn's lemma in lean|this argument in modal logic)
""")
easy = [r for r in rows.rows if r["label"] == "easy" and r["lang"] == "en"]
rng = seeded("difficulty lead")
for row in rng.sample(easy, min(150, len(easy))):
    if rows.row("easy", "en", row["gid"], text=draw(rng.choice(LEAD), {}, rng) + " " + row["text"]):
        rows.rows[-1]["split"] = row["split"]
rows.block("hard", "en", "\n".join(SHORT), spread=4)

if __name__ == "__main__":
    rows.main()
