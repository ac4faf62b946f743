/*
 * pii - personal data in the text (signals.md §6.11). A rule matches when a kind of entity is found that it does not
 * allow. What cannot be checked is not passed: leaves stay unknown unless the configuration says otherwise, and with
 * `on_error: block` the rule matches.
 *
 * What has a form that says so (pii_find.h) is found without a model, and counts also where none answers. With the
 * module switched off the forms are all there is: that is enough for a rule that denies nothing else, and no answer
 * for any other.
 */
#include <math.h>

#include "core/arena.h"
#include "signal/chunks.h"
#include "signal/classes.h"
#include "signal/learned.h"
#include "signal/pii_find.h"
#include "signal/pii_spans.h"
#include "text/chunk.h"

static const char *const on_errors[] = { "", "allow", "block", NULL };
enum { ON_ERROR_UNSET, ON_ERROR_ALLOW, ON_ERROR_BLOCK };

struct pii_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    struct config_strings pii_types_allowed;
    bool include_history, include_tool_results;
    int64_t max_chunks;
    int on_error;
};

static const struct field pii_fields[] = {
    RULE_FIELDS(struct pii_config),
    { "threshold", FIELD_NUMBER, offsetof(struct pii_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1, .help = "Least certainty of an entity; 0 or left out: that of the pii module." },
    { "pii_types_allowed", FIELD_STRINGS, offsetof(struct pii_config, pii_types_allowed),
      .help = "Kinds of entities that may occur, such as PERSON; case does not count." },
    { "include_history", FIELD_BOOL, offsetof(struct pii_config, include_history),
      .help = "Whether earlier turns are checked too." },
    { "include_tool_results", FIELD_BOOL, offsetof(struct pii_config, include_tool_results),
      .help = "Whether what tools returned is checked too." },
    { "max_chunks", FIELD_INT, offsetof(struct pii_config, max_chunks), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .fallback = "2048",
      .help = "Most pieces of text that are checked, by default some 230,000 tokens of English. Where there are more "
              "the rule is "
              "too_long, unless one of those that were checked matches." },
    { "on_error", FIELD_ENUM, offsetof(struct pii_config, on_error), .choices = on_errors,
      .help = "block: the rule matches when the text cannot be checked; left out: as the pii module says." },
};

static const struct schema pii_schema;

static const char *const known[] = { "AGE",           "CREDIT_CARD",
                                     "DATE_TIME",     "DOMAIN_NAME",
                                     "EMAIL_ADDRESS", "GPE",
                                     "IBAN_CODE",     "IP_ADDRESS",
                                     "NO_PII",        "NRP",
                                     "ORGANIZATION",  "PERSON",
                                     "PHONE_NUMBER",  "STREET_ADDRESS",
                                     "TITLE",         "US_DRIVER_LICENSE",
                                     "US_SSN",        "ZIP_CODE" };

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct pii_config *rule = object;
    vsr_str names[VSR_COUNT(known)];
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        names[i] = str_from_c(known[i]);
    for (size_t i = 0; i < rule->pii_types_allowed.n; i++) {
        vsr_str type = rule->pii_types_allowed.items[i];
        bool found = false;
        for (size_t k = 0; k < VSR_COUNT(known) && !found; k++)
            found = str_eq_nocase(str_trim(type), names[k]);
        if (!found)
            diag_warn(diag, "W_NAME", rule_entry_at(rule, "pii_types_allowed", &rule->pii_types_allowed, i, arena),
                      diag_suggest(diag, type, names, VSR_COUNT(known)), "\"%.*s\" is no kind of entity that is known",
                      VSR_FMT(type));
    }
}

static const struct schema pii_schema = SCHEMA("pii rule", struct pii_config, pii_fields, .check = check_rule);

/* ---- compiled */

#define THRESHOLD 0.9 /* of a module that names none */

struct pii_state {
    const struct pii_config *rules;
    size_t n_rules;
    uint32_t first_slot, source;
    enum signal_text text;
    double threshold;
    bool block;
};

static void *build(struct signal_builder *builder) {
    const struct config_pii_classifier *module = &builder->doc->global.model_catalog.modules.classifier.pii;
    struct pii_state *state = ARENA_NEW(builder->arena, struct pii_state);
    state->rules = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->threshold = module->threshold > 0 ? module->threshold : THRESHOLD;
    state->block = module->on_error == ON_FAILURE_BLOCK;
    state->source = classes_model(builder, signal_models_pii, NULL);
    return state;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct pii_state *state = data;
    const struct pii_config *rule = &state->rules[index];
    return learned_has_contents(facts, rule->include_history, rule->include_tool_results);
}

static bool blocks(const void *data, size_t index) {
    const struct pii_state *state = data;
    int own = state->rules[index].on_error;
    return own == ON_ERROR_UNSET ? state->block : own == ON_ERROR_BLOCK;
}

static bool is_allowed(const struct pii_config *rule, vsr_str type) {
    for (size_t i = 0; i < rule->pii_types_allowed.n; i++)
        if (str_eq_nocase(str_trim(rule->pii_types_allowed.items[i]), type))
            return true;
    return false;
}

static bool has_form(vsr_str type) {
    for (int i = 0; i < PII_FORMS; i++)
        if (str_eq_c(type, pii_form_type((enum pii_form)i)))
            return true;
    return str_eq_c(type, "NO_PII");
}

/* Whether the rule denies anything that only a tagger finds. */
static bool needs_tagger(const struct pii_config *rule) {
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        if (!has_form(str_from_c(known[i])) && !is_allowed(rule, str_from_c(known[i])))
            return true;
    return false;
}

/* ---- found */

/* What was found in the texts of one choice of them. */
struct findings {
    const struct pii_span *spans;
    size_t n;
    enum signal_code code; /* of the first piece that could not be tagged whole */
    const char *reason;
};

/* A family's memo for one request. */
struct pii_memo {
    struct chunks_memo chunks;
    const struct findings *found[CHUNKS_CHOICES]; /* in all pieces */
};

static struct pii_memo *memo_of(struct signal_request *request) {
    if (!request->memo)
        request->memo = ARENA_NEW(request->arena, struct pii_memo);
    return request->memo;
}

static unsigned texts_of(const struct pii_config *rule) {
    return (rule->include_history ? CHUNKS_HISTORY : 0) | (rule->include_tool_results ? CHUNKS_TOOL_RESULTS : 0);
}

static int find_chunks(const struct pii_state *state, const struct pii_config *rule, struct signal_request *request,
                       const struct signal_chunks **ret_chunks, struct vsr_err *err) {
    return chunks_of(&memo_of(request)->chunks, request, state->text, texts_of(rule), CHUNK_UNITS_PII, ret_chunks, err);
}

static void ask(const void *data, struct signal_request *request) {
    const struct pii_state *state = data;
    for (size_t i = 0; i < state->n_rules && state->source != CLASSES_NO_SOURCE; i++) {
        const struct signal_chunks *chunks;
        size_t n;
        if (!bits_has(request->wanted, state->first_slot + i) ||
            find_chunks(state, &state->rules[i], request, &chunks, NULL) != 0)
            continue; /* eval() fails the same way */
        n = chunks_within(chunks, state->rules[i].max_chunks);
        for (size_t k = 0; k < n; k++)
            (void)evidence_ask(request->asks, EVIDENCE_SPANS, state->source, chunks->items[k].text);
    }
}

/* Bytes to the nearest edge of the piece that is not one of its text. */
static size_t margin_of(const struct signal_chunk *chunk, vsr_str content, const struct evidence_span *span) {
    size_t before = chunk->base > 0 ? span->start : SIZE_MAX;
    size_t after = chunk->base + chunk->text.len < content.len ? chunk->text.len - span->end : SIZE_MAX;
    return before < after ? before : after;
}

static size_t add_tagged(const struct signal_chunks *chunks, size_t piece, const struct evidence_answer *answer,
                         struct pii_span *spans, size_t n) {
    const struct signal_chunk *chunk = &chunks->items[piece];
    for (size_t i = 0; i < answer->n_spans; i++) {
        const struct evidence_span *span = &answer->spans[i];
        vsr_str type = pii_type_of(answer->labels[span->label]);
        if (type.len == 0)
            continue;
        spans[n++] = (struct pii_span){ .content = chunk->content,
                                        .start = chunk->base + span->start,
                                        .end = chunk->base + span->end,
                                        .type = type,
                                        .confidence = span->confidence,
                                        .margin = margin_of(chunk, chunks->contents[chunk->content], span),
                                        .piece = (uint32_t)piece };
    }
    return n;
}

/* The first failure stays. A piece that was read in part is one, whatever was found in that part. */
static void note_failure(struct findings *findings, const struct signal_request *request,
                         const struct evidence_answer *answer) {
    if (findings->code != SIGNAL_OK || (answer->code == SIGNAL_OK && !answer->cut))
        return;
    findings->code = answer->code == SIGNAL_OK ? SIGNAL_TOO_LONG : answer->code;
    findings->reason = answer->code == SIGNAL_OK ? classes_cut(request, answer) : answer->reason;
}

/* The answers for the first `n` pieces. Returns how many spans they have; what failed is noted. */
static size_t take_answers(const struct pii_state *state, struct signal_request *request,
                           const struct signal_chunks *chunks, size_t n, const struct evidence_answer **ret_answers,
                           struct findings *findings) {
    size_t n_spans = 0;
    for (size_t i = 0; i < n; i++) {
        const struct evidence_ask *asked =
            evidence_ask(request->asks, EVIDENCE_SPANS, state->source, chunks->items[i].text);
        ret_answers[i] = asked->answer.code == SIGNAL_OK ? &asked->answer : NULL;
        n_spans += asked->answer.code == SIGNAL_OK ? asked->answer.n_spans : 0;
        note_failure(findings, request, &asked->answer);
    }
    return n_spans;
}

/* Everything in the texts; a tagger's part of it in the first `n` pieces. */
static int find(const struct pii_state *state, struct signal_request *request, const struct signal_chunks *chunks,
                size_t n, struct findings *ret, struct vsr_err *err) {
    const struct evidence_answer **answers = arena_try_alloc(request->arena, n * sizeof(*answers));
    struct pii_span *formed, *tagged, *all;
    size_t n_formed, n_tagged = 0;
    int rc = pii_spans_by_form(request->arena, chunks->contents, chunks->n_contents, &formed, &n_formed, err);
    if (rc < 0)
        return rc;
    if (!answers)
        return err_set(err, VSR_E_NOMEM, "no memory for the answers of a tagger");
    if (state->source != CLASSES_NO_SOURCE)
        n_tagged = take_answers(state, request, chunks, n, answers, ret);
    tagged = arena_try_alloc(request->arena, n_tagged * sizeof(*tagged));
    all = arena_try_alloc(request->arena, (n_formed + n_tagged) * sizeof(*all));
    if (!tagged || !all)
        return err_set(err, VSR_E_NOMEM, "no memory for the personal data that was found");
    n_tagged = 0;
    for (size_t i = 0; i < n && state->source != CLASSES_NO_SOURCE; i++)
        if (answers[i])
            n_tagged = add_tagged(chunks, i, answers[i], tagged, n_tagged);
    n_tagged = pii_spans_merge(chunks->contents, tagged, n_tagged);
    ret->spans = all;
    ret->n = pii_spans_fuse(formed, n_formed, tagged, n_tagged, all);
    return 0;
}

/* The same, once for all rules that read the same texts. */
static int find_once(const struct pii_state *state, const struct pii_config *rule, struct signal_request *request,
                     const struct signal_chunks *chunks, const struct findings **ret, struct vsr_err *err) {
    size_t n = chunks_within(chunks, rule->max_chunks);
    const struct findings **known_findings = &memo_of(request)->found[texts_of(rule)];
    struct findings *findings;
    int rc;
    if (n == chunks->n && *known_findings) {
        *ret = *known_findings;
        return 0;
    }
    findings = ARENA_NEW(request->arena, struct findings);
    rc = find(state, request, chunks, n, findings, err);
    if (rc != 0)
        return rc;
    if (n == chunks->n)
        *known_findings = findings;
    *ret = findings;
    return 0;
}

/* ---- judged */

enum { TYPES_MAX = 64 }; /* that the request is said to hold; the usual taggers know 17 */

/* Keeps the types sorted, each once. */
static void remember(struct signal_request *request, vsr_str type) {
    struct signal_pii *pii = &request->pii;
    vsr_str *types = (vsr_str *)pii->types; /* our own array */
    size_t at = pii->n_types;
    if (!types)
        pii->types = types = ARENA_ARRAY(request->arena, vsr_str, TYPES_MAX);
    for (size_t i = 0; i < pii->n_types; i++)
        if (str_eq(types[i], type))
            return;
    pii->detected = true;
    if (pii->n_types == TYPES_MAX)
        return;
    for (; at > 0 && str_cmp(types[at - 1], type) > 0; at--)
        types[at] = types[at - 1];
    types[at] = type;
    pii->n_types++;
}

static void settle(const struct pii_state *state, uint32_t index, struct signal_request *request,
                   const struct findings *findings, struct signal_results *results) {
    const struct pii_config *rule = &state->rules[index];
    double threshold = rule->threshold > 0 ? rule->threshold : state->threshold, confidence = 0;
    uint32_t slot = state->first_slot + index;
    size_t n_denied = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const struct pii_span *span = &findings->spans[i];
        if (span->confidence < threshold || is_allowed(rule, span->type))
            continue;
        remember(request, span->type);
        confidence = fmax(confidence, span->confidence);
        n_denied++;
    }
    signal_value(results, slot, (double)n_denied);
    if (n_denied > 0)
        signal_match(results, slot, fmin(1, confidence));
}

static int judge(const struct pii_state *state, uint32_t index, struct signal_request *request,
                 struct signal_results *results, struct vsr_err *err) {
    const struct pii_config *rule = &state->rules[index];
    uint32_t slot = state->first_slot + index;
    const struct signal_chunks *chunks;
    const struct findings *findings;
    size_t n;
    int rc = find_chunks(state, rule, request, &chunks, err);
    if (rc == 0)
        rc = find_once(state, rule, request, chunks, &findings, err);
    if (rc != 0)
        return rc;
    n = chunks_within(chunks, rule->max_chunks);
    settle(state, index, request, findings, results);
    if (findings->code != SIGNAL_OK)
        signal_fail_because(results, slot, findings->code, findings->reason);
    else if (state->source == CLASSES_NO_SOURCE && chunks->n > 0 && needs_tagger(rule))
        signal_fail_because(results, slot, SIGNAL_UNAVAILABLE, "modules.classifier.pii is switched off");
    else if (state->source != CLASSES_NO_SOURCE && n < chunks->n)
        signal_fail_because(results, slot, SIGNAL_TOO_LONG, chunks_too_many(request->arena, chunks, n));
    return 0;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct pii_state *state = data;
    for (uint32_t i = 0; i < state->n_rules; i++) {
        int rc = bits_has(request->wanted, state->first_slot + i) ? judge(state, i, request, results, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

const struct signal_family signal_pii = {
    .config = { .type = "pii", .list_key = "pii", .schema = &pii_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "detection of personal data",
    .judges_alone = true, /* what has a form */
    .never_skipped = true,
    .value_greatest = INFINITY,
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    SIGNAL_RUNS(.models = signal_models_pii, .build = build, .ask = ask, .eval = eval, .applies = applies,
                .blocks = blocks),
};
