/*
 * member_write - members of the object that is being written, name and value in one call.
 */
#ifndef VSR_WIRE_MEMBER_WRITE_H
#define VSR_WIRE_MEMBER_WRITE_H

#include "core/json_write.h"
#include "wire/value.h"

/* A value follows. */
static inline void member_key(struct json_writer *w, const char *name) {
    json_write_key(w, str_from_c(name));
}

static inline void member_str(struct json_writer *w, const char *name, vsr_str text) {
    member_key(w, name);
    json_write_str(w, text);
}

static inline void member_i64(struct json_writer *w, const char *name, int64_t value) {
    member_key(w, name);
    json_write_i64(w, value);
}

static inline void member_u64(struct json_writer *w, const char *name, uint64_t value) {
    member_key(w, name);
    json_write_u64(w, value);
}

static inline void member_bool(struct json_writer *w, const char *name, bool value) {
    member_key(w, name);
    json_write_bool(w, value);
}

/* Trusted JSON text. */
static inline void member_raw(struct json_writer *w, const char *name, vsr_str raw) {
    member_key(w, name);
    json_write_raw(w, raw);
}

/* The value as it stands in `doc`; nothing where it is absent or null. */
static inline void member_copy(struct json_writer *w, const char *name, const struct json_doc *doc, json_ref value) {
    if (value_is_present(doc, value))
        member_raw(w, name, json_raw(doc, value));
}

#endif
