/* Fields against the tables of the configuration: what there is, of which kind, within which limits. */
#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/check_scalars.h"

/* ---- lists and objects */

/* Of one entry of a list. */
static const char *item_wanted(const struct field *field) {
    switch (field->kind) {
    case FIELD_STRING_LISTS:
        return "a list of strings";
    case FIELD_OBJECTS:
        return "an object";
    case FIELD_INT_LIST:
        return "an integer";
    case FIELD_NUMBER_LIST:
        return "a number";
    default:
        return "a string";
    }
}

static void check_object(const struct check_site *site, const struct language_field *field,
                         const struct check_path *path, const struct dsl_value *value, const char *wanted);

static void check_strings(const struct check_site *site, const struct language_field *field,
                          const struct check_path *path, const struct dsl_value *value, const char *wanted) {
    struct check_path item = { path->up, path->key, true };
    if (value->kind != DSL_ARRAY) {
        dsl_check_tell_kind(site, path, value, wanted);
        return;
    }
    for (size_t i = 0; i < value->n_items; i++)
        dsl_check_string(site, field, &item, &value->items[i], "a string");
}

static void check_item(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                       const struct dsl_value *value) {
    const char *wanted = item_wanted(field->field);
    switch (field->field->kind) {
    case FIELD_STRINGS:
        dsl_check_string(site, field, path, value, wanted);
        break;
    case FIELD_STRING_LISTS:
        check_strings(site, field, path, value, wanted);
        break;
    case FIELD_OBJECTS:
        check_object(site, field, path, value, wanted);
        break;
    case FIELD_INT_LIST:
        dsl_check_integer(site, field, path, value, wanted);
        break;
    default:
        dsl_check_number(site, field, path, value, wanted);
        break;
    }
}

static void check_list(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                       const struct dsl_value *value) {
    struct check_path item = { path->up, path->key, true };
    if (value->kind != DSL_ARRAY) {
        dsl_check_tell_kind(site, path, value, dsl_check_wanted(field->field));
        return;
    }
    for (size_t i = 0; i < value->n_items; i++)
        check_item(site, field, &item, &value->items[i]);
}

/* Values under keys that are names. */
static void check_map(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value) {
    if (value->kind != DSL_OBJECT) {
        dsl_check_tell_kind(site, path, value, dsl_check_wanted(field->field));
        return;
    }
    for (size_t i = 0; i < value->fields.n; i++) {
        const struct dsl_field *entry = &value->fields.items[i];
        struct check_path below = { path, entry->key.text, false };
        if (entry->overridden || entry->value.kind == DSL_NULL)
            continue;
        if (field->field->kind == FIELD_OBJECT_MAP)
            check_object(site, field, &below, &entry->value, "an object");
        else if (field->field->kind == FIELD_NUMBER_MAP)
            dsl_check_number(site, field, &below, &entry->value, "a number");
        else if (field->field->kind == FIELD_STRINGS_MAP)
            check_strings(site, field, &below, &entry->value, "a list of strings");
    }
}

static void check_value(const struct check_site *site, const struct language_field *field,
                        const struct check_path *path, const struct dsl_value *value) {
    const char *wanted = dsl_check_wanted(field->field);
    switch (field->field->kind) {
    case FIELD_BOOL:
        if (value->kind != DSL_BOOL)
            dsl_check_tell_kind(site, path, value, wanted);
        break;
    case FIELD_INT_OR_AUTO:
        if (value->kind == DSL_STRING && str_eq_c(value->text, "auto"))
            break;
        dsl_check_integer(site, field, path, value, wanted);
        break;
    case FIELD_INT:
        dsl_check_integer(site, field, path, value, wanted);
        break;
    case FIELD_NUMBER:
        dsl_check_number(site, field, path, value, wanted);
        break;
    case FIELD_STRING:
    case FIELD_ENUM:
        dsl_check_string(site, field, path, value, wanted);
        break;
    case FIELD_DURATION:
        dsl_check_duration(site, field, path, value);
        break;
    case FIELD_TOKENS:
        dsl_check_tokens(site, field, path, value);
        break;
    case FIELD_STRINGS:
    case FIELD_STRING_LISTS:
    case FIELD_OBJECTS:
    case FIELD_INT_LIST:
    case FIELD_NUMBER_LIST:
        check_list(site, field, path, value);
        break;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        check_object(site, field, path, value, wanted);
        break;
    case FIELD_OBJECT_MAP:
    case FIELD_PAIRS:
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
    case FIELD_VARIANT:
        check_map(site, field, path, value);
        break;
    case FIELD_NODE:
        break;
    }
}

/* ---- blocks */

enum { FIELDS_SEARCHED_MAX = 500 }; /* for each unknown one: beyond that no name is certain */

/* Whether another field of the block was offered the same name. */
static bool is_offered_twice(const struct check_site *site, const struct dsl_fields *fields,
                             const struct finding *finding) {
    const struct findings *findings = site->c->findings;
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *other = &findings->items[i];
        if (other != finding && strcmp(other->code, "C301") == 0 && other->fix.at.start >= fields->at.start &&
            other->fix.at.end <= fields->at.end && str_eq(other->fix.new_text, finding->fix.new_text))
            return true;
    }
    return false;
}

static void tell_unknown(const struct check_site *site, const struct language_block *block, const struct check_path *up,
                         const struct dsl_fields *fields, const struct dsl_name *key) {
    vsr_str *names = ARENA_ARRAY(site->c->scratch, vsr_str, block->n_fields + 1);
    struct check_path path = { up, key->text, false };
    struct finding *finding;
    size_t n = 0;
    for (; n < block->n_fields; n++)
        names[n] = block->fields[n].name;
    if (site->block->also && !up)
        names[n++] = str_from_c(site->block->also);
    finding = CHECK_TELL(site->c, CONSTRAINT, "C301", key->at, "%.*s: unknown field \"%.*s\"",
                         VSR_FMT(site->block->what), VSR_FMT(dsl_check_path_text(site->c->scratch, &path)));
    if (finding)
        finding->lost = true; /* compiling leaves it out */
    dsl_check_suggest_among(site->c, finding, key, names, n);
    /* Under a name that is taken it would replace what is said there. */
    if (finding)
        finding->fix.doubtful |= fields->n > FIELDS_SEARCHED_MAX || dsl_field(fields, finding->fix.new_text) ||
                                 is_offered_twice(site, fields, finding);
}

/* `param_size` of a model reference: text that belongs elsewhere in YAML. */
static bool is_also(const struct check_site *site, const struct check_path *up, const struct dsl_field *said) {
    struct check_path path = { up, said->key.text, false };
    if (up || !site->block->also || !str_eq_c(said->key.text, site->block->also))
        return false;
    if (said->value.kind != DSL_STRING && said->value.kind != DSL_NULL)
        dsl_check_tell_kind(site, &path, &said->value, "a string");
    return true;
}

static void check_said(const struct check_site *site, const struct language_block *block, const struct check_path *up,
                       const struct dsl_fields *fields) {
    for (size_t i = 0; i < fields->n; i++) {
        const struct dsl_field *said = &fields->items[i];
        const struct language_field *field;
        struct check_path path = { up, said->key.text, false };
        if (said->overridden || is_also(site, up, said))
            continue;
        field = language_field(block, said->key.text);
        if (!field)
            tell_unknown(site, block, up, fields, &said->key);
        else if (said->value.kind != DSL_NULL && !site->block->names_only)
            check_value(site, field, &path, &said->value);
    }
}

static bool is_empty(const struct dsl_value *value) {
    return (value->kind == DSL_STRING && str_trim(value->text).len == 0) ||
           (value->kind == DSL_ARRAY && value->n_items == 0);
}

static const struct dsl_field *said_of(const struct language_field *field, const struct dsl_fields *fields,
                                       const struct dsl_fields *inherited) {
    const struct dsl_field *said = dsl_field(fields, field->name);
    return said || !inherited ? said : dsl_field(inherited, field->name);
}

static void check_missing(const struct check_site *site, const struct language_block *block,
                          const struct check_path *up, const struct dsl_fields *fields,
                          const struct dsl_fields *inherited, const struct dsl_at *at) {
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = &block->fields[i];
        const struct dsl_field *said;
        struct check_path path = { up, field->name, false };
        if (!(field->field->flags & FIELD_REQUIRED))
            continue;
        said = said_of(field, fields, inherited);
        if (!said || said->value.kind == DSL_NULL) {
            if (language_is_required(field))
                CHECK_TELL(site->c, CONSTRAINT, "C305", *at, "%.*s is required", VSR_FMT(dsl_check_place(site, &path)));
        } else if (field->field->flags & FIELD_NONBLANK && is_empty(&said->value)) {
            CHECK_TELL(site->c, CONSTRAINT, "C305", said->value.at, "%.*s must not be empty",
                       VSR_FMT(dsl_check_place(site, &path)));
        }
    }
}

static void check_object(const struct check_site *site, const struct language_field *field,
                         const struct check_path *path, const struct dsl_value *value, const char *wanted) {
    if (value->kind != DSL_OBJECT) {
        if (!field->block || !field->block->schema || !field->block->schema->shorthand)
            dsl_check_tell_kind(site, path, value, wanted);
        return;
    }
    if (!field->block)
        return;
    check_said(site, field->block, path, &value->fields);
    if (!site->block->partial)
        check_missing(site, field->block, path, &value->fields, NULL, &value->at);
}

void dsl_check_block(struct check *c, const struct check_block *block) {
    struct check_site site = { c, block };
    check_said(&site, block->block, NULL, block->fields);
    if (!block->partial)
        check_missing(&site, block->block, NULL, block->fields, block->inherited, &block->at);
}

/* ---- bounds */

void dsl_check_bounds(struct check *c, vsr_str what, const struct dsl_fields *fields, const struct dsl_at *at) {
    struct bounds bounds = dsl_bounds_of(fields);
    unsigned faults = bounds_faults(&bounds);
    if (faults & BOUNDS_TWO_LOWER)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s: gt and gte exclude each other", VSR_FMT(what));
    if (faults & BOUNDS_TWO_UPPER)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s: lt and lte exclude each other", VSR_FMT(what));
    if (faults & BOUNDS_MISSING)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s needs at least one of gt, gte, lt and lte", VSR_FMT(what));
    if (faults == BOUNDS_EMPTY)
        CHECK_TELL(c, CONSTRAINT, "C304", *at, "%.*s is empty: no number lies within these bounds", VSR_FMT(what));
}
