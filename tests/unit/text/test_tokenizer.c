/* Tokenizers from tokenizer.json: tables of texts with the tokens and places that they become. */
#include "text/tokenizer.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "text/tokenizer_template.h"

#include "test.h"

#define ADDED_PLAIN "\"single_word\":false,\"rstrip\":false"
#define TOKEN(id, content, lstrip, normalized, special) \
    "{\"id\":" id ",\"content\":\"" content "\",\"lstrip\":" lstrip ",\"normalized\":" normalized \
    ",\"special\":" special "," ADDED_PLAIN "}"

static struct tokenizer *must_load(struct arena *arena, const char *json) {
    struct tokenizer *t = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(tokenizer_from_json(arena, str_from_c(json), &t, &err) == 0, "%s", err.text);
    return t;
}

/* "token@start-end token@start-end ..." */
static const char *show(const struct tokenizer *t, const struct encoding *e, struct buf *out) {
    buf_reset(out);
    for (size_t i = 0; i < e->n; i++) {
        (void)buf_append_c(out, i ? " " : "");
        (void)buf_append(out, tokenizer_token(t, e->ids[i]));
        if (e->sequences[i] != ENCODING_TEMPLATE)
            (void)buf_printf(out, "@%u-%u", e->starts[i], e->ends[i]);
    }
    (void)buf_append_char(out, '\0');
    return out->ptr;
}

struct example {
    const char *name, *text, *want;
    size_t len; /* 0: up to the NUL */
    bool parse_special, bare;
};

static void check_examples(const char *json, const struct example *examples, size_t n) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = must_load(arena, json);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct buf out;
    buf_init(&out, 1 << 20);
    for (int round = 0; round < 2; round++) /* the second one from the cache */
        for (size_t i = 0; i < n; i++) {
            struct tokenizer_options options = { .parse_special = examples[i].parse_special, .bare = examples[i].bare };
            vsr_str text = str_make(examples[i].text, examples[i].len ? examples[i].len : strlen(examples[i].text));
            struct encoding e;
            CHECK_INT(tokenizer_encode(t, scratch, text, &options, &e, NULL), 0, examples[i].name);
            CHECK_STR(str_from_c(show(t, &e, &out)), examples[i].want, examples[i].name);
        }
    buf_done(&out);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

/* clang-format off */
#define BERT_PARTS \
    "\"added_tokens\":[" \
    TOKEN("0", "[PAD]", "false", "false", "true") "," TOKEN("1", "[UNK]", "false", "false", "true") "," \
    TOKEN("2", "[CLS]", "false", "false", "true") "," TOKEN("3", "[SEP]", "false", "false", "true") "," \
    TOKEN("4", "[MASK]", "true", "false", "true") \
    "],\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}," \
    "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}," \
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"max_input_chars_per_word\":8,\"vocab\":{\"[PAD]\":0," \
    "\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"un\":5,\"##believ\":6,\"##able\":7,\"a\":8,\"##a\":9," \
    "\"cafe\":10,\"!\":11,\"[\":12,\"]\":13,\"mask\":14,\"cls\":15,\"\u4e2d\":16,\"i\":17,\"##s\":18}}}"
/* clang-format on */

#define BERT \
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true," \
    "\"strip_accents\":null,\"lowercase\":true}," BERT_PARTS

TEST(wordpiece) {
    static const struct example examples[] = {
        { "empty", "", "[CLS] [SEP]" },
        { "longest first", "unaa Aaa", "[CLS] un@0-2 ##a@2-3 ##a@3-4 a@5-6 ##a@6-7 ##a@7-8 [SEP]" },
        { "too long a word", "unbelievable", "[CLS] [UNK]@0-12 [SEP]" },
        { "a word not covered", "unx!", "[CLS] [UNK]@0-3 !@3-4 [SEP]" },
        { "accents", "CAF\xC3\x89", "[CLS] cafe@0-5 [SEP]" },
        { "accents of their own", "cafe\xCC\x81!", "[CLS] cafe@0-4 !@6-7 [SEP]" },
        { "ideographs",
          "a\xE4\xB8\xAD"
          "a",
          "[CLS] a@0-1 \xE4\xB8\xAD@1-4 a@4-5 [SEP]" },
        { "NUL and soft hyphen vanish",
          "a\0a a\xC2\xAD"
          "a",
          "[CLS] a@0-1 ##a@2-3 a@4-5 ##a@7-8 [SEP]", .len = 8 },
        { "ill-formed bytes vanish as U+FFFD does", "a\xFF\xE2\x82 a", "[CLS] a@0-1 a@5-6 [SEP]" },
        { "typed specials are text", "[MASK]!", "[CLS] [@0-1 mask@1-5 ]@5-6 !@6-7 [SEP]" },
        { "meant specials", "a [MASK]!", "[CLS] a@0-1 [MASK]@1-8 !@8-9 [SEP]", .parse_special = true },
        { "bare", "is", "i@0-1 ##s@1-2", .bare = true },
    };
    check_examples(BERT, examples, VSR_COUNT(examples));
}

/* The byte alphabet of the first 256 ids, then merges. */
static void write_byte_level(struct buf *out, const char *components, const char *model) {
    static const char *const merges[] = { "h e", "l l", "he ll", "\xC4\xA0 he", "' s", "a a", "aa a" };
    (void)buf_printf(out, "{%s\"model\":{\"type\":\"BPE\",%s\"vocab\":{", components, model);
    for (unsigned b = 0, n = 256; b < 256; b++) {
        bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        unsigned cp = plain ? b : n++;
        (void)buf_printf(out, "%s\"\\u%04x\":%u", b ? "," : "", cp, b);
    }
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        const char *space = strchr(merges[i], ' ');
        (void)buf_printf(out, ",\"%.*s%s\":%zu", (int)(space - merges[i]), merges[i], space + 1, 256 + i);
    }
    (void)buf_append_c(out, "},\"merges\":[");
    for (size_t i = 0; i < VSR_COUNT(merges); i++)
        (void)buf_printf(out, "%s\"%s\"", i ? "," : "", merges[i]);
    (void)buf_append_c(out, "]}}");
    (void)buf_append_char(out, '\0');
}

static void check_byte_level(const char *components, const char *model, const struct example *examples, size_t n) {
    struct buf json;
    buf_init(&json, 1 << 20);
    write_byte_level(&json, components, model);
    check_examples(json.ptr, examples, n);
    buf_done(&json);
}

TEST(byte_level) {
    static const struct example examples[] = {
        { "merges", "hell he", "hell@0-4 \xC4\xA0he@4-7" },
        { "contraction", "a's 'S", "a@0-1 's@1-3 \xC4\xA0@3-4 '@4-5 S@5-6" },
        { "ranks decide", "aaaa", "aa@0-2 aa@2-4" },
        { "then the left one", "aaa", "aaa@0-3" },
        { "spaces leave one", "a   he", "a@0-1 \xC4\xA0@1-2 \xC4\xA0@2-3 \xC4\xA0he@3-6" },
        { "bytes of a character share its place", "\xC3\xA9", "\xC3\x83@0-2 \xC2\xA9@0-2" },
        { "a composed character has the place of its first part", "e\xCC\x81", "\xC3\x83@0-1 \xC2\xA9@0-1" },
        { "NUL", "a\0a", "a@0-1 \xC4\x80@1-2 a@2-3", .len = 3 },
    };
    check_byte_level("\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
                     "false,\"trim_offsets\":true,\"use_regex\":true},",
                     "", examples, VSR_COUNT(examples));
}

TEST(trimmed_offsets) {
    static const struct example examples[] = {
        { "a space that was added", "he he", "\xC4\xA0he@0-2 \xC4\xA0he@3-5" },
        { "a space that was there", " he", "\xC4\xA0he@0-3" },
        { "two spaces", "  he", "\xC4\xA0@0-0 \xC4\xA0he@2-4" },
        { "spaces alone", "a  ", "\xC4\xA0@0-0 a@0-1 \xC4\xA0@2-2 \xC4\xA0@3-3" },
    };
    check_byte_level("\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true},"
                     "\"post_processor\":{\"type\":\"ByteLevel\",\"trim_offsets\":true,\"add_prefix_space\":true},",
                     "", examples, VSR_COUNT(examples));
}

#define QWEN \
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|" \
    "'t" \
    "|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|" \
    "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":" \
    "\"ByteLevel\"," \
    "\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":false}]},"

TEST(ignored_merges) {
    static const struct example examples[] = {
        { "a whole piece that merges do not reach", "(aa hell", "(@0-1 aa@1-3 \xC4\xA0@3-4 hell@4-8" },
    };
    check_byte_level(QWEN, "\"ignore_merges\":true,", examples, VSR_COUNT(examples));
}

#define SPACE "\xE2\x96\x81"

/* clang-format off */
#define GEMMA \
    "{\"added_tokens\":[" \
    TOKEN("0", "<bos>", "false", "false", "true") "," TOKEN("1", "<unk>", "false", "false", "true") "," \
    TOKEN("9", "\\n\\n", "false", "false", "false") \
    "],\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SPACE "\"}," \
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":false,\"vocab\":{" \
    "\"<bos>\":0,\"<unk>\":1,\"" SPACE "\":2,\"a\":3,\"b\":4,\"" SPACE "a\":5,\"" SPACE SPACE "\":6,\"ab\":7," \
    "\"<\":8,\"\\n\\n\":9},\"merges\":[[\"" SPACE "\",\"" SPACE "\"],[\"a\",\"b\"],[\"" SPACE "\",\"a\"]]}}"
/* clang-format on */

TEST(spaces_as_symbols) {
    static const struct example examples[] = {
        { "words", "a ab a",
          "a@0-1 \xE2\x96\x81@1-2 ab@2-4 \xE2\x96\x81"
          "a@4-6" },
        { "runs of spaces", "a   a",
          "a@0-1 \xE2\x96\x81\xE2\x96\x81@1-3 \xE2\x96\x81"
          "a@3-5" },
        { "unknown ones are one",
          "xyz \xC3\xA9"
          "a",
          "<unk>@0-3 \xE2\x96\x81@3-4 <unk>@4-6 a@6-7" },
        { "typed specials", "<bos>", "<@0-1 b@1-2 <unk>@2-5" },
        { "plain added tokens", "a\n\na", "a@0-1 \n\n@1-3 a@3-4" },
    };
    check_examples(GEMMA, examples, VSR_COUNT(examples));
}

#define UNIGRAM \
    "{\"added_tokens\":[" TOKEN("0", "<s>", "false", "false", \
                                "true") "],\"pre_tokenizer\":{\"type\":\"Metaspace\"," \
                                        "\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"always\",\"split\":" \
                                        "true},\"model\":{\"type\":\"Unigram\"," \
                                        "\"unk_id\":1,\"vocab\":[[\"<s>\",0],[\"<unk>\",0],[\"\xE2\x96\x81\",-2],[" \
                                        "\"a\",-2],[\"ab\",-3],[\"b\",-1.5]," \
                                        "[\"\xE2\x96\x81" \
                                        "a\",-2.5],[\"aba\",-4]]}}"

TEST(unigram) {
    static const struct example examples[] = {
        { "the best sum", "ab",
          "\xE2\x96\x81"
          "a@0-1 b@1-2" },
        { "a prepended mark has the place of what follows", "b a",
          "\xE2\x96\x81@0-1 b@0-1 \xE2\x96\x81"
          "a@1-3" },
        { "unknown ones are one", "xya", "\xE2\x96\x81@0-1 <unk>@0-2 a@2-3" },
        { "typed specials", "<s>", "\xE2\x96\x81@0-1 <unk>@0-3" },
        { "tabs stay", "a\ta",
          "\xE2\x96\x81"
          "a@0-1 <unk>@1-2 a@2-3" },
    };
    check_examples(UNIGRAM, examples, VSR_COUNT(examples));
}

TEST(unknown_parts_are_errors) {
    static const struct {
        const char *json, *want;
    } cases[] = {
        { "[]", "is no object" },
        { "{}", "model" },
        { "{\"model\":{\"type\":\"Magic\",\"vocab\":{}}}", "Magic" },
        { "{\"extra\":1,\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", "extra" },
        { "{\"normalizer\":{\"type\":\"Shout\"},\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", "Shout" },
        { "{\"normalizer\":{\"type\":\"NFC\",\"loud\":true},\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", "loud" },
        { "{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a|b)+c\"},\"behavior\":\"Isolated\"},"
          "\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}",
          "(a|b)+c" },
        { "{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Glued\"},"
          "\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}",
          "behavior" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}", "merge 0" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}", "gives" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}", "id" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1048576},\"merges\":[]}}", "id" },
        { "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", "unk_token" },
        { "{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"vocab\":{\"a\":0}}}", "\"u\"" },
        { "{\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"s\",7],\"cls\":[\"c\",0]},"
          "\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}",
          "7" },
        { "{\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////w==\"},"
          "\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}",
          "precompiled_charsmap" },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct tokenizer *t = NULL;
        CHECK(tokenizer_from_json(arena, str_from_c(cases[i].json), &t, &err) < 0, cases[i].json);
        CHECK_MSG(strstr(err.text, cases[i].want), "%s: \"%s\" does not say %s", cases[i].json, err.text,
                  cases[i].want);
    }
    arena_free(arena);
}

/* ---- SentencePiece models, written field by field */

static void put_bytes(struct buf *out, int field, vsr_str bytes) {
    size_t rest = bytes.len;
    (void)buf_append_char(out, (char)(field << 3 | 2));
    for (; rest >= 0x80; rest >>= 7)
        (void)buf_append_char(out, (char)((rest & 0x7F) | 0x80));
    (void)buf_append_char(out, (char)rest);
    (void)buf_append(out, bytes);
}

static void put_piece(struct buf *out, vsr_str text, char type) {
    struct buf piece;
    buf_init(&piece, 1 << 16);
    put_bytes(&piece, 1, text);
    (void)buf_append(&piece, str_make((const char[]){ 0x15, 0, 0, (char)0x80, (char)0xBF, 0x18, type }, 7)); /* -1 */
    put_bytes(out, 1, buf_str(&piece));
    buf_done(&piece);
}

/* A Unigram model of <unk>, U+2581, "a" and `more`, with `charsmap`. */
static void put_model(struct buf *out, vsr_str more, vsr_str charsmap) {
    struct buf normalizer;
    buf_init(&normalizer, 1 << 16);
    put_piece(out, VSR_STR("<unk>"), 2);
    put_piece(out, VSR_STR("\xE2\x96\x81"), 1);
    put_piece(out, VSR_STR("a"), 1);
    if (more.len)
        put_piece(out, more, 1);
    put_bytes(out, 2, str_make((const char[]){ 0x18, 1 }, 2));
    if (charsmap.len)
        put_bytes(&normalizer, 2, charsmap);
    put_bytes(out, 3, buf_str(&normalizer));
    buf_done(&normalizer);
}

static void put_u32(struct buf *out, uint32_t value) {
    for (int i = 0; i < 4; i++)
        (void)buf_append_char(out, (char)(value >> 8 * i));
}

/* One rule: the single byte `key`, which begins a character of two, becomes nothing. */
static void put_charsmap(struct buf *out, uint8_t key) {
    put_u32(out, 256 * 4);
    for (uint32_t i = 0; i < 256; i++)
        put_u32(out, i == key ? key | 0x100 | 1 << 10 : i == (key ^ 1u) ? 0x80000000 : 0);
    (void)buf_append_char(out, '\0');
}

TEST(rules_that_end_inside_a_character) {
    static const char *const texts[][2] = {
        { "\xC3\xA9", "\xE2\x96\x81@0-0 <unk>@0-2" },
        { "a\xC3\xA9", "\xE2\x96\x81@0-0 a@0-1 <unk>@1-3" },
        { "\xC3\xA9 a", "\xE2\x96\x81@0-0 <unk>@0-2 \xE2\x96\x81@2-3 a@3-4" },
    };
    struct arena *arena = arena_new(0, 0);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    const struct tokenizer_options bare = { .bare = true };
    struct tokenizer *t = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf charsmap, model, out;
    buf_init(&charsmap, 1 << 16);
    buf_init(&model, 1 << 16);
    buf_init(&out, 1 << 16);
    put_charsmap(&charsmap, 0xC3);
    put_model(&model, VSR_STR(""), buf_str(&charsmap));
    CHECK_MSG(tokenizer_from_sentencepiece(arena, buf_str(&model), &t, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct encoding e;
        CHECK_INT(tokenizer_encode(t, scratch, str_from_c(texts[i][0]), &bare, &e, NULL), 0, texts[i][0]);
        CHECK_STR(str_from_c(show(t, &e, &out)), texts[i][1], texts[i][0]);
    }
    buf_done(&charsmap);
    buf_done(&model);
    buf_done(&out);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

/* Ids of fairseq, by names: a token's own name would do for any order. */
TEST(xlm_roberta_ids) {
    static const char *const first[] = { "<s>", "<pad>", "</s>", "<unk>", "\xE2\x96\x81", "a", "<mask>" };
    struct arena *arena = arena_new(0, 0);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer *t = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    struct encoding e;
    struct buf model, out;
    buf_init(&model, 1 << 16);
    buf_init(&out, 1 << 16);
    put_piece(&model, VSR_STR("<unk>"), 2);
    put_piece(&model, VSR_STR("<s>"), 3);
    put_piece(&model, VSR_STR("</s>"), 3);
    put_piece(&model, VSR_STR("\xE2\x96\x81"), 1);
    put_piece(&model, VSR_STR("a"), 1);
    put_bytes(&model, 2, str_make((const char[]){ 0x18, 1 }, 2));
    CHECK_MSG(tokenizer_from_xlm_roberta(arena, buf_str(&model), &t, &err) == 0, "%s", err.text);
    CHECK_INT(tokenizer_vocabulary_size(t), VSR_COUNT(first), "two more than pieces");
    for (size_t i = 0; i < VSR_COUNT(first); i++)
        CHECK_STR(tokenizer_token(t, (uint32_t)i), first[i], "in this order");
    CHECK_INT(tokenizer_encode_pair(t, scratch, VSR_STR("a<mask>"), VSR_STR("z"), &(struct tokenizer_options){ 0 }, &e,
                                    NULL),
              0, "a pair");
    CHECK_STR(str_from_c(show(t, &e, &out)),
              "<s> \xE2\x96\x81@0-0 a@0-1 <unk>@1-3 a@3-4 <unk>@4-7 </s> </s> \xE2\x96\x81@0-0 <unk>@0-1 </s>",
              "what is typed is no special token");
    for (size_t i = 0; i < e.n; i++)
        CHECK_INT(e.types[i], 0, "one type");
    buf_done(&model);
    buf_done(&out);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

TEST(xlm_roberta_refused) {
    static const struct {
        const char *name, *pieces[4];
        char types[4];
    } cases[] = {
        { "T5's order", { "<pad>", "</s>", "<unk>", "a" }, { 3, 3, 2, 1 } },
        { "CamemBERT's names", { "<unk>", "<s>", "a", "</s>" }, { 2, 3, 1, 3 } },
        { "names of pieces that are text", { "<unk>", "<s>", "</s>", "a" }, { 2, 1, 1, 1 } },
        { "two", { "<unk>", "<s>" }, { 2, 3 } },
        { "padding twice", { "<unk>", "<s>", "</s>", "<pad>" }, { 2, 3, 3, 3 } },
        { "a mask twice", { "<unk>", "<s>", "</s>", "<mask>" }, { 2, 3, 3, 4 } },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct tokenizer *t = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        struct buf model;
        buf_init(&model, 1 << 16);
        for (size_t k = 0; k < 4 && cases[i].pieces[k]; k++)
            put_piece(&model, str_from_c(cases[i].pieces[k]), cases[i].types[k]);
        CHECK_INT(tokenizer_from_xlm_roberta(arena, buf_str(&model), &t, &err), VSR_E_INVALID, cases[i].name);
        CHECK(err.text[0], cases[i].name);
        buf_done(&model);
    }
    arena_free(arena);
}

/* A place in a text costs as much as the longest token. */
TEST(tokens_that_are_too_long) {
    static const char *const models[] = {
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"u\",0],[\"@\",-1]]}}",
        "{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"@\":1}}}",
        "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"@\":1}}}",
    };
    struct arena *arena = arena_new(0, 0);
    char text[513];
    memset(text, 'a', sizeof(text));
    for (int len = 512; len <= 513; len++) {
        struct buf model;
        struct tokenizer *t = NULL;
        for (size_t i = 0; i < VSR_COUNT(models); i++) {
            vsr_str end = str_from_c(models[i]), start = str_split(&end, '@');
            vsr_str json = arena_printf(arena, "%.*s%.*s%.*s", VSR_FMT(start), len, text, VSR_FMT(end));
            CHECK_INT(tokenizer_from_json(arena, json, &t, NULL), len > 512 ? VSR_E_LIMIT : 0, models[i]);
        }
        buf_init(&model, 1 << 16);
        put_model(&model, str_make(text, (size_t)len), VSR_STR(""));
        CHECK_INT(tokenizer_from_sentencepiece(arena, buf_str(&model), &t, NULL), len > 512 ? VSR_E_LIMIT : 0,
                  "SentencePiece");
        buf_done(&model);
    }
    arena_free(arena);
}

TEST(truncation_of_lengths) {
    static const struct {
        const char *name;
        size_t room, first, second, want_first, want_second;
        enum tokenizer_truncation how;
    } cases[] = {
        { "fits", 10, 4, 6, 4, 6, TOKENIZER_KEEP_START },
        { "the longer one gives way", 10, 2, 20, 2, 8, TOKENIZER_KEEP_START },
        { "also when it is the first", 10, 20, 2, 8, 2, TOKENIZER_KEEP_START },
        { "both", 10, 20, 30, 5, 5, TOKENIZER_KEEP_START },
        { "both, odd: the longer one has one more", 11, 20, 30, 5, 6, TOKENIZER_KEEP_START },
        { "both, odd, swapped", 11, 30, 20, 6, 5, TOKENIZER_KEEP_START },
        { "equal", 7, 9, 9, 3, 4, TOKENIZER_KEEP_START },
        { "no room", 0, 3, 4, 0, 0, TOKENIZER_KEEP_START },
        { "the shorter one is longer than the room", 3, 5, 9, 1, 2, TOKENIZER_KEEP_START },
        { "only first", 10, 20, 4, 6, 4, TOKENIZER_ONLY_FIRST },
        { "only second", 10, 4, 20, 4, 6, TOKENIZER_ONLY_SECOND },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        size_t first = cases[i].first, second = cases[i].second;
        CHECK_INT(truncate_lengths(cases[i].room, cases[i].how, true, &first, &second, NULL), 0, cases[i].name);
        CHECK_INT(first, cases[i].want_first, cases[i].name);
        CHECK_INT(second, cases[i].want_second, cases[i].name);
    }
}

TEST(truncation_that_cannot_be) {
    size_t first = 3, second = 20;
    CHECK_INT(truncate_lengths(10, TOKENIZER_ONLY_FIRST, true, &first, &second, NULL), VSR_E_LIMIT, "first");
    first = 13, second = 10; /* nothing would be left of it */
    CHECK_INT(truncate_lengths(10, TOKENIZER_ONLY_FIRST, true, &first, &second, NULL), VSR_E_LIMIT, "all of it");
    CHECK_INT(first, 13, "unchanged");
}

TEST(truncated_encodings) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = must_load(arena, BERT);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer_options options = { .tokens_max = 4 };
    struct encoding e;
    struct buf out;
    buf_init(&out, 1 << 16);
    CHECK_INT(tokenizer_encode(t, scratch, VSR_STR("a a a a"), &options, &e, NULL), 0, "single");
    CHECK_STR(str_from_c(show(t, &e, &out)), "[CLS] a@0-1 a@2-3 [SEP]", "single");
    CHECK_INT(e.n_dropped, 2, "single");
    options.tokens_max = 6;
    CHECK_INT(tokenizer_encode_pair(t, scratch, VSR_STR("a a"), VSR_STR("! ! !"), &options, &e, NULL), 0, "pair");
    CHECK_STR(str_from_c(show(t, &e, &out)), "[CLS] a@0-1 [SEP] !@0-1 !@2-3 [SEP]", "pair");
    CHECK_INT(e.n_dropped, 2, "pair");
    CHECK(e.types[2] == 0 && e.types[3] == 1 && e.types[5] == 1 && e.sequences[1] == 0 && e.sequences[3] == 1, "types");
    options.tokens_max = 2;
    CHECK_INT(tokenizer_encode_pair(t, scratch, VSR_STR("a"), VSR_STR("a"), &options, &e, NULL), VSR_E_LIMIT,
              "less than the template");
    CHECK_INT(tokenizer_template_len(t, false), 2, "template");
    CHECK_INT(tokenizer_template_len(t, true), 3, "template");
    buf_done(&out);
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

TEST(long_pieces_merge_like_short_ones) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = must_load(arena, GEMMA);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    char text[4096];
    struct encoding e;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "ab"[i % 2];
    for (size_t len = 2; len <= sizeof(text); len *= 2) {
        CHECK_INT(tokenizer_encode(t, scratch, str_make(text, len), NULL, &e, NULL), 0, "long");
        CHECK_INT(e.n, len / 2, "every pair merged");
        for (size_t i = 0; i < e.n; i++)
            CHECK(e.starts[i] == 2 * i && e.ends[i] == 2 * i + 2, "places");
    }
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

TEST(trimmed_places) {
    static const struct {
        const char *text;
        uint32_t start, end, want_start, want_end;
    } cases[] = {
        { " he", 0, 3, 1, 3 },   { "he \t", 0, 4, 0, 2 }, { "\xC2\xA0x\xE3\x80\x80", 0, 6, 2, 3 },
        { "a   b", 1, 4, 1, 1 }, { "ab", 0, 2, 0, 2 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct encoding e = { .starts = &cases[i].start, .ends = &cases[i].end, .n = 1 };
        uint32_t start, end;
        encoding_trimmed(&e, 0, str_from_c(cases[i].text), &start, &end);
        CHECK_INT(start, cases[i].want_start, cases[i].text);
        CHECK_INT(end, cases[i].want_end, cases[i].text);
    }
}

TEST(texts_too_long) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = must_load(arena, BERT);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct encoding e;
    char *text = arena_alloc(arena, TOKENIZER_TEXT_LEN_MAX + 1);
    CHECK_INT(tokenizer_encode(t, scratch, str_make(text, TOKENIZER_TEXT_LEN_MAX), NULL, &e, NULL), 0, "at the limit");
    CHECK_INT(tokenizer_encode(t, scratch, str_make(text, TOKENIZER_TEXT_LEN_MAX + 1), NULL, &e, NULL), VSR_E_LIMIT,
              "past it");
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

/* One scratch serves any tokenizer in any order: what it remembers of one is not told by another. */
TEST(tokenizers_that_take_turns) {
    static const char *const changes[] = { "\"fuse_unk\":false,", "\"fuse_unk\":true,", "\"ignore_merges\":true," };
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t[VSR_COUNT(changes) + 2];
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    for (size_t i = 0; i < VSR_COUNT(t); i++) {
        struct buf json;
        buf_init(&json, 1 << 20);
        if (i < VSR_COUNT(changes))
            write_byte_level(&json,
                             i ? "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true},"
                               : "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},",
                             changes[i]);
        t[i] = must_load(arena, i < VSR_COUNT(changes) ? json.ptr : i == VSR_COUNT(changes) ? GEMMA : BERT);
        buf_done(&json);
    }
    for (size_t round = 0; round < 200; round++) {
        size_t i = (round * 7 + round / 11) % VSR_COUNT(t);
        struct tokenizer_scratch *fresh = tokenizer_scratch_new();
        struct encoding e, want;
        CHECK_INT(tokenizer_encode(t[i], scratch, VSR_STR("hell aaaa he he hell aaa"), NULL, &e, NULL), 0, "encode");
        CHECK_INT(tokenizer_encode(t[i], fresh, VSR_STR("hell aaaa he he hell aaa"), NULL, &want, NULL), 0, "encode");
        CHECK_INT(e.n, want.n, "as many");
        CHECK(memcmp(e.ids, want.ids, e.n * sizeof(*e.ids)) == 0, "the same");
        tokenizer_scratch_free(fresh);
    }
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

/* A huge text's memory is given back; the encoding of it stays until the next call. */
TEST(memory_of_huge_texts) {
    enum { HUGE_LEN = 1 << 20, KEPT_MAX = 10 << 20 };
    static const char *const models[] = { BERT, GEMMA, UNIGRAM };
    for (size_t m = 0; m < VSR_COUNT(models); m++) {
        struct arena *arena = arena_new(0, 0);
        struct tokenizer *t = must_load(arena, models[m]);
        struct tokenizer_scratch *scratch = tokenizer_scratch_new();
        char *text = arena_alloc(arena, HUGE_LEN);
        struct encoding e;
        for (size_t i = 0; i < HUGE_LEN; i++)
            text[i] = "a \xFF"
                      "b"[i % 4];
        CHECK_INT(tokenizer_encode(t, scratch, str_make(text, HUGE_LEN), NULL, &e, NULL), 0, "huge");
        CHECK_MSG(tokenizer_scratch_size(scratch) < KEPT_MAX + e.n * 2 * 14,
                  "%zu bytes behind a huge text of %zu tokens", tokenizer_scratch_size(scratch), e.n);
        for (size_t i = 0; i < e.n; i++)
            CHECK(e.ids[i] < tokenizer_vocabulary_size(t) && e.ends[i] <= HUGE_LEN, "still there");
        CHECK_INT(tokenizer_encode(t, scratch, VSR_STR("a ab"), NULL, &e, NULL), 0, "small");
        CHECK_MSG(tokenizer_scratch_size(scratch) < KEPT_MAX, "%zu bytes behind a small one",
                  tokenizer_scratch_size(scratch));
        tokenizer_scratch_free(scratch);
        arena_free(arena);
    }
}

TEST(vocabulary) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = must_load(arena, BERT);
    uint32_t id;
    CHECK(tokenizer_id(t, VSR_STR("##able"), &id) && id == 7, "found");
    CHECK(!tokenizer_id(t, VSR_STR("nowhere"), &id), "absent");
    CHECK_STR(tokenizer_token(t, 10), "cafe", "by id");
    CHECK_STR(tokenizer_token(t, 999), "", "no such id");
    CHECK_INT(tokenizer_vocabulary_size(t), 19, "size");
    arena_free(arena);
}

#define IDS_MODEL "\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"a\":0,\"b\":1,\"u\":2}}"

/* With ignore_merges a piece that is a token stays one, however long it is. */
TEST(long_whole_pieces) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct encoding e;
    char text[3000];
    struct tokenizer *t;
    memset(text, 'a', sizeof(text));
    t = must_load(arena, arena_printf(arena,
                                      "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                                      "\"use_regex\":false},\"model\":{\"type\":\"BPE\",\"ignore_merges\":true,"
                                      "\"vocab\":{\"a\":0,\"%.*s\":1},\"merges\":[]}}",
                                      (int)sizeof(text), text)
                             .ptr);
    CHECK_INT(tokenizer_encode(t, scratch, str_make(text, sizeof(text)), NULL, &e, NULL), 0, "whole");
    CHECK(e.n == 1 && e.ids[0] == 1, "whole");
    CHECK_INT(tokenizer_encode(t, scratch, str_make(text, sizeof(text) - 1), NULL, &e, NULL), 0, "a part");
    CHECK_INT(e.n, sizeof(text) - 1, "a part");
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

TEST(ids_of_texts) {
    static const struct {
        const char *name, *json;
        size_t want;
    } cases[] = {
        { "a plain one", "{\"added_tokens\":[" TOKEN("9", "<p>", "false", "false", "false") "]," IDS_MODEL "}", 10 },
        { "a special one that no text becomes",
          "{\"added_tokens\":[" TOKEN("9", "<s>", "false", "false", "true") "]," IDS_MODEL "}", 3 },
        { "a special one of the template",
          "{\"added_tokens\":[" TOKEN("9", "<s>", "false", "false",
                                      "true") "],\"post_processor\":{\"type\":"
                                              "\"BertProcessing\",\"sep\":[\"<s>\",9],\"cls\":[\"<s>\",9]}," IDS_MODEL
                                              "}",
          10 },
        { "the unknown one", "{\"added_tokens\":[" TOKEN("2", "u", "false", "false", "true") "]," IDS_MODEL "}", 3 },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(tokenizer_ids_end(must_load(arena, cases[i].json)), cases[i].want, cases[i].name);
    arena_free(arena);
}

/* What is no ordinary file is refused, not waited for. */
TEST(files_that_are_none) {
    char dir[] = "/tmp/vsr_tokenizer_XXXXXX", path[64];
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(mkdtemp(dir), "directory");
    snprintf(path, sizeof(path), "%s/tokenizer.json", dir);
    CHECK_INT(mkfifo(path, 0600), 0, "fifo");
    CHECK_INT(tokenizer_open(arena, str_from_c(dir), &t, &err), VSR_E_LIMIT, "a pipe");
    CHECK(strstr(err.text, "is no file") != NULL, err.text);
    (void)unlink(path);
    (void)rmdir(dir);
    arena_free(arena);
}

/* The published tokenizer of BERT, from each of its files. */
TEST(published_bert) {
    static const uint32_t want[] = { 101, 7592, 1010, 2088, 999, 102 };
    const char *shared = test_shared_dir();
    struct arena *arena = arena_new(0, 0);
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer *t;
    struct vsr_err err = VSR_ERR_NONE;
    struct encoding e;
    if (shared) {
        vsr_str dir = arena_printf(arena, "%s/data/tokenizers/bert-uncased", shared);
        CHECK_MSG(tokenizer_open(arena, dir, &t, &err) == 0, "%s", err.text);
        CHECK_INT(tokenizer_length_max(t), 256, "tokenizer_config.json");
        CHECK_INT(tokenizer_encode(t, scratch, VSR_STR("Hello, World!"), NULL, &e, NULL), 0, "encode");
        CHECK(e.n == VSR_COUNT(want) && memcmp(e.ids, want, sizeof(want)) == 0, "ids");
    }
    CHECK_INT(tokenizer_open(arena, VSR_STR("/nonexistent"), &t, &err), VSR_E_NOT_FOUND, "no directory");
    tokenizer_scratch_free(scratch);
    arena_free(arena);
}

RUN_TESTS(T(wordpiece), T(byte_level), T(trimmed_offsets), T(ignored_merges), T(spaces_as_symbols), T(unigram),
          T(unknown_parts_are_errors), T(rules_that_end_inside_a_character), T(xlm_roberta_ids), T(xlm_roberta_refused),
          T(tokens_that_are_too_long), T(truncation_of_lengths), T(truncation_that_cannot_be), T(truncated_encodings),
          T(long_pieces_merge_like_short_ones), T(trimmed_places), T(texts_too_long), T(tokenizers_that_take_turns),
          T(memory_of_huge_texts), T(vocabulary), T(files_that_are_none), T(ids_of_texts), T(long_whole_pieces),
          T(published_bert))
