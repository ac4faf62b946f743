/* links: text */
/*
 * tokenize - what vsr's tokenizer makes of texts, for tests in other languages.
 *
 *     tokenize PATH [--bare] [--parse-special] [--max N] [--only-first | --only-second]
 *
 * PATH is a directory, or one tokenizer.json, vocab.txt or SentencePiece model. Reads one JSON value a line: "text",
 * {"text_b64": "..."}, or {"a_b64": "...", "b_b64": "..."} for a pair (base64 of the bytes). Prints one object a line:
 *     {"ids":[...],"offsets":[[start,end],...],"types":[...],"dropped":n}   or   {"error":"..."}
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "text/tokenizer.h"

struct context {
    struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    struct tokenizer_options options;
    struct buf out;
};

static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static vsr_str decode_base64(struct arena *arena, vsr_str text) {
    char *out = arena_alloc(arena, text.len / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t n_bits = 0, len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            continue;
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[len++] = (char)(bits >> n_bits);
        }
    }
    return str_make(out, len);
}

static vsr_str bytes_of(struct arena *arena, const struct json_doc *doc, const char *key) {
    vsr_str text = { "", 0 };
    (void)json_str(arena, doc, json_get(doc, 0, str_from_c(key)), &text);
    return decode_base64(arena, text);
}

static void print_error(struct buf *out, const struct vsr_err *err) {
    (void)buf_append_c(out, "{\"error\":");
    json_quote(out, str_from_c(err->text));
    (void)buf_append_c(out, "}\n");
}

static void print_list(struct buf *out, const char *name, size_t n) {
    (void)buf_printf(out, "%s\"%s\":[", n == SIZE_MAX ? "{" : ",", name);
}

static void print_encoding(struct buf *out, const struct encoding *e) {
    print_list(out, "ids", SIZE_MAX);
    for (size_t i = 0; i < e->n; i++)
        (void)buf_printf(out, i ? ",%u" : "%u", e->ids[i]);
    (void)buf_append_c(out, "]");
    print_list(out, "offsets", 0);
    for (size_t i = 0; i < e->n; i++)
        (void)buf_printf(out, i ? ",[%u,%u]" : "[%u,%u]", e->starts[i], e->ends[i]);
    (void)buf_append_c(out, "]");
    print_list(out, "types", 0);
    for (size_t i = 0; i < e->n; i++)
        (void)buf_printf(out, i ? ",%u" : "%u", e->types[i]);
    (void)buf_printf(out, "],\"dropped\":%zu}\n", e->n_dropped);
}

static int encode_line(struct context *c, struct arena *arena, vsr_str line, struct encoding *ret,
                       struct vsr_err *err) {
    struct json_doc doc;
    vsr_str text = { "", 0 };
    int rc = json_parse(arena, line, &doc, err);
    if (rc < 0)
        return rc;
    if (json_is(&doc, 0, JSON_OBJECT) && json_get(&doc, 0, VSR_STR("a_b64")) != JSON_NONE)
        return tokenizer_encode_pair(c->tokenizer, c->scratch, bytes_of(arena, &doc, "a_b64"),
                                     bytes_of(arena, &doc, "b_b64"), &c->options, ret, err);
    if (json_is(&doc, 0, JSON_OBJECT))
        text = bytes_of(arena, &doc, "text_b64");
    else if (!json_str(arena, &doc, 0, &text))
        return err_set(err, VSR_E_INVALID, "a line is neither a string nor an object");
    return tokenizer_encode(c->tokenizer, c->scratch, text, &c->options, ret, err);
}

static void run_line(struct context *c, struct arena *arena, vsr_str line) {
    struct vsr_err err = VSR_ERR_NONE;
    struct encoding encoding;
    buf_reset(&c->out);
    if (encode_line(c, arena, line, &encoding, &err) < 0)
        print_error(&c->out, &err);
    else
        print_encoding(&c->out, &encoding);
    (void)fwrite(c->out.ptr, 1, c->out.len, stdout);
}

static int open_file(struct arena *arena, const char *path, struct tokenizer **ret, struct vsr_err *err) {
    vsr_str name = str_from_c(path), text;
    FILE *file = fopen(path, "rb");
    char *bytes;
    if (!file)
        return err_set(err, VSR_E_IO, "%s cannot be opened", path);
    bytes = arena_alloc(arena, TOKENIZER_FILE_LEN_MAX + 1);
    text = str_make(bytes, fread(bytes, 1, TOKENIZER_FILE_LEN_MAX + 1, file));
    (void)fclose(file);
    if (str_ends(name, VSR_STR(".json")))
        return tokenizer_from_json(arena, text, ret, err);
    if (str_ends(name, VSR_STR(".txt")))
        return tokenizer_from_vocab(arena, text, NULL, ret, err);
    return tokenizer_from_sentencepiece(arena, text, ret, err);
}

static int open_path(struct arena *arena, const char *path, struct tokenizer **ret, struct vsr_err *err) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return tokenizer_open(arena, str_from_c(path), ret, err);
    return open_file(arena, path, ret, err);
}

static bool parse_options(int argc, char **argv, struct tokenizer_options *ret) {
    if (argc < 2)
        return false;
    for (int i = 2; i < argc; i++) {
        vsr_str arg = str_from_c(argv[i]);
        uint64_t n;
        if (str_eq(arg, VSR_STR("--bare")))
            ret->bare = true;
        else if (str_eq(arg, VSR_STR("--parse-special")))
            ret->parse_special = true;
        else if (str_eq(arg, VSR_STR("--only-first")))
            ret->truncation = TOKENIZER_ONLY_FIRST;
        else if (str_eq(arg, VSR_STR("--only-second")))
            ret->truncation = TOKENIZER_ONLY_SECOND;
        else if (str_eq(arg, VSR_STR("--max")) && i + 1 < argc && str_to_u64(str_from_c(argv[++i]), &n))
            ret->tokens_max = (size_t)n;
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    struct context c = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct arena *arena = arena_new(1 << 20, 0), *line_arena = arena_new(1 << 20, 0);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    if (!parse_options(argc, argv, &c.options)) {
        (void)fputs("usage: tokenize PATH [--bare] [--parse-special] [--max N] [--only-first | --only-second] <lines\n",
                    stderr);
        return 2;
    }
    if (open_path(arena, argv[1], &c.tokenizer, &err) < 0) {
        (void)fprintf(stderr, "tokenize: %s\n", err.text);
        arena_free(line_arena);
        arena_free(arena);
        return 1;
    }
    c.scratch = tokenizer_scratch_new();
    buf_init(&c.out, SIZE_MAX / 2);
    while ((len = getline(&line, &cap, stdin)) > 0) {
        arena_reset(line_arena);
        run_line(&c, line_arena, str_trim(str_make(line, (size_t)len)));
    }
    free(line);
    buf_done(&c.out);
    tokenizer_scratch_free(c.scratch);
    arena_free(line_arena);
    arena_free(arena);
    return 0;
}
