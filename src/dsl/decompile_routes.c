#include <inttypes.h>

#include "config/schema_value.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/key.h"
#include "dsl/parse.h"
#include "dsl/spelling.h"

static const char *const decision_keys[] = {
    "name",    "description",         "priority", "tier", "rules", "modelRefs", "algorithm",
    "plugins", "candidateIterations", "emits",    NULL,
};

/* ---- MODEL */

static void write_size(struct decompile *d, vsr_str model, bool *first) {
    const struct yaml_node *card = map_get(&d->cards, model);
    vsr_str size = decompile_text(card, "param_size");
    if (size.len == 0)
        return;
    buf_append_c(d->out, *first ? "" : ", ");
    buf_append_c(d->out, "param_size = ");
    spell_string(d->out, size);
    *first = false;
}

/* Options: `reasoning` always, the size of the model behind those that the language names. */
static void write_options(struct decompile *d, const struct yaml_node *ref) {
    struct decompile_fields fields = { d->language->ref, ref, NULL };
    bool first = true, sized = false;
    for (size_t i = 0; i < fields.block->n_fields; i++) {
        const struct language_field *field = &fields.block->fields[i];
        const struct yaml_node *value = decompile_shown(d, &fields, field);
        if (field->extra && !sized) {
            write_size(d, decompile_text(ref, "model"), &first);
            sized = true;
        }
        size_t mark = d->out->len;
        if (value)
            decompile_inline(d, field, value, " = ", &first);
        if (d->out->len == mark && str_eq_c(field->name, "reasoning")) {
            buf_append_c(d->out, first ? "reasoning = false" : ", reasoning = false");
            first = false;
        }
    }
    if (!sized)
        write_size(d, decompile_text(ref, "model"), &first);
}

static void write_ref(struct decompile *d, const struct yaml_node *ref) {
    static const char *const known[] = { "model", NULL };
    spell_string(d->out, decompile_text(ref, "model"));
    buf_append_c(d->out, " (");
    write_options(d, ref);
    buf_append_char(d->out, ')');
    decompile_lost_keys(d, ref, d->language->ref, known);
}

static void write_models(struct decompile *d, const struct yaml_node *refs) {
    for (size_t i = 0; i < refs->n_items; i++) {
        buf_append_c(d->out, i == 0 ? "  MODEL " : ",\n        ");
        write_ref(d, refs->items[i]);
    }
    if (refs->n_items)
        buf_append_char(d->out, '\n');
}

/* ---- FOR */

vsr_str decompile_loop_model(const struct yaml_node *entry) {
    return entry->kind == YAML_SCALAR ? entry->text : decompile_text(entry, "model");
}

static bool is_same_ref(const struct yaml_node *entry, const struct yaml_node *ref) {
    return str_eq(decompile_loop_model(entry), decompile_loop_model(ref)) &&
           str_eq(decompile_text(entry, "lora_name"), decompile_text(ref, "lora_name"));
}

/* Whether the reference is not among those that were seen, where it is from now on. */
static bool is_new_ref(struct decompile *d, struct map *seen, struct yaml_node *ref) {
    const vsr_str parts[] = { decompile_loop_model(ref), decompile_text(ref, "lora_name") };
    return !map_put(seen, dsl_key(d->arena, parts, VSR_COUNT(parts)), ref);
}

static vsr_str variable_of(struct decompile *d, const struct yaml_node *loop) {
    vsr_str name = arena_str(d->arena, decompile_text(loop, "variable"));
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '-')
            ((char *)name.ptr)[i] = '_';
    return name;
}

/* Whether the loop gives the candidates that it goes through. */
static bool gives_candidates(const struct yaml_node *loop) {
    const struct yaml_node *outputs = yaml_get(loop, VSR_STR("outputs"));
    for (size_t i = 0; outputs && outputs->kind == YAML_SEQUENCE && i < outputs->n_items; i++)
        if (str_eq(decompile_text(outputs->items[i], "value"), decompile_text(loop, "variable")))
            return true;
    return false;
}

static const struct yaml_node *loop_list(const struct yaml_node *loop) {
    const struct yaml_node *models = yaml_get(loop, VSR_STR("models"));
    return models && models->kind == YAML_SEQUENCE && models->n_items > 0 ? models : NULL;
}

const struct yaml_node *decompile_given(const struct yaml_node *loop) {
    return gives_candidates(loop) ? loop_list(loop) : NULL;
}

/* A list whose candidates the loop gives makes them models of the route: those that are not yet there are said. */
static const struct yaml_node *effective_refs(struct decompile *d, const struct yaml_node *refs,
                                              const struct yaml_node *loops) {
    struct yaml_node *all = yaml_new(d->arena, YAML_SEQUENCE, NULL);
    struct map seen;
    map_init(&seen, d->arena);
    for (size_t i = 0; refs && i < refs->n_items; i++) {
        const struct yaml_node *model = yaml_get(refs->items[i], VSR_STR("model"));
        if (!decompile_is_mapping(d, refs->items[i]))
            continue;
        if (yaml_is_null(model) || model->kind != YAML_SCALAR)
            decompile_wrong(d, "E210", refs->items[i], "a model reference names its model");
        else {
            (void)is_new_ref(d, &seen, refs->items[i]);
            yaml_push(d->arena, all, refs->items[i]);
        }
    }
    for (size_t i = 0; i < loops->n_items; i++) {
        const struct yaml_node *models = decompile_given(loops->items[i]);
        for (size_t j = 0; models && j < models->n_items; j++) {
            struct yaml_node *entry = models->items[j], *ref = entry;
            if (!is_new_ref(d, &seen, entry))
                continue;
            decompile_lost(d, entry, "in the language the loop also makes %.*s a model of the route",
                           VSR_FMT(decompile_loop_model(entry)));
            if (entry->kind == YAML_SCALAR) {
                ref = yaml_new(d->arena, YAML_MAPPING, entry);
                yaml_append(d->arena, ref, yaml_new_scalar(d->arena, VSR_STR("model"), entry), entry);
            }
            yaml_push(d->arena, all, ref);
        }
    }
    return all;
}

/* Whether the only loop says all that the list of models would say. */
static bool covers(struct decompile *d, const struct yaml_node *loops, const struct yaml_node *refs) {
    const struct yaml_node *models = loops->n_items == 1 ? decompile_given(loops->items[0]) : NULL;
    struct map seen;
    map_init(&seen, d->arena);
    if (!models || models->n_items != refs->n_items)
        return false;
    for (size_t i = 0; i < refs->n_items; i++)
        if (!is_same_ref(models->items[i], refs->items[i]) || !is_new_ref(d, &seen, refs->items[i]))
            return false;
    return true;
}

/* `refs`: said here, with their options, because no MODEL does; else NULL. */
static void write_loop_list(struct decompile *d, const struct yaml_node *models, const struct yaml_node *refs) {
    static const char *const known[] = { "model", "lora_name", "use_reasoning", NULL };
    buf_append_char(d->out, '[');
    for (size_t i = 0; i < models->n_items; i++) {
        const struct yaml_node *entry = models->items[i];
        buf_append_c(d->out, i ? ", " : "");
        if (refs) {
            write_ref(d, refs->items[i]);
            continue;
        }
        spell_string(d->out, decompile_loop_model(entry));
        if (decompile_text(entry, "lora_name").len) {
            buf_append_c(d->out, " (lora = ");
            spell_string(d->out, decompile_text(entry, "lora_name"));
            buf_append_char(d->out, ')');
        }
        if (entry->kind == YAML_MAPPING)
            decompile_lost_keys(d, entry, NULL, known);
    }
    buf_append_char(d->out, ']');
}

static void write_outputs(struct decompile *d, const struct yaml_node *loop, vsr_str variable) {
    static const char *const known[] = { "type", "value", NULL };
    const struct yaml_node *outputs = decompile_list(d, loop, "outputs");
    for (size_t i = 0; outputs && i < outputs->n_items; i++) {
        vsr_str value = decompile_text(outputs->items[i], "value");
        if (!decompile_is_mapping(d, outputs->items[i]))
            continue;
        buf_append_c(d->out, "    MODEL ");
        if (str_eq(value, decompile_text(loop, "variable")) && !dsl_is_item_word(variable))
            buf_append(d->out, variable);
        else if (str_eq(value, decompile_text(loop, "variable")))
            spell_string(d->out, variable);
        else
            spell_string(d->out, value);
        buf_append_char(d->out, '\n');
        decompile_lost_keys(d, outputs->items[i], NULL, known);
    }
}

static void write_loop(struct decompile *d, const struct yaml_node *loop, const struct yaml_node *refs) {
    static const char *const known[] = { "variable", "source", "models", "outputs", NULL };
    vsr_str variable = variable_of(d, loop), source = decompile_text(loop, "source");
    const struct yaml_node *models = loop_list(loop);
    buf_printf(d->out, "  FOR %.*s IN ", VSR_FMT(variable));
    if (models)
        write_loop_list(d, models, refs);
    else
        spell_name(d->out, source);
    if (models && !str_eq_c(source, "models"))
        decompile_lost(d, loop, "a loop over a list has the source models");
    buf_append_c(d->out, " {\n");
    write_outputs(d, loop, variable);
    buf_append_c(d->out, "  }\n");
    decompile_lost_keys(d, loop, NULL, known);
}

/* Those that can be said; the others are told. */
static const struct yaml_node *said_loops(struct decompile *d, const struct yaml_node *loops) {
    struct yaml_node *said = yaml_new(d->arena, YAML_SEQUENCE, NULL);
    for (size_t i = 0; loops && i < loops->n_items; i++) {
        vsr_str variable;
        if (!decompile_is_mapping(d, loops->items[i]))
            continue;
        variable = variable_of(d, loops->items[i]);
        if (spelling_is_identifier(variable))
            yaml_push(d->arena, said, loops->items[i]);
        else
            decompile_lost(d, loops->items[i], "the variable of a loop must be a word, got \"%.*s\"",
                           VSR_FMT(variable));
    }
    return said;
}

static void write_models_and_loops(struct decompile *d, const struct yaml_node *decision) {
    const struct yaml_node *loops = said_loops(d, decompile_list(d, decision, "candidateIterations"));
    const struct yaml_node *refs = effective_refs(d, decompile_list(d, decision, "modelRefs"), loops);
    bool covered = covers(d, loops, refs);
    if (!covered)
        write_models(d, refs);
    for (size_t i = 0; i < loops->n_items; i++)
        write_loop(d, loops->items[i], covered ? refs : NULL);
}

/* ---- ALGORITHM */

/* Where both places have the field, the inner one is said. */
static void tell_other_places(struct decompile *d, const struct decompile_fields *fields) {
    for (size_t i = 0; i < fields->block->n_fields; i++) {
        const struct language_field *field = &fields->block->fields[i];
        vsr_str name = str_from_c(field->field->name);
        const struct yaml_node *inner = fields->inside ? yaml_get(fields->inside, name) : NULL;
        const struct yaml_node *outer = yaml_get(fields->beside, name);
        if (field->place == PLACE_BOTH && inner && outer && !yaml_is_null(inner) && !yaml_is_null(outer) &&
            !(inner->kind == YAML_SCALAR && outer->kind == YAML_SCALAR && str_eq(inner->text, outer->text)))
            decompile_lost(d, outer, "the language has one %.*s, that of the block %.*s", VSR_FMT(name),
                           VSR_FMT(fields->block->name));
    }
}

static void write_algorithm(struct decompile *d, const struct yaml_node *algorithm) {
    struct decompile_fields fields = { NULL, NULL, algorithm };
    vsr_str type = decompile_text(algorithm, "type");
    const char *known[] = { "type", NULL, NULL };
    size_t mark;
    fields.block = language_block(d->language, LANGUAGE_ALGORITHMS, type);
    if (!fields.block) {
        decompile_wrong(d, "E204", algorithm, "unknown algorithm type \"%.*s\"", VSR_FMT(type));
        return;
    }
    known[1] = arena_printf(d->arena, "%.*s%c", VSR_FMT(type), '\0').ptr;
    fields.inside = fields.block->schema ? decompile_mapping(d, algorithm, known[1]) : NULL;
    buf_printf(d->out, "  ALGORITHM %.*s", VSR_FMT(type));
    mark = decompile_open(d);
    decompile_lines(d, &fields, "    ");
    (void)decompile_close(d, mark); /* without braces when it is empty */
    buf_append_char(d->out, '\n');
    if (fields.inside)
        decompile_lost_keys(d, fields.inside, fields.block, NULL);
    tell_other_places(d, &fields);
    decompile_lost_beside(d, algorithm, fields.block, known);
}

/* ---- EMIT */

static void write_emit(struct decompile *d, const struct yaml_node *emit) {
    static const char *const known[] = { "kind", "retention", NULL };
    struct decompile_fields fields = { d->language->retention, NULL, NULL };
    size_t mark;
    if (!decompile_is_mapping(d, emit))
        return;
    if (!str_eq_c(decompile_text(emit, "kind"), "retention")) {
        decompile_wrong(d, "E220", emit, "there is no kind of emission but retention");
        return;
    }
    fields.inside = decompile_mapping(d, emit, "retention");
    buf_append_c(d->out, "  EMIT retention");
    mark = decompile_open(d);
    decompile_lines(d, &fields, "    ");
    buf_append_c(d->out, decompile_close(d, mark) ? "\n" : " {}\n");
    decompile_lost_keys(d, emit, NULL, known);
    if (fields.inside)
        decompile_lost_keys(d, fields.inside, fields.block, NULL);
}

/* ---- ROUTE */

static void write_number(struct decompile *d, const struct yaml_node *decision, const char *key, const char *keyword,
                         bool always) {
    const struct yaml_node *value = yaml_get(decision, str_from_c(key));
    int64_t number = 0;
    if (!yaml_is_null(value) && (value->kind != YAML_SCALAR || value_int(value->text, &number) != VALUE_OK))
        decompile_lost(d, value, "%s is no integer", key);
    if (number || always)
        buf_printf(d->out, "  %s %" PRId64 "\n", keyword, number);
}

/* Fields that only EXTRA can say. */
static void write_extra(struct decompile *d, const struct yaml_node *decision) {
    struct decompile_fields fields = { d->language->extra, decision, NULL };
    size_t start = d->out->len, mark;
    buf_append_c(d->out, "  EXTRA");
    mark = decompile_open(d);
    decompile_lines(d, &fields, "    ");
    if (decompile_close(d, mark))
        buf_append_char(d->out, '\n');
    else
        d->out->len = start;
}

static void write_route(struct decompile *d, const struct yaml_node *decision) {
    vsr_str name = decompile_text(decision, "name"), description = decompile_text(decision, "description");
    const struct yaml_node *algorithm = decompile_mapping(d, decision, "algorithm");
    const struct yaml_node *emits = decompile_list(d, decision, "emits");
    buf_append_c(d->out, "ROUTE ");
    spell_name(d->out, name);
    if (description.len) {
        buf_append_c(d->out, " (description = ");
        spell_string(d->out, description);
        buf_append_char(d->out, ')');
    }
    buf_append_c(d->out, " {\n");
    write_number(d, decision, "priority", "PRIORITY", true);
    write_number(d, decision, "tier", "TIER", false);
    decompile_condition(d, yaml_get(decision, VSR_STR("rules")), "  WHEN ", "\n");
    write_models_and_loops(d, decision);
    if (algorithm)
        write_algorithm(d, algorithm);
    decompile_plugins(d, decompile_list(d, decision, "plugins"));
    for (size_t i = 0; emits && i < emits->n_items; i++)
        write_emit(d, emits->items[i]);
    write_extra(d, decision);
    buf_append_c(d->out, "}\n\n");
    decompile_lost_keys(d, decision, d->language->extra, decision_keys);
}

void decompile_routes(struct decompile *d, const struct yaml_node *decisions) {
    decompile_header(d, "ROUTES", (vsr_str){ 0 });
    for (size_t i = 0; decisions && i < decisions->n_items; i++) {
        d->where = arena_printf(d->arena, "ROUTE %.*s: ", VSR_FMT(decompile_text(decisions->items[i], "name")));
        if (decompile_is_mapping(d, decisions->items[i]))
            write_route(d, decisions->items[i]);
    }
    d->where = VSR_STR("");
}
