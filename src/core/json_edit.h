/*
 * json_edit - changes to a scanned JSON text that leave every other byte as it was.
 *
 * Edits are collected against the original tape and applied in one pass. A path is a list of steps; a step is a member
 * name, or an array index; indexes always count the original elements. Values are raw JSON text, trusted to be valid
 * (write them with json_write).
 *
 *     {"a": 1, "b": [2]}    set b[0] 3, set c.d 4, append b 5    {"a": 1, "b": [3,5],"c":{"d":4}}
 *
 * Setting and appending create what is missing on the way, and take a null for missing; later edits go into what
 * earlier ones created. Several edits may meet: the last set or delete of one path wins, an edit inside a deleted or
 * replaced value is dropped, two inserts at one place keep their order. With a duplicated key every occurrence is
 * edited, so that no reader sees the old one. An edit that fails (but for lack of memory) changes nothing. New members
 * stand at the end of their object; a container that loses all it held becomes `{}` or `[]`. Lives in an arena; one
 * thread.
 */
#ifndef VSR_CORE_JSON_EDIT_H
#define VSR_CORE_JSON_EDIT_H

#include "core/json.h"

struct arena;
struct buf;
struct json_edit;

struct json_step {
    vsr_str key; /* member name (unescaped); ptr NULL: an index */
    size_t index;
};

#define JSON_KEY(lit) ((struct json_step){ .key = VSR_STR(lit) })
#define JSON_KEY_STR(s) ((struct json_step){ .key = (s) })
#define JSON_INDEX(i) ((struct json_step){ .index = (i) })

/* Keeps `doc` and its text. */
struct json_edit *json_edit_new(struct arena *arena, const struct json_doc *doc);

/*
 * Copies `raw`, here and below. VSR_E_INVALID when a step does not fit the document (an index into an object, a member
 * of a number); VSR_E_NOT_FOUND when an index lies outside its array; VSR_E_LIMIT past JSON_DEPTH_MAX steps;
 * VSR_E_NOMEM. err->where is the path. A missing member is created, with the objects before it. No steps: the whole
 * document.
 */
int json_edit_set(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                  struct vsr_err *err);
/* Inserts before element `index` of an array, or at its end when index equals its length. */
int json_edit_insert(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                     struct vsr_err *err);
/* Appends to the array at the path; creates `[raw]` when the member is missing. */
int json_edit_append(struct json_edit *edit, const struct json_step *path, size_t n_steps, vsr_str raw,
                     struct vsr_err *err);
/* Removes the value (and its comma). Absent is no error, for whatever reason; the whole document is VSR_E_INVALID. */
int json_edit_delete(struct json_edit *edit, const struct json_step *path, size_t n_steps, struct vsr_err *err);

/* False while nothing was changed: the original bytes may be sent as they are. */
bool json_edit_changed(const struct json_edit *edit);

/* Appends the edited text to `out`. 0, VSR_E_LIMIT or VSR_E_NOMEM. */
int json_edit_apply(const struct json_edit *edit, struct buf *out) VSR_MUST_CHECK;

#endif
