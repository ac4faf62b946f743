/* The trace for people: what matched, scores and bands, decisions in order with the reason, the winner. */
#include "core/buf.h"
#include "core/utf8.h"
#include "route/errors.h"
#include "route/trace_parts.h"

struct printer {
    const struct route_state *state;
    struct buf *out;
    bool colour;
};

enum style { STYLE_HEAD, STYLE_GOOD, STYLE_BAD, STYLE_FAINT };

static const char *style_on(const struct printer *p, enum style style) {
    static const char *const codes[] = { "\033[1m", "\033[32m", "\033[31m", "\033[2m" };
    return p->colour ? codes[style] : "";
}

static const char *style_off(const struct printer *p) {
    return p->colour ? "\033[0m" : "";
}

static void head(struct printer *p, const char *title) {
    buf_printf(p->out, "%s%s%s\n", style_on(p, STYLE_HEAD), title, style_off(p));
}

/* A name from the configuration or the request: control characters would drive the terminal. */
static void print_safe(struct printer *p, vsr_str text) {
    for (size_t pos = 0; pos < text.len;) {
        size_t start = pos;
        uint32_t cp = utf8_next(text, &pos);
        if (cp == UTF8_INVALID || cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
            buf_append_c(p->out, "\xEF\xBF\xBD");
        else
            buf_append(p->out, str_sub(text, start, pos));
    }
}

/* ---- signals */

static void print_found(struct printer *p, const struct route_family *family, size_t index) {
    vsr_str found[TRACE_FOUND_MAX];
    size_t n = trace_found(p->state, family, index, found);
    for (size_t i = 0; i < n; i++) {
        buf_append_c(p->out, i ? ", \"" : "  \"");
        print_safe(p, found[i]);
        buf_append_char(p->out, '"');
    }
}

static void print_rule(struct printer *p, const struct route_family *family, uint32_t index) {
    uint32_t slot = family->first_slot + index;
    const struct signal_results *results = &p->state->results;
    if (!bits_has(results->matched, slot))
        return;
    buf_printf(p->out, "  %s\xE2\x9C\x93%s ", style_on(p, STYLE_GOOD), style_off(p));
    print_safe(p, p->state->route->slots.items[slot].key);
    if (bits_has(results->has_confidence, slot) && results->confidence[slot] < 1)
        buf_printf(p->out, "  confidence %.4g", results->confidence[slot]);
    if (bits_has(results->has_value, slot))
        buf_printf(p->out, "  value %.6g", results->value[slot]);
    if (bits_has(p->state->compete.synthesized, slot))
        buf_append_c(p->out, "  default of its partition");
    print_found(p, family, index);
    buf_append_char(p->out, '\n');
}

/* Failures of a whole family are one line. */
static void print_error(void *data, const struct route_error *error) {
    struct printer *p = data;
    buf_printf(p->out, "  %s!%s %s:", style_on(p, STYLE_BAD), style_off(p), error->family->family->config.type);
    print_safe(p, error->name);
    buf_printf(p->out, "  %s", error->code);
    if (error->reason) {
        buf_append_c(p->out, ": ");
        print_safe(p, str_from_c(error->reason));
    }
    buf_append_char(p->out, '\n');
}

static void print_signals(struct printer *p) {
    size_t n_idle = 0, before;
    head(p, "Signals");
    before = p->out->len;
    for (size_t i = 0; i < p->state->route->n_families; i++) {
        const struct route_family *family = &p->state->route->families[i];
        for (uint32_t k = 0; k < family->n_slots; k++) {
            print_rule(p, family, k);
            n_idle += !bits_has(p->state->results.evaluated, family->first_slot + k);
        }
    }
    errors_each(p->state, print_error, p);
    if (p->out->len == before)
        buf_append_c(p->out, "  none matched\n");
    if (n_idle)
        buf_printf(p->out, "  %s%zu more could not change the outcome and were not evaluated%s\n",
                   style_on(p, STYLE_FAINT), n_idle, style_off(p));
}

/* ---- models */

static void print_source(struct printer *p, const char *family, const struct trace_source *source) {
    vsr_str name = signal_source_name(source->source);
    buf_printf(p->out, "  %s: ", family);
    print_safe(p, name);
    if (source->version) {
        buf_append_c(p->out, ", version ");
        print_safe(p, str_from_c(source->version));
    }
    buf_printf(p->out, "  asked about %zu text%s", source->n_asked, source->n_asked == 1 ? "" : "s");
    if (source->n_remembered > 0)
        buf_printf(p->out, ", %zu remembered", source->n_remembered);
    if (source->n_cut > 0)
        buf_printf(p->out, ", %zu cut", source->n_cut);
    if (source->n_failed > 0)
        buf_printf(p->out, ", %s%zu failed%s", style_on(p, STYLE_BAD), source->n_failed, style_off(p));
    buf_append_char(p->out, '\n');
}

/* Whom each family asked. */
static void print_models(struct printer *p) {
    bool any = false;
    for (size_t i = 0; i < p->state->route->n_families; i++) {
        const struct route_family *family = &p->state->route->families[i];
        struct trace_source *sources;
        size_t n = trace_sources(p->state, family, &sources);
        if (n > 0 && !any)
            head(p, "Models");
        any |= n > 0;
        for (size_t k = 0; k < n; k++)
            print_source(p, family->family->config.type, &sources[k]);
    }
}

/* ---- projections */

static void print_partition(struct printer *p, const struct compete_partition *partition,
                            const struct compete_result *result) {
    const struct signal_slot *slots = p->state->route->slots.items;
    buf_append_c(p->out, "  ");
    print_safe(p, partition->config->name);
    buf_append_c(p->out, ": ");
    if (!result->decided) {
        buf_append_c(p->out, "undecided, a member is unavailable\n");
        return;
    }
    print_safe(p, slots[result->trace.winner].name);
    if (result->trace.default_used)
        buf_append_c(p->out, " (the default)");
    else
        buf_printf(p->out, " (%.4g", result->trace.winner_score);
    for (size_t i = 0; i < result->trace.n_contenders && result->trace.n_contenders > 1; i++) {
        if (result->trace.contenders[i].rule == result->trace.winner)
            continue;
        buf_append_c(p->out, ", before ");
        print_safe(p, slots[result->trace.contenders[i].rule].name);
        buf_printf(p->out, " %.4g",
                   result->trace.normalized ? result->trace.contenders[i].normalized : result->trace.contenders[i].raw);
    }
    buf_append_c(p->out, result->trace.default_used ? "\n" : ")\n");
}

static void print_partitions(struct printer *p) {
    const struct compete *compete = p->state->route->compete;
    bool any = false;
    for (size_t i = 0; i < compete->n_partitions; i++) {
        if (!p->state->compete.partitions[i].done)
            continue;
        if (!any)
            head(p, "Partitions");
        any = true;
        print_partition(p, &compete->partitions[i], &p->state->compete.partitions[i]);
    }
}

static void print_score(struct printer *p, size_t index) {
    const struct projection_score *score = &p->state->route->projections->scores[index];
    const struct projection_result *result = &p->state->projections[index];
    buf_append_c(p->out, "  ");
    print_safe(p, score->config->name);
    buf_printf(p->out, " = %.6g%s", result->total, result->degraded ? " (an input is unavailable)" : "");
    for (size_t i = 0; i < score->n_mappings; i++) {
        const struct projection_mapping *mapping = &score->mappings[i];
        const struct config_mapping_output *outputs = mapping->config->outputs.items;
        buf_append_c(p->out, i ? "; " : "  ");
        print_safe(p, mapping->config->name);
        buf_append_char(p->out, ':');
        for (size_t k = 0; k < mapping->config->outputs.n; k++)
            if (bits_has(p->state->view.matched, mapping->slots[k])) {
                buf_append_char(p->out, ' ');
                print_safe(p, outputs[k].name);
                buf_printf(p->out, " (%.4g)", p->state->view.confidence[mapping->slots[k]]);
            }
    }
    buf_append_char(p->out, '\n');
}

static void print_projections(struct printer *p) {
    bool any = false;
    for (size_t i = 0; i < p->state->route->projections->n_scores; i++) {
        if (!p->state->projections[i].done)
            continue;
        if (!any)
            head(p, "Scores");
        any = true;
        print_score(p, i);
    }
}

/* ---- decisions */

/* The first leaf in walking order that has a given state: what to blame. */
static const struct rule_leaf *find_leaf(const struct printer *p, uint32_t root, enum rule_state wanted) {
    const struct rule_set *rules = &p->state->route->policy->rules;
    for (uint32_t at = root; at < rules->nodes[root].end; at++)
        if (rules->nodes[at].op == RULE_LEAF && p->state->leaves[rules->nodes[at].leaf] == wanted)
            return &rules->leaves[rules->nodes[at].leaf];
    return NULL;
}

/* Whether the leaf is what it is because its rule could not be evaluated. */
static bool is_missing(const struct printer *p, const struct rule_leaf *leaf) {
    return leaf->slot != POLICY_SLOT_NONE && bits_has(p->state->results.unavailable, leaf->slot) &&
           !bits_has(p->state->results.matched, leaf->slot);
}

/* Why a node is FALSE: the first child that an AND failed at, down to a leaf. */
static void print_failure(struct printer *p, uint32_t at) {
    const struct rule_set *rules = &p->state->route->policy->rules;
    bool negated = false;
    while (rules->nodes[at].op != RULE_LEAF) {
        uint32_t child = at + 1;
        if (rules->nodes[at].op == RULE_NEVER || rules->nodes[at].op == RULE_ALWAYS || child >= rules->nodes[at].end) {
            buf_append_c(p->out, "can never match");
            return;
        }
        if (rules->nodes[at].op == RULE_OR && rules->nodes[child].end < rules->nodes[at].end && !negated) {
            buf_append_c(p->out, "no alternative matched");
            return;
        }
        if (rules->nodes[at].op == RULE_NOT)
            negated = !negated;
        else /* the child that made the node what it is */
            while (rule_state(rules, child, p->state->leaves) != rule_state(rules, at, p->state->leaves) &&
                   rules->nodes[child].end < rules->nodes[at].end)
                child = rules->nodes[child].end;
        at = child;
    }
    print_safe(p, rules->leaves[rules->nodes[at].leaf].text);
    if (is_missing(p, &rules->leaves[rules->nodes[at].leaf]))
        buf_printf(p->out, " is unavailable, which counts as %s here", negated ? "a match" : "no match");
    else
        buf_append_c(p->out, negated ? " matched" : " did not match");
}

static void print_reason(struct printer *p, const struct policy_decision *decision, enum rule_state result) {
    const struct rule_leaf *leaf;
    switch (result) {
    case RULE_TRUE:
        buf_printf(p->out, "confidence %.4g", trace_confidence(p->state, decision->root));
        break;
    case RULE_FALSE:
        print_failure(p, decision->root);
        break;
    case RULE_UNKNOWN:
    case RULE_PENDING:
        leaf = find_leaf(p, decision->root, result);
        if (leaf)
            print_safe(p, leaf->text);
        buf_append_c(p->out, result == RULE_UNKNOWN ? " is unavailable" : " not needed");
        break;
    }
}

static void print_decision(struct printer *p, size_t index) {
    static const char *const marks[] = { "\xE2\x9C\x97", "\xE2\x9C\x93", "?", "\xC2\xB7" };
    static const enum style styles[] = { STYLE_FAINT, STYLE_GOOD, STYLE_BAD, STYLE_FAINT };
    const struct policy_decision *decision = &p->state->route->policy->decisions[index];
    enum rule_state result = trace_decision_state(p->state, index);
    buf_printf(p->out, "  %s%s%s ", style_on(p, styles[result]), marks[result], style_off(p));
    print_safe(p, decision->config->name);
    buf_printf(p->out, "  (priority %lld", (long long)decision->priority);
    if (decision->tier > 0)
        buf_printf(p->out, ", tier %lld", (long long)decision->tier);
    buf_append_c(p->out, ")  ");
    print_reason(p, decision, result);
    buf_append_char(p->out, '\n');
}
_Static_assert(RULE_FALSE == 0 && RULE_TRUE == 1 && RULE_UNKNOWN == 2 && RULE_PENDING == 3,
               "marks and styles by state");

static void print_outcome(struct printer *p) {
    const struct route_outcome *outcome = &p->state->outcome;
    head(p, "Outcome");
    if (outcome->refusal) {
        buf_printf(p->out, "  %srefused%s: %s\n", style_on(p, STYLE_BAD), style_off(p), outcome->refusal);
        return;
    }
    if (!outcome->decision) {
        buf_append_c(p->out, p->state->skipped ? "  nothing to look at: the default model applies\n"
                                               : "  no decision matched: the default model applies\n");
        return;
    }
    buf_printf(p->out, "  %s", style_on(p, STYLE_GOOD));
    print_safe(p, outcome->decision->name);
    buf_printf(p->out, "%s  confidence %.4g", style_off(p), outcome->confidence);
    for (size_t i = 0; i < outcome->n_matched_rules; i++) {
        buf_append_c(p->out, i ? ", " : "  by ");
        print_safe(p, outcome->matched_rules[i]);
    }
    buf_append_char(p->out, '\n');
}

void route_trace_text(const struct route_state *state, bool colour, struct buf *out) {
    struct printer p = { state, out, colour };
    if (!state->skipped) {
        print_signals(&p);
        print_models(&p);
        print_partitions(&p);
        print_projections(&p);
        head(&p, "Decisions");
        for (size_t i = 0; i < state->route->policy->n_decisions; i++)
            print_decision(&p, i);
    }
    print_outcome(&p);
}
