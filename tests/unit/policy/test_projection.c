#include "policy/partition.h"
#include "vector_signals.h"

/* ---- reading the vectors */

static int source_of(vsr_str text) {
    static const char *const names[] = { "binary", "confidence", "raw", "score" };
    for (int i = 0; i < 4; i++)
        if (str_eq_nocase(text, str_from_c(names[i])))
            return i + 1;
    return VALUE_SOURCE_UNSET;
}

static void read_score(struct vectors *v, json_ref ref, struct config_score *score) {
    json_ref list = vectors_get(v, ref, "inputs");
    struct config_score_input *inputs = ARENA_ARRAY(v->arena, struct config_score_input, vectors_count(v, list));
    score->name = vectors_str(v, ref, "name");
    score->inputs.items = inputs;
    VECTOR_ITEMS(v, list, item) {
        struct config_score_input *input = &inputs[score->inputs.n++];
        input->type = vectors_str(v, item, "type");
        input->name = vectors_str(v, item, "name");
        input->kb = vectors_str(v, item, "kb");
        input->metric = vectors_str(v, item, "metric");
        input->weight = vectors_number(v, item, "weight", 0);
        input->match = vectors_number(v, item, "match", 1);
        input->miss = vectors_number(v, item, "miss", 0);
        input->value_source = source_of(vectors_str(v, item, "value_source"));
    }
}

static void read_mapping(struct vectors *v, json_ref ref, struct config_mapping *mapping) {
    json_ref list = vectors_get(v, ref, "outputs");
    struct config_mapping_output *outputs = ARENA_ARRAY(v->arena, struct config_mapping_output, vectors_count(v, list));
    mapping->name = vectors_str(v, ref, "name");
    mapping->source = vectors_str(v, ref, "source");
    mapping->method = str_eq_c(vectors_str(v, ref, "method"), "multi_emit");
    mapping->calibration.slope = vectors_number(v, vectors_get(v, ref, "calibration"), "slope", 0);
    mapping->outputs.items = outputs;
    VECTOR_ITEMS(v, list, item) {
        struct config_mapping_output *output = &outputs[mapping->outputs.n++];
        output->name = vectors_str(v, item, "name");
        output->bounds = vector_bounds(v, item, &output->gt, &output->gte, &output->lt, &output->lte);
    }
}

static void read_projections(struct vectors *v, json_ref ref, struct config_projections *projections) {
    json_ref scores = vectors_get(v, ref, "scores"), mappings = vectors_get(v, ref, "mappings");
    projections->scores.items = ARENA_ARRAY(v->arena, struct config_score, vectors_count(v, scores));
    projections->mappings.items = ARENA_ARRAY(v->arena, struct config_mapping, vectors_count(v, mappings));
    VECTOR_ITEMS(v, scores, item)
    read_score(v, item, (struct config_score *)projections->scores.items + projections->scores.n++);
    VECTOR_ITEMS(v, mappings, item)
    read_mapping(v, item, (struct config_mapping *)projections->mappings.items + projections->mappings.n++);
}

/* ---- scores */

static void check_outputs(struct vectors *v, const struct projections *projections, const struct synthetic *s) {
    vsr_str names[64];
    size_t n = 0;
    json_ref confidences = vectors_get(v, v->want, "confidences");
    for (size_t i = 0; i < projections->n_scores; i++)
        for (size_t k = 0; k < projections->scores[i].n_mappings; k++) {
            const struct projection_mapping *mapping = &projections->scores[i].mappings[k];
            const struct config_mapping_output *outputs = mapping->config->outputs.items;
            for (size_t o = 0; o < mapping->config->outputs.n; o++) {
                vsr_str key = arena_printf(v->arena, "projection:%.*s", VSR_FMT(outputs[o].name));
                if (!bits_has(s->view.matched, mapping->slots[o]))
                    continue;
                names[n++] = outputs[o].name;
                CHECK_NEAR(v, s->view.confidence[mapping->slots[o]], vectors_number(v, confidences, key.ptr, -1),
                           key.ptr);
            }
        }
    vectors_check_list(v, vectors_get(v, v->want, "outputs"), names, n, "outputs");
}

TEST(shared_scores) {
    VECTORS_EACH(v, "scores.json", "projection") {
        struct synthetic *s = ARENA_NEW(v.arena, struct synthetic);
        struct config_projections config = { 0 };
        struct projections *projections;
        struct projection_result results[16] = { 0 };
        struct policy_names names;
        vsr_str order[16];
        synthetic_init(s, v.arena);
        names = synthetic_names(s);
        read_projections(&v, vectors_get(&v, v.given, "projections"), &config);
        CHECK_INT(projections_build(v.arena, &config, &names, &projections, NULL), 0, v.name);
        projections_close(projections, v.arena, SYNTHETIC_SLOTS_MAX);
        vector_signals(&v, vectors_get(&v, v.given, "signals"), s);
        projections_run(projections, &s->view, results);
        for (size_t i = 0; i < projections->n_scores; i++) {
            char *name = arena_c_str(v.arena, projections->scores[i].config->name);
            order[i] = str_from_c(name);
            CHECK_NEAR(&v, results[i].total, vectors_number(&v, vectors_get(&v, v.want, "scores"), name, -99), name);
        }
        vectors_check_list(&v, vectors_get(&v, v.want, "order"), order, projections->n_scores, "order");
        check_outputs(&v, projections, s);
    }
}

/* ---- mappings */

struct emitted {
    const struct config_mapping *mapping;
    vsr_str names[16];
    double confidences[16];
    size_t n;
};

static void collect(void *data, size_t output, double confidence) {
    struct emitted *emitted = data;
    emitted->names[emitted->n] = ((const struct config_mapping_output *)emitted->mapping->outputs.items)[output].name;
    emitted->confidences[emitted->n++] = confidence;
}

TEST(shared_mappings) {
    VECTORS_EACH(v, "mappings.json", "mapping") {
        struct config_mapping mapping = { 0 };
        struct emitted emitted = { .mapping = &mapping };
        size_t i = 0;
        read_mapping(&v, vectors_get(&v, v.given, "mapping"), &mapping);
        mapping_emit(&mapping, vectors_number(&v, v.given, "score", 0), collect, &emitted);
        VECTOR_ITEMS(&v, vectors_get(&v, v.want, "emitted"), want) {
            CHECK(i < emitted.n, v.name);
            CHECK(str_eq(emitted.names[i], vectors_str(&v, want, "name")), v.name);
            CHECK_NEAR(&v, emitted.confidences[i], vectors_number(&v, want, "confidence", -1), "confidence");
            i++;
        }
        CHECK_INT(emitted.n, i, v.name);
    }
}

/* ---- partitions */

struct declared {
    vsr_str names[32];
    uint32_t n;
};

static uint32_t find_declared(void *data, vsr_str name) {
    const struct declared *declared = data;
    for (uint32_t i = 0; i < declared->n; i++)
        if (str_eq(declared->names[i], name))
            return i;
    return UINT32_MAX;
}

static void read_partition(struct vectors *v, json_ref ref, struct config_partition *partition) {
    json_ref members = vectors_get(v, ref, "members");
    partition->name = vectors_str(v, ref, "name");
    partition->semantics = str_eq_c(vectors_str(v, ref, "semantics"), "softmax_exclusive");
    partition->temperature = vectors_number(v, ref, "temperature", 0);
    partition->fallback = vectors_str(v, ref, "default");
    partition->members.items = ARENA_ARRAY(v->arena, vsr_str, vectors_count(v, members));
    VECTOR_ITEMS(v, members, item)
    partition->members.items[partition->members.n++] = vectors_text(v, item);
}

static void check_trace(struct vectors *v, json_ref want, const struct partition_trace *trace,
                        const struct declared *declared) {
    CHECK(str_eq(trace->partition->name, vectors_str(v, want, "partition")), v->name);
    CHECK(str_eq(declared->names[trace->winner], vectors_str(v, want, "winner")), v->name);
    CHECK_INT(trace->default_used, vectors_bool(v, want, "default_used"), v->name);
    if (vectors_get(v, want, "winner_score") != JSON_NONE)
        CHECK_NEAR(v, trace->winner_score, vectors_number(v, want, "winner_score", -1), "winner_score");
    if (vectors_get(v, want, "margin") != JSON_NONE)
        CHECK_NEAR(v, trace->margin, vectors_number(v, want, "margin", -1), "margin");
}

static void check_matches(struct vectors *v, const struct partition_matches *matches, const struct declared *declared) {
    vsr_str family = vectors_str(v, v->given, "family"), names[32], synthesized[32];
    json_ref confidences = vectors_get(v, v->want, "confidences");
    size_t n_synthesized = 0;
    for (size_t i = 0; i < matches->n; i++) {
        vsr_str key =
            arena_printf(v->arena, "%.*s:%.*s", VSR_FMT(family), VSR_FMT(declared->names[matches->items[i].rule]));
        names[i] = declared->names[matches->items[i].rule];
        CHECK_NEAR(v, matches->items[i].confidence, vectors_number(v, confidences, key.ptr, -1), key.ptr);
        if (matches->items[i].synthesized)
            synthesized[n_synthesized++] = names[i];
    }
    vectors_check_list(v, vectors_get(v, v->want, "matched"), names, matches->n, "matched");
    vectors_check_list(v, vectors_get(v, v->want, "synthesized"), synthesized, n_synthesized, "synthesized");
}

TEST(shared_partitions) {
    VECTORS_EACH(v, "partitions.json", "partitions") {
        struct declared declared = { 0 };
        struct partition_match items[64];
        struct partition_matches matches = { .items = items };
        json_ref traces = vectors_get(&v, v.want, "trace");
        size_t n_traces = 0;
        VECTOR_ITEMS(&v, vectors_get(&v, v.given, "declared"), item)
        declared.names[declared.n++] = vectors_text(&v, item);
        VECTOR_ITEMS(&v, vectors_get(&v, v.given, "matches"), item)
        items[matches.n++] = (struct partition_match){ .rule = find_declared(&declared, vectors_str(&v, item, "name")),
                                                       .confidence = vectors_number(&v, item, "confidence", 0),
                                                       .has_confidence = true };
        VECTOR_ITEMS(&v, vectors_get(&v, v.given, "partitions"), item) {
            struct config_partition config = { 0 };
            struct partition partition;
            struct partition_trace trace;
            read_partition(&v, item, &config);
            if (!partition_build(v.arena, &config, find_declared, &declared, &partition))
                continue;
            CHECK(partition_apply(&partition, &matches, v.arena, &trace), v.name);
            check_trace(&v, json_at(&v.doc, traces, n_traces++), &trace, &declared);
        }
        CHECK_INT(n_traces, vectors_count(&v, traces), v.name);
        check_matches(&v, &matches, &declared);
    }
}

TEST(partitions_by_hand) {
    struct arena *arena = arena_new(0, 0);
    const uint32_t members[] = { 0, 1 };
    struct partition partition = {
        .softmax = true, .temperature = 0.1, .members = members, .n_members = 2, .fallback = 1
    };
    struct partition_match items[4] = { { 0, 0.40, true, false }, { 1, 0.38, true, false } };
    struct partition_matches matches = { items, 2 };
    struct partition_trace trace;
    CHECK(partition_apply(&partition, &matches, arena, &trace), "applied");
    CHECK_INT(matches.n, 1, "one stays");
    CHECK(fabs(items[0].confidence - 0.549833997312478) < 1e-12, "softmax");
    matches.n = 0;
    CHECK(partition_apply(&partition, &matches, arena, &trace), "applied");
    CHECK(matches.n == 1 && items[0].rule == 1 && items[0].synthesized && items[0].confidence == 0, "default");
    partition.n_members = 1;
    CHECK(!partition_apply(&partition, &matches, arena, &trace), "skipped");
    arena_free(arena);
}

/* ---- staged evaluation */

TEST(scores_wait_for_their_inputs) {
    struct arena *arena = arena_new(0, 0);
    struct synthetic *s = ARENA_NEW(arena, struct synthetic);
    struct config_score_input base_inputs[] = {
        { .type = VSR_STR("keyword"), .name = VSR_STR("k"), .weight = 1, .match = 1 }
    };
    struct config_score_input top_inputs[] = { { .type = VSR_STR("projection"),
                                                 .name = VSR_STR("hi"),
                                                 .weight = 2,
                                                 .match = 1,
                                                 .value_source = VALUE_SOURCE_BINARY } };
    struct config_score scores[] = { { .name = VSR_STR("top"), .inputs = { top_inputs, 1 } },
                                     { .name = VSR_STR("base"), .inputs = { base_inputs, 1 } } };
    struct config_mapping_output outputs[] = { { .name = VSR_STR("hi"), .gte = 0.5, .bounds = BOUND_GTE } };
    struct config_mapping mappings[] = {
        { .name = VSR_STR("m"), .source = VSR_STR("base"), .outputs = { outputs, 1 } }
    };
    struct config_projections config = { .scores = { scores, 2 }, .mappings = { mappings, 1 } };
    struct projection_result results[2] = { 0 };
    struct projections *projections;
    struct policy_names names;
    uint32_t keyword, output;
    uint64_t wanted[BITS_WORDS(SYNTHETIC_SLOTS_MAX)] = { 0 };
    synthetic_init(s, arena);
    names = synthetic_names(s);
    CHECK_INT(projections_build(arena, &config, &names, &projections, NULL), 0, "build");
    projections_close(projections, arena, SYNTHETIC_SLOTS_MAX);
    keyword = synthetic_key(s, VSR_STR("keyword:k"));
    output = synthetic_key(s, VSR_STR("projection:hi"));
    bits_add(wanted, output);
    projections_want(projections, wanted);
    CHECK(bits_has(wanted, keyword), "an output wants what is behind it");
    memset(s->bits[0], 0, sizeof(s->bits[0]));
    projections_run(projections, &s->view, results);
    CHECK(!results[0].done && !results[1].done, "nothing is there yet");
    bits_add(s->view.evaluated, keyword);
    bits_add(s->view.matched, keyword);
    projections_run(projections, &s->view, results);
    CHECK(results[0].done && results[0].total == 1 && results[1].done && results[1].total == 2, "both at once");
    CHECK(bits_has(s->view.matched, output), "emitted");
    CHECK(!results[0].degraded && !results[1].degraded, "everything could be evaluated");
    memset(results, 0, sizeof(results));
    bits_add(s->view.unavailable, keyword);
    projections_run(projections, &s->view, results);
    CHECK(results[0].degraded && results[1].degraded, "through the output as well");
    arena_free(arena);
}

TEST(cycles_are_refused) {
    struct arena *arena = arena_new(0, 0);
    struct synthetic *s = ARENA_NEW(arena, struct synthetic);
    struct config_score_input a[] = { { .type = VSR_STR("projection"), .name = VSR_STR("b"), .weight = 1 } };
    struct config_score_input b[] = { { .type = VSR_STR("projection"), .name = VSR_STR("a"), .weight = 1 } };
    struct config_score scores[] = { { .name = VSR_STR("a"), .inputs = { a, 1 } },
                                     { .name = VSR_STR("b"), .inputs = { b, 1 } } };
    struct config_projections config = { .scores = { scores, 2 } };
    struct projections *projections;
    struct policy_names names;
    synthetic_init(s, arena);
    names = synthetic_names(s);
    CHECK_INT(projections_build(arena, &config, &names, &projections, NULL), VSR_E_INVALID, "cycle");
    arena_free(arena);
}

RUN_TESTS(T(shared_scores), T(shared_mappings), T(shared_partitions), T(partitions_by_hand),
          T(scores_wait_for_their_inputs), T(cycles_are_refused))
