/* The trace as one JSON object: signals.md §3.6 and §7.5, decisions.md §2.13. */
#include <stdio.h>

#include "core/json_write.h"
#include "route/errors.h"
#include "route/trace_parts.h"

enum { ERROR_KEY_LEN_MAX = 512 }; /* of a key that is put together; longer names are cut */

static void write_key(struct json_writer *w, const char *key) {
    json_write_key(w, str_from_c(key));
}

static void write_text(struct json_writer *w, const char *key, vsr_str text) {
    write_key(w, key);
    json_write_str(w, text);
}

static void write_number(struct json_writer *w, const char *key, double number) {
    write_key(w, key);
    json_write_double(w, number);
}

static void write_flag(struct json_writer *w, const char *key, bool flag) {
    write_key(w, key);
    json_write_bool(w, flag);
}

/* ---- outcome */

static void write_outcome(struct json_writer *w, const struct route_state *state) {
    const struct route_outcome *outcome = &state->outcome;
    write_key(w, "decision");
    if (outcome->decision)
        json_write_str(w, outcome->decision->name);
    else
        json_write_null(w);
    write_number(w, "confidence", outcome->confidence);
    write_text(w, "category", outcome->category);
    write_key(w, "matched_rules");
    json_write_begin_array(w);
    for (size_t i = 0; i < outcome->n_matched_rules; i++)
        json_write_str(w, outcome->matched_rules[i]);
    json_write_end(w);
    write_key(w, "token_count");
    json_write_u64(w, outcome->token_count);
    write_text(w, "strategy", state->route->policy->by_confidence ? VSR_STR("confidence") : VSR_STR("priority"));
    write_flag(w, "complete", state->full);
    write_flag(w, "skipped", state->skipped);
    if (outcome->refusal)
        write_text(w, "refusal", str_from_c(outcome->refusal));
}

/* ---- signals */

static void write_modality(struct json_writer *w, const struct modality_verdict *verdict) {
    if (!verdict->method)
        return;
    write_key(w, "modality");
    json_write_begin_object(w);
    write_text(w, "label", str_from_c(modality_label(verdict->label)));
    write_text(w, "method", str_from_c(verdict->method));
    write_number(w, "confidence", verdict->confidence);
    json_write_end(w);
}

/* What the security families found, if anything. */
static void write_found_risks(struct json_writer *w, const struct signal_jailbreak *jailbreak,
                              const struct signal_pii *pii) {
    if (jailbreak->detected) {
        write_key(w, "jailbreak");
        json_write_begin_object(w);
        write_flag(w, "detected", true);
        write_text(w, "type", jailbreak->type);
        write_number(w, "confidence", jailbreak->confidence);
        json_write_end(w);
    }
    if (pii->detected) {
        write_key(w, "pii");
        json_write_begin_object(w);
        write_flag(w, "detected", true);
        write_key(w, "entity_types");
        json_write_begin_array(w);
        for (size_t i = 0; i < pii->n_types; i++)
            json_write_str(w, pii->types[i]);
        json_write_end(w);
        json_write_end(w);
    }
}

static void write_matched_name(void *data, const char *family, const vsr_str *names, size_t n_names) {
    struct json_writer *w = data;
    write_key(w, family);
    json_write_begin_array(w);
    for (size_t i = 0; i < n_names; i++)
        json_write_str(w, names[i]);
    json_write_end(w);
}

static void write_found(struct json_writer *w, const struct route_state *state) {
    for (size_t i = 0; i < state->route->n_families; i++) {
        const struct route_family *family = &state->route->families[i];
        for (uint32_t k = 0; k < family->n_slots; k++) {
            vsr_str found[TRACE_FOUND_MAX];
            size_t n = trace_found(state, family, k, found);
            if (n == 0)
                continue;
            json_write_key(w, state->route->slots.items[family->first_slot + k].name);
            json_write_begin_array(w);
            for (size_t f = 0; f < n; f++)
                json_write_str(w, found[f]);
            json_write_end(w);
        }
    }
}

static void write_numbers(struct json_writer *w, const struct route_state *state, const uint64_t *has,
                          const double *numbers) {
    size_t n = state->results.n_slots;
    json_write_begin_object(w);
    for (size_t slot = bits_next(has, 0, n); slot < n; slot = bits_next(has, slot + 1, n)) {
        json_write_key(w, state->route->slots.items[slot].key);
        json_write_double(w, numbers[slot]);
    }
    json_write_end(w);
}

/* `domain:*`, `keyword:refunds` */
static void write_error_key(struct json_writer *w, const struct route_error *error) {
    char key[ERROR_KEY_LEN_MAX];
    int len = snprintf(key, sizeof(key), "%s:%.*s", error->family->family->config.type, VSR_FMT(error->name));
    json_write_key(w, str_make(key, len < (int)sizeof(key) ? (size_t)len : sizeof(key) - 1));
}

static void write_error(void *data, const struct route_error *error) {
    struct json_writer *w = data;
    write_error_key(w, error);
    json_write_str(w, str_from_c(error->code));
}

static void write_reason(void *data, const struct route_error *error) {
    struct json_writer *w = data;
    if (!error->reason)
        return;
    write_error_key(w, error);
    json_write_str(w, str_from_c(error->reason));
}

static void write_errors(struct json_writer *w, const struct route_state *state,
                         void (*fn)(void *data, const struct route_error *error)) {
    json_write_begin_object(w);
    errors_each(state, fn, w);
    json_write_end(w);
}

/* Rules that nothing asked for. */
static void write_not_evaluated(struct json_writer *w, const struct route_state *state) {
    json_write_begin_array(w);
    for (size_t i = 0; i < state->route->n_families; i++) {
        const struct route_family *family = &state->route->families[i];
        for (uint32_t slot = family->first_slot; slot < family->first_slot + family->n_slots; slot++)
            if (!bits_has(state->results.evaluated, slot))
                json_write_str(w, state->route->slots.items[slot].key);
    }
    json_write_end(w);
}

static void write_count(struct json_writer *w, const char *key, size_t n) {
    write_key(w, key);
    json_write_u64(w, n);
}

static void write_source(struct json_writer *w, const struct trace_source *source) {
    json_write_begin_object(w);
    write_text(w, "source", signal_source_name(source->source));
    if (source->model)
        write_text(w, "model", str_from_c(source->model));
    if (source->version)
        write_text(w, "version", str_from_c(source->version));
    write_count(w, "asked", source->n_asked);
    if (source->n_remembered > 0)
        write_count(w, "remembered", source->n_remembered);
    if (source->n_cut > 0)
        write_count(w, "cut", source->n_cut);
    if (source->n_failed > 0)
        write_count(w, "failed", source->n_failed);
    json_write_end(w);
}

/* Whom each family asked. */
static void write_models(struct json_writer *w, const struct route_state *state) {
    json_write_begin_object(w);
    for (size_t i = 0; i < state->route->n_families; i++) {
        struct trace_source *sources;
        size_t n = trace_sources(state, &state->route->families[i], &sources);
        if (n == 0)
            continue;
        write_key(w, state->route->families[i].family->config.type);
        json_write_begin_array(w);
        for (size_t k = 0; k < n; k++)
            write_source(w, &sources[k]);
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_signals(struct json_writer *w, const struct route_state *state) {
    write_key(w, "signals");
    json_write_begin_object(w);
    write_key(w, "matched");
    json_write_begin_object(w);
    route_matches(state, write_matched_name, w);
    json_write_end(w);
    write_key(w, "matched_keywords");
    json_write_begin_object(w);
    write_found(w, state);
    json_write_end(w);
    write_key(w, "confidences");
    write_numbers(w, state, state->results.has_confidence, state->results.confidence);
    write_key(w, "values");
    write_numbers(w, state, state->results.has_value, state->results.value);
    write_key(w, "models");
    write_models(w, state);
    write_key(w, "errors");
    write_errors(w, state, write_error);
    write_key(w, "error_reasons");
    write_errors(w, state, write_reason);
    write_key(w, "not_evaluated");
    write_not_evaluated(w, state);
    write_modality(w, &state->request.modality);
    write_found_risks(w, &state->request.jailbreak, &state->request.pii);
    json_write_end(w);
}

/* ---- projections */

static void write_input(struct json_writer *w, const struct route_state *state, const struct projection_input *input) {
    double value = projection_input_value(input, &state->view, state->projections);
    json_write_begin_object(w);
    write_text(w, "type", str_trim(input->config->type));
    if (input->config->name.len)
        write_text(w, "name", input->config->name);
    if (input->config->kb.len)
        write_text(w, "kb", input->config->kb);
    if (input->config->metric.len)
        write_text(w, "metric", input->config->metric);
    write_number(w, "weight", input->config->weight);
    write_number(w, "value", value);
    write_number(w, "contribution", input->config->weight * value);
    json_write_end(w);
}

static void write_score(struct json_writer *w, const struct route_state *state, size_t index) {
    const struct projection_score *score = &state->route->projections->scores[index];
    json_write_begin_object(w);
    write_text(w, "name", score->config->name);
    write_number(w, "total", state->projections[index].total);
    if (state->projections[index].degraded)
        write_flag(w, "degraded", true);
    write_key(w, "inputs");
    json_write_begin_array(w);
    for (size_t i = 0; i < score->n_inputs; i++)
        write_input(w, state, &score->inputs[i]);
    json_write_end(w);
    json_write_end(w);
}

static void write_emitted(struct json_writer *w, const struct route_state *state,
                          const struct projection_mapping *mapping) {
    const struct config_mapping_output *outputs = mapping->config->outputs.items;
    write_key(w, "emitted");
    json_write_begin_array(w);
    for (size_t i = 0; i < mapping->config->outputs.n; i++)
        if (bits_has(state->view.matched, mapping->slots[i]))
            json_write_str(w, outputs[i].name);
    json_write_end(w);
}

static void write_mapping(struct json_writer *w, const struct route_state *state,
                          const struct projection_mapping *mapping, double score) {
    const struct config_mapping_output *outputs = mapping->config->outputs.items;
    json_write_begin_object(w);
    write_text(w, "mapping_name", mapping->config->name);
    write_text(w, "source_score", mapping->config->source);
    write_number(w, "score_value", score);
    for (size_t i = 0; i < mapping->config->outputs.n; i++) {
        if (!bits_has(state->view.matched, mapping->slots[i]))
            continue;
        write_text(w, "selected_output", outputs[i].name);
        write_number(w, "confidence", state->view.confidence[mapping->slots[i]]);
        write_number(w, "boundary_distance", mapping_distance(&outputs[i], score));
        break;
    }
    if (mapping->config->method == 1)
        write_emitted(w, state, mapping);
    write_key(w, "outputs");
    json_write_begin_array(w);
    for (size_t i = 0; i < mapping->config->outputs.n; i++) {
        json_write_begin_object(w);
        write_text(w, "name", outputs[i].name);
        write_flag(w, "matched", bits_has(state->view.matched, mapping->slots[i]));
        write_number(w, "boundary_distance", mapping_distance(&outputs[i], score));
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
}

static void write_contenders(struct json_writer *w, const struct route_state *state,
                             const struct partition_trace *trace) {
    write_key(w, "contenders");
    json_write_begin_array(w);
    for (size_t i = 0; i < trace->n_contenders; i++) {
        json_write_begin_object(w);
        write_text(w, "name", state->route->slots.items[trace->contenders[i].rule].name);
        write_number(w, "raw_score", trace->contenders[i].raw);
        if (trace->normalized)
            write_number(w, "normalized_score", trace->contenders[i].normalized);
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_partition(struct json_writer *w, const struct route_state *state, size_t index) {
    static const char *const semantics[] = { "exclusive", "softmax_exclusive" };
    const struct compete_partition *partition = &state->route->compete->partitions[index];
    const struct compete_result *result = &state->compete.partitions[index];
    json_write_begin_object(w);
    write_text(w, "group_name", partition->config->name);
    write_text(w, "signal_type", state->route->slots.items[partition->partition.members[0]].type);
    write_text(w, "semantics", str_from_c(semantics[partition->partition.softmax]));
    if (partition->partition.softmax)
        write_number(w, "temperature", partition->partition.temperature);
    if (result->decided) {
        write_contenders(w, state, &result->trace);
        write_text(w, "winner", state->route->slots.items[result->trace.winner].name);
        write_number(w, "winner_score", result->trace.winner_score);
        write_number(w, "raw_winner_score", result->trace.raw_winner_score);
        write_number(w, "margin", result->trace.margin);
        write_flag(w, "default_used", result->trace.default_used);
    } else { /* a member is missing, and none of the others matched */
        write_flag(w, "undecided", true);
    }
    json_write_end(w);
}

static void write_partitions(struct json_writer *w, const struct route_state *state) {
    write_key(w, "partitions");
    json_write_begin_array(w);
    for (size_t i = 0; i < state->route->compete->n_partitions; i++)
        if (state->compete.partitions[i].done)
            write_partition(w, state, i);
    json_write_end(w);
}

static void write_projections(struct json_writer *w, const struct route_state *state) {
    const struct projections *projections = state->route->projections;
    write_key(w, "projection_scores");
    json_write_begin_object(w);
    for (size_t i = 0; i < projections->n_scores; i++)
        if (state->projections[i].done) {
            json_write_key(w, projections->scores[i].config->name);
            json_write_double(w, state->projections[i].total);
        }
    json_write_end(w);
    write_key(w, "projection_trace");
    json_write_begin_object(w);
    write_text(w, "schema_version", VSR_STR("1"));
    write_partitions(w, state);
    write_key(w, "scores");
    json_write_begin_array(w);
    for (size_t i = 0; i < projections->n_scores; i++)
        if (state->projections[i].done)
            write_score(w, state, i);
    json_write_end(w);
    write_key(w, "mappings");
    json_write_begin_array(w);
    for (size_t i = 0; i < projections->n_scores; i++)
        for (size_t k = 0; k < projections->scores[i].n_mappings && state->projections[i].done; k++)
            write_mapping(w, state, &projections->scores[i].mappings[k], state->projections[i].total);
    json_write_end(w);
    json_write_end(w);
}

/* ---- decisions */

static void write_leaf(struct json_writer *w, const struct rule_leaf *leaf) {
    write_text(w, "node_type", VSR_STR("leaf"));
    write_text(w, "signal_type", leaf->type);
    write_text(w, "signal_name", leaf->name);
    if (leaf->label.len)
        write_text(w, "label", leaf->label);
}

static void write_node(struct json_writer *w, const struct route_state *state, uint32_t at) {
    static const char *const types[] = {
        [RULE_AND] = "AND", [RULE_OR] = "OR", [RULE_NOT] = "NOT", [RULE_NEVER] = "NOT", [RULE_ALWAYS] = "fallback"
    };
    const struct rule_set *rules = &state->route->policy->rules;
    const struct rule_node *node = &rules->nodes[at];
    enum rule_state result = rule_state(rules, at, state->leaves);
    json_write_begin_object(w);
    if (node->op == RULE_LEAF)
        write_leaf(w, &rules->leaves[node->leaf]);
    else
        write_text(w, "node_type", str_from_c(types[node->op]));
    write_flag(w, "matched", result == RULE_TRUE);
    write_text(w, "state", str_from_c(rule_state_text(result)));
    write_number(w, "confidence", trace_confidence(state, at));
    if (node->op == RULE_AND || node->op == RULE_OR || node->op == RULE_NOT) {
        write_key(w, "children");
        json_write_begin_array(w);
        for (uint32_t child = at + 1; child < node->end; child = rules->nodes[child].end) {
            write_node(w, state, child);
            if (node->op == RULE_AND && rule_state(rules, child, state->leaves) == RULE_FALSE)
                break; /* what follows was not looked at */
        }
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_decision(struct json_writer *w, const struct route_state *state, size_t index) {
    const struct policy_decision *decision = &state->route->policy->decisions[index];
    enum rule_state result = trace_decision_state(state, index);
    json_write_begin_object(w);
    write_text(w, "decision_name", decision->config->name);
    write_key(w, "priority");
    json_write_i64(w, decision->priority);
    if (decision->tier > 0) {
        write_key(w, "tier");
        json_write_i64(w, decision->tier);
    }
    write_flag(w, "matched", result == RULE_TRUE);
    write_text(w, "state", str_from_c(rule_state_text(result)));
    write_number(w, "confidence", trace_confidence(state, decision->root));
    write_key(w, "root_trace");
    write_node(w, state, decision->root);
    json_write_end(w);
}

void route_trace_decisions(const struct route_state *state, struct json_writer *w) {
    json_write_begin_array(w);
    for (size_t i = 0; i < state->route->policy->n_decisions; i++)
        write_decision(w, state, i);
    json_write_end(w);
}

void route_trace_results(const struct route_state *state, struct json_writer *w) {
    write_key(w, "signal_confidences");
    write_numbers(w, state, state->results.has_confidence, state->results.confidence);
    write_key(w, "signal_values");
    write_numbers(w, state, state->results.has_value, state->results.value);
    write_key(w, "signal_models");
    write_models(w, state);
    write_key(w, "signal_errors");
    write_errors(w, state, write_error);
    write_key(w, "signal_error_reasons");
    write_errors(w, state, write_reason);
    write_key(w, "matched_keywords");
    json_write_begin_object(w);
    write_found(w, state);
    json_write_end(w);
    write_projections(w, state);
}

void route_trace_json(const struct route_state *state, struct json_writer *w) {
    json_write_begin_object(w);
    write_outcome(w, state);
    write_signals(w, state);
    write_projections(w, state);
    write_key(w, "decisions");
    route_trace_decisions(state, w);
    json_write_end(w);
}
