#include "config/schema_text.h"

#include <math.h>

#include "core/buf.h"

/* ---- numbers and words */

static void print_bound(const struct field *field, double bound, struct buf *out) {
    if (field->kind == FIELD_DURATION && bound >= 1000 && fmod(bound, 1000) == 0)
        buf_printf(out, "%.0fs", bound / 1000);
    else if (field->kind == FIELD_DURATION && bound > 0)
        buf_printf(out, "%.0fms", bound);
    else
        buf_printf(out, "%.12g", bound);
}

static void print_range(const struct field *field, struct buf *out) {
    bool open = field->flags & FIELD_LEAST_OPEN;
    if (!(field->flags & FIELD_RANGE))
        return;
    if (isinf(field->least) && isinf(field->greatest))
        return;
    if (isinf(field->least)) {
        buf_append_c(out, ", at most ");
        print_bound(field, field->greatest, out);
        return;
    }
    if (isinf(field->greatest)) {
        buf_append_c(out, open ? ", greater than " : ", at least ");
        print_bound(field, field->least, out);
        return;
    }
    buf_append_c(out, open ? ", greater than " : ", ");
    print_bound(field, field->least, out);
    buf_append_c(out, open ? ", at most " : " to ");
    print_bound(field, field->greatest, out);
}

static void print_words(const char *const *words, const char *quote, struct buf *out) {
    size_t n_words = 0;
    for (size_t i = 0; words[i]; i++)
        n_words += *words[i] != 0;
    buf_append_c(out, n_words > 1 ? "one of " : "");
    for (size_t i = 0, n = 0; words[i]; i++)
        if (*words[i]) /* the empty one stands for "not written" */
            buf_printf(out, "%s%s%s%s", n++ ? ", " : "", quote, words[i], quote);
}

/* ---- rows */

static const char *kind_text(enum field_kind kind) {
    switch (kind) {
    case FIELD_BOOL:
        return "true or false";
    case FIELD_INT:
        return "integer";
    case FIELD_NUMBER:
        return "number";
    case FIELD_STRING:
        return "text";
    case FIELD_ENUM:
        return "";
    case FIELD_DURATION:
        return "duration";
    case FIELD_TOKENS:
        return "token count";
    case FIELD_STRINGS:
        return "list of texts";
    case FIELD_STRING_LISTS:
        return "list of lists of texts";
    case FIELD_PAIRS:
        return "texts by name";
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return "block";
    case FIELD_OBJECTS:
        return "list of blocks";
    case FIELD_OBJECT_MAP:
        return "blocks by name";
    case FIELD_NODE:
        return "anything";
    case FIELD_INT_OR_AUTO:
        return "integer or auto";
    case FIELD_NUMBER_LIST:
        return "list of numbers";
    case FIELD_INT_LIST:
        return "list of integers";
    case FIELD_NUMBER_MAP:
        return "numbers by name";
    case FIELD_STRINGS_MAP:
        return "lists of texts by name";
    case FIELD_VARIANT:
        return "block, by ";
    }
    return "";
}

void schema_text_type(const struct field *field, const char *quote, struct buf *out) {
    if (field->kind == FIELD_PAIRS && field->flags & FIELD_ANY)
        buf_append_c(out, "values by name");
    else if (field->kind != FIELD_STRING || !field->choices)
        buf_append_c(out, kind_text(field->kind));
    if (field->kind == FIELD_VARIANT)
        buf_printf(out, "%s%s%s", quote, field->selector, quote);
    if (field->kind == FIELD_STRINGS && field->choices)
        buf_append_c(out, ", each ");
    if (field->choices)
        print_words(field->choices, quote, out);
    print_range(field, out);
    if (field->flags & FIELD_SECRET && field->kind != FIELD_PAIRS)
        buf_append_c(out, ", secret");
    if (field->flags & FIELD_NONBLANK && field->kind != FIELD_STRING)
        buf_append_c(out, ", not empty");
}

vsr_str schema_text_default(const struct field *field) {
    if (field->flags & FIELD_REQUIRED)
        return VSR_STR("required");
    if (field->fallback)
        return *field->fallback ? str_from_c(field->fallback) : VSR_STR("\"\"");
    if (field->kind == FIELD_BOOL && !(field->flags & FIELD_UNSET))
        return VSR_STR("false");
    return VSR_STR("");
}

bool schema_has_block(const struct field *field) {
    return field->object || field->n_variants > 0;
}

const char *schema_text_step(const struct field *field) {
    switch (field->kind) {
    case FIELD_OBJECTS:
        return "[]";
    case FIELD_OBJECT_MAP:
        return ".NAME";
    default:
        return "";
    }
}
