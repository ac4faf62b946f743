/*
 * arena - memory that lives and dies together.
 *
 * Allocation bumps a pointer in a chunk; nothing is freed alone. An arena belongs to one thread at a time. What it
 * cannot free itself (descriptors, library handles) registers a cleanup, run in reverse order by arena_reset() and
 * arena_free().
 *
 * There are two ways to run out of memory, and the caller's code shows which one it means: arena_alloc() is for what is
 * bounded by the program or by the operator (configuration, per-request structs) and aborts, because no sensible state
 * remains; arena_try_alloc() is for what a client can grow and returns NULL, also at the arena's byte ceiling. The
 * ceiling binds only the latter.
 */
#ifndef VSR_CORE_ARENA_H
#define VSR_CORE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

/* A place to rewind to. Cleanups registered after it are run by the rewind. */
struct arena_mark {
    void *chunk;
    size_t used;
    void *cleanup;
};

/* `chunk_len` is the size of an ordinary chunk (0: 16 KiB); `bytes_max` the ceiling for all chunks (0: none). Aborts
 * without memory. */
struct arena *arena_new(size_t chunk_len, size_t bytes_max);
void arena_free(struct arena *arena);

/* For allocations from now on; 0: none. */
void arena_set_ceiling(struct arena *arena, size_t bytes_max);

/* Empties the arena and keeps its first chunk, so that the next request allocates nothing. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type. `len` 0 gives a valid pointer. Never NULL. */
void *arena_alloc(struct arena *arena, size_t len);

/* The same for sizes that a client chooses: NULL when memory or the ceiling is exhausted. */
void *arena_try_alloc(struct arena *arena, size_t len);

/* The same, not zeroed. For big buffers that are written at once. */
void *arena_try_alloc_raw(struct arena *arena, size_t len);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc_array((arena), sizeof(type), (n)))

/* Zeroed memory for `n` objects of `size` bytes; aborts on overflow. */
void *arena_alloc_array(struct arena *arena, size_t size, size_t n);

/*
 * Makes room for one more element in a growing array that lives in the arena: when `n` has reached `*cap` the array is
 * copied to twice the space. Returns the (possibly moved) array. The old space is lost until the arena is reset.
 *     list = arena_grow(arena, list, sizeof(*list), n, &cap);
 */
void *arena_grow(struct arena *arena, void *array, size_t size, size_t n, size_t *cap);
/* The same for `n_more` elements, where a client says how many there are. NULL: no memory; the old array stays. */
void *arena_try_grow(struct arena *arena, void *array, size_t size, size_t n, size_t n_more, size_t *cap);

/* A copy in the arena, followed by a NUL that is not counted. */
vsr_str arena_str(struct arena *arena, vsr_str text);
char *arena_c_str(struct arena *arena, vsr_str text);
/* The same with ASCII letters in lower case. */
vsr_str arena_str_lower(struct arena *arena, vsr_str text);
vsr_str arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs `fn(data)` when the arena is reset, freed, or rewound past this point. */
void arena_on_free(struct arena *arena, void (*fn)(void *data), void *data);

struct arena_mark arena_mark(struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Bytes held in chunks. */
size_t arena_bytes(const struct arena *arena);

#endif
