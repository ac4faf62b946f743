/* Partitions, scores and mappings: names, members, sources, cycles, bands (config.md §7.4, signals.md §7). */
#include <math.h>
#include <stdlib.h>

#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"

enum { CYCLE_LEN_MAX = 800 }; /* of the cycle as text in a message */

/* ---- names, before anything refers to them */

static void index_mappings(struct check *c) {
    CONFIG_EACH(struct config_mapping, mapping, &c->routing->projections.mappings) {
        struct check_name *owner =
            check_unique(c, &c->mappings, mapping->name, &config_mapping_schema, mapping, "mapping");
        CONFIG_EACH(struct config_mapping_output, output, &mapping->outputs) {
            struct check_name *entry =
                check_unique(c, &c->outputs, output->name, &config_mapping_output_schema, output, "output");
            if (!entry->owner)
                entry->owner = owner;
        }
        owner->owner = mapping;
    }
}

static void index_scores(struct check *c) {
    CONFIG_EACH(struct config_score, score, &c->routing->projections.scores)
    check_unique(c, &c->scores, score->name, &config_score_schema, score, "score")->owner = score;
}

/* ---- partitions */

static bool declares(struct check *c, int family, vsr_str name) {
    const struct config_family *f = &c->options->parts.families.items[family];
    return f->declares ? f->declares(&c->routing->signals.rules[family], name)
                       : map_get(&c->rules[family], name) != NULL;
}

static size_t count_members(struct check *c, int family, const struct config_partition *partition) {
    size_t n = 0;
    for (size_t i = 0; i < partition->members.n; i++)
        n += declares(c, family, partition->members.items[i]);
    return n;
}

/* The family that declares most of the members, among those whose rules may be members; the first on ties. */
static int family_of_members(struct check *c, const struct config_partition *partition) {
    int best = CHECK_NO_FAMILY;
    size_t best_count = 0;
    for (size_t i = 0; i < c->options->parts.families.n; i++) {
        size_t count;
        if (!c->options->parts.families.items[i].partition_members)
            continue;
        count = count_members(c, (int)i, partition);
        if (count > best_count) {
            best = (int)i;
            best_count = count;
        }
    }
    return best;
}

static struct diag_at member_at(struct check *c, const struct config_partition *partition, size_t index) {
    const struct yaml_node *node = partition->members.nodes[index];
    return (struct diag_at){ node->line, node->col,
                             arena_printf(c->arena, "%.*s.members[%zu]", VSR_FMT(partition->at.path), index) };
}

/* In a softmax, members must be comparable. */
static void check_competes(struct check *c, const struct config_partition *partition, size_t index) {
    const struct config_family *family = &c->options->parts.families.items[partition->family];
    const struct check_name *entry = map_get(&c->rules[partition->family], partition->members.items[index]);
    if (partition->semantics == 1 && family->competes && entry && !family->competes(entry->at))
        diag_error(c->diag, "E_CONFLICT", member_at(c, partition, index),
                   VSR_STR("give the rule mmlu_categories, or make the partition exclusive"),
                   "%s \"%.*s\" stands for no label of the classifier, so a softmax cannot weigh it", family->type,
                   VSR_FMT(partition->members.items[index]));
}

static void check_members(struct check *c, struct config_partition *partition, struct map *seen) {
    struct arena_mark mark = arena_mark(c->scratch);
    struct map own;
    map_init(&own, c->scratch);
    for (size_t i = 0; i < partition->members.n; i++) {
        vsr_str name = partition->members.items[i];
        struct config_partition *other = map_get(seen, name);
        if (map_put(&own, name, partition))
            diag_error(c->diag, "E_DUP", member_at(c, partition, i), VSR_STR(""), "\"%.*s\" is a member twice",
                       VSR_FMT(name));
        else if (other)
            diag_warn(c->diag, "W_OVERLAP", member_at(c, partition, i), VSR_STR(""),
                      "\"%.*s\" is a member of partition \"%.*s\" too", VSR_FMT(name), VSR_FMT(other->name));
        if (partition->family == CHECK_NO_FAMILY)
            diag_error(c->diag, "E_REF", member_at(c, partition, i), VSR_STR(""),
                       "\"%.*s\" is not a rule of a family whose rules may be members, in recipe %.*s", VSR_FMT(name),
                       VSR_FMT(c->scope->name));
        else if (check_rule_name(c, member_at(c, partition, i), partition->family, name))
            check_competes(c, partition, i);
    }
    if (!map_get(&own, partition->fallback))
        diag_error(c->diag, "E_REF", schema_field_at(&config_partition_schema, partition, "default", c->arena),
                   check_suggest(c, &own, partition->fallback), "\"%.*s\" is not a member of this partition",
                   VSR_FMT(partition->fallback));
    arena_rewind(c->scratch, mark);
}

static void check_partitions(struct check *c) {
    struct map names, seen;
    map_init(&names, c->scratch);
    map_init(&seen, c->scratch);
    CONFIG_EACH(struct config_partition, partition, &c->routing->projections.partitions) {
        check_unique(c, &names, partition->name, &config_partition_schema, partition, "partition");
        partition->family = family_of_members(c, partition);
        check_members(c, partition, &seen);
        for (size_t i = 0; i < partition->members.n; i++)
            if (!map_get(&seen, partition->members.items[i]))
                map_put(&seen, partition->members.items[i], partition);
    }
}

/* ---- scores */

static struct diag_at input_at(struct check *c, const struct config_score_input *input, const char *field) {
    return schema_field_at(&config_score_input_schema, input, field, c->arena);
}

/* `score`, or nothing, names a score; `confidence` and `binary` name an output of a mapping. */
static bool names_score(const struct config_score_input *input) {
    return input->value_source == VALUE_SOURCE_UNSET || input->value_source == VALUE_SOURCE_SCORE;
}

static void check_projection_input(struct check *c, const struct config_score_input *input) {
    if (input->value_source == VALUE_SOURCE_RAW) {
        diag_error(c->diag, "E_ENUM", input_at(c, input, "value_source"), VSR_STR(""),
                   "a projection has no raw value; use score, confidence or binary");
        return;
    }
    if (!names_score(input)) {
        check_output_name(c, input_at(c, input, "name"), input->name);
        return;
    }
    if (map_get(&c->scores, input->name))
        return;
    diag_error(c->diag, "E_REF", input_at(c, input, "name"),
               map_get(&c->outputs, input->name) ? VSR_STR("an output of a mapping needs value_source: confidence")
                                                 : check_suggest(c, &c->scores, input->name),
               "score \"%.*s\" is not defined in recipe %.*s", VSR_FMT(input->name), VSR_FMT(c->scope->name));
}

/* `<rule>:<label>` */
static void check_label_input(struct check *c, const struct config_score_input *input) {
    struct diag_at at = input_at(c, input, "name");
    ptrdiff_t colon = str_find_last_char(input->name, ':');
    vsr_str rule = colon < 0 ? input->name : str_sub(input->name, 0, (size_t)colon);
    if (!check_rule_name(c, at, input->family, rule))
        return;
    if (colon < 0)
        diag_error(c->diag, "E_REF", at, VSR_STR(""), "%s \"%.*s\" needs a label, as in %.*s:label",
                   c->options->parts.families.items[input->family].type, VSR_FMT(rule), VSR_FMT(rule));
    else
        check_label_name(c, at, input->family, rule, str_sub(input->name, (size_t)colon + 1, input->name.len));
}

static void check_signal_input(struct check *c, const struct config_score_input *input) {
    if (input->value_source == VALUE_SOURCE_SCORE)
        diag_error(c->diag, "E_ENUM", input_at(c, input, "value_source"), VSR_STR(""),
                   "a signal has no score; use binary, confidence or raw");
    if (c->options->parts.families.items[input->family].labels)
        check_label_input(c, input);
    else
        check_rule_name(c, input_at(c, input, "name"), input->family, input->name);
}

/* ---- metrics of knowledge bases */

static void check_metric_name(struct check *c, const struct config_score_input *input, const struct config_kb *kb) {
    vsr_str *names = ARENA_ARRAY(c->scratch, vsr_str, kb->metrics.n + 2);
    size_t n = 0;
    names[n++] = VSR_STR("best_score");
    names[n++] = VSR_STR("best_matched_score");
    CONFIG_EACH(const struct config_kb_metric, metric, &kb->metrics)
    names[n++] = metric->name;
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], input->metric))
            return;
    diag_error(c->diag, "E_REF", input_at(c, input, "metric"), diag_suggest(c->diag, input->metric, names, n),
               "knowledge base \"%.*s\" has no metric \"%.*s\"", VSR_FMT(kb->name), VSR_FMT(input->metric));
}

static void check_metric_input(struct check *c, const struct config_score_input *input) {
    const struct config_model_catalog *catalog = &c->doc->global.model_catalog;
    const struct config_kb *kb = config_kb(catalog, input->kb);
    if (input->name.len)
        diag_error(c->diag, "E_CONFLICT", input_at(c, input, "name"), VSR_STR("use kb and metric"),
                   "an input of type kb_metric has no name");
    if (input->value_source != VALUE_SOURCE_UNSET && input->value_source != VALUE_SOURCE_SCORE)
        diag_error(c->diag, "E_ENUM", input_at(c, input, "value_source"), VSR_STR(""),
                   "a kb_metric has a score and nothing else");
    for (int i = 0; i < 2; i++)
        if (str_trim(i ? input->metric : input->kb).len == 0)
            diag_error(c->diag, "E_REQUIRED", input_at(c, input, i ? "metric" : "kb"), VSR_STR(""),
                       "missing, required in an input of type kb_metric");
    if (input->kb.len == 0 || input->metric.len == 0)
        return;
    if (kb)
        check_metric_name(c, input, kb);
    else if (catalog->at.path.ptr)
        diag_error(c->diag, "E_REF", input_at(c, input, "kb"), VSR_STR(""),
                   "knowledge base \"%.*s\" is not declared under global.model_catalog.kbs", VSR_FMT(input->kb));
}

static void check_input(struct check *c, struct config_score_input *input) {
    input->type = arena_str_lower(c->arena, str_trim(input->type));
    if (str_eq_c(input->type, "kb_metric")) {
        input->family = CONFIG_KB_METRIC;
        check_metric_input(c, input);
        return;
    }
    input->family = check_family(c, input->type);
    if (input->family == CHECK_NO_FAMILY) {
        check_unknown_type(c, input_at(c, input, "type"), input->type);
        return;
    }
    if (input->kb.len || input->metric.len)
        diag_error(c->diag, "E_CONFLICT", input_at(c, input, input->kb.len ? "kb" : "metric"), VSR_STR(""),
                   "kb and metric belong to inputs of type kb_metric");
    if (str_trim(input->name).len == 0)
        diag_error(c->diag, "E_REQUIRED", input_at(c, input, "name"), VSR_STR(""),
                   "missing, required in every score input");
    else if (input->family == CONFIG_PROJECTION)
        check_projection_input(c, input);
    else
        check_signal_input(c, input);
}

static void check_scores(struct check *c) {
    CONFIG_EACH(struct config_score, score, &c->routing->projections.scores)
    CONFIG_EACH(struct config_score_input, input, &score->inputs)
    check_input(c, input);
}

/* ---- cycles */

enum colour { WHITE, GREY, BLACK }; /* not seen, on the way down, done */

struct visit {
    size_t score, next; /* its next input */
};

struct search {
    struct check *c;
    struct config_score *scores;
    size_t n;
    unsigned char *colours;
    struct visit *stack; /* explicit: a chain of scores may be as long as the document */
    size_t depth;
};

/* Index of the score that the input depends on, or -1. */
static ptrdiff_t dependency(const struct search *s, const struct config_score_input *input) {
    const struct check_name *entry;
    if (input->family != CONFIG_PROJECTION)
        return -1;
    if (names_score(input)) {
        entry = map_get(&s->c->scores, input->name);
    } else {
        const struct check_name *output = map_get(&s->c->outputs, input->name);
        const struct check_name *mapping = output ? output->owner : NULL;
        entry = mapping ? map_get(&s->c->scores, ((const struct config_mapping *)mapping->owner)->source) : NULL;
    }
    return entry ? (struct config_score *)entry->owner - s->scores : -1;
}

static void report_cycle(const struct search *s, size_t target) {
    size_t from = s->depth;
    struct buf path;
    buf_init(&path, CYCLE_LEN_MAX);
    while (s->stack[from - 1].score != target)
        from--;
    for (size_t i = from - 1; i < s->depth; i++)
        buf_printf(&path, "%.*s -> ", VSR_FMT(s->scores[s->stack[i].score].name));
    buf_append(&path, s->scores[target].name);
    diag_error(s->c->diag, "E_CYCLE", schema_at(&s->scores[target]), VSR_STR(""), "scores depend on each other: %.*s%s",
               VSR_FMT(buf_str(&path)), buf_failed(&path) ? "..." : "");
    buf_done(&path);
}

static void enter(struct search *s, size_t score) {
    s->colours[score] = GREY;
    s->stack[s->depth++] = (struct visit){ score, 0 };
}

static void search_from(struct search *s, size_t start) {
    VSR_ASSERT(s->scores != NULL);
    enter(s, start);
    while (s->depth) {
        struct visit *top = &s->stack[s->depth - 1];
        const struct config_list *inputs = &s->scores[top->score].inputs;
        ptrdiff_t target;
        if (top->next == inputs->n) {
            s->colours[top->score] = BLACK;
            s->depth--;
            continue;
        }
        target = dependency(s, (const struct config_score_input *)inputs->items + top->next++);
        if (target < 0)
            continue;
        if (s->colours[target] == GREY)
            report_cycle(s, (size_t)target);
        else if (s->colours[target] == WHITE)
            enter(s, (size_t)target);
    }
}

static void check_cycles(struct check *c) {
    const struct config_list *list = &c->routing->projections.scores;
    struct search s = { .c = c, .scores = list->items, .n = list->n };
    s.colours = ARENA_ARRAY(c->scratch, unsigned char, s.n);
    s.stack = ARENA_ARRAY(c->scratch, struct visit, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (s.colours[i] == WHITE)
            search_from(&s, i);
}

/* ---- mappings */

struct band {
    double lower, upper;
    bool lower_open, upper_open;
    const struct config_mapping_output *output;
};

static struct band band_of(const struct config_mapping_output *output) {
    struct band band = { -INFINITY, INFINITY, true, true, output };
    if (output->bounds & BOUND_GT)
        band.lower = output->gt;
    if (output->bounds & BOUND_GTE)
        band.lower = output->gte;
    if (output->bounds & BOUND_LT)
        band.upper = output->lt;
    if (output->bounds & BOUND_LTE)
        band.upper = output->lte;
    band.lower_open = !(output->bounds & BOUND_GTE);
    band.upper_open = !(output->bounds & BOUND_LTE);
    return band;
}

static int compare_bands(const void *left, const void *right) {
    const struct band *a = left, *b = right;
    if (a->lower != b->lower)
        return a->lower < b->lower ? -1 : 1;
    if (a->lower_open != b->lower_open)
        return a->lower_open ? 1 : -1;
    return a->output < b->output ? -1 : a->output > b->output;
}

/* How two neighbours meet: overlapping, leaving a gap between them, or neither. */
static void warn_meeting(struct check *c, const struct band *below, const struct band *above) {
    bool both_open = below->upper_open && above->lower_open, both_closed = !below->upper_open && !above->lower_open;
    bool touches = below->upper == above->lower;
    const char *what = NULL;
    if (below->upper > above->lower || (touches && both_closed))
        what = "overlap";
    else if (below->upper < above->lower || (touches && both_open))
        what = "leave a gap between them";
    if (what)
        diag_warn(c->diag, "W_BANDS", schema_at(above->output), VSR_STR(""), "the bands \"%.*s\" and \"%.*s\" %s",
                  VSR_FMT(below->output->name), VSR_FMT(above->output->name), what);
}

static void check_bands(struct check *c, const struct config_mapping *mapping) {
    struct arena_mark mark = arena_mark(c->scratch);
    struct band *bands = ARENA_ARRAY(c->scratch, struct band, mapping->outputs.n);
    const struct config_mapping_output *outputs = mapping->outputs.items;
    for (size_t i = 0; i < mapping->outputs.n; i++)
        bands[i] = band_of(&outputs[i]);
    qsort(bands, mapping->outputs.n, sizeof(*bands), compare_bands);
    for (size_t i = 1; i < mapping->outputs.n; i++)
        warn_meeting(c, &bands[i - 1], &bands[i]);
    arena_rewind(c->scratch, mark);
}

static void check_mappings(struct check *c) {
    CONFIG_EACH(struct config_mapping, mapping, &c->routing->projections.mappings) {
        if (!map_get(&c->scores, mapping->source))
            diag_error(c->diag, "E_REF", schema_field_at(&config_mapping_schema, mapping, "source", c->arena),
                       check_suggest(c, &c->scores, mapping->source), "score \"%.*s\" is not defined in recipe %.*s",
                       VSR_FMT(mapping->source), VSR_FMT(c->scope->name));
        if (mapping->method == 0)
            check_bands(c, mapping);
    }
}

void check_projections(struct check *c) {
    index_scores(c);
    index_mappings(c);
    check_partitions(c);
    check_scores(c);
    check_mappings(c);
    check_cycles(c);
}
