#include "config/env.h"

#include "core/arena.h"
#include "core/buf.h"

/* What one reference says. */
struct reference {
    vsr_str name;     /* empty for `${}` */
    vsr_str fallback; /* text behind `:-` or `-` */
    bool has_fallback;
    bool empty_counts; /* `-`: a variable that is set but empty is used */
    size_t len;        /* bytes of the reference, dollar included */
};

/* One level of the walk; paths are put together only when something is to be reported. */
struct step {
    const struct step *above;
    vsr_str key;                     /* in a mapping */
    const struct yaml_node *element; /* in a list */
    size_t index;
};

struct walk {
    const struct env *env;
    struct arena *arena;
    struct diag *diag;
    struct diag_at secret;
    size_t bytes_left; /* for substituted text */
};

/* ---- reading references */

static bool is_name_char(char c) {
    return ascii_is_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* `${...}`: the name ends at the first `:-`, or else at the first `-`; neither may come first. */
static struct reference braced(vsr_str body) {
    struct reference ref = { .name = body, .len = body.len + 3 };
    ptrdiff_t at = str_find(body, VSR_STR(":-"));
    size_t operator_len = 2;
    if (at <= 0) {
        at = str_find_char(body, '-');
        operator_len = 1;
    }
    if (at > 0) {
        ref.name = str_sub(body, 0, (size_t)at);
        ref.fallback = str_sub(body, (size_t)at + operator_len, body.len);
        ref.has_fallback = true;
        ref.empty_counts = operator_len == 1;
    }
    return ref;
}

/* Reads the reference at the front of `text`, which begins with a dollar. False: the dollar stands for itself. */
static bool read_reference(vsr_str text, struct reference *ret_ref) {
    size_t len = 1;
    if (text.len > 1 && text.ptr[1] == '{') {
        ptrdiff_t end = str_find_char(text, '}');
        if (end < 0)
            return false;
        *ret_ref = braced(str_sub(text, 2, (size_t)end));
        return true;
    }
    while (len < text.len && is_name_char(text.ptr[len]))
        len++;
    *ret_ref = (struct reference){ .name = str_sub(text, 1, len), .len = len };
    return len > 1;
}

static bool has_reference(vsr_str text) {
    struct reference ref;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '$')
            continue;
        if (i + 1 < text.len && text.ptr[i + 1] == '$')
            i++;
        else if (read_reference(str_sub(text, i, text.len), &ref))
            return true;
    }
    return false;
}

static bool is_name(vsr_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_name_char(text.ptr[i]))
            return false;
    return text.len > 0;
}

bool env_is_bare_reference(vsr_str text) {
    if (!str_starts(text, VSR_STR("$")))
        return false;
    if (str_starts(text, VSR_STR("${")) && text.ptr[text.len - 1] == '}') {
        struct reference ref = braced(str_sub(text, 2, text.len - 1));
        return is_name(ref.name) && ref.fallback.len == 0;
    }
    return is_name(str_sub(text, 1, text.len));
}

/* ---- looking up */

/* NULL when unset, or when it cannot be the name of a variable. */
static const char *look_up(const struct env *env, vsr_str name, struct arena *arena) {
    if (name.len == 0 || memchr(name.ptr, 0, name.len) || memchr(name.ptr, '=', name.len))
        return NULL;
    return env->get(env->data, arena_c_str(arena, name));
}

static void report_unset(const struct env *env, vsr_str name, struct diag_at at, struct diag *diag) {
    if (env->strict)
        diag_error(diag, "E_ENV", at, VSR_STR(""), "environment variable %.*s is not set", VSR_FMT(name));
    else
        diag_warn(diag, "W_ENV", at, VSR_STR(""), "environment variable %.*s is not set", VSR_FMT(name));
}

vsr_str env_value(const struct env *env, vsr_str name, struct diag_at at, struct arena *arena, struct diag *diag) {
    const char *value;
    if (env->keep)
        return VSR_STR("");
    value = look_up(env, name, arena);
    if (!value)
        report_unset(env, name, at, diag);
    return arena_str(arena, str_from_c(value));
}

static vsr_str step_path(struct arena *arena, const struct step *step) {
    vsr_str above;
    if (!step)
        return VSR_STR("");
    above = step_path(arena, step->above);
    return step->element ? schema_element_path(arena, above, step->element, step->index)
                         : schema_path(arena, above, step->key);
}

static vsr_str resolve(struct walk *w, const struct reference *ref, const struct yaml_node *node,
                       const struct step *step) {
    const char *value = look_up(w->env, ref->name, w->arena);
    if (value && (*value || ref->empty_counts || !ref->has_fallback))
        return str_from_c(value);
    if (!ref->has_fallback && ref->name.len)
        report_unset(w->env, ref->name, (struct diag_at){ node->line, node->col, step_path(w->arena, step) }, w->diag);
    return ref->fallback;
}

/* ---- substituting */

static void expand(struct walk *w, const struct yaml_node *node, const struct step *step, struct buf *out) {
    vsr_str text = node->text;
    while (text.len) {
        ptrdiff_t dollar = str_find_char(text, '$');
        struct reference ref = { .len = 1 };
        if (dollar < 0)
            break;
        buf_append(out, str_sub(text, 0, (size_t)dollar));
        text = str_sub(text, (size_t)dollar, text.len);
        if (text.len > 1 && text.ptr[1] == '$') {
            buf_append_char(out, '$');
            ref.len = 2;
        } else if (read_reference(text, &ref)) {
            buf_append(out, resolve(w, &ref, node, step));
        } else {
            buf_append_char(out, '$');
            ref.len = 1;
        }
        text = str_sub(text, ref.len, text.len);
    }
    buf_append(out, text);
}

static void substitute(struct walk *w, struct yaml_node **slot, const struct step *step) {
    struct yaml_node *node = *slot, *fresh;
    struct buf out;
    buf_init(&out, w->bytes_left);
    expand(w, node, step, &out);
    if (buf_failed(&out)) {
        diag_error(w->diag, "E_ENV", (struct diag_at){ node->line, node->col, step_path(w->arena, step) }, VSR_STR(""),
                   "the document with its variables replaced is larger than %d bytes", YAML_BYTES_MAX);
    } else if (!str_eq(buf_str(&out), node->text)) {
        fresh = ARENA_NEW(w->arena, struct yaml_node);
        *fresh = *node;
        fresh->text = arena_str(w->arena, buf_str(&out));
        fresh->source = node->text;
        fresh->substituted = true;
        w->bytes_left -= out.len;
        *slot = fresh;
    }
    buf_done(&out);
}

/* An address with a place for credentials that nobody has put any in: a proxy without a password. */
static bool is_plain_address(vsr_str text) {
    return (str_starts(text, VSR_STR("http://")) || str_starts(text, VSR_STR("https://"))) &&
           str_find_char(text, '@') < 0 && str_find_char(text, '?') < 0;
}

static void note_secret(struct walk *w, const struct yaml_node *node, const struct step *step) {
    if (w->secret.line || node->text.len == 0 || has_reference(node->text) || node->substituted ||
        is_plain_address(node->text))
        return;
    w->secret = (struct diag_at){ node->line, node->col, step_path(w->arena, step) };
}

static void visit_scalar(struct walk *w, struct yaml_node **slot, const struct step *step, unsigned flags) {
    struct yaml_node *node = *slot;
    if (flags & FIELD_SECRET)
        note_secret(w, node, step);
    if (flags & FIELD_VERBATIM || node->substituted || !node->text.len || !memchr(node->text.ptr, '$', node->text.len))
        return;
    if (w->env->keep)
        node->reference = has_reference(node->text);
    else
        substitute(w, slot, step);
}

/* ---- walking */

static void visit_object(struct walk *w, const struct schema *schema, struct yaml_node **slot, const struct step *step);

/* Everything below, without a schema. */
static void visit_plain(struct walk *w, struct yaml_node **slot, const struct step *step, unsigned flags,
                        bool is_pairs) {
    struct yaml_node *node = *slot;
    if (node->kind == YAML_SCALAR)
        visit_scalar(w, slot, step, flags);
    if (node->kind != YAML_SEQUENCE && node->kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i < node->n_items; i++) {
        bool in_list = node->kind == YAML_SEQUENCE;
        struct step next = { step, in_list ? VSR_STR("") : node->keys[i]->text, in_list ? node->items[i] : NULL, i };
        unsigned below = flags;
        if (is_pairs && !in_list && !schema_sounds_secret(node->keys[i]->text))
            below &= ~(unsigned)FIELD_SECRET;
        visit_plain(w, &node->items[i], &next, below, false);
    }
}

static void visit_objects(struct walk *w, const struct schema *schema, struct yaml_node *node,
                          const struct step *step) {
    if (node->kind != YAML_SEQUENCE && node->kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i < node->n_items; i++) {
        bool in_list = node->kind == YAML_SEQUENCE;
        struct step next = { step, in_list ? VSR_STR("") : node->keys[i]->text, in_list ? node->items[i] : NULL, i };
        visit_object(w, schema, &node->items[i], &next);
    }
}

/* One that names no table is refused later, or takes no block. */
static void visit_variant(struct walk *w, const struct field_variant *variant, struct yaml_node **slot,
                          const struct step *step) {
    if (variant && variant->schema)
        visit_object(w, variant->schema, slot, step);
}

static void visit_field(struct walk *w, const struct schema *schema, const struct field *field,
                        struct yaml_node *object, struct yaml_node **slot, const struct step *step) {
    unsigned flags = field->flags;
    if (flags & FIELD_VERBATIM && schema->verbatim && !schema->verbatim(object, field))
        flags &= ~(unsigned)FIELD_VERBATIM;
    switch (field->kind) {
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        visit_object(w, field->object, slot, step);
        break;
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        visit_objects(w, field->object, *slot, step);
        break;
    case FIELD_VARIANT:
        visit_variant(w, schema_variant(schema, field, object), slot, step);
        break;
    default:
        visit_plain(w, slot, step, flags, field->kind == FIELD_PAIRS);
        break;
    }
}

/* Keys that the schema does not know are errors of their own, or ignored. */
static void visit_fields(struct walk *w, const struct schema *schema, struct yaml_node *node, const struct step *step,
                         bool variants) {
    for (size_t i = 0; i < node->n_items; i++) {
        const struct field *field = schema_field(schema, node->keys[i]->text);
        struct step next = { step, node->keys[i]->text, NULL, 0 };
        if (field && (field->kind == FIELD_VARIANT) == variants)
            visit_field(w, schema, field, node, &node->items[i], &next);
    }
}

static void visit_object(struct walk *w, const struct schema *schema, struct yaml_node **slot,
                         const struct step *step) {
    struct yaml_node *node = *slot;
    if (node->kind == YAML_SCALAR)
        visit_scalar(w, slot, step, 0);
    if (node->kind != YAML_MAPPING)
        return;
    visit_fields(w, schema, node, step, false);
    visit_fields(w, schema, node, step, true); /* their selectors may come from the environment */
}

void env_substitute(const struct env *env, const struct schema *schema, struct yaml_node *root, struct arena *arena,
                    struct diag *diag, struct diag_at *ret_secret) {
    struct walk w = { .env = env, .arena = arena, .diag = diag, .bytes_left = YAML_BYTES_MAX };
    visit_object(&w, schema, &root, NULL);
    *ret_secret = w.secret;
}
