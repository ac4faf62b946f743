/*
 * bench_tokenizer - how fast texts become tokens: MB of English per second of processor time.
 *
 *     bench_tokenizer TOKENIZER TEXT
 *
 * TOKENIZER is a directory, or one tokenizer.json, vocab.txt or SentencePiece model; TEXT a file, which is read in
 * lines of about 1 KB as a request would bring them. Prints one object:
 *     {"load_ms":..,"memory_mb":..,"first_mb_s":..,"warm_mb_s":..,"tokens":..,"bytes_per_token":..,"scratch_kb":..,
 *      "whole_mb_s":..}
 * load: best of some. first: with empty caches. warm: best of some rounds. scratch: what the lines left the working
 * memory with. whole: the file as one text.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "core/arena.h"
#include "text/tokenizer.h"

enum { CHUNK = 1024, BEST_OF = 7, LOADS = 3 };

/* Of this thread, so that others on the machine do not count. */
static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static vsr_str read_file(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    char *bytes = arena_alloc(arena, TOKENIZER_FILE_LEN_MAX + 1);
    size_t len;
    if (!file)
        return (vsr_str){ 0 };
    len = fread(bytes, 1, TOKENIZER_FILE_LEN_MAX, file);
    (void)fclose(file);
    return str_make(bytes, len);
}

static int open_any(struct arena *arena, const char *path, struct tokenizer **ret, struct vsr_err *err) {
    struct stat status;
    vsr_str name = str_from_c(path), file;
    struct arena *own;
    int rc;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return tokenizer_open(arena, name, ret, err);
    own = arena_new(1 << 20, 0);
    file = read_file(own, path);
    if (str_ends(name, VSR_STR(".json")))
        rc = tokenizer_from_json(arena, file, ret, err);
    else if (str_ends(name, VSR_STR(".txt")))
        rc = tokenizer_from_vocab(arena, file, NULL, ret, err);
    else
        rc = tokenizer_from_sentencepiece(arena, file, ret, err);
    arena_free(own);
    return rc;
}

/* Length of the next chunk: up to a line end behind CHUNK bytes. */
static size_t chunk_len(vsr_str rest, size_t chunk) {
    ptrdiff_t end;
    if (rest.len <= chunk)
        return rest.len;
    end = str_find_char(str_sub(rest, chunk, rest.len), '\n');
    return end < 0 ? rest.len : chunk + (size_t)end + 1;
}

static size_t encode_all(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str text,
                         size_t chunk) {
    size_t n = 0;
    while (text.len) {
        size_t len = chunk_len(text, chunk);
        struct encoding encoding;
        if (tokenizer_encode(tokenizer, scratch, str_sub(text, 0, len), NULL, &encoding, NULL) < 0)
            return 0;
        n += encoding.n;
        text = str_sub(text, len, text.len);
    }
    return n;
}

static double rate(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str text, size_t chunk,
                   int rounds, size_t *ret_tokens) {
    double best = 0;
    for (int i = 0; i < rounds; i++) {
        uint64_t begin = cpu_ns();
        double now;
        *ret_tokens = encode_all(tokenizer, scratch, text, chunk);
        now = (double)text.len * 1e3 / (double)(cpu_ns() - begin);
        best = now > best ? now : best;
    }
    return best;
}

/* The last one of some loads, in an arena of its own, and the time of the quickest. */
static struct tokenizer *load_often(const char *path, struct arena **ret_arena, double *ret_ms) {
    struct tokenizer *tokenizer = NULL;
    struct arena *arena = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    for (int i = 0; i < LOADS; i++) {
        uint64_t begin = cpu_ns();
        double ms;
        arena_free(arena);
        arena = arena_new(1 << 20, 0);
        if (open_any(arena, path, &tokenizer, &err) < 0) {
            (void)fprintf(stderr, "bench_tokenizer: %s\n", err.text);
            arena_free(arena);
            return NULL;
        }
        ms = (double)(cpu_ns() - begin) / 1e6;
        *ret_ms = i == 0 || ms < *ret_ms ? ms : *ret_ms;
    }
    *ret_arena = arena;
    return tokenizer;
}

int main(int argc, char **argv) {
    struct arena *texts = arena_new(1 << 20, 0), *arena = NULL;
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer *tokenizer = NULL;
    double first, warm, whole, load = 0;
    size_t n;
    vsr_str text = { 0 };
    if (argc == 3)
        text = read_file(texts, argv[2]);
    if (!text.len) {
        (void)fprintf(stderr, "usage: bench_tokenizer TOKENIZER TEXT\n");
        return 2;
    }
    tokenizer = load_often(argv[1], &arena, &load);
    if (!tokenizer)
        return 1;
    first = rate(tokenizer, scratch, text, CHUNK, 1, &n);
    warm = rate(tokenizer, scratch, text, CHUNK, BEST_OF, &n);
    printf("{\"load_ms\":%.0f,\"memory_mb\":%.1f,", load, (double)arena_bytes(arena) / 1e6);
    printf("\"first_mb_s\":%.1f,\"warm_mb_s\":%.1f,\"tokens\":%zu,\"bytes_per_token\":%.2f,", first, warm, n,
           n ? (double)text.len / (double)n : 0.0);
    printf("\"scratch_kb\":%zu,", tokenizer_scratch_size(scratch) / 1000);
    whole = rate(tokenizer, scratch, text, TOKENIZER_TEXT_LEN_MAX, 3, &n);
    printf("\"whole_mb_s\":%.1f}\n", whole);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
    arena_free(texts);
    return 0;
}
