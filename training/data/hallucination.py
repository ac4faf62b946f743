#!/usr/bin/env python3
"""Answers to a question about a text, supported by it or with something changed: a number, a name, a date, a negation, a sentence that has no ground.

`spans` are bytes of `answer`: the value that was changed, or the whole sentence that was added or turned round.
"""

import facts
from grammar import Rows, seeded

ASK = {
    "en": {
        "company": ["What do you know about {org}?", "Summarise the company profile.", "Who runs the company and what does it do?", "Tell me about the firm.", "How is the business doing?"],
        "person": ["Who is {person}?", "Summarise the life of {person}.", "What did {person} do?", ""],
        "place": ["What can you tell me about the bridge in {city}?", "Describe the place.", "When can I visit, and what is special?", ""],
        "product": ["What are the features of the machine?", "Should I know anything before I buy it?", "Summarise the product page.", ""],
        "study": ["What did the trial of {drug} find?", "Summarise the study.", "Is {drug} effective against {disease}?", ""],
        "event": ["When is the marathon in {city}?", "What do I need to know about the race?", "Summarise the announcement.", ""],
    },
    "zh": {"company": ["介绍一下{org}。", "总结公司的情况。", ""], "event": ["马拉松什么时候举行？", "总结这条通知。", ""]},
}
OPEN = {"en": ["", "", "", "According to the text: ", "Sure. ", "Here is what the document says. ", "In short: "], "zh": ["", "", "根据资料，", "简单来说："]}

rows = Rows("hallucination", {})


def build(kind, lang, n):
    rng = seeded("hallucination", kind, lang, str(n))
    table = (facts.ZH_KINDS if lang == "zh" else facts.KINDS)[kind]
    values = facts.record(kind, rng, lang)
    gap = "" if lang == "zh" else " "
    # The first fact names what it is about.
    chosen = [0] + sorted(rng.sample(range(1, len(table["facts"])), rng.randint(2, len(table["facts"]) - 1)))
    context = [facts.say(table["facts"][i][0], values)[0] for i in chosen]
    for extra in rng.sample(table["more"][: len(table["more"]) // 2], rng.randint(0, 2)):
        context.insert(rng.randint(1, len(context)), facts.say(extra, values)[0])
    question = facts.say(rng.choice(ASK[lang][kind]), values)[0]
    told = rng.sample(chosen, min(len(chosen), rng.choice([1, 2, 2, 3])))
    sentences = []
    for i in told:
        ways = table["facts"][i]
        sentences.append(rng.choice(ways if rng.random() < 0.4 else ways[1:]))
    bad = rng.random() < 0.6
    which = rng.sample(range(len(sentences)), 1 if rng.random() < 0.8 else min(2, len(sentences))) if bad else []
    answer, spans = rng.choice(OPEN[lang]), []
    kinds = set()
    for k, template in enumerate(sentences):
        if k:
            answer += gap
        text, places = facts.say(template, values)
        if k in which:
            if text in facts.NEGATED:
                text = facts.NEGATED[text]
                spans.append((len(answer), len(answer) + len(text)))
                kinds.add("negation")
            elif places:
                # What the answer is about is left as it is: another value there would be another story.
                free = [p for p in places if p[0] not in ("org", "person", "drug")] or places
                slot, start, end = rng.choice(free)
                value = facts.other_value(slot, values, rng, lang)
                text = text[:start] + value + text[end:]
                spans.append((len(answer) + start, len(answer) + start + len(value)))
                kinds.add(slot.rstrip("2"))
        answer += text
    if (bad and not spans) or (bad and rng.random() < 0.25):
        extra = facts.say(rng.choice(table["more"][len(table["more"]) // 2 :]), values)[0]
        answer += gap
        spans.append((len(answer), len(answer) + len(extra)))
        answer += extra
        kinds.add("unsupported")
    spans.sort()
    out = [[len(answer[:a].encode()), len(answer[:b].encode()), "hallucinated"] for a, b in spans]
    row = {"context": gap.join(context), "question": question, "answer": answer, "spans": out, "change": "+".join(sorted(kinds))}
    rows.row("hallucinated" if out else "supported", lang, f"{kind}-{lang}-{n}", **row)


for kind in facts.KINDS:
    for n in range(750):
        build(kind, "en", n)
for kind in facts.ZH_KINDS:
    for n in range(420):
        build(kind, "zh", n)

if __name__ == "__main__":
    rows.main()
