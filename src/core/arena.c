#include "core/arena.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"

enum {
    ARENA_CHUNK_LEN = 16 << 10,
    ARENA_ALIGN = 16,
};

/* Chunks form a list from the newest to the first; allocation only happens in the newest. */
struct chunk {
    struct chunk *older;
    size_t len, used;
    _Alignas(ARENA_ALIGN) char bytes[];
};

struct cleanup {
    struct cleanup *older;
    void (*fn)(void *data);
    void *data;
};

struct arena {
    struct chunk *newest;
    struct cleanup *cleanups;
    size_t chunk_len, bytes_max, bytes; /* bytes_max 0: no ceiling */
};

/* Without AddressSanitizer these do nothing; with it, memory behind `used` is poisoned, so overruns are seen. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_POISON(ptr, len) ASAN_POISON_MEMORY_REGION((ptr), (len))
#define ARENA_UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION((ptr), (len))
enum { ARENA_GAP = 16 }; /* left poisoned between two allocations */
#else
#define ARENA_POISON(ptr, len) ((void)(ptr), (void)(len))
#define ARENA_UNPOISON(ptr, len) ((void)(ptr), (void)(len))
enum { ARENA_GAP = 0 };
#endif

static bool past_ceiling(const struct arena *arena, size_t len) {
    return arena->bytes_max && (len > arena->bytes_max || arena->bytes > arena->bytes_max - len);
}

static struct chunk *chunk_new(struct arena *arena, size_t len) {
    struct chunk *chunk = malloc(sizeof(*chunk) + len);
    if (!chunk)
        return NULL;
    chunk->older = NULL;
    chunk->len = len;
    chunk->used = 0;
    ARENA_POISON(chunk->bytes, len);
    arena->bytes += len;
    return chunk;
}

static void chunk_free(struct arena *arena, struct chunk *chunk) {
    arena->bytes -= chunk->len;
    ARENA_UNPOISON(chunk->bytes, chunk->len);
    free(chunk);
}

struct arena *arena_new(size_t chunk_len, size_t bytes_max) {
    struct arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        vsr_out_of_memory(sizeof(*arena));
    arena->chunk_len = chunk_len ? chunk_len : ARENA_CHUNK_LEN;
    arena->bytes_max = bytes_max;
    arena->newest = chunk_new(arena, arena->chunk_len);
    if (!arena->newest)
        vsr_out_of_memory(arena->chunk_len);
    return arena;
}

static void run_cleanups(struct arena *arena, const struct cleanup *until) {
    while (arena->cleanups != until) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->older;
        cleanup->fn(cleanup->data);
    }
}

void arena_free(struct arena *arena) {
    if (!arena)
        return;
    run_cleanups(arena, NULL);
    while (arena->newest) {
        struct chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        chunk_free(arena, chunk);
    }
    free(arena);
}

void arena_reset(struct arena *arena) {
    run_cleanups(arena, NULL);
    while (arena->newest->older) {
        struct chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        chunk_free(arena, chunk);
    }
    arena->newest->used = 0;
    ARENA_POISON(arena->newest->bytes, arena->newest->len);
}

/* `bounded`: heeds the ceiling. What may not fail does not, else the last byte a client took would end the process. */
static void *allocate(struct arena *arena, size_t len, bool bounded) {
    struct chunk *chunk = arena->newest;
    size_t want;
    void *ptr;
    if (len > SIZE_MAX / 2)
        return NULL;
    want = ((len + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1)) + ARENA_GAP;
    if (want > chunk->len - chunk->used) {
        size_t fresh_len = want > arena->chunk_len ? want : arena->chunk_len;
        struct chunk *fresh = bounded && past_ceiling(arena, fresh_len) ? NULL : chunk_new(arena, fresh_len);
        if (!fresh)
            return NULL;
        fresh->older = chunk;
        arena->newest = chunk = fresh;
    }
    ptr = chunk->bytes + chunk->used;
    chunk->used += want;
    ARENA_UNPOISON(ptr, len);
    return ptr;
}

void *arena_try_alloc_raw(struct arena *arena, size_t len) {
    return allocate(arena, len, true);
}

void *arena_try_alloc(struct arena *arena, size_t len) {
    void *ptr = arena_try_alloc_raw(arena, len);
    if (ptr)
        memset(ptr, 0, len);
    return ptr;
}

void *arena_alloc(struct arena *arena, size_t len) {
    void *ptr = allocate(arena, len, false);
    if (!ptr)
        vsr_out_of_memory(len);
    return memset(ptr, 0, len);
}

void *arena_alloc_array(struct arena *arena, size_t size, size_t n) {
    size_t len;
    if (__builtin_mul_overflow(size, n, &len))
        vsr_out_of_memory(SIZE_MAX);
    return arena_alloc(arena, len);
}

void *arena_grow(struct arena *arena, void *array, size_t size, size_t n, size_t *cap) {
    size_t bigger = *cap ? *cap * 2 : 8;
    void *copy;
    if (n < *cap)
        return array;
    copy = arena_alloc_array(arena, size, bigger);
    if (n)
        memcpy(copy, array, size * n);
    *cap = bigger;
    return copy;
}

void *arena_try_grow(struct arena *arena, void *array, size_t size, size_t n, size_t n_more, size_t *cap) {
    size_t bigger;
    void *copy;
    if (n_more <= *cap - n)
        return array;
    if (n_more > SIZE_MAX / 4 / size - n)
        return NULL;
    bigger = 2 * (n + n_more) > 8 ? 2 * (n + n_more) : 8;
    copy = arena_try_alloc(arena, bigger * size);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, array, size * n);
    *cap = bigger;
    return copy;
}

vsr_str arena_str(struct arena *arena, vsr_str text) {
    return str_make(arena_c_str(arena, text), text.len);
}

char *arena_c_str(struct arena *arena, vsr_str text) {
    char *copy = allocate(arena, text.len + 1, false);
    if (!copy)
        vsr_out_of_memory(text.len);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

vsr_str arena_str_lower(struct arena *arena, vsr_str text) {
    char *copy = arena_c_str(arena, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = ascii_lower(copy[i]);
    return str_make(copy, text.len);
}

vsr_str arena_printf(struct arena *arena, const char *format, ...) {
    va_list args, again;
    char *text;
    int len;
    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    VSR_ASSERT(len >= 0);
    text = arena_alloc(arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again); /* the same arguments gave `len` above */
    va_end(again);
    return str_make(text, (size_t)len);
}

void arena_on_free(struct arena *arena, void (*fn)(void *data), void *data) {
    struct cleanup *cleanup = ARENA_NEW(arena, struct cleanup);
    cleanup->older = arena->cleanups;
    cleanup->fn = fn;
    cleanup->data = data;
    arena->cleanups = cleanup;
}

void arena_set_ceiling(struct arena *arena, size_t bytes_max) {
    arena->bytes_max = bytes_max;
}

struct arena_mark arena_mark(struct arena *arena) {
    return (struct arena_mark){ arena->newest, arena->newest->used, arena->cleanups };
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
    run_cleanups(arena, mark.cleanup);
    while (arena->newest != mark.chunk) {
        struct chunk *chunk = arena->newest;
        VSR_ASSERT(chunk->older != NULL);
        arena->newest = chunk->older;
        chunk_free(arena, chunk);
    }
    ARENA_POISON(arena->newest->bytes + mark.used, arena->newest->used - mark.used);
    arena->newest->used = mark.used;
}

size_t arena_bytes(const struct arena *arena) {
    return arena->bytes;
}
