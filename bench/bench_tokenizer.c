/*
 * bench_tokenizer - how fast texts become tokens: MB of English per second of processor time.
 *
 *     bench_tokenizer TOKENIZER TEXT
 *
 * TOKENIZER is a directory, or one tokenizer.json, vocab.txt or SentencePiece model; TEXT a file, which is read in
 * lines of about 1 KB as a request would bring them. Prints one object:
 *     {"load_ms":..,"first_mb_s":..,"warm_mb_s":..,"whole_mb_s":..,"tokens":..,"bytes_per_token":..,"budget_mb_s":..}
 * The budget is 20 MB/s, and 8 for SentencePiece models, whose byte pairs see the spaces too. first: with empty caches.
 * warm: best of some rounds. whole: the file as one text.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "core/arena.h"
#include "text/tokenizer.h"

enum { CHUNK = 1024, BEST_OF = 7, BUDGET_MB_S = 20, BUDGET_SPACES_MB_S = 8 };

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
    fclose(file);
    return str_make(bytes, len);
}

static int open_any(struct arena *arena, const char *path, struct tokenizer **ret, struct vsr_err *err) {
    struct stat status;
    vsr_str name = str_from_c(path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return tokenizer_open(arena, name, ret, err);
    if (str_ends(name, VSR_STR(".json")))
        return tokenizer_from_json(arena, read_file(arena, path), ret, err);
    if (str_ends(name, VSR_STR(".txt")))
        return tokenizer_from_vocab(arena, read_file(arena, path), true, ret, err);
    return tokenizer_from_sentencepiece(arena, read_file(arena, path), ret, err);
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

int main(int argc, char **argv) {
    struct arena *arena = arena_new(1 << 20, 0);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer *tokenizer;
    struct vsr_err err = VSR_ERR_NONE;
    double first, warm, whole, load;
    size_t n;
    uint64_t begin = cpu_ns();
    vsr_str text;
    if (argc != 3 || open_any(arena, argv[1], &tokenizer, &err) < 0) {
        fprintf(stderr, "usage: bench_tokenizer TOKENIZER TEXT\n%s\n", err.text);
        return 1;
    }
    load = (double)(cpu_ns() - begin) / 1e6;
    text = read_file(arena, argv[2]);
    if (!text.len)
        return 1;
    first = rate(tokenizer, scratch, text, CHUNK, 1, &n);
    warm = rate(tokenizer, scratch, text, CHUNK, BEST_OF, &n);
    printf("{\"load_ms\":%.0f,\"first_mb_s\":%.1f,\"warm_mb_s\":%.1f,", load, first, warm);
    printf("\"tokens\":%zu,\"bytes_per_token\":%.2f,", n, n ? (double)text.len / (double)n : 0.0);
    whole = rate(tokenizer, scratch, text, TOKENIZER_TEXT_LEN_MAX, 3, &n);
    printf("\"whole_mb_s\":%.1f,\"budget_mb_s\":%d}\n", whole,
           str_ends(str_from_c(argv[1]), VSR_STR(".model")) ? BUDGET_SPACES_MB_S : BUDGET_MB_S);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
    return 0;
}
