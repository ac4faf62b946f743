/*
 * edit - one change of a program, by what it declares and not by looking for text: forms and diagrams write through it.
 *
 * Everything else stays as it was written: comments, layout, order. What goes in has to be what it is said to be (one
 * declaration, one value), and the result has to read as well as the program did before; otherwise nothing is written
 * and the error says why. Any thread.
 */
#ifndef VSR_DSL_EDIT_H
#define VSR_DSL_EDIT_H

#include "core/err.h"
#include "core/str.h"

struct arena;
struct buf;
struct language;

enum { EDIT_REFERENCES_MAX = 10000 }; /* bounds what looking a name up costs */

/* id, name in the JSON of an operation */
#define DSL_EDITS(F) \
    F(ADD, "add")         /* `text` behind the last declaration of its kind, or at the end of the scope */ \
    F(REPLACE, "replace") /* the declaration by `text` */ \
    F(DELETE, "delete")   /* it, and the comments right above and behind it */ \
    F(RENAME, "rename")   /* it, and what refers to it, to `new_name` */ \
    F(SET, "set")         /* its `field`, or a route's item of that keyword, to `value` */ \
    F(REMOVE, "remove")   /* the `field`, or the items */

enum dsl_edit_op {
#define F(id, name) EDIT_##id,
    DSL_EDITS(F)
#undef F
        EDIT_OPS,
};

struct dsl_edit {
    enum dsl_edit_op op;
    vsr_str recipe; /* the scope; ptr NULL: the file itself */
    /* Which declaration; of those with ptr NULL, and line 0, any. Exactly one has to be meant. */
    vsr_str kind; /* "SIGNAL", "PROJECTION", "ROUTING" */
    vsr_str type; /* "keyword"; of projections "score" */
    vsr_str name;
    uint32_t line; /* where it begins */
    vsr_str text, new_name, field, value;
};

/*
 * Appends the program after the edit. Fails, having appended nothing, with VSR_E_NOT_FOUND (no such declaration, recipe
 * or field), VSR_E_EXISTS (the new name is taken; by a plugin of another type it is VSR_E_INVALID), VSR_E_LIMIT or
 * VSR_E_INVALID (all else).
 */
int dsl_edit(struct arena *arena, const struct language *language, vsr_str source, const struct dsl_edit *edit,
             struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

#endif
