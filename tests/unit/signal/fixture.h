/*
 * fixture - one signal family with rules from text, evaluated against facts, for tests of signal/.
 */
#ifndef VSR_TESTS_SIGNAL_FIXTURE_H
#define VSR_TESTS_SIGNAL_FIXTURE_H

#include "test.h"

#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/buf.h"
#include "signal/family.h"
#include "signal/rule_checks.h"
#include "text/regex.h"
#include "text/stem.h"

struct fixture {
    struct arena *arena;
    const struct signal_family *family;
    struct config_document doc;
    const struct config_routing *routing;
    struct config_list rules;
    struct signal_slots slots;
    struct signal_sources sources;
    struct signal_banks banks;
    struct evidence_asks asks;
    uint32_t builder_slots; /* of rules; those behind them are values */
    struct pattern_set *patterns;
    struct pattern_scratch *scratch;
    struct stemmer *stemmer;
    void *state;
    struct diag diag;
    struct signal_request request;
    struct signal_results results;
    int rc; /* of eval */
};

static inline void fixture_problems(struct fixture *f) {
    struct buf out;
    buf_init(&out, 1 << 20);
    diag_print(&f->diag, &out, false);
    print_error("%.*s", (int)out.len, out.ptr);
    buf_done(&out);
}

/*
 * Decodes the rules, a YAML (or JSON) list. False when the tables or the family's checks refuse them. `settle`: writes
 * the rest of the document first; NULL: nothing.
 */
static inline bool fixture_decode_in(struct fixture *f, const struct signal_family *family, vsr_str yaml,
                                     void (*settle)(struct config_document *doc)) {
    struct yaml_node *root;
    const struct schema *schema = family->config.schema;
    bool ok = true;
    *f = (struct fixture){ .arena = arena_new(0, 0), .family = family };
    f->doc.global.model_catalog.at.path = VSR_STR("global.model_catalog"); /* there, and empty */
    f->doc.global.model_catalog.modules.classifier.preference.use_contrastive = true;
    if (settle)
        settle(&f->doc);
    diag_init(&f->diag, f->arena, VSR_STR("rules"));
    if (yaml_tree_parse(f->arena, yaml, &root, &f->diag) < 0)
        return false;
    f->rules.n = root->n_items;
    f->rules.items = arena_alloc(f->arena, root->n_items * schema->size);
    for (size_t i = 0; i < root->n_items; i++)
        ok &= schema_decode(schema, root->items[i], arena_printf(f->arena, "rules[%zu]", i),
                            (char *)f->rules.items + i * schema->size, f->arena, &f->diag);
    if (ok && family->config.check)
        family->config.check(&f->doc, &f->rules, f->arena, &f->diag);
    return f->diag.n_errors == 0;
}

static inline bool fixture_decode(struct fixture *f, const struct signal_family *family, vsr_str yaml) {
    return fixture_decode_in(f, family, yaml, NULL);
}

/* The rules are refused, with `problem` in the messages. */
static inline void fixture_must_refuse(const struct signal_family *family, const char *rules, const char *problem) {
    struct fixture f;
    struct buf out;
    CHECK(!fixture_decode(&f, family, str_from_c(rules)), rules);
    buf_init(&out, 1 << 16);
    diag_print(&f.diag, &out, false);
    CHECK_MSG(str_find(buf_str(&out), str_from_c(problem)) >= 0, "%s: %.*s", rules, (int)out.len, out.ptr);
    buf_done(&out);
    arena_free(f.arena);
}

/* One for each rule, or those that the family names. */
static inline void fixture_give_slots(struct fixture *f) {
    vsr_str type = str_from_c(f->family->config.type), *names = NULL;
    size_t n = f->rules.n, n_listed;
    if (f->family->names)
        n = f->family->names(&f->rules, f->arena, &names, &n_listed);
    for (size_t i = 0; i < n; i++)
        CHECK_INT(signal_slots_add(&f->slots, type,
                                   names ? names[i] : rule_name(&f->rules, f->family->config.schema, i)),
                  i, "names differ");
}

static inline bool fixture_build(struct fixture *f) {
    struct pattern_list patterns;
    struct signal_places places = { 0 };
    struct signal_builder builder = { .arena = f->arena,
                                      .doc = &f->doc,
                                      .routing = f->routing,
                                      .rules = &f->rules,
                                      .slots = &f->slots,
                                      .patterns = &patterns,
                                      .places = &places,
                                      .sources = &f->sources,
                                      .banks = &f->banks,
                                      .diag = &f->diag };
    int bad;
    signal_slots_init(&f->slots, f->arena);
    pattern_list_init(&patterns, f->arena);
    fixture_give_slots(f);
    f->builder_slots = builder.n_slots = (uint32_t)f->slots.n;
    builder.stage = f->family->stage;
    f->state = f->family->build(&builder);
    if (builder.needs_stemmer)
        CHECK_INT(stemmer_new(&f->stemmer, NULL), 0, "stemmer");
    if (f->diag.n_errors || pattern_set_build(f->arena, &patterns, &f->patterns, &bad, NULL) < 0)
        return false;
    return !f->patterns || pattern_scratch_new(f->patterns, &f->scratch, NULL) == 0;
}

static inline void fixture_make(struct fixture *f, const struct signal_family *family, vsr_str yaml) {
    if (!fixture_decode(f, family, yaml) || !fixture_build(f)) {
        fixture_problems(f);
        fail_msg("the rules are refused: %.*s", VSR_FMT(yaml));
    }
}

/* `wanted`: bits of slots. */
static inline void fixture_begin(struct fixture *f, const struct request_facts *facts, const uint64_t *wanted) {
    f->request = (struct signal_request){ .arena = f->arena,
                                          .facts = facts,
                                          .wanted = wanted,
                                          .patterns = f->patterns,
                                          .scratch = f->scratch,
                                          .stemmer = f->stemmer,
                                          .regex_steps = REGEX_STEPS_MAX,
                                          .window_max = 2048,
                                          .asks = &f->asks };
    evidence_asks_init(&f->asks, f->arena);
    signal_results_init(&f->results, f->arena, f->slots.n);
}

static inline void fixture_eval(struct fixture *f, const struct request_facts *facts) {
    uint64_t *wanted = ARENA_ARRAY(f->arena, uint64_t, BITS_WORDS(f->slots.n));
    memset(wanted, 0xFF, BITS_WORDS(f->slots.n) * sizeof(*wanted));
    fixture_begin(f, facts, wanted);
    f->rc = f->family->eval(f->state, &f->request, &f->results, NULL);
}

/* The text as the only user message. */
static inline void fixture_eval_text(struct fixture *f, vsr_str text) {
    struct request_facts *facts = ARENA_NEW(f->arena, struct request_facts);
    facts->eval_text = facts->current_user = facts->context_text = text;
    fixture_eval(f, facts);
}

static inline bool fixture_matched(const struct fixture *f, uint32_t rule) {
    return bits_has(f->results.matched, rule);
}

static inline double fixture_value(const struct fixture *f, const char *name) {
    uint32_t slot = signal_slots_find(&f->slots, str_from_c(f->family->config.type), str_from_c(name));
    CHECK_MSG(slot != SIGNAL_SLOT_NONE && bits_has(f->results.has_value, slot), "no value %s", name);
    return f->results.value[slot];
}

static inline void fixture_free(struct fixture *f) {
    pattern_scratch_free(f->scratch);
    stemmer_free(f->stemmer);
    arena_free(f->arena);
}

/* `{"name":"r", ...}` from a rule without a name, as a list of one. */
static inline vsr_str fixture_name_rule(struct arena *arena, vsr_str rule, size_t index) {
    return arena_printf(arena, "{\"name\":\"r%zu\",%.*s", index, (int)rule.len - 1, rule.ptr + 1);
}

#endif
