/* links: store */
/*
 * What a Redis server may answer, whatever the bytes and however they are split: the same replies at any split, and the
 * same end. What we write as a command is read back as it was.
 *
 * The first byte chooses the size of the pieces.
 */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "store/redis_reply.h"

enum { LOG_LEN_MAX = 64 << 20, ARGS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void print(struct buf *out, const struct redis_value *value) {
    (void)buf_printf(out, "%d %lld %zu %zu\n", (int)value->type, (long long)value->integer, value->text.len, value->n);
    (void)buf_append(out, value->text);
    for (size_t i = 0; i < value->n; i++)
        print(out, &value->items[i]);
}

/* The code of the first error, or 0. */
static int read_all(vsr_str text, size_t step, struct buf *log) {
    struct redis_reader reader;
    struct arena *arena = arena_new(0, 0);
    int rc = 0;
    redis_reader_init(&reader);
    for (size_t at = 0; rc == 0 && at < text.len; at += step) {
        struct redis_value value;
        rc = redis_reader_feed(&reader, str_sub(text, at, at + step));
        while (rc == 0 && (rc = redis_reader_next(&reader, arena, &value, NULL)) > 0) {
            print(log, &value);
            arena_reset(arena);
            rc = 0;
        }
    }
    redis_reader_done(&reader);
    arena_free(arena);
    return rc;
}

static void check_splits(vsr_str text, size_t step) {
    struct buf whole, pieces;
    int a, b;
    buf_init(&whole, LOG_LEN_MAX);
    buf_init(&pieces, LOG_LEN_MAX);
    a = read_all(text, text.len, &whole);
    b = read_all(text, step, &pieces);
    VSR_ASSERT(a == b);
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_done(&whole);
    buf_done(&pieces);
}

/* The text, cut into arguments. */
static void check_command(vsr_str text, size_t step) {
    vsr_str argv[ARGS_MAX];
    size_t n = 0;
    struct buf out;
    struct redis_reader reader;
    struct redis_value value = { 0 };
    struct arena *arena = arena_new(0, 0);
    for (size_t at = 0; at < text.len && n < ARGS_MAX; at += step)
        argv[n++] = str_sub(text, at, at + step);
    buf_init(&out, LOG_LEN_MAX);
    redis_command_write(&out, argv, n);
    redis_reader_init(&reader);
    VSR_ASSERT(redis_reader_feed(&reader, buf_str(&out)) == 0);
    VSR_ASSERT(redis_reader_next(&reader, arena, &value, NULL) == 1);
    VSR_ASSERT(value.type == REDIS_ARRAY && value.n == n);
    for (size_t i = 0; i < n; i++)
        VSR_ASSERT(value.items[i].type == REDIS_STRING && str_eq(value.items[i].text, argv[i]));
    redis_reader_done(&reader);
    buf_done(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    vsr_str text;
    if (len < 2)
        return 0;
    text = str_make((const char *)bytes + 1, len - 1);
    check_splits(text, 1 + bytes[0] % 16);
    check_command(text, 1 + bytes[0]);
    return 0;
}
