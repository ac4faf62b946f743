#include "model/duty.h"

#include <string.h>

#include "core/arena.h"
#include "model/builtin.h"
#include "model/model.h"

enum { LABELS_NAMED = 20, SPELLINGS = 3, SHOWN = 6 };

/* One class, in the spellings of published models. */
struct class_name {
    const char *spellings[SPELLINGS]; /* NULL behind the last */
};

struct duty {
    enum model_task task;
    bool exact; /* no class may be there that is not named */
    bool any;   /* one of the named is enough */
    bool pair;
    bool pictures; /* embedding */
    size_t n;      /* classes there must be; 0: as many as there are */
    struct class_name classes[LABELS_NAMED];
};

#define NAMED(...) \
    { \
        { __VA_ARGS__ } \
    }

/* To add a duty: a line in `duties`, its name at the same place in `duty_names`, a case in test_duty.c. */
const char *const duty_names[] = { "embedding",  "domain",          "jailbreak", "pii",
                                   "fact-check", "feedback",        "modality",  "hallucination",
                                   "nli",        "image-embedding", NULL };

static const struct duty duties[] = {
    { .task = MODEL_EMBED },
    { .task = MODEL_CLASSIFY,
      .exact = true,
      .n = 14,
      .classes = { NAMED("biology"), NAMED("business"), NAMED("chemistry"), NAMED("computer science"),
                   NAMED("economics"), NAMED("engineering"), NAMED("health"), NAMED("history"), NAMED("law"),
                   NAMED("math"), NAMED("other"), NAMED("philosophy"), NAMED("physics"), NAMED("psychology") } },
    { .task = MODEL_CLASSIFY, .classes = { NAMED("jailbreak") } },
    { .task = MODEL_TAG,
      .any = true,
      .classes = { NAMED("AGE"), NAMED("CREDIT_CARD"), NAMED("DATE_TIME"), NAMED("DOMAIN_NAME"),
                   NAMED("EMAIL_ADDRESS", "EMAIL"), NAMED("GPE"), NAMED("IBAN_CODE", "IBAN"), NAMED("IP_ADDRESS"),
                   NAMED("NRP"), NAMED("ORGANIZATION"), NAMED("PERSON"), NAMED("PHONE_NUMBER", "PHONE"),
                   NAMED("STREET_ADDRESS", "ADDRESS"), NAMED("TITLE"), NAMED("US_DRIVER_LICENSE"),
                   NAMED("US_SSN", "SSN"), NAMED("ZIP_CODE") } },
    { .task = MODEL_CLASSIFY, .classes = { NAMED("FACT_CHECK_NEEDED") } },
    { .task = MODEL_CLASSIFY,
      .exact = true,
      .n = 4,
      .classes = { NAMED("satisfied", "SAT"), NAMED("need_clarification"), NAMED("wrong_answer"),
                   NAMED("want_different") } },
    { .task = MODEL_CLASSIFY,
      .exact = true,
      .n = 3,
      .classes = { NAMED("AR", "text"), NAMED("DIFFUSION", "image"), NAMED("BOTH") } },
    { .task = MODEL_TAG, .pair = true, .n = 2 },
    { .task = MODEL_CLASSIFY,
      .exact = true,
      .pair = true,
      .n = 3,
      .classes = { NAMED("entailment"), NAMED("neutral"), NAMED("contradiction") } },
    { .task = MODEL_EMBED, .pictures = true },
};
_Static_assert(VSR_COUNT(duties) + 1 == VSR_COUNT(duty_names), "a name for each, and NULL");

const struct duty *duty_named(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(duties); i++)
        if (str_eq_c(name, duty_names[i]))
            return &duties[i];
    return NULL;
}

/* ---- labels */

static bool divides(char c) {
    return c == '_' || c == '-' || c == ' ';
}

static bool same_name(vsr_str a, vsr_str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]) && !(divides(a.ptr[i]) && divides(b.ptr[i])))
            return false;
    return true;
}

/* Of a tagger "PERSON" for "B-PERSON". */
static vsr_str class_of(const struct duty *duty, vsr_str label) {
    bool begins = str_starts(label, VSR_STR("B-")) || str_starts(label, VSR_STR("I-"));
    return duty->task == MODEL_TAG && begins ? str_sub(label, 2, label.len) : label;
}

static bool is_called(const struct class_name *class, vsr_str name) {
    for (size_t i = 0; i < SPELLINGS && class->spellings[i]; i++)
        if (same_name(name, str_from_c(class->spellings[i])))
            return true;
    return false;
}

static size_t n_named(const struct duty *duty) {
    size_t n = 0;
    while (n < LABELS_NAMED && duty->classes[n].spellings[0])
        n++;
    return n;
}

static bool has_class(const struct duty *duty, const struct labels *labels, const struct class_name *class) {
    for (size_t i = 0; i < labels->n; i++)
        if (is_called(class, class_of(duty, labels->names[i])))
            return true;
    return false;
}

static bool is_expected(const struct duty *duty, vsr_str label) {
    for (size_t i = 0; i < n_named(duty); i++)
        if (is_called(&duty->classes[i], class_of(duty, label)))
            return true;
    return false;
}

/* ---- problems */

struct list {
    struct arena *arena;
    struct model_problem *problems;
    size_t n;
};

static void add(struct list *list, const char *file, vsr_str text) {
    if (list->n < DUTY_PROBLEMS_MAX)
        list->problems[list->n++] = (struct model_problem){ .file = str_from_c(file), .text = text };
}

/* "a, b and 3 more" */
static vsr_str joined(struct arena *arena, vsr_str so_far, vsr_str name, size_t n) {
    if (n >= SHOWN)
        return so_far;
    return arena_printf(arena, "%.*s%s\"%.*s\"", VSR_FMT(so_far), n ? ", " : "", VSR_FMT(str_sub(name, 0, 40)));
}

static vsr_str with_rest(struct arena *arena, vsr_str names, size_t n) {
    return n > SHOWN ? arena_printf(arena, "%.*s and %zu more", VSR_FMT(names), n - SHOWN) : names;
}

static void check_missing(const struct duty *duty, const struct labels *labels, struct list *list) {
    vsr_str missing = VSR_STR(""), have = VSR_STR("");
    size_t n = 0, all = n_named(duty);
    for (size_t i = 0; i < all; i++)
        if (!has_class(duty, labels, &duty->classes[i]))
            missing = joined(list->arena, missing, str_from_c(duty->classes[i].spellings[0]), n++);
    if (n == 0 || (duty->any && n < all))
        return;
    for (size_t i = 0; i < labels->n; i++)
        have = joined(list->arena, have, labels->names[i], i);
    add(list, "labels",
        arena_printf(list->arena, "expected %s %.*s; it has %.*s: name them in id2label of config.json",
                     duty->any ? "one of" : "a class", VSR_FMT(with_rest(list->arena, missing, n)),
                     VSR_FMT(with_rest(list->arena, have, labels->n))));
}

static void check_unknown(const struct duty *duty, const struct labels *labels, struct list *list) {
    vsr_str unknown = VSR_STR("");
    size_t n = 0;
    for (size_t i = 0; i < labels->n; i++)
        if (!is_expected(duty, labels->names[i]))
            unknown = joined(list->arena, unknown, labels->names[i], n++);
    if (n > 0)
        add(list, "labels",
            arena_printf(list->arena, "no rule can ask for %.*s", VSR_FMT(with_rest(list->arena, unknown, n))));
}

static void check_labels(const struct duty *duty, const struct labels *labels, struct list *list) {
    if (duty->n && labels->n != duty->n)
        add(list, "weights", arena_printf(list->arena, "%zu classes, expected %zu", labels->n, duty->n));
    check_missing(duty, labels, list);
    if (duty->exact)
        check_unknown(duty, labels, list);
    if (duty->task == MODEL_TAG && !duty->pair && labels_find(labels, VSR_STR("O")) == LABELS_NONE)
        add(list, "labels", VSR_STR("no label \"O\" for what is no span"));
}

static const char *kind_text(enum model_task task) {
    static const char *const texts[] = {
        [MODEL_CLASSIFY] = "a classifier of texts", [MODEL_TAG] = "a tagger of tokens", [MODEL_EMBED] = "an embedder"
    };
    return texts[task];
}

size_t duty_check(const struct duty *duty, const struct model *model, struct arena *arena,
                  struct model_problem ret[static DUTY_PROBLEMS_MAX]) {
    struct list list = { .arena = arena, .problems = ret };
    const struct builtin_model *builtin = model_builtin(model);
    if (model_task(model) != duty->task) {
        add(&list, "config.json",
            arena_printf(arena, "it is %s, expected %s: see \"architectures\"", kind_text(model_task(model)),
                         kind_text(duty->task)));
        return list.n;
    }
    if (builtin && builtin_is_pair(builtin) != duty->pair)
        add(&list, "kind",
            duty->pair ? VSR_STR("it reads one text, expected a pair")
                       : VSR_STR("it reads a pair of texts, expected one"));
    if (duty->pictures && !model_vision(model))
        add(&list, "weights", VSR_STR("they have no part that reads pictures (image_encoder.*)"));
    if (duty->task != MODEL_EMBED)
        check_labels(duty, model_labels(model), &list);
    return list.n;
}
