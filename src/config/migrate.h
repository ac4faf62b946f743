/*
 * migrate - a document of an older layout becomes one of the contract (config.md §10).
 *
 * Works on the untyped tree, so a document that does not validate is converted as far as it goes. Nothing is thrown
 * away silently: what has no place any more, or whose place is taken, is kept under the top-level key `x-unplaced`,
 * which loading ignores, and is reported. A block is moved only when its new place is free ("set if missing"); blocks
 * on both sides are merged key by key, and the one in the new place wins. Anchors, aliases and merge keys are written
 * out. Comments travel with their keys. A canonical document keeps its content; only the order of its top-level keys
 * and its layout change.
 *
 * Where config.md names the old blocks but not their inside (model_targets, backends, auth_profiles, taxonomy,
 * category_kb, classifiers), several spellings of references are understood and the result is reported for a look.
 * Reads and writes no files. One thread per call.
 */
#ifndef VSR_CONFIG_MIGRATE_H
#define VSR_CONFIG_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct buf;
struct diag;
struct yaml_node;

enum migrate_kind {
    MIGRATE_MOVED,   /* is now at `to` */
    MIGRATE_DROPPED, /* says nothing any more */
    MIGRATE_CHECK,   /* a human has to look */
};

struct migrate_note {
    enum migrate_kind kind;
    uint32_t line, col; /* in the old document; 0 when it stands nowhere */
    vsr_str path;       /* in the old document */
    vsr_str to;         /* in the new one; empty when there is none */
    vsr_str message;    /* empty: nothing more to say */
};

struct migration {
    struct yaml_node *root; /* of the new document */
    struct migrate_note *notes;
    size_t n_notes, n_checks, cap;
};

/*
 * Converts `text`, which `diag` (initialised) names in its messages, and appends the new document to `out`. Fails (with
 * the reasons in `diag`) when the text is no YAML mapping, and with VSR_E_LIMIT when the result does not fit `out`. The
 * result lives in `arena`.
 */
int config_migrate(struct arena *arena, vsr_str text, struct buf *out, struct migration *ret_migration,
                   struct diag *diag);

/* "moved", "dropped" or "check". */
const char *migrate_kind_name(enum migrate_kind kind);

#endif
