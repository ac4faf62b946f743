/*
 * What holds for every text and every tokenizer, on random bytes: ill-formed UTF-8, surrogates, NUL, marks that
 * normalisation moves and joins. Places lie in the text, at the ends of its characters, and never run backwards; what
 * no place covers is what the normaliser takes away; the bytes of a token are those of its place; caches, pairs and
 * cuts change nothing.
 *
 * VSR_TEST_SEED repeats a run, VSR_TEST_LONG makes a long one.
 */
#include "core/arena.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#include "test.h"

enum { TEXTS = 400, TEXTS_LONG = 40000, TEXT_LEN_MAX = 512, PARTS_MAX = 16 };

static uint32_t seed;
static uint32_t draw(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* ---- texts */

static const vsr_str parts[] = {
    VSR_STR(""),
    VSR_STR(" "),
    VSR_STR("   "),
    VSR_STR("a"),
    VSR_STR("The router "),
    VSR_STR("'s"),
    VSR_STR("\n\r\n\t"),
    VSR_STR("\0"),
    VSR_STR("\xEF\xBF\xBD"),                         /* U+FFFD itself */
    VSR_STR("\xEF\xBB\xBF"),                         /* byte order mark */
    VSR_STR("e\xCC\x81"),                            /* e, acute */
    VSR_STR("\xCC\x81\xCC\xA3\xCC\x81"),             /* marks that are reordered, of nothing */
    VSR_STR("q\xCC\x87\xCC\xA3"),                    /* dot above, dot below: the other way round in a normal form */
    VSR_STR("\xE1\xBA\xB9\xCC\x81"),                 /* e with dot below, acute */
    VSR_STR("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"), /* a syllable in three jamo */
    VSR_STR("\xEA\xB0\x81"),                         /* the same in one */
    VSR_STR("\xEA\xB0\x80\xE1\x86\xA8"),             /* in two */
    VSR_STR("\xEF\xAC\x81"),                         /* ligature fi */
    VSR_STR("\xEF\xB7\xBA"),                         /* one character whose NFKC is eighteen */
    VSR_STR("\xCC\x88\xCC\x81"),
    VSR_STR("\xCD\x84"),                 /* a mark that decomposes into two */
    VSR_STR("\xC4\xB0\xCF\x82\xCE\xA3"), /* dotted capital I, sigmas */
    VSR_STR("\xE4\xB8\xAD\xE6\x96\x87"), /* ideographs */
    VSR_STR("\xF0\xA0\x80\x80"),
    VSR_STR("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"), /* joined emoji */
    VSR_STR("\xE2\x96\x81"),
    VSR_STR("\xC4\xA0"), /* the byte alphabet's space */
    VSR_STR("\xC2\xA0\xE3\x80\x80\xC2\x85"),
    VSR_STR("\xC2\xAD\xE2\x80\x8B"),     /* soft hyphen, zero width space */
    VSR_STR("\xED\xA0\x80"),             /* a lone surrogate */
    VSR_STR("\xED\xA0\xBD\xED\xB8\x80"), /* a pair of them, each written as three bytes */
    VSR_STR("\xC0\x80"),                 /* NUL, overlong */
    VSR_STR("\xE0\x80\xAF\xF0\x80\x80\xAF"),
    VSR_STR("\xF4\x90\x80\x80\xF8\x88\x80\x80\x80"), /* past U+10FFFF */
    VSR_STR("\xE2\x82"),
    VSR_STR("\xF0\x9F\x98"),
    VSR_STR("\x80\xBF\xFF\xFE"),
};

static size_t append_part(char *text, size_t len) {
    char bytes[8];
    vsr_str part = parts[draw(VSR_COUNT(parts))];
    uint32_t kind = draw(8);
    if (kind == 0) {
        size_t n = 1 + draw(sizeof(bytes));
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)draw(256);
        part = str_make(bytes, n);
    } else if (kind == 1) {
        uint32_t cp = draw(2) ? draw(0x3000) : draw(0x110000);
        part = str_make(bytes, cp >= 0xD800 && cp < 0xE000 ? 0 : utf8_encode(cp, bytes));
    }
    if (part.len > TEXT_LEN_MAX - len)
        return len;
    memcpy(text + len, part.ptr, part.len);
    return len + part.len;
}

static vsr_str draw_text(char text[static TEXT_LEN_MAX]) {
    size_t n = draw(PARTS_MAX), len = 0;
    for (size_t i = 0; i < n; i++)
        len = append_part(text, len);
    return str_make(text, len);
}

/* Well-formed sequences by their first two bytes (Unicode, table 3-7); the others are 80..BF. */
static const struct {
    uint8_t low, high, second_low, second_high;
    size_t len;
} sequences[] = {
    { 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
    { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
    { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

/* The character at `at`, or the longest beginning of one, which counts as U+FFFD. */
static size_t char_at(vsr_str text, size_t at, uint32_t *ret_cp) {
    const uint8_t *p = (const uint8_t *)text.ptr + at;
    size_t left = text.len - at;
    *ret_cp = 0xFFFD;
    for (size_t i = 0; i < VSR_COUNT(sequences); i++) {
        size_t n = 1;
        if (p[0] < sequences[i].low || p[0] > sequences[i].high)
            continue;
        if (n < sequences[i].len && n < left && p[1] >= sequences[i].second_low && p[1] <= sequences[i].second_high)
            for (n = 2; n < sequences[i].len && n < left && p[n] >= 0x80 && p[n] <= 0xBF;)
                n++;
        if (n == sequences[i].len) {
            size_t pos = at;
            *ret_cp = utf8_next(text, &pos);
        }
        return n;
    }
    return 1;
}

struct chars {
    bool edges[TEXT_LEN_MAX + 1]; /* where a character begins, and the end */
    char clean[TEXT_LEN_MAX * 3]; /* the text with U+FFFD for what is ill-formed */
    size_t len;
    size_t places[TEXT_LEN_MAX + 1]; /* of each edge in `clean` */
};

static void read_chars(vsr_str text, struct chars *ret) {
    *ret = (struct chars){ 0 };
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        size_t n = char_at(text, at, &cp);
        ret->edges[at] = true;
        ret->places[at] = ret->len;
        ret->len += utf8_encode(cp, ret->clean + ret->len);
        at += n;
    }
    ret->edges[text.len] = true;
    ret->places[text.len] = ret->len;
}

/* ---- tokenizers */

enum flags {
    SPELLS = 1 << 0, /* each token's bytes are those of its place, and all together the text */
    COVERS = 1 << 1, /* what is in no place was joined to a character or deleted */
    JOINS = 1 << 2,  /* characters may become one with the one before */
    CLEANS = 1 << 3, /* controls are deleted */
    STABLE = 1 << 4, /* the normal form of a normal form is itself */
};

#define BYTES_PRE \
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":true},"
#define BYTES_WHOLE \
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":false}" \
    ","
#define NORMAL(type) "\"normalizer\":{\"type\":\"" type "\"},"
#define TRIM "\"post_processor\":{\"type\":\"ByteLevel\",\"trim_offsets\":true,\"add_prefix_space\":false},"
#define SPACED \
    "\"added_tokens\":[{\"id\":300,\"content\":\"router\",\"lstrip\":true,\"rstrip\":true,\"normalized\":false}],"
#define META \
    "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"always\"},"
#define UNIGRAM \
    "{" META \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"\xE2\x96\x81\",-2],[\"a\",-1],[\"The\"," \
    "-3],[\"\xE2\x96\x81The\",-3],[\"\xE2\x96\x81router\",-4],[\"e\",-2],[\"\xC3\xA9\",-2],[\"\xE4\xB8\xAD\",-2]]}}"
#define WORDS \
    "{\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{" \
    "\"type\":" \
    "\"WordPiece\",\"unk_token\":\"[UNK]\",\"vocab\":{\"[UNK]\":0,\"a\":1,\"##a\":2,\"e\":3,\"the\":4,\"rout\":5,\"##" \
    "er\":6," \
    "\"\xE4\xB8\xAD\":7,\"'\":8,\"s\":9,\"q\":10,\"\xC4\xA0\":11}}}"

static const struct {
    const char *name;
    const char *components; /* around a model of all bytes; NULL: `whole` */
    const char *whole;
    unsigned flags;
} models[] = {
    { "bytes", BYTES_PRE, NULL, SPELLS | COVERS | STABLE },
    { "bytes in one piece", BYTES_WHOLE, NULL, SPELLS | COVERS | STABLE },
    { "trimmed places", TRIM BYTES_PRE, NULL, STABLE },
    { "an added token", SPACED BYTES_PRE, NULL, COVERS },
    { "NFC", NORMAL("NFC") BYTES_PRE, NULL, COVERS | JOINS | STABLE },
    { "NFD", NORMAL("NFD") BYTES_PRE, NULL, COVERS | STABLE },
    { "NFKC", NORMAL("NFKC") BYTES_PRE, NULL, COVERS | JOINS | STABLE },
    { "NFKD", NORMAL("NFKD") BYTES_WHOLE, NULL, COVERS | STABLE },
    { "lower case", NORMAL("Lowercase") BYTES_PRE, NULL, COVERS | STABLE },
    { "without marks", NORMAL("StripAccents") BYTES_PRE, NULL, COVERS | JOINS | STABLE },
    { "Nmt", NORMAL("Nmt") BYTES_PRE, NULL, COVERS | CLEANS | STABLE },
    { "BERT", NORMAL("BertNormalizer") BYTES_PRE, NULL, COVERS | JOINS | CLEANS },
    { "prepended", "\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"e\xCC\x81\"}," BYTES_PRE, NULL, COVERS },
    { "replaced",
      "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xE2\x96\x81\"}," BYTES_PRE,
      NULL, COVERS | STABLE },
    { "unigram", NULL, UNIGRAM, 0 },
    { "word pieces", NULL, WORDS, 0 },
};

/* byte -> character of the byte alphabet, and back */
static uint32_t alphabet[256];

static void make_alphabet(void) {
    for (uint32_t b = 0, n = 256; b < 256; b++)
        alphabet[b] = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174 ? b : n++;
}

static void write_token(struct buf *out, vsr_str bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        (void)buf_printf(out, "\\u%04x", alphabet[(uint8_t)bytes.ptr[i]]);
}

/* All bytes, and some merges: within a character, over its end, of spaces. */
static void write_model(struct buf *out) {
    static const vsr_str merges[][2] = {
        { VSR_STR("\xCC"), VSR_STR("\x81") }, { VSR_STR("e"), VSR_STR("\xCC\x81") },
        { VSR_STR("T"), VSR_STR("h") },       { VSR_STR("Th"), VSR_STR("e") },
        { VSR_STR(" "), VSR_STR(" ") },       { VSR_STR("\x81"), VSR_STR("\xCC") },
        { VSR_STR("\xEF"), VSR_STR("\xBF") }, { VSR_STR(" "), VSR_STR("r") },
        { VSR_STR("\0"), VSR_STR("\0") },
    };
    (void)buf_append_c(out, "\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (unsigned b = 0; b < 256; b++)
        (void)buf_printf(out, "%s\"\\u%04x\":%u", b ? "," : "", alphabet[b], b);
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        (void)buf_append_c(out, ",\"");
        write_token(out, merges[i][0]);
        write_token(out, merges[i][1]);
        (void)buf_printf(out, "\":%zu", 256 + i);
    }
    (void)buf_append_c(out, "},\"merges\":[");
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        (void)buf_append_c(out, i ? ",[\"" : "[\"");
        write_token(out, merges[i][0]);
        (void)buf_append_c(out, "\",\"");
        write_token(out, merges[i][1]);
        (void)buf_append_c(out, "\"]");
    }
    (void)buf_append_c(out, "]}");
}

static struct tokenizer *build(struct arena *arena, size_t model) {
    struct tokenizer *t = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf json;
    buf_init(&json, 1 << 20);
    if (models[model].whole) {
        (void)buf_append_c(&json, models[model].whole);
    } else {
        (void)buf_printf(&json, "{%s", models[model].components);
        write_model(&json);
        (void)buf_append_c(&json, "}");
    }
    CHECK_MSG(tokenizer_from_json(arena, buf_str(&json), &t, &err) == 0, "%s: %s", models[model].name, err.text);
    buf_done(&json);
    return t;
}

/* ---- what holds */

struct subject {
    size_t model;
    const struct tokenizer *t;
    struct tokenizer_scratch *scratch;
    vsr_str text;
    uint32_t seed; /* that gives this text again */
    struct chars chars;
};

#define HOLDS(s, cond) \
    CHECK_MSG((cond), "%s, text of seed %u (%zu bytes): %s", models[(s)->model].name, (s)->seed, (s)->text.len, #cond)

static void check_places(const struct subject *s, const struct encoding *e) {
    for (size_t i = 0; i < e->n; i++) {
        HOLDS(s, e->starts[i] <= e->ends[i] && e->ends[i] <= s->text.len);
        HOLDS(s, s->chars.edges[e->starts[i]] && s->chars.edges[e->ends[i]]);
        HOLDS(s, e->ids[i] < tokenizer_vocabulary_size(s->t));
        if (i > 0)
            HOLDS(s, e->starts[i] >= e->starts[i - 1] && e->ends[i] >= e->ends[i - 1]);
    }
}

/* Bytes that a token of the byte alphabet stands for. */
static void spell(const struct subject *s, uint32_t id, struct buf *out) {
    vsr_str token = tokenizer_token(s->t, id);
    for (size_t at = 0; at < token.len;) {
        uint32_t cp = utf8_next(token, &at), b = 0;
        while (b < 256 && alphabet[b] != cp)
            b++;
        HOLDS(s, b < 256);
        (void)buf_append_char(out, (char)b);
    }
}

/* Each token's bytes stand in its place, all of them one after the other are the text. */
static void check_spelling(const struct subject *s, const struct encoding *e) {
    struct buf all, one;
    buf_init(&all, 1 << 20);
    buf_init(&one, 1 << 20);
    for (size_t i = 0; i < e->n; i++) {
        size_t start = s->chars.places[e->starts[i]], end = s->chars.places[e->ends[i]];
        buf_reset(&one);
        spell(s, e->ids[i], &one);
        (void)buf_append(&all, buf_str(&one));
        HOLDS(s, str_find(str_make(s->chars.clean + start, end - start), buf_str(&one)) >= 0);
        HOLDS(s, e->starts[i] <= (i ? e->ends[i - 1] : 0));
    }
    HOLDS(s, str_eq(buf_str(&all), str_make(s->chars.clean, s->chars.len)));
    HOLDS(s, e->n == 0 ? s->text.len == 0 : e->ends[e->n - 1] == s->text.len);
    buf_done(&all);
    buf_done(&one);
}

static bool joins(uint32_t cp) {
    return unicode_category(cp)[0] == 'M' || (cp >= 0x1160 && cp <= 0x11FF);
}

static bool is_control(uint32_t cp) {
    return unicode_category(cp)[0] == 'C' || cp == 0xFFFD;
}

/* Between places lies only what the normaliser joins to the character before, or deletes. */
static void check_gaps(const struct subject *s, const struct encoding *e) {
    unsigned flags = models[s->model].flags;
    size_t done = 0;
    for (size_t i = 0; i <= e->n; i++) {
        size_t start = i < e->n ? e->starts[i] : s->text.len;
        for (size_t at = done; at < start;) {
            uint32_t cp;
            at += char_at(s->text, at, &cp);
            HOLDS(s, (flags & JOINS && joins(cp)) || (flags & CLEANS && is_control(cp)));
        }
        if (i < e->n && e->ends[i] > done)
            done = e->ends[i];
    }
}

/* What the tokens spell becomes the same tokens. */
static void check_stable(const struct subject *s, const struct encoding *e) {
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer_options options = { .bare = true };
    struct encoding again;
    struct buf all;
    buf_init(&all, 1 << 20);
    for (size_t i = 0; i < e->n; i++)
        spell(s, e->ids[i], &all);
    HOLDS(s, tokenizer_encode(s->t, scratch, buf_str(&all), &options, &again, NULL) == 0);
    HOLDS(s, again.n == e->n && (e->n == 0 || memcmp(again.ids, e->ids, e->n * sizeof(*e->ids)) == 0));
    buf_done(&all);
    tokenizer_scratch_free(scratch);
}

static bool same(const struct encoding *whole, size_t skip, const struct encoding *part, size_t from, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (whole->ids[skip + i] != part->ids[from + i] || whole->starts[skip + i] != part->starts[from + i] ||
            whole->ends[skip + i] != part->ends[from + i])
            return false;
    return true;
}

/* The same text with nothing remembered, as both of a pair, and cut. `e` is from another scratch. */
static void check_again(const struct subject *s, const struct encoding *e) {
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer_options options = { .bare = true };
    struct encoding again;
    HOLDS(s, tokenizer_encode(s->t, scratch, s->text, &options, &again, NULL) == 0 && again.n == e->n);
    HOLDS(s, same(e, 0, &again, 0, e->n));
    HOLDS(s, tokenizer_encode_pair(s->t, scratch, s->text, s->text, &options, &again, NULL) == 0);
    HOLDS(s, again.n == 2 * e->n && same(e, 0, &again, 0, e->n) && same(e, 0, &again, e->n, e->n));
    options.tokens_max = 1 + draw(8);
    HOLDS(s, tokenizer_encode(s->t, scratch, s->text, &options, &again, NULL) == 0);
    HOLDS(s, again.n == (e->n < options.tokens_max ? e->n : options.tokens_max) && again.n + again.n_dropped == e->n);
    HOLDS(s, same(e, 0, &again, 0, again.n));
    tokenizer_scratch_free(scratch);
}

static void check_trimmed(const struct subject *s, const struct encoding *e) {
    for (size_t i = 0; i < e->n; i++) {
        uint32_t start, end;
        encoding_trimmed(e, i, s->text, &start, &end);
        HOLDS(s, e->starts[i] <= start && start <= end && end <= e->ends[i]);
    }
}

/* Code points and UTF-16 units up to a place, counted from the start. */
static uint32_t count_units(const struct subject *s, size_t end, enum tokenizer_unit unit) {
    uint32_t n = 0;
    for (size_t at = 0; at < end;) {
        uint32_t cp;
        at += char_at(s->text, at, &cp);
        n += unit == TOKENIZER_UTF16 && cp > 0xFFFF ? 2 : 1;
    }
    return n;
}

static void check_units(const struct subject *s, const struct encoding *e) {
    uint32_t starts[TEXT_LEN_MAX * 12], ends[TEXT_LEN_MAX * 12];
    HOLDS(s, e->n <= VSR_COUNT(starts));
    for (enum tokenizer_unit unit = TOKENIZER_CODE_POINTS; unit <= TOKENIZER_UTF16; unit++) {
        encoding_places(e, 0, s->text, unit, starts, ends);
        for (size_t i = 0; i < e->n; i++) {
            HOLDS(s, starts[i] == count_units(s, e->starts[i], unit));
            HOLDS(s, ends[i] == count_units(s, e->ends[i], unit));
        }
    }
}

static void check_text(const struct subject *s) {
    struct tokenizer_options options = { .bare = true };
    unsigned flags = models[s->model].flags;
    struct encoding e;
    HOLDS(s, tokenizer_encode(s->t, s->scratch, s->text, &options, &e, NULL) == 0);
    check_places(s, &e);
    check_trimmed(s, &e);
    check_units(s, &e);
    if (flags & SPELLS)
        check_spelling(s, &e);
    if (flags & COVERS)
        check_gaps(s, &e);
    if (flags & STABLE)
        check_stable(s, &e);
    check_again(s, &e);
}

TEST(random_texts) {
    size_t n = getenv("VSR_TEST_LONG") ? TEXTS_LONG : TEXTS;
    uint64_t first = 1;
    (void)(getenv("VSR_TEST_SEED") && str_to_u64(str_from_c(getenv("VSR_TEST_SEED")), &first));
    make_alphabet();
    for (size_t m = 0; m < VSR_COUNT(models); m++) {
        struct arena *arena = arena_new(0, 0);
        struct subject s = { .model = m, .t = build(arena, m), .scratch = tokenizer_scratch_new() };
        char text[TEXT_LEN_MAX];
        for (size_t i = 0; i < n; i++) {
            s.seed = seed = (uint32_t)(first + i);
            s.text = draw_text(text);
            read_chars(s.text, &s.chars);
            check_text(&s);
        }
        tokenizer_scratch_free(s.scratch);
        arena_free(arena);
    }
}

RUN_TESTS(T(random_texts))
