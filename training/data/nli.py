#!/usr/bin/env python3
"""Premise and hypothesis: entailment (the same fact in other words, or part of it), contradiction (another value, or turned round), neutral (may be so, the text
does not say), from invented facts and from everyday sentences."""

import facts
from grammar import Rows, digest, lines, seeded

rows = Rows("nli", {})


def one(kind, lang, n):
    rng = seeded("nli", kind, lang, str(n))
    table = (facts.ZH_KINDS if lang == "zh" else facts.KINDS)[kind]
    values = facts.record(kind, rng, lang)
    gap = "" if lang == "zh" else " "
    chosen = rng.sample(range(len(table["facts"])), rng.choice([1, 1, 2, 3]))
    premise = gap.join(facts.say(table["facts"][i][0], values)[0] for i in chosen)
    gid = f"{kind}-{lang}-{n}"
    # Ways that name something the premise does not are no consequence of it.
    known = [w for i in chosen for w in table["facts"][i][1:] if all(values[s] in premise for s in facts.slots(w))]
    if not known:
        return
    text, places = facts.say(rng.choice(known), values)
    rows.row("entailment", lang, gid, a=premise, b=text)
    if text in facts.NEGATED and rng.random() < 0.9:
        rows.row("contradiction", lang, gid, a=premise, b=facts.NEGATED[text])
    elif places:
        # A value of which there is one only: "makes X" does not exclude "makes Y".
        single = [p for p in places if p[0].rstrip("2") in ("year", "n", "pct", "money", "date", "day", "hour")]
        if single:
            slot, start, end = rng.choice(single)
            rows.row("contradiction", lang, gid, a=premise, b=text[:start] + facts.other_value(slot, values, rng, lang) + text[end:])
    left = [i for i in range(len(table["facts"])) if i not in chosen]
    if left and rng.random() < 0.6:
        rows.row("neutral", lang, gid, a=premise, b=facts.say(rng.choice(table["facts"][rng.choice(left)]), values)[0])
    else:
        rows.row("neutral", lang, gid, a=premise, b=facts.say(rng.choice(table["more"]), values)[0])


for kind in facts.KINDS:
    for n in range(300):
        one(kind, "en", n)
for kind in facts.ZH_KINDS:
    for n in range(180):
        one(kind, "zh", n)

# premise || entailed || contradicted || neutral
HAND = """
The shop on the corner closes at six every evening. || The shop is not open at eight in the evening. || The shop stays open until midnight. || The shop sells fresh bread.
All members of the choir came to the rehearsal. || Nobody from the choir was missing. || Some singers of the choir stayed away from the rehearsal. || The rehearsal was longer than usual.
A boy is throwing a ball to his dog in the park. || A child is playing with an animal outdoors. || The boy is asleep in his room. || The dog belongs to his uncle.
She bought two tickets for the evening show. || She bought more than one ticket. || She did not buy any tickets. || She wants to take her sister to the show.
The train to the airport was delayed by forty minutes. || The train did not leave on time. || The train left punctually. || Many passengers missed their flights.
None of the students failed the test. || Every student passed the test. || One student failed the test. || The test was easy.
The soup contains carrots, leeks and potatoes. || There are vegetables in the soup. || The soup contains no vegetables. || The soup is served cold.
He has never been to Asia. || He has not visited Japan. || He lived in China for a year. || He is afraid of flying.
The committee rejected the plan by nine votes to three. || The plan was not approved. || The plan was accepted. || The plan was too expensive.
Our office moved from the third to the fifth floor. || The office is higher up now than before. || The office moved to the ground floor. || The new office is bigger.
The letter was written in French and signed by both owners. || Two people signed the letter. || The letter was written in English. || The letter was sent by post.
It has rained every day this week. || It rained on Wednesday this week. || The week has been completely dry. || It will rain next week as well.
Only adults may use the sauna. || Children are not allowed in the sauna. || Children may use the sauna. || The sauna is closed on Sundays.
The patient stopped taking the tablets because they made him sick. || The patient no longer takes the tablets. || The patient still takes the tablets every day. || The doctor prescribed other tablets.
Most of the houses in the village are built of stone. || There are houses made of stone in the village. || No house in the village is built of stone. || The village was founded by monks.
Maria is taller than Ines, and Ines is taller than Ruth. || Maria is taller than Ruth. || Ruth is the tallest of the three. || Maria is older than Ines.
The museum lets visitors in free of charge on the first Sunday of the month. || On some Sundays one pays nothing. || Visitors must pay on every day of the year. || The museum is crowded on Sundays.
The software needs at least eight gigabytes of memory. || With four gigabytes of memory the software does not run. || The software runs with two gigabytes of memory. || The software is written in Java.
Two men are repairing the roof of a barn. || People are working on a building. || The men are swimming in a lake. || The men are brothers.
The bakery sold out of rye bread before noon. || In the afternoon there was no rye bread left. || The bakery had plenty of rye bread in the evening. || Rye bread is the cheapest bread there.
The contract may be ended with three months' notice. || It is possible to end the contract. || The contract cannot be ended. || The contract was signed in March.
The water was too cold for swimming, so they stayed on the beach. || They did not swim. || They swam for an hour. || They played volleyball.
Anna and her brother share a flat in Lyon. || Anna does not live alone. || Anna lives alone. || Anna studies medicine.
The last bus leaves at half past eleven. || No bus leaves at midnight. || Buses run all night. || The last bus is usually empty.
The film won five prizes, among them best director. || The film received more than one prize. || The film did not win anything. || The film is based on a novel.
More than half of the voters stayed at home. || Fewer than half of the voters took part. || Nearly all voters took part. || The weather was bad on the day of the vote.
The key was under the mat, where she always leaves it. || She usually leaves the key under the mat. || She never leaves the key under the mat. || The mat is brown.
The two companies will merge at the end of the year. || There will be one company fewer. || The companies decided against a merger. || Some jobs will be cut.
The child has eaten nothing since breakfast. || The child did not eat lunch. || The child had a large lunch. || The child has a stomach ache.
The road is closed to lorries but open to cars. || Cars may use the road. || No vehicle may use the road. || The road is being repaired.
这家店每天晚上六点关门。 || 晚上八点这家店不营业。 || 这家店营业到午夜。 || 这家店卖新鲜面包。
所有学生都通过了考试。 || 没有学生不及格。 || 有一个学生没通过考试。 || 考试很简单。
他从来没有去过亚洲以外的地方。 || 他没有去过法国。 || 他在巴黎住过一年。 || 他害怕坐飞机。
会议从周二改到了周四。 || 会议不在周二举行。 || 会议仍然在周二举行。 || 会议会持续两个小时。
小李比小王高，小王比小张高。 || 小李比小张高。 || 小张是三个人里最高的。 || 小李比小王年纪大。
这种药不能和酒一起服用。 || 服药时不应该喝酒。 || 这种药可以和酒一起服用。 || 这种药很贵。
超过一半的选民没有投票。 || 参加投票的人不到一半。 || 几乎所有选民都投了票。 || 投票那天下雨了。
末班车十一点半发车。 || 午夜没有班车。 || 班车整夜运行。 || 末班车通常没什么人。
"""
for line in lines(HAND):
    a, yes, no, maybe = (x.strip() for x in line.split("||"))
    gid, lang = digest(a)[:10], "zh" if a[0] > "\u4e00" else "en"
    rows.row("entailment", lang, gid, a=a, b=yes)
    rows.row("contradiction", lang, gid, a=a, b=no)
    rows.row("neutral", lang, gid, a=a, b=maybe)

if __name__ == "__main__":
    rows.main()
