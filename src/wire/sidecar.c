#include "wire/sidecar.h"

#include "core/arena.h"
#include "core/err.h"

void sidecar_init(struct sidecar *sidecar, struct arena *arena) {
    *sidecar = (struct sidecar){ .arena = arena };
}

struct sidecar_mark sidecar_mark(vsr_str written) {
    return (struct sidecar_mark){ .len = written.len, .hash = str_hash(written, 0) };
}

bool sidecar_mark_is(struct sidecar_mark mark, vsr_str text) {
    return mark.len > 0 && mark.len == text.len && mark.hash == str_hash(text, 0);
}

int sidecar_note(struct sidecar *sidecar, struct sidecar_origins *origins, const struct sidecar_origin *origin) {
    struct sidecar_origin *items =
        arena_try_grow(sidecar->arena, origins->items, sizeof(struct sidecar_origin), origins->n, 1, &origins->cap);
    if (!items)
        return VSR_E_NOMEM;
    origins->items = items;
    origins->items[origins->n++] = *origin;
    return 0;
}

static bool same_mark(struct sidecar_mark a, struct sidecar_mark b) {
    return a.len > 0 && a.len == b.len && a.hash == b.hash;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

const struct sidecar_origin *sidecar_find(const struct sidecar_origins *origins, vsr_str written, size_t *cursor) {
    struct sidecar_mark mark = sidecar_mark(written);
    for (size_t i = 0; i < least(origins->n, SIDECAR_LOOK_MAX); i++) {
        size_t at = (*cursor + i) % origins->n;
        if (!same_mark(origins->items[at].written, mark))
            continue;
        *cursor = at + 1;
        return &origins->items[at];
    }
    return NULL;
}

const struct sidecar_origin *sidecar_find_result(const struct sidecar *sidecar, vsr_str result_id) {
    const struct sidecar_origins *origins = &sidecar->messages;
    for (size_t i = 0; i < least(origins->n, SIDECAR_LOOK_MAX) && result_id.len > 0; i++)
        if (str_eq(origins->items[origins->n - 1 - i].result_id, result_id))
            return &origins->items[origins->n - 1 - i];
    return NULL;
}

const struct sidecar_origin *sidecar_find_call(const struct sidecar *sidecar, vsr_str call_id) {
    const struct sidecar_origins *origins = &sidecar->messages;
    for (size_t i = 0; i < least(origins->n, SIDECAR_LOOK_MAX) && call_id.len > 0; i++)
        if (str_eq(origins->items[origins->n - 1 - i].call_id, call_id))
            return &origins->items[origins->n - 1 - i];
    return NULL;
}
