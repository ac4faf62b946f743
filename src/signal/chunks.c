#include "signal/chunks.h"

#include "core/arena.h"
#include "text/chunk.h"

/* ---- a set of texts */

/* Open addressing; at most half full. */
struct seen {
    vsr_str *items; /* NULL pointer: free */
    size_t mask;
    uint64_t seed; /* nobody outside knows it: texts are a client's, and could be chosen to have one hash */
};

static bool seen_init(struct seen *seen, struct arena *arena, size_t n) {
    size_t n_slots = 16;
    while (n_slots < 2 * n)
        n_slots *= 2;
    seen->items = arena_try_alloc(arena, n_slots * sizeof(*seen->items));
    seen->mask = n_slots - 1;
    seen->seed = (uint64_t)(uintptr_t)seen->items * UINT64_C(0x9e3779b97f4a7c15);
    return seen->items != NULL;
}

/* False when it was there before. */
static bool seen_add(struct seen *seen, vsr_str text) {
    for (size_t i = str_hash(text, seen->seed) & seen->mask;; i = (i + 1) & seen->mask) {
        if (!seen->items[i].ptr) {
            seen->items[i] = text;
            return true;
        }
        if (str_eq(seen->items[i], text))
            return false;
    }
}

/* ---- contents */

static void add_content(struct seen *seen, vsr_str text, vsr_str *contents, size_t *n) {
    if (str_trim(text).len > 0 && seen_add(seen, text))
        contents[(*n)++] = text;
}

static void add_contents(struct seen *seen, const struct texts *texts, vsr_str *contents, size_t *n) {
    for (size_t i = 0; i < texts->n; i++)
        add_content(seen, texts->items[i], contents, n);
}

static int find_contents(struct signal_request *request, enum signal_text which, unsigned with,
                         struct signal_chunks *ret, struct vsr_err *err) {
    const struct request_facts *facts = request->facts;
    size_t n_max = 1 + facts->non_user.n + facts->prior_user.n + facts->tool_text.n;
    vsr_str *contents = arena_try_alloc(request->arena, n_max * sizeof(*contents)), text;
    struct seen seen;
    int rc = signal_request_text(request, which, &text, err);
    if (rc < 0)
        return rc;
    if (!contents || !seen_init(&seen, request->arena, n_max))
        return VSR_E_NOMEM;
    add_content(&seen, text, contents, &ret->n_contents);
    if (with & CHUNKS_HISTORY) {
        add_contents(&seen, &facts->non_user, contents, &ret->n_contents);
        add_contents(&seen, &facts->prior_user, contents, &ret->n_contents);
    }
    if (with & CHUNKS_TOOL_RESULTS)
        add_contents(&seen, &facts->tool_text, contents, &ret->n_contents);
    ret->contents = contents;
    return 0;
}

/* ---- pieces */

static size_t count_chunks(const struct signal_chunks *chunks, uint64_t budget) {
    size_t n = 0;
    vsr_str chunk;
    for (size_t i = 0; i < chunks->n_contents; i++) {
        struct chunker chunker = chunker_make(chunks->contents[i], budget, CHUNK_OVERLAP);
        while (chunk_next(&chunker, &chunk))
            n++;
    }
    return n;
}

int chunks_make(struct signal_request *request, enum signal_text which, unsigned with, uint64_t budget,
                struct signal_chunks *ret_chunks, struct vsr_err *err) {
    struct signal_chunks chunks = { 0 };
    struct signal_chunk *items;
    struct seen seen;
    size_t n_max;
    vsr_str text;
    int rc = find_contents(request, which, with, &chunks, err);
    if (rc < 0)
        return err_set(err, rc, "no memory for the texts to check");
    n_max = count_chunks(&chunks, budget);
    items = arena_try_alloc(request->arena, n_max * sizeof(*items));
    if (!items || !seen_init(&seen, request->arena, n_max))
        return err_set(err, VSR_E_NOMEM, "no memory for the %zu pieces of the texts to check", n_max);
    for (uint32_t i = 0; i < chunks.n_contents; i++) {
        struct chunker chunker = chunker_make(chunks.contents[i], budget, CHUNK_OVERLAP);
        while (chunk_next(&chunker, &text))
            if (str_trim(text).len > 0 && seen_add(&seen, text))
                items[chunks.n++] = (struct signal_chunk){ text, i, (size_t)(text.ptr - chunks.contents[i].ptr) };
    }
    chunks.items = items;
    *ret_chunks = chunks;
    return 0;
}

int chunks_of(struct chunks_memo *memo, struct signal_request *request, enum signal_text which, unsigned with,
              uint64_t budget, const struct signal_chunks **ret_chunks, struct vsr_err *err) {
    struct signal_chunks *chunks;
    int rc;
    if (!memo->made[with]) {
        chunks = ARENA_NEW(request->arena, struct signal_chunks);
        rc = chunks_make(request, which, with, budget, chunks, err);
        if (rc < 0)
            return rc;
        memo->made[with] = chunks;
    }
    *ret_chunks = memo->made[with];
    return 0;
}

/* ---- limits */

size_t chunks_within(const struct signal_chunks *chunks, int64_t max) {
    return max > 0 && (uint64_t)max < chunks->n ? (size_t)max : chunks->n;
}

const char *chunks_too_many(struct arena *arena, const struct signal_chunks *chunks, size_t max) {
    return arena_printf(arena, "the texts have %zu pieces, and max_chunks is %zu", chunks->n, max).ptr;
}
