/* Fields against the tables of the configuration: what there is, of which kind, within which limits. */
#include <inttypes.h>
#include <math.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check_parts.h"
#include "dsl/spelling.h"

enum { CHOICES_LEN_MAX = 1024, CHOICES_MAX = 64, NUMBER_LEN_MAX = 512 };

/* ---- reading */

const struct dsl_value *dsl_check_value_of(const struct dsl_fields *fields, const char *key) {
    const struct dsl_field *field = dsl_field(fields, str_from_c(key));
    return field && field->value.kind != DSL_NULL ? &field->value : NULL;
}

vsr_str dsl_check_text_of(const struct dsl_fields *fields, const char *key) {
    const struct dsl_value *value = dsl_check_value_of(fields, key);
    return value && value->kind == DSL_STRING ? value->text : VSR_STR("");
}

static bool is_number(const struct dsl_value *value) {
    return value->kind == DSL_INT || value->kind == DSL_FLOAT;
}

bool dsl_check_number_of(const struct dsl_fields *fields, const char *key, double *ret) {
    const struct dsl_value *value = dsl_check_value_of(fields, key);
    if (!value || !is_number(value))
        return false;
    *ret = value->number;
    return true;
}

const struct dsl_value *dsl_check_items_of(const struct dsl_fields *fields, const char *key, size_t *ret_n) {
    const struct dsl_value *value = dsl_check_value_of(fields, key);
    *ret_n = value && value->kind == DSL_ARRAY ? value->n_items : 0;
    return *ret_n ? value->items : NULL;
}

/* ---- where a value stands */

/* Keys from the declaration down to the value; made text only for a message. */
struct path {
    const struct path *up; /* NULL: a field of the declaration itself */
    vsr_str key;
    bool item; /* one of the values in the list of that name */
};

struct site {
    struct check *c;
    const struct check_block *block;
};

static vsr_str path_text(struct arena *arena, const struct path *path) {
    vsr_str text = path ? path->key : VSR_STR("");
    for (path = path ? path->up : NULL; path; path = path->up)
        text = arena_printf(arena, "%.*s.%.*s", VSR_FMT(path->key), VSR_FMT(text));
    return text;
}

/* `SIGNAL keyword k: feature.source` */
static vsr_str place(const struct site *site, const struct path *path) {
    return arena_printf(site->c->scratch, "%.*s: %s%.*s", VSR_FMT(site->block->what), path->item ? "each of " : "",
                        VSR_FMT(path_text(site->c->scratch, path)));
}

/* ---- kinds */

static const char *kind_wanted(const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        return "true or false";
    case FIELD_INT:
        return "an integer";
    case FIELD_INT_OR_AUTO:
        return "an integer or \"auto\"";
    case FIELD_NUMBER:
        return "a number";
    case FIELD_STRING:
    case FIELD_ENUM:
        return "a string";
    case FIELD_DURATION:
        return "a duration such as \"30s\"";
    case FIELD_TOKENS:
        return "a string token count such as \"8K\"";
    case FIELD_STRINGS:
        return "a list of strings";
    case FIELD_STRING_LISTS:
        return "a list of lists of strings";
    case FIELD_OBJECTS:
        return "a list of objects";
    case FIELD_INT_LIST:
        return "a list of integers";
    case FIELD_NUMBER_LIST:
        return "a list of numbers";
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
    case FIELD_OBJECT_MAP:
    case FIELD_PAIRS:
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
    case FIELD_VARIANT:
        return "an object";
    case FIELD_NODE:
        break;
    }
    return "a value";
}

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

static vsr_str shown(const struct site *site, const struct dsl_value *value) {
    switch (value->kind) {
    case DSL_STRING:
        return arena_printf(site->c->scratch, "\"%.*s\"", VSR_FMT(value->text));
    case DSL_INT:
    case DSL_FLOAT:
        return value->text;
    case DSL_BOOL:
        return value->truth ? VSR_STR("true") : VSR_STR("false");
    case DSL_NULL:
        return VSR_STR("null");
    case DSL_ARRAY:
        return VSR_STR("a list");
    case DSL_OBJECT:
        break;
    }
    return VSR_STR("an object");
}

/* Compiling leaves out fields that there are not, and values of another kind. */
static struct finding *lose(struct finding *finding) {
    if (finding)
        finding->lost = true;
    return finding;
}

static void tell_kind(const struct site *site, const struct path *path, const struct dsl_value *value,
                      const char *wanted) {
    lose(CHECK_TELL(site->c, CONSTRAINT, "C302", value->at, "%.*s should be %s, got %.*s", VSR_FMT(place(site, path)),
                    wanted, VSR_FMT(shown(site, value))));
}

/* ---- ranges */

/* Numbers that are shares of one wherever they stand (dsl.md §6.2), should a table say no range of its own. */
static const struct {
    const char *name;
    double least, greatest;
} common_ranges[] = {
    { "threshold", 0, 1 },
    { "similarity_threshold", 0, 1 },
    { "bm25_threshold", 0, 1 },
    { "ngram_threshold", 0, 1 },
    { "verification_threshold", 0, 1 },
    { "exploration_rate", 0, 1 },
    { "min_similarity", 0, 1 },
    { "port", 1, 65535 },
    { "fuzzy_threshold", 0, INFINITY },
    { "ngram_arity", 1, INFINITY },
};

struct range {
    double least, greatest;
    bool least_open;
};

static bool range_of(const struct language_field *field, struct range *ret) {
    if (field->field->flags & FIELD_RANGE) {
        *ret = (struct range){ field->field->least, field->field->greatest,
                               (field->field->flags & FIELD_LEAST_OPEN) != 0 };
        return true;
    }
    for (size_t i = 0; i < VSR_COUNT(common_ranges); i++)
        if (str_eq_c(field->name, common_ranges[i].name)) {
            *ret = (struct range){ common_ranges[i].least, common_ranges[i].greatest, false };
            return true;
        }
    return false;
}

static vsr_str number_text(struct arena *arena, double number) {
    struct buf out;
    vsr_str text;
    buf_init(&out, NUMBER_LEN_MAX);
    spell_number(&out, number);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void tell_range(const struct site *site, const struct path *path, const struct dsl_value *value,
                       const char *relation, double bound, bool fixable) {
    vsr_str text = number_text(site->c->scratch, bound);
    struct finding *finding = CHECK_TELL(site->c, CONSTRAINT, "C310", value->at, "%.*s must be %s %.*s, got %.*s",
                                         VSR_FMT(place(site, path)), relation, VSR_FMT(text), VSR_FMT(value->text));
    if (fixable)
        finding_fix(finding, value->at, text, "set to %.*s", VSR_FMT(text));
}

/* A zero that is not written says nothing (dsl.md §4), so that no limit holds for it. */
static void check_range(const struct site *site, const struct language_field *field, const struct path *path,
                        const struct dsl_value *value, double number) {
    struct range range;
    if (!range_of(field, &range) || (number == 0 && field->zero == ZERO_OMITTED))
        return;
    if (range.least_open && number <= range.least)
        tell_range(site, path, value, ">", range.least, false);
    else if (number < range.least)
        tell_range(site, path, value, ">=", range.least, true);
    else if (number > range.greatest)
        tell_range(site, path, value, "<=", range.greatest, true);
}

static void check_integer(const struct site *site, const struct language_field *field, const struct path *path,
                          const struct dsl_value *value, const char *wanted) {
    bool whole = value->kind == DSL_INT || (value->kind == DSL_FLOAT && value->number == trunc(value->number));
    if (whole)
        check_range(site, field, path, value, value->number);
    else
        tell_kind(site, path, value, wanted);
}

static void check_number(const struct site *site, const struct language_field *field, const struct path *path,
                         const struct dsl_value *value, const char *wanted) {
    if (is_number(value))
        check_range(site, field, path, value, value->number);
    else
        tell_kind(site, path, value, wanted);
}

/* ---- texts */

static bool is_choice(const struct field *field, vsr_str word) {
    for (const char *const *choice = field->choices; *choice; choice++) {
        vsr_str text = str_from_c(*choice);
        if (field->flags & FIELD_NOCASE ? str_eq_nocase(text, word) : str_eq(text, word))
            return true;
    }
    return false;
}

/* What is offered must be certain: XOR is not NOR. */
static bool is_slip(vsr_str found, vsr_str word) {
    size_t most = (word.len - 1) / 3;
    return str_distance(found, word, most) <= most;
}

static void tell_choice(const struct site *site, const struct field *field, const struct path *path,
                        const struct dsl_value *value) {
    struct dsl_name found = dsl_check_name_of(value);
    vsr_str names[CHOICES_MAX];
    struct finding *finding;
    struct buf list;
    size_t n = 0;
    buf_init(&list, CHOICES_LEN_MAX);
    for (const char *const *choice = field->choices; *choice; choice++) {
        if (!**choice)
            continue;
        buf_printf(&list, "%s%s", list.len ? ", " : "", *choice);
        if (n < VSR_COUNT(names) && is_slip(value->text, str_from_c(*choice)))
            names[n++] = str_from_c(*choice);
    }
    finding = CHECK_TELL(site->c, CONSTRAINT, "C306", value->at, "%.*s must be one of %.*s, got \"%.*s\"",
                         VSR_FMT(place(site, path)), VSR_FMT(buf_str(&list)), VSR_FMT(value->text));
    buf_done(&list);
    dsl_check_suggest_among(site->c, finding, &found, names, n);
}

static void check_string(const struct site *site, const struct language_field *field, const struct path *path,
                         const struct dsl_value *value, const char *wanted) {
    const struct field *of = field->field;
    if (value->kind != DSL_STRING) {
        tell_kind(site, path, value, wanted);
        return;
    }
    if (!of->choices || of->flags & FIELD_HINT || site->block->contract)
        return;
    if ((value->text.len || field->zero == ZERO_KEPT) && !is_choice(of, language_canonical(field, value->text)))
        tell_choice(site, of, path, value);
}

static void check_duration(const struct site *site, const struct language_field *field, const struct path *path,
                           const struct dsl_value *value) {
    int64_t ms = 0;
    if (value->kind == DSL_STRING && schema_duration(value->text, &ms))
        check_range(site, field, path, value, (double)ms);
    else
        tell_kind(site, path, value, kind_wanted(field->field));
}

/* A number works, but only here: other readers of the language want text. */
static void check_tokens(const struct site *site, const struct language_field *field, const struct path *path,
                         const struct dsl_value *value) {
    int64_t tokens = 0;
    if ((value->kind != DSL_STRING && !is_number(value)) || !schema_tokens(value->text, &tokens)) {
        tell_kind(site, path, value, kind_wanted(field->field));
        return;
    }
    if (is_number(value))
        CHECK_TELL(site->c, CONSTRAINT, "C302", value->at, "%.*s should be a string token count such as \"%.*s\"",
                   VSR_FMT(place(site, path)), VSR_FMT(value->text));
    check_range(site, field, path, value, (double)tokens);
}

/* ---- lists and objects */

static void check_object(const struct site *site, const struct language_field *field, const struct path *path,
                         const struct dsl_value *value, const char *wanted);

static void check_strings(const struct site *site, const struct language_field *field, const struct path *path,
                          const struct dsl_value *value, const char *wanted) {
    struct path item = { path->up, path->key, true };
    if (value->kind != DSL_ARRAY) {
        tell_kind(site, path, value, wanted);
        return;
    }
    for (size_t i = 0; i < value->n_items; i++)
        check_string(site, field, &item, &value->items[i], "a string");
}

static void check_item(const struct site *site, const struct language_field *field, const struct path *path,
                       const struct dsl_value *value) {
    const char *wanted = item_wanted(field->field);
    switch (field->field->kind) {
    case FIELD_STRINGS:
        check_string(site, field, path, value, wanted);
        break;
    case FIELD_STRING_LISTS:
        check_strings(site, field, path, value, wanted);
        break;
    case FIELD_OBJECTS:
        check_object(site, field, path, value, wanted);
        break;
    case FIELD_INT_LIST:
        check_integer(site, field, path, value, wanted);
        break;
    default:
        check_number(site, field, path, value, wanted);
        break;
    }
}

static void check_list(const struct site *site, const struct language_field *field, const struct path *path,
                       const struct dsl_value *value) {
    struct path item = { path->up, path->key, true };
    if (value->kind != DSL_ARRAY) {
        tell_kind(site, path, value, kind_wanted(field->field));
        return;
    }
    for (size_t i = 0; i < value->n_items; i++)
        if (value->items[i].kind != DSL_NULL)
            check_item(site, field, &item, &value->items[i]);
}

/* Values under keys that are names. */
static void check_map(const struct site *site, const struct language_field *field, const struct path *path,
                      const struct dsl_value *value) {
    if (value->kind != DSL_OBJECT) {
        tell_kind(site, path, value, kind_wanted(field->field));
        return;
    }
    for (size_t i = 0; i < value->fields.n; i++) {
        const struct dsl_field *entry = &value->fields.items[i];
        struct path below = { path, entry->key.text, false };
        if (entry->overridden || entry->value.kind == DSL_NULL)
            continue;
        if (field->field->kind == FIELD_OBJECT_MAP)
            check_object(site, field, &below, &entry->value, "an object");
        else if (field->field->kind == FIELD_NUMBER_MAP)
            check_number(site, field, &below, &entry->value, "a number");
        else if (field->field->kind == FIELD_STRINGS_MAP)
            check_strings(site, field, &below, &entry->value, "a list of strings");
    }
}

static void check_value(const struct site *site, const struct language_field *field, const struct path *path,
                        const struct dsl_value *value) {
    const char *wanted = kind_wanted(field->field);
    switch (field->field->kind) {
    case FIELD_BOOL:
        if (value->kind != DSL_BOOL)
            tell_kind(site, path, value, wanted);
        break;
    case FIELD_INT_OR_AUTO:
        if (value->kind == DSL_STRING && str_eq_c(value->text, "auto"))
            break;
        check_integer(site, field, path, value, wanted);
        break;
    case FIELD_INT:
        check_integer(site, field, path, value, wanted);
        break;
    case FIELD_NUMBER:
        check_number(site, field, path, value, wanted);
        break;
    case FIELD_STRING:
    case FIELD_ENUM:
        check_string(site, field, path, value, wanted);
        break;
    case FIELD_DURATION:
        check_duration(site, field, path, value);
        break;
    case FIELD_TOKENS:
        check_tokens(site, field, path, value);
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

static void tell_unknown(const struct site *site, const struct language_block *block, const struct path *up,
                         const struct dsl_name *key) {
    vsr_str *names = ARENA_ARRAY(site->c->scratch, vsr_str, block->n_fields + 1);
    struct path path = { up, key->text, false };
    struct finding *finding;
    size_t n = 0;
    for (; n < block->n_fields; n++)
        names[n] = block->fields[n].name;
    if (site->block->also && !up)
        names[n++] = str_from_c(site->block->also);
    finding = lose(CHECK_TELL(site->c, CONSTRAINT, "C301", key->at, "%.*s: unknown field \"%.*s\"",
                              VSR_FMT(site->block->what), VSR_FMT(path_text(site->c->scratch, &path))));
    dsl_check_suggest_among(site->c, finding, key, names, n);
}

/* `param_size` of a model reference: text that belongs elsewhere in YAML. */
static bool is_also(const struct site *site, const struct path *up, const struct dsl_field *said) {
    struct path path = { up, said->key.text, false };
    if (up || !site->block->also || !str_eq_c(said->key.text, site->block->also))
        return false;
    if (said->value.kind != DSL_STRING && said->value.kind != DSL_NULL)
        tell_kind(site, &path, &said->value, "a string");
    return true;
}

static void check_said(const struct site *site, const struct language_block *block, const struct path *up,
                       const struct dsl_fields *fields) {
    for (size_t i = 0; i < fields->n; i++) {
        const struct dsl_field *said = &fields->items[i];
        const struct language_field *field;
        struct path path = { up, said->key.text, false };
        if (said->overridden || is_also(site, up, said))
            continue;
        field = language_field(block, said->key.text);
        if (!field)
            tell_unknown(site, block, up, &said->key);
        else if (said->value.kind != DSL_NULL && !site->block->names_only)
            check_value(site, field, &path, &said->value);
    }
}

/* Whether YAML gets something that the configuration takes when nothing is said. */
static bool has_unsaid(const struct language_field *field) {
    return field->zero == ZERO_WRITTEN && field->field->kind != FIELD_OBJECT && !(field->field->flags & FIELD_NONBLANK);
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

static void check_missing(const struct site *site, const struct language_block *block, const struct path *up,
                          const struct dsl_fields *fields, const struct dsl_fields *inherited,
                          const struct dsl_at *at) {
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = &block->fields[i];
        const struct dsl_field *said;
        struct path path = { up, field->name, false };
        if (!(field->field->flags & FIELD_REQUIRED))
            continue;
        said = said_of(field, fields, inherited);
        if (!said || said->value.kind == DSL_NULL) {
            if (!has_unsaid(field))
                CHECK_TELL(site->c, CONSTRAINT, "C305", *at, "%.*s is required", VSR_FMT(place(site, &path)));
        } else if (field->field->flags & FIELD_NONBLANK && is_empty(&said->value)) {
            CHECK_TELL(site->c, CONSTRAINT, "C305", said->value.at, "%.*s must not be empty",
                       VSR_FMT(place(site, &path)));
        }
    }
}

static void check_object(const struct site *site, const struct language_field *field, const struct path *path,
                         const struct dsl_value *value, const char *wanted) {
    if (value->kind != DSL_OBJECT) {
        if (!field->block || !field->block->schema || !field->block->schema->shorthand)
            tell_kind(site, path, value, wanted);
        return;
    }
    if (!field->block)
        return;
    check_said(site, field->block, path, &value->fields);
    if (!site->block->partial)
        check_missing(site, field->block, path, &value->fields, NULL, &value->at);
}

void dsl_check_block(struct check *c, const struct check_block *block) {
    struct site site = { c, block };
    check_said(&site, block->block, NULL, block->fields);
    if (!block->partial)
        check_missing(&site, block->block, NULL, block->fields, block->inherited, &block->at);
}

/* ---- bounds */

void dsl_check_bounds(struct check *c, vsr_str what, const struct dsl_fields *fields, const struct dsl_at *at) {
    double gt = 0, gte = 0, lt = 0, lte = 0, low, high;
    bool has_gt = dsl_check_number_of(fields, "gt", &gt), has_gte = dsl_check_number_of(fields, "gte", &gte);
    bool has_lt = dsl_check_number_of(fields, "lt", &lt), has_lte = dsl_check_number_of(fields, "lte", &lte);
    if (has_gt && has_gte)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s: gt and gte exclude each other", VSR_FMT(what));
    if (has_lt && has_lte)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s: lt and lte exclude each other", VSR_FMT(what));
    if (!has_gt && !has_gte && !has_lt && !has_lte)
        CHECK_TELL(c, CONSTRAINT, "C308", *at, "%.*s needs at least one of gt, gte, lt and lte", VSR_FMT(what));
    if ((has_gt == has_gte) || (has_lt == has_lte))
        return;
    low = has_gt ? gt : gte;
    high = has_lt ? lt : lte;
    if (low > high || (low == high && (has_gt || has_lt)))
        CHECK_TELL(c, CONSTRAINT, "C304", *at, "%.*s is empty: no number lies within these bounds", VSR_FMT(what));
}
