#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"
#include "dsl/domain_labels.h"

/* One value of a declaration, for messages. */
struct site {
    struct compile *c;
    const struct dsl_decl *decl;
    const char *what; /* "structure" */
};

/* An empty list of fields stands for what is no object, so that the checks go on. */
static const struct dsl_fields *object_of(const struct dsl_fields *fields, const char *key) {
    static const struct dsl_fields none;
    const struct dsl_value *value = dsl_value_of(fields, key);
    return value && value->kind == DSL_OBJECT ? &value->fields : &none;
}

static bool is_one_of(vsr_str word, const vsr_str *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(word, words[i]))
            return true;
    return false;
}

static void tell(const struct site *site, const struct dsl_at *at, vsr_str message) {
    finding_add(site->c->findings, FINDING_ERROR, "E206", *at, "%s \"%.*s\": %.*s", site->what,
                VSR_FMT(site->decl->name.text), VSR_FMT(message));
}

#define TELL(site, at, ...) tell((site), (at), arena_printf((site)->c->arena, __VA_ARGS__))

/* ---- domain */

static void check_category(struct compile *c, const struct dsl_decl *decl, const struct dsl_value *value) {
    struct finding *finding;
    vsr_str near;
    bool certain;
    if (value->kind != DSL_STRING || domain_is_label(value->text))
        return;
    finding = finding_add(c->findings, FINDING_ERROR, "E205", value->at,
                          "SIGNAL domain %.*s: unsupported mmlu_categories value \"%.*s\"", VSR_FMT(decl->name.text),
                          VSR_FMT(value->text));
    near = domain_suggest(c->arena, value->text, &certain);
    if (!finding || near.len == 0)
        return;
    finding_fix(finding, value->at, arena_printf(c->arena, "\"%.*s\"", VSR_FMT(near)), "change to \"%.*s\"",
                VSR_FMT(near));
    finding->fix.doubtful = !certain;
}

static void check_domain(struct compile *c, const struct dsl_decl *decl) {
    const struct dsl_value *categories = dsl_value_of(&decl->fields, "mmlu_categories");
    for (size_t i = 0; categories && categories->kind == DSL_ARRAY && i < categories->n_items; i++)
        check_category(c, decl, &categories->items[i]);
}

/* ---- numbers that are compared */

static void check_predicate(const struct site *site, const struct dsl_value *predicate) {
    struct bounds bounds;
    unsigned faults;
    if (!predicate || predicate->kind != DSL_OBJECT)
        return;
    bounds = dsl_bounds_of(&predicate->fields);
    faults = bounds_faults(&bounds);
    if (faults & BOUNDS_MISSING)
        TELL(site, &predicate->at, "predicate needs at least one of gt, gte, lt and lte");
    else if (faults & BOUNDS_TWO_LOWER)
        TELL(site, &predicate->at, "predicate: gt and gte exclude each other");
    else if (faults & BOUNDS_TWO_UPPER)
        TELL(site, &predicate->at, "predicate: lt and lte exclude each other");
    else if (faults & BOUNDS_EMPTY)
        TELL(site, &predicate->at, "predicate: no number lies within these bounds");
}

/* ---- structure and conversation: feature, source, predicate */

struct feature {
    const struct dsl_fields *fields, *source;
    const struct dsl_value *type_value, *source_type_value;
    vsr_str type, source_type;
    const struct dsl_at *type_at, *source_at; /* the declaration where there is none */
};

static struct feature feature_of(const struct dsl_decl *decl) {
    struct feature f = { .fields = object_of(&decl->fields, "feature"), .type_at = &decl->at, .source_at = &decl->at };
    f.source = object_of(f.fields, "source");
    f.type_value = dsl_value_of(f.fields, "type");
    f.source_type_value = dsl_value_of(f.source, "type");
    f.type = compile_string(f.fields, "type");
    f.source_type = compile_string(f.source, "type");
    if (f.type_value)
        f.type_at = &f.type_value->at;
    if (f.source_type_value)
        f.source_at = &f.source_type_value->at;
    return f;
}

static vsr_str joined(struct compile *c, const vsr_str *words, size_t n) {
    vsr_str text = VSR_STR("");
    for (size_t i = 0; i < n; i++)
        text = arena_printf(c->arena, "%.*s%s%.*s", VSR_FMT(text), i ? ", " : "", VSR_FMT(words[i]));
    return text;
}

/* Whether the word is there and one that is known. */
static bool check_word(const struct site *site, const char *key, vsr_str word, const struct dsl_value *value,
                       const struct dsl_at *at, const vsr_str *words, size_t n) {
    if (is_one_of(word, words, n))
        return true;
    if (!value)
        TELL(site, at, "%s is required: one of %.*s", key, VSR_FMT(joined(site->c, words, n)));
    else if (value->kind != DSL_STRING)
        TELL(site, at, "%s must be one of %.*s", key, VSR_FMT(joined(site->c, words, n)));
    else
        TELL(site, at, "%s must be one of %.*s, got \"%.*s\"", key, VSR_FMT(joined(site->c, words, n)), VSR_FMT(word));
    return false;
}

static void check_feature_predicate(const struct site *site, const struct feature *f) {
    const struct dsl_value *predicate = dsl_value_of(&site->decl->fields, "predicate");
    check_predicate(site, predicate);
    if (predicate && str_eq_c(f->type, "exists"))
        TELL(site, &predicate->at, "feature.type exists takes no predicate");
}

static bool has_items(const struct dsl_value *value, size_t least) {
    return value && value->kind == DSL_ARRAY && value->n_items >= least;
}

static void check_sequences(const struct site *site, const struct feature *f) {
    const struct dsl_value *sequences = dsl_value_of(f->source, "sequences");
    if (!has_items(sequences, 1)) {
        TELL(site, f->source_at, "feature.source.type sequence requires feature.source.sequences");
        return;
    }
    for (size_t i = 0; i < sequences->n_items; i++)
        if (!has_items(&sequences->items[i], 2))
            TELL(site, &sequences->items[i].at, "each of feature.source.sequences needs at least two markers");
}

static void check_structure(const struct site *site) {
    static const vsr_str types[] = { VSR_STR_INIT("exists"), VSR_STR_INIT("count"), VSR_STR_INIT("density"),
                                     VSR_STR_INIT("sequence") };
    static const vsr_str sources[] = { VSR_STR_INIT("regex"), VSR_STR_INIT("keyword_set"), VSR_STR_INIT("sequence"),
                                       VSR_STR_INIT("text_bytes") };
    struct feature f = feature_of(site->decl);
    bool known = check_word(site, "feature.type", f.type, f.type_value, f.type_at, types, VSR_COUNT(types));
    known &= check_word(site, "feature.source.type", f.source_type, f.source_type_value, f.source_at, sources,
                        VSR_COUNT(sources));
    check_feature_predicate(site, &f);
    if (!known)
        return;
    if (str_eq_c(f.type, "sequence") && !str_eq_c(f.source_type, "sequence"))
        TELL(site, f.type_at, "feature.type sequence requires feature.source.type sequence");
    if (str_eq_c(f.source_type, "text_bytes") && !str_eq_c(f.type, "count"))
        TELL(site, f.source_at, "feature.source.type text_bytes requires feature.type count");
    if (str_eq_c(f.source_type, "regex") && str_trim(compile_string(f.source, "pattern")).len == 0)
        TELL(site, f.source_at, "feature.source.type regex requires feature.source.pattern");
    if (str_eq_c(f.source_type, "keyword_set") && !has_items(dsl_value_of(f.source, "keywords"), 1))
        TELL(site, f.source_at, "feature.source.type keyword_set requires feature.source.keywords");
    if (str_eq_c(f.source_type, "sequence"))
        check_sequences(site, &f);
}

static void check_conversation(const struct site *site) {
    static const vsr_str types[] = { VSR_STR_INIT("count"), VSR_STR_INIT("exists") };
    static const vsr_str sources[] = { VSR_STR_INIT("message"),
                                       VSR_STR_INIT("tool_definition"),
                                       VSR_STR_INIT("assistant_tool_call"),
                                       VSR_STR_INIT("assistant_tool_cycle"),
                                       VSR_STR_INIT("active_tool_loop"),
                                       VSR_STR_INIT("image_content") };
    static const vsr_str roles[] = { VSR_STR_INIT("user"),      VSR_STR_INIT("assistant"), VSR_STR_INIT("system"),
                                     VSR_STR_INIT("developer"), VSR_STR_INIT("tool"),      VSR_STR_INIT("non_user") };
    struct feature f = feature_of(site->decl);
    const struct dsl_value *role = dsl_value_of(f.source, "role");
    (void)check_word(site, "feature.type", f.type, f.type_value, f.type_at, types, VSR_COUNT(types));
    (void)check_word(site, "feature.source.type", f.source_type, f.source_type_value, f.source_at, sources,
                     VSR_COUNT(sources));
    check_feature_predicate(site, &f);
    if (!role || (role->kind == DSL_STRING && role->text.len == 0))
        return;
    (void)check_word(site, "feature.source.role", compile_string(f.source, "role"), role, &role->at, roles,
                     VSR_COUNT(roles));
    if (f.source_type_value && !str_eq_c(f.source_type, "message"))
        TELL(site, &role->at, "feature.source.role goes with feature.source.type message only");
}

void compile_check_signal(struct compile *c, const struct dsl_decl *decl) {
    struct site site = { c, decl, "structure" };
    if (str_eq_c(decl->type.text, "domain"))
        check_domain(c, decl);
    else if (str_eq_c(decl->type.text, "structure"))
        check_structure(&site);
    else if (str_eq_c(decl->type.text, "conversation")) {
        site.what = "conversation";
        check_conversation(&site);
    }
}

/* ---- partitions */

/* A softmax shares out the classifier's probability: a member without a label of its own would have none. */
void compile_check_partition(const struct compile_scope *scope, const struct dsl_decl *decl) {
    const struct dsl_value *members = dsl_value_of(&decl->fields, "members");
    if (!str_eq_c(compile_string(&decl->fields, "semantics"), "softmax_exclusive"))
        return;
    for (size_t i = 0; members && members->kind == DSL_ARRAY && i < members->n_items; i++) {
        const struct dsl_value *member = &members->items[i];
        const struct dsl_decl *domain = member->kind == DSL_STRING ? map_get(&scope->domains, member->text) : NULL;
        if (domain && !domain_is_label(member->text) && !has_items(dsl_value_of(&domain->fields, "mmlu_categories"), 1))
            finding_add(scope->c->findings, FINDING_ERROR, "E205", member->at,
                        "PROJECTION partition %.*s: domain \"%.*s\" is not a supported domain name; give it "
                        "mmlu_categories",
                        VSR_FMT(decl->name.text), VSR_FMT(member->text));
    }
}

/* ---- remom */

static void tell_remom(const struct compile_route *route, const struct dsl_at *at, vsr_str message) {
    finding_add(route->scope->c->findings, FINDING_ERROR, "E208", *at, "route \"%.*s\": ALGORITHM remom: %.*s",
                VSR_FMT(route->name), VSR_FMT(message));
}

static bool is_route_model(const struct yaml_node *refs, vsr_str name) {
    for (size_t i = 0; i < refs->n_items; i++) {
        const struct yaml_node *model = yaml_get(refs->items[i], VSR_STR("model"));
        const struct yaml_node *lora = yaml_get(refs->items[i], VSR_STR("lora_name"));
        if (str_eq(model->text, name) || (lora && str_eq(lora->text, name)))
            return true;
    }
    return false;
}

static void check_schedule(const struct compile_route *route, const struct dsl_item *item) {
    const struct dsl_value *schedule = dsl_value_of(&item->fields, "breadth_schedule");
    if (!has_items(schedule, 1)) {
        tell_remom(route, schedule ? &schedule->at : &item->name.at,
                   VSR_STR("breadth_schedule is required: a list of integers of at least 1"));
        return;
    }
    for (size_t i = 0; i < schedule->n_items; i++)
        if (schedule->items[i].kind != DSL_INT || schedule->items[i].integer < 1)
            tell_remom(route, &schedule->items[i].at,
                       VSR_STR("each of breadth_schedule must be an integer of at least 1"));
}

void compile_check_remom(struct compile *c, const struct compile_route *route, const struct dsl_item *item,
                         const struct yaml_node *refs) {
    const struct dsl_value *synthesis = dsl_value_of(&item->fields, "synthesis_model");
    check_schedule(route, item);
    if (synthesis && synthesis->kind == DSL_STRING && synthesis->text.len && !is_route_model(refs, synthesis->text))
        tell_remom(route, &synthesis->at,
                   arena_printf(c->arena, "synthesis_model \"%.*s\" is none of the route's models",
                                VSR_FMT(synthesis->text)));
}
