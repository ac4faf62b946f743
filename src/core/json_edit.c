/*
 * Edits hang on a tree of places that mirrors the touched part of the document and nothing else:
 *
 *     {"model":"a","messages":[M0,M1]}      root KEPT
 *                                           |-- inner: model RAW "\"b\""
 *     set model "b"                         |-- inner: messages KEPT, inserts: at 2 M2
 *     append messages M2                    `-- made:  stream_options OBJECT
 *     set stream_options.include_usage               `-- made: include_usage RAW "true"
 *
 * A path is walked step by step from the root with a list of places, because a duplicated key leads to several; all are
 * found before the first is changed, so an edit that fails changes nothing. Places that a failed or dropped edit made
 * along the way are KEPT or ABSENT, which is what they stood for already.
 *
 * Invariants: `inner` ascends by ref. A place without a ref never is KEPT or DELETED. An OBJECT that stands for
 * something missing has at least one member that is not ABSENT, so state alone says what is written.
 */
#include "core/json_edit.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"

enum place_state {
    PLACE_KEPT,    /* the original value, perhaps with edits inside */
    PLACE_ABSENT,  /* a missing member, still missing */
    PLACE_RAW,     /* the text in `raw` */
    PLACE_DELETED, /* the original value goes */
    PLACE_OBJECT,  /* new: the members in `made` */
    PLACE_ARRAY,   /* new: the values in `inserts` */
};

struct insert {
    struct insert *next;
    size_t index; /* before this element of the original array */
    vsr_str raw;
};

struct place {
    struct place *parent;
    struct place *next; /* sibling in `inner` or `made` */
    struct place *next_found;
    json_ref ref; /* JSON_NONE: a missing member */
    vsr_str key;  /* of a missing member */
    enum place_state state;
    vsr_str raw;
    struct place *inner, *recent;          /* children that are in the document; the one found last */
    struct place *made, *made_last;        /* members that are not, in order of first mention */
    struct insert *inserts, *inserts_last; /* by index, then by call */
    size_t n_elements;                     /* of an array; SIZE_MAX until counted */
    size_t element_index;                  /* the element looked up last, so that a walk in order is linear */
    json_ref element;
};

struct json_edit {
    struct arena *arena;
    const struct json_doc *doc;
    struct place *root;
    size_t added_len; /* roughly what the edits add to the text */
    bool changed;
};

/* What one call asks for, and where the walk stands; for error messages too. */
struct request {
    struct json_edit *edit;
    const struct json_step *path;
    size_t n_steps;
    size_t step;
    bool make; /* missing members come into being; what does not fit is an error */
    struct vsr_err *err;
};

enum { PATH_TEXT_LEN = VSR_ERR_WHERE_LEN };

static void path_text(const struct request *q, size_t n_steps, char out[static PATH_TEXT_LEN]) {
    size_t len = 1;
    out[0] = '$';
    out[1] = '\0';
    for (size_t i = 0; i < n_steps && len < PATH_TEXT_LEN; i++) {
        const struct json_step *step = &q->path[i];
        size_t room = PATH_TEXT_LEN - len;
        int n = step->key.ptr ? snprintf(out + len, room, ".%.*s", VSR_FMT(step->key))
                              : snprintf(out + len, room, "[%zu]", step->index);
        len += n > 0 ? (size_t)n : 0;
    }
}

/* Says that the value which the first `n_steps` steps lead to is not what the edit needs. */
static int fail(const struct request *q, size_t n_steps, int code, const char *text) {
    char where[PATH_TEXT_LEN];
    if (!q->err)
        return code;
    path_text(q, n_steps, where);
    (void)err_set(q->err, code, "%s", text);
    err_at(q->err, str_from_c(where), 0, 0);
    return code;
}

static int fail_memory(const struct request *q) {
    return err_set(q->err, VSR_E_NOMEM, "out of memory for an edit of a JSON text");
}

static bool copy_text(struct arena *arena, vsr_str text, vsr_str *ret_copy) {
    char *copy = arena_try_alloc_raw(arena, text.len);
    if (!copy)
        return false;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    *ret_copy = str_make(copy, text.len);
    return true;
}

static struct place *place_new(struct arena *arena, struct place *parent, json_ref ref, enum place_state state) {
    struct place *place = arena_try_alloc(arena, sizeof(*place));
    if (!place)
        return NULL;
    place->parent = parent;
    place->ref = ref;
    place->state = state;
    place->n_elements = SIZE_MAX;
    place->element = JSON_NONE;
    return place;
}

struct json_edit *json_edit_new(struct arena *arena, const struct json_doc *doc) {
    struct json_edit *edit = ARENA_NEW(arena, struct json_edit);
    edit->arena = arena;
    edit->doc = doc;
    edit->root = place_new(arena, NULL, 0, PLACE_KEPT);
    if (!edit->root)
        vsr_out_of_memory(sizeof(*edit->root));
    return edit;
}

/* A null counts as missing where something is to be put into it, as clients write it for "not set". */
static bool is_missing(const struct json_edit *edit, const struct place *place) {
    return place->state == PLACE_ABSENT || (place->state == PLACE_KEPT && json_is(edit->doc, place->ref, JSON_NULL));
}

static bool is_kept(const struct json_edit *edit, const struct place *place, enum json_type type) {
    return place->state == PLACE_KEPT && json_is(edit->doc, place->ref, type);
}

/* Edits inside these are dropped. */
static bool is_final(const struct place *place) {
    return place->state == PLACE_RAW || place->state == PLACE_DELETED;
}

/* The place of the original value `ref` inside `parent`. NULL without memory. */
static struct place *inner_place(struct json_edit *edit, struct place *parent, json_ref ref) {
    struct place *before = parent->recent && parent->recent->ref <= ref ? parent->recent : NULL;
    struct place **link = before ? &before->next : &parent->inner, *place;
    if (before && before->ref == ref)
        return before;
    while (*link && (*link)->ref < ref)
        link = &(*link)->next;
    if (!*link || (*link)->ref != ref) {
        place = place_new(edit->arena, parent, ref, PLACE_KEPT);
        if (!place)
            return NULL;
        place->next = *link;
        *link = place;
    }
    parent->recent = *link;
    return *link;
}

static struct place *made_find(const struct place *parent, vsr_str key) {
    struct place *place = parent->made;
    while (place && !str_eq(place->key, key))
        place = place->next;
    return place;
}

static struct place *made_add(struct json_edit *edit, struct place *parent, vsr_str key) {
    struct place *place = place_new(edit->arena, parent, JSON_NONE, PLACE_ABSENT);
    if (!place || !copy_text(edit->arena, key, &place->key))
        return NULL;
    if (parent->made_last)
        parent->made_last->next = place;
    else
        parent->made = place;
    parent->made_last = place;
    return place;
}

/* Places found by a walk, in the document's order. */
struct found {
    struct place *first, *last;
};

static void found_add(struct found *found, struct place *place) {
    place->next_found = NULL;
    if (found->last)
        found->last->next_found = place;
    else
        found->first = place;
    found->last = place;
}

static int into_missing_member(const struct request *q, struct place *parent, struct found *ret) {
    vsr_str key = q->path[q->step].key;
    struct place *place = made_find(parent, key);
    if (!place && q->make) {
        place = made_add(q->edit, parent, key);
        if (!place)
            return fail_memory(q);
    }
    if (place)
        found_add(ret, place);
    return 0;
}

static int into_members(const struct request *q, struct place *parent, struct found *ret) {
    const struct json_doc *doc = q->edit->doc;
    const struct json_node *object = &doc->nodes[parent->ref];
    bool any = false;
    for (json_ref key = parent->ref + 1; key < object->next; key = doc->nodes[key + 1].next) {
        struct place *place;
        if (!json_str_eq(doc, key, q->path[q->step].key))
            continue;
        place = inner_place(q->edit, parent, key + 1);
        if (!place)
            return fail_memory(q);
        found_add(ret, place);
        any = true;
        if (!(object->flags & JSON_FLAG_DUPLICATE))
            break;
    }
    return any ? 0 : into_missing_member(q, parent, ret);
}

static json_ref element_at(const struct json_doc *doc, struct place *array, size_t index) {
    json_ref end = doc->nodes[array->ref].next;
    if (array->element == JSON_NONE || array->element_index > index) {
        array->element = array->ref + 1;
        array->element_index = 0;
    }
    while (array->element < end && array->element_index < index) {
        array->element = doc->nodes[array->element].next;
        array->element_index++;
    }
    return array->element < end ? array->element : JSON_NONE;
}

static int into_element(const struct request *q, struct place *parent, struct found *ret) {
    json_ref element = element_at(q->edit->doc, parent, q->path[q->step].index);
    struct place *place;
    if (element == JSON_NONE)
        return q->make ? fail(q, q->step + 1, VSR_E_NOT_FOUND, "no such element") : 0;
    place = inner_place(q->edit, parent, element);
    if (!place)
        return fail_memory(q);
    found_add(ret, place);
    return 0;
}

/* One step from `parent`: adds where it leads to `ret`. */
static int step_into(const struct request *q, struct place *parent, struct found *ret) {
    bool by_key = q->path[q->step].key.ptr != NULL;
    if (is_final(parent))
        return 0;
    if (by_key && is_kept(q->edit, parent, JSON_OBJECT))
        return into_members(q, parent, ret);
    if (by_key && (parent->state == PLACE_OBJECT || is_missing(q->edit, parent)))
        return into_missing_member(q, parent, ret);
    if (!by_key && is_kept(q->edit, parent, JSON_ARRAY))
        return into_element(q, parent, ret);
    if (!q->make)
        return 0;
    if (!by_key && (parent->state == PLACE_ARRAY || is_missing(q->edit, parent)))
        return fail(q, q->step + 1, VSR_E_NOT_FOUND, "no such element");
    return fail(q, q->step, VSR_E_INVALID, by_key ? "not an object" : "not an array");
}

/* Walks `n_steps` of the path and lists the places it leads to. */
static int walk(struct request *q, size_t n_steps, struct found *ret) {
    struct found here = { NULL, NULL };
    if (n_steps > JSON_DEPTH_MAX)
        return err_set(q->err, VSR_E_LIMIT, "JSON path longer than %d steps", JSON_DEPTH_MAX);
    found_add(&here, q->edit->root);
    for (q->step = 0; q->step < n_steps; q->step++) {
        struct found there = { NULL, NULL };
        for (struct place *place = here.first; place; place = place->next_found) {
            int rc = step_into(q, place, &there);
            if (rc < 0)
                return rc;
        }
        here = there;
    }
    *ret = here;
    return 0;
}

/* A missing place now is there, so the missing objects around it are too. */
static void make_parents(const struct json_edit *edit, struct place *place) {
    for (place = place->parent; place && is_missing(edit, place); place = place->parent)
        place->state = PLACE_OBJECT;
}

/* A made place is missing again, and with it the new objects that held nothing else. */
static void unmake(struct place *place) {
    place->state = PLACE_ABSENT;
    place->made = place->made_last = NULL;
    place->inserts = place->inserts_last = NULL;
    for (place = place->parent; place && place->state == PLACE_OBJECT; place = place->parent) {
        for (const struct place *member = place->made; member; member = member->next) {
            if (member->state != PLACE_ABSENT)
                return;
        }
        place->state = place->ref == JSON_NONE ? PLACE_ABSENT : PLACE_KEPT;
    }
}

static void note_change(struct json_edit *edit, const struct place *place, vsr_str raw) {
    enum { MARKS_LEN = 4 }; /* quotes, colon, comma */
    edit->changed = true;
    edit->added_len += raw.len + place->key.len + MARKS_LEN;
}

int json_edit_set(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                  struct vsr_err *err) {
    struct request q = { .edit = edit, .path = path, .n_steps = n_steps, .make = true, .err = err };
    struct found found = { NULL, NULL };
    vsr_str copy;
    int rc = walk(&q, n_steps, &found);
    if (rc < 0 || !found.first)
        return rc;
    if (!copy_text(edit->arena, raw, &copy))
        return fail_memory(&q);
    for (struct place *place = found.first; place; place = place->next_found) {
        place->state = PLACE_RAW;
        place->raw = copy;
        make_parents(edit, place);
        note_change(edit, place, copy);
    }
    return 0;
}

int json_edit_delete(struct json_edit *edit, const struct json_step *path, size_t n_steps, struct vsr_err *err) {
    struct request q = { .edit = edit, .path = path, .n_steps = n_steps, .err = err };
    struct found found = { NULL, NULL };
    int rc;
    if (n_steps == 0)
        return fail(&q, 0, VSR_E_INVALID, "the whole document cannot be deleted");
    rc = walk(&q, n_steps, &found);
    if (rc < 0)
        return rc;
    for (struct place *place = found.first; place; place = place->next_found) {
        if (place->ref == JSON_NONE) {
            unmake(place);
        } else {
            place->state = PLACE_DELETED;
            edit->changed = true;
        }
    }
    return 0;
}

static size_t n_elements(const struct json_edit *edit, struct place *array) {
    if (array->n_elements == SIZE_MAX)
        array->n_elements = json_count(edit->doc, array->ref);
    return array->n_elements;
}

/* Behind the inserts at the same index, before those at a greater one. */
static int add_insert(const struct request *q, struct place *array, size_t index, vsr_str raw) {
    struct insert *insert = arena_try_alloc_raw(q->edit->arena, sizeof(*insert)), **link = &array->inserts;
    if (!insert)
        return fail_memory(q);
    if (array->inserts_last && array->inserts_last->index <= index)
        link = &array->inserts_last->next;
    while (*link && (*link)->index <= index)
        link = &(*link)->next;
    *insert = (struct insert){ *link, index, raw };
    *link = insert;
    if (!insert->next)
        array->inserts_last = insert;
    note_change(q->edit, array, raw);
    return 0;
}

int json_edit_insert(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                     struct vsr_err *err) {
    struct request q = { .edit = edit, .path = path, .n_steps = n_steps, .make = true, .err = err };
    struct found found = { NULL, NULL };
    vsr_str copy;
    size_t index;
    int rc;
    if (n_steps == 0 || path[n_steps - 1].key.ptr)
        return fail(&q, n_steps, VSR_E_INVALID, "an insert needs an index as its last step");
    index = path[n_steps - 1].index;
    rc = walk(&q, n_steps - 1, &found);
    if (rc < 0)
        return rc;
    for (struct place *place = found.first; rc == 0 && place; place = place->next_found) {
        if (is_kept(edit, place, JSON_ARRAY) ? index > n_elements(edit, place)
                                             : place->state == PLACE_ARRAY || is_missing(edit, place))
            rc = fail(&q, n_steps, VSR_E_NOT_FOUND, "no such element");
        else if (!is_kept(edit, place, JSON_ARRAY) && !is_final(place))
            rc = fail(&q, n_steps - 1, VSR_E_INVALID, "not an array");
    }
    if (rc < 0)
        return rc;
    if (!copy_text(edit->arena, raw, &copy))
        return fail_memory(&q);
    for (struct place *place = found.first; rc == 0 && place; place = place->next_found) {
        if (!is_final(place))
            rc = add_insert(&q, place, index, copy);
    }
    return rc;
}

static int append_one(const struct request *q, struct place *place, vsr_str raw) {
    if (is_final(place))
        return 0;
    if (is_kept(q->edit, place, JSON_ARRAY))
        return add_insert(q, place, n_elements(q->edit, place), raw);
    place->state = PLACE_ARRAY;
    make_parents(q->edit, place);
    return add_insert(q, place, 0, raw);
}

int json_edit_append(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                     struct vsr_err *err) {
    struct request q = { .edit = edit, .path = path, .n_steps = n_steps, .make = true, .err = err };
    struct found found = { NULL, NULL };
    vsr_str copy;
    int rc = walk(&q, n_steps, &found);
    if (rc < 0)
        return rc;
    for (struct place *place = found.first; place; place = place->next_found) {
        if (!is_final(place) && !is_missing(edit, place) && place->state != PLACE_ARRAY &&
            !is_kept(edit, place, JSON_ARRAY))
            return fail(&q, n_steps, VSR_E_INVALID, "not an array");
    }
    if (!copy_text(edit->arena, raw, &copy))
        return fail_memory(&q);
    for (struct place *place = found.first; rc == 0 && place; place = place->next_found)
        rc = append_one(&q, place, copy);
    return rc;
}

bool json_edit_changed(const struct json_edit *edit) {
    return edit->changed;
}

/* Collects neighbouring pieces of the source, so that untouched stretches are copied at once. */
struct output {
    const struct json_doc *doc;
    struct buf *buf;
    size_t from, to; /* source bytes not yet written */
};

static void flush(struct output *out) {
    (void)buf_append(out->buf, str_make(out->doc->text.ptr + out->from, out->to - out->from));
    out->from = out->to;
}

static void put_source(struct output *out, size_t from, size_t to) {
    if (out->to != from) {
        flush(out);
        out->from = from;
    }
    out->to = to;
}

static void put_text(struct output *out, vsr_str text) {
    flush(out);
    (void)buf_append(out->buf, text);
}

/*
 * What stands between two items of a container. Behind an original item it is the original bytes up to the next one;
 * behind the last of them and behind new ones, a comma. So an insertion adds its own bytes and one comma, and a
 * deletion takes an item with the bytes behind it.
 */
struct gap {
    size_t from, to;
    bool comma;
    bool any; /* an item was written */
};

static void put_gap(struct output *out, struct gap *gap) {
    if (gap->comma)
        put_text(out, VSR_STR(","));
    else
        put_source(out, gap->from, gap->to);
    gap->any = true;
    gap->comma = true;
}

static void put_value(struct output *out, const struct place *place);

static void put_made(struct output *out, const struct place *parent, struct gap *gap) {
    for (const struct place *member = parent->made; member; member = member->next) {
        if (member->state == PLACE_ABSENT)
            continue;
        put_gap(out, gap);
        flush(out);
        json_quote(out->buf, member->key);
        put_text(out, VSR_STR(":"));
        put_value(out, member);
    }
}

static const struct insert *put_inserts(struct output *out, const struct insert *insert, size_t index,
                                        struct gap *gap) {
    for (; insert && insert->index == index; insert = insert->next) {
        put_gap(out, gap);
        put_text(out, insert->raw);
    }
    return insert;
}

/*
 * Writes the original items of a container, edited, with the inserts among them. Returns where the last original item
 * ends.
 * `*gap` starts as the bytes behind the opening bracket.
 */
static size_t put_items(struct output *out, const struct place *parent, struct gap *gap) {
    const struct json_node *nodes = out->doc->nodes, *node = &nodes[parent->ref];
    const struct place *inner = parent->inner;
    const struct insert *insert = parent->inserts;
    size_t n_before_value = node->type == JSON_OBJECT, index = 0, end = node->start + 1;
    for (json_ref item = parent->ref + 1; item < node->next; index++) {
        json_ref value = item + (json_ref)n_before_value, next = nodes[value].next;
        bool edited = inner && inner->ref == value;
        insert = put_inserts(out, insert, index, gap);
        end = nodes[value].end;
        if (!edited || inner->state != PLACE_DELETED) {
            put_gap(out, gap);
            put_source(out, nodes[item].start, nodes[value].start);
            if (edited)
                put_value(out, inner);
            else
                put_source(out, nodes[value].start, end);
            if (next < node->next)
                *gap = (struct gap){ .from = end, .to = nodes[next].start, .any = true };
        }
        inner = edited ? inner->next : inner;
        item = next;
    }
    (void)put_inserts(out, insert, index, gap); /* all that are left stand at the end */
    return end;
}

static void put_container(struct output *out, const struct place *place) {
    const struct json_node *nodes = out->doc->nodes, *node = &nodes[place->ref];
    bool was_empty = place->ref + 1 == node->next;
    size_t inside = node->start + 1, last;
    struct gap gap = { .from = inside, .to = was_empty ? inside : nodes[place->ref + 1].start };
    put_source(out, node->start, inside);
    last = put_items(out, place, &gap);
    put_made(out, place, &gap);
    if (gap.any || was_empty)
        put_source(out, last, node->end - 1);
    put_source(out, node->end - 1, node->end);
}

static void put_kept(struct output *out, const struct place *place) {
    const struct json_node *node = &out->doc->nodes[place->ref];
    if (place->inner || place->made || place->inserts)
        put_container(out, place);
    else
        put_source(out, node->start, node->end);
}

/* Recursion goes as deep as the longest path of an edit, at most JSON_DEPTH_MAX. */
static void put_value(struct output *out, const struct place *place) {
    struct gap gap = { .from = out->to, .to = out->to };
    switch (place->state) {
    case PLACE_KEPT:
        put_kept(out, place);
        break;
    case PLACE_RAW:
        put_text(out, place->raw);
        break;
    case PLACE_OBJECT:
        put_text(out, VSR_STR("{"));
        put_made(out, place, &gap);
        put_text(out, VSR_STR("}"));
        break;
    case PLACE_ARRAY:
        put_text(out, VSR_STR("["));
        (void)put_inserts(out, place->inserts, 0, &gap);
        put_text(out, VSR_STR("]"));
        break;
    case PLACE_ABSENT:
    case PLACE_DELETED:
        VSR_ASSERT(!"a value that is not written");
    }
}

int json_edit_apply(const struct json_edit *edit, struct buf *out) {
    const struct json_doc *doc = edit->doc;
    struct output output = { .doc = doc, .buf = out };
    size_t len = doc->text.len + edit->added_len;
    if (!buf_failed(out) && len <= out->max - out->len) /* only a guess: the true length may fit where this does not */
        (void)buf_reserve(out, len);
    put_source(&output, 0, doc->nodes[0].start);
    put_value(&output, edit->root);
    put_source(&output, doc->nodes[0].end, doc->text.len);
    flush(&output);
    return buf_failed(out);
}
