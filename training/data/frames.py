"""What people say around a request, whatever it is about: said before it, after it, or in place of "explain".

A subject must be known by its own words. These are put around rows of every subject, so that chat says nothing of it.
"""
BEFORE = """
Hi, |Hello! |hey |Good morning. |ok so |Quick question: |Quick one: |Sorry if this is a stupid question but |Please help. |pls |I'm confused. |Stuck here: |
My daughter has homework on this: |My son asked me at dinner and I had no answer: |My grandmother keeps asking me this: |A friend told me something else, so |My teacher said we should know this: |
I run a small shop and need to know this: |I'm a potter, not an expert, so be gentle. |I drive a bus and wonder about this in the traffic jams: |As a retired carpenter with too much time: |I work nights and my brain is mush. |
We had an argument about this in the pub: |My boss wants this by noon. |For the office newsletter: |For my blog: |For a pub quiz: |For a children's book: |I'm preparing a lesson for year nine. |I have an interview tomorrow. |
I have read three articles and they all disagree. |I half remember this from school. |Asking for a friend. |This has bugged me for years: |No jargon please: |Explain it like I'm five: |In plain words: |Step by step please: |
Write me three paragraphs on this: |Make me ten flashcards about |Give me a short summary of |Draft a one page handout about |Write a quiz with five questions on |Write a limerick about |Turn this into bullet points: |Proofread this: |
Plan a lesson about |Make a table that compares |Help me write an essay on |Give two arguments for and two against: |What would an expert say about |Critique this claim: |Check my reasoning: |Is it true that this matters: |
I dropped mine this morning and panicked. |Yesterday at the museum the guide talked so fast that I lost the thread: |On the train I overheard two people talking about |There was a documentary last night about |I found an old notebook of my uncle about |
Compare, with evidence: |Verify this: |Fact-check the following: |In plain language, |From a professional's point of view: |For a report: |Write a memo on this: |Outline an answer to: |Summarise what is known: |
Give me the trade-offs: |Weigh both sides: |Reason carefully: |Think step by step. |Be concise. |Respond in formal English. |You are a helpful expert. |You are a senior consultant. |As a domain expert, |For a technical audience: |For a non-expert audience: |
Draft a plan for this: |Design a test for this: |Review the following and point out mistakes: |Explain the reasoning behind this: |I need a rigorous answer. |Urgent!! |Please respond quickly! |I'm overwhelmed, please help: |This is frustrating!! |Context: we are a mid-sized company. |
We are a team of four and have two weeks. |Our budget is tiny. |The short version please. |I need numbers, not opinions. |Answer in one sentence. |be honest: |real talk, |lol ok |umm |so basically |
请简要回答：|请核实：|请给出依据：|请比较并说明取舍：|请分步骤说明：|作为专家，|请严谨论证：|用通俗的话讲讲，|紧急！！|请问|你好，|想请教一下：|帮我看看：|我女儿的作业里有这个：|老师昨天讲了，我没听懂：|简单说一下：|用大白话解释：|急！|我一直搞不懂：|跟朋友打赌，|写一段话介绍：|帮我做十张卡片：|
"""
AFTER = """
 Thanks!| thx| Thank you in advance.| please| pls| asap| in under 120 words| in two sentences| keep it short| with an example| with sources| for a beginner| for my class| I'm on mobile so be brief.| Is that right?| or am I wrong?|
 My husband says otherwise.| I have a test on Monday.| No idea where to begin.| Make it funny.| In a table.| As a list.| And what should I do first?| What am I missing?| Be as rigorous as you can.| Compare both options.| Just the answer.|
 Cite your sources.| Include references to the literature.| Back this up with peer-reviewed studies.| Please link to official documents.| Support every claim with evidence.| Say how certain you are.| Answer briefly.| Reply in one short sentence.| Use no more than fifty words.| Use plain English.|
 Then propose how one could test it.| Then say which explanation is the most likely.| Outline the trade-offs.| Which of the two would you choose, and when?| Give pros and cons.| Rank them by importance.| List the assumptions.| Explain each step.| Show your work.| Compare at least three approaches.|
 Keep the tone calm and supportive.| Keep it professional.| Give me a checklist.| Present it as a decision memo.| Finish with a recommendation.| Include the risks and how to reduce them.| What are the common mistakes?| Define the terms first.| Assume I know the basics.| Write it for an executive.|
 I would like to understand why.| and why does it matter| and what does it cost| and how do I remember it| and what went wrong in my case| and who would know more| ok?| lol| !!| ...|。请简短回答。|。请注明出处。|。请引用可靠的来源。|。请给出证据。|。请列出利弊。|，并说明理由。|，只要答案。|谢谢！|，急|，越详细越好|，举个例子|，用一句话说明|，两百字左右|
"""


def cut(block):
    return [x for x in block.replace("\n", "").split("|") if x]


BEFORE, AFTER = cut(BEFORE), cut(AFTER)


def around(text, rng):
    """The text with something said before it, after it, or both; of the same script."""
    han = any("\u4e00" <= c <= "\u9fff" for c in text)
    fits = lambda x: any("\u4e00" <= c <= "\u9fff" or c == "\uff0c" for c in x) == han
    before, after = rng.choice([x for x in BEFORE if fits(x)]), rng.choice([x for x in AFTER if fits(x)])
    x = rng.random()
    return (before if x < 0.7 else "") + (text[:1].lower() + text[1:] if rng.random() < 0.4 else text) + (after if x > 0.45 else "")
