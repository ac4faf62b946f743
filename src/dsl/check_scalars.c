#include "dsl/check_scalars.h"

#include <math.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/spelling.h"

enum { CHOICES_LEN_MAX = 1024, CHOICES_MAX = 64, NUMBER_LEN_MAX = 512 };

/* ---- where a value stands */

vsr_str dsl_check_path_text(struct arena *arena, const struct check_path *path) {
    vsr_str text = path ? path->key : VSR_STR("");
    for (path = path ? path->up : NULL; path; path = path->up)
        text = arena_printf(arena, "%.*s.%.*s", VSR_FMT(path->key), VSR_FMT(text));
    return text;
}

vsr_str dsl_check_place(const struct check_site *site, const struct check_path *path) {
    return arena_printf(site->c->scratch, "%.*s: %s%.*s", VSR_FMT(site->block->what), path->item ? "each of " : "",
                        VSR_FMT(dsl_check_path_text(site->c->scratch, path)));
}

/* ---- kinds */

const char *dsl_check_wanted(const struct field *field) {
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

static vsr_str shown(const struct check_site *site, const struct dsl_value *value) {
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

void dsl_check_tell_kind(const struct check_site *site, const struct check_path *path, const struct dsl_value *value,
                         const char *wanted) {
    struct finding *finding = CHECK_TELL(site->c, CONSTRAINT, "C302", value->at, "%.*s should be %s, got %.*s",
                                         VSR_FMT(dsl_check_place(site, path)), wanted, VSR_FMT(shown(site, value)));
    if (finding)
        finding->lost = true;
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

static void tell_range(const struct check_site *site, const struct check_path *path, const struct dsl_value *value,
                       const char *relation, double bound, bool fixable) {
    vsr_str text = number_text(site->c->scratch, bound);
    struct finding *finding =
        CHECK_TELL(site->c, CONSTRAINT, "C310", value->at, "%.*s must be %s %.*s, got %.*s",
                   VSR_FMT(dsl_check_place(site, path)), relation, VSR_FMT(text), VSR_FMT(value->text));
    if (fixable)
        finding_fix(finding, value->at, text, "set to %.*s", VSR_FMT(text));
}

/* A zero that is not written says nothing (dsl.md §4), so that no limit holds for it. */
static void check_range(const struct check_site *site, const struct language_field *field,
                        const struct check_path *path, const struct dsl_value *value, double number) {
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

void dsl_check_integer(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                       const struct dsl_value *value, const char *wanted) {
    bool whole = value->kind == DSL_INT || (value->kind == DSL_FLOAT && value->number == trunc(value->number));
    if (value->kind == DSL_INT || (whole && fabs(value->number) < 0x1p63))
        check_range(site, field, path, value, value->number);
    else
        dsl_check_tell_kind(site, path, value, whole ? "an integer of 64 bits" : wanted);
}

void dsl_check_number(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value, const char *wanted) {
    if (dsl_is_number(value))
        check_range(site, field, path, value, value->number);
    else
        dsl_check_tell_kind(site, path, value, wanted);
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

static void tell_choice(const struct check_site *site, const struct field *field, const struct check_path *path,
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
                         VSR_FMT(dsl_check_place(site, path)), VSR_FMT(buf_str(&list)), VSR_FMT(value->text));
    buf_done(&list);
    dsl_check_suggest_among(site->c, finding, &found, names, n);
}

void dsl_check_string(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value, const char *wanted) {
    const struct field *of = field->field;
    if (value->kind != DSL_STRING) {
        dsl_check_tell_kind(site, path, value, wanted);
        return;
    }
    if (!of->choices || of->flags & FIELD_HINT || site->block->contract)
        return;
    if ((value->text.len || field->zero == ZERO_KEPT) && !is_choice(of, language_canonical(field, value->text)))
        tell_choice(site, of, path, value);
}

void dsl_check_duration(const struct check_site *site, const struct language_field *field,
                        const struct check_path *path, const struct dsl_value *value) {
    int64_t ms = 0;
    if (value->kind == DSL_STRING && schema_duration(value->text, &ms))
        check_range(site, field, path, value, (double)ms);
    else
        dsl_check_tell_kind(site, path, value, dsl_check_wanted(field->field));
}

/* A number works, but only here: other readers of the language want text. */
void dsl_check_tokens(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value) {
    int64_t tokens = 0;
    if ((value->kind != DSL_STRING && !dsl_is_number(value)) || !schema_tokens(value->text, &tokens)) {
        dsl_check_tell_kind(site, path, value, dsl_check_wanted(field->field));
        return;
    }
    if (dsl_is_number(value))
        CHECK_TELL(site->c, CONSTRAINT, "C302", value->at, "%.*s should be a string token count such as \"%.*s\"",
                   VSR_FMT(dsl_check_place(site, path)), VSR_FMT(value->text));
    check_range(site, field, path, value, (double)tokens);
}
