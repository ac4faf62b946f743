/*
 * Reads tokenizer.json. Each component is an object with a `type`; a type or an option that is not known here is an
 * error, because leaving it out would give other tokens than the model was trained on.
 */
#include "core/arena.h"
#include "core/bits.h"
#include "core/json.h"
#include "core/utf8.h"
#include "text/tokenizer_engine.h"
#include "text/tokenizer_work.h"

enum { NEST_MAX = 8 }; /* Sequences within Sequences */

#define META_SPACE "\xE2\x96\x81"

struct loader {
    struct arena *arena; /* of the tokenizer */
    struct arena *own;   /* until it is read */
    struct json_doc doc;
    struct tokenizer *t;
    struct vsr_err *err;
    uint64_t *special; /* bit per id: of added tokens that are special */
    size_t n_special;
    uint64_t key; /* hash of the file */
    bool has_template;
};

static vsr_str text_of(struct loader *l, json_ref ref) {
    vsr_str text = { "", 0 };
    (void)json_str(l->own, &l->doc, ref, &text);
    return text;
}

static int invalid(struct loader *l, const char *what, const char *problem) {
    return err_set(l->err, VSR_E_INVALID, "%s %s", what, problem);
}

/* Value of a member; JSON_NONE also for null. */
static json_ref get(const struct loader *l, json_ref object, const char *key) {
    json_ref ref = json_get(&l->doc, object, str_from_c(key));
    return ref != JSON_NONE && json_is(&l->doc, ref, JSON_NULL) ? JSON_NONE : ref;
}

/* All keys of `object` are among the space-separated `known`. */
static int check_keys(struct loader *l, json_ref object, const char *what, const char *known) {
    for (json_ref key = json_first(&l->doc, object); key != JSON_NONE;) {
        vsr_str name = text_of(l, key), rest = str_from_c(known);
        bool found = false;
        while (rest.ptr && !found)
            found = str_eq(str_split(&rest, ' '), name);
        if (!found)
            return err_set(l->err, VSR_E_INVALID, "%s: unknown option \"%.*s\"; known are: %s", what,
                           (int)(name.len < 80 ? name.len : 80), name.ptr, known);
        key = json_next(&l->doc, object, json_next(&l->doc, object, key));
    }
    return 0;
}

static int get_bool(struct loader *l, json_ref object, const char *what, const char *key, bool fallback, bool *ret) {
    json_ref ref = get(l, object, key);
    *ret = fallback;
    if (ref == JSON_NONE || json_bool(&l->doc, ref, ret))
        return 0;
    return err_set(l->err, VSR_E_INVALID, "%s: \"%s\" is neither true nor false", what, key);
}

static int get_text(struct loader *l, json_ref object, const char *what, const char *key, vsr_str *ret) {
    json_ref ref = get(l, object, key);
    if (ref == JSON_NONE || !json_is(&l->doc, ref, JSON_STRING))
        return err_set(l->err, VSR_E_INVALID, "%s: \"%s\" is missing or no string", what, key);
    *ret = arena_str(l->arena, text_of(l, ref));
    return 0;
}

static int get_id(struct loader *l, json_ref ref, const char *what, uint32_t *ret) {
    int64_t value;
    if (ref == JSON_NONE || !json_i64(&l->doc, ref, &value) || value < 0 || value >= TOKENIZER_VOCABULARY_MAX)
        return err_set(l->err, VSR_E_INVALID, "%s: an id is no whole number from 0 to %d", what,
                       TOKENIZER_VOCABULARY_MAX - 1);
    *ret = (uint32_t)value;
    return 0;
}

static int get_type(struct loader *l, json_ref object, const char *what, vsr_str *ret) {
    json_ref ref;
    if (!json_is(&l->doc, object, JSON_OBJECT))
        return invalid(l, what, "is no object");
    ref = get(l, object, "type");
    if (ref == JSON_NONE || !json_is(&l->doc, ref, JSON_STRING))
        return invalid(l, what, "has no type");
    *ret = text_of(l, ref);
    return 0;
}

static int unknown_type(struct loader *l, const char *what, vsr_str type) {
    return err_set(l->err, VSR_E_INVALID, "%s: unknown type \"%.*s\"", what, (int)(type.len < 80 ? type.len : 80),
                   type.ptr);
}

static int get_array(struct loader *l, json_ref object, const char *what, const char *key, json_ref *ret) {
    *ret = get(l, object, key);
    if (*ret == JSON_NONE || !json_is(&l->doc, *ret, JSON_ARRAY))
        return err_set(l->err, VSR_E_INVALID, "%s: \"%s\" is missing or no list", what, key);
    return 0;
}

/* {"String": "..."} or {"Regex": "..."} */
static int get_pattern(struct loader *l, json_ref object, const char *what, const struct token_pattern **ret) {
    json_ref ref = get(l, object, "pattern");
    struct token_pattern *pattern = ARENA_NEW(l->arena, struct token_pattern);
    vsr_str text;
    int rc;
    *ret = pattern;
    if (ref == JSON_NONE || !json_is(&l->doc, ref, JSON_OBJECT) || json_count(&l->doc, ref) != 1)
        return invalid(l, what, "has no pattern that is either a String or a Regex");
    rc = check_keys(l, ref, what, "String Regex");
    if (rc < 0)
        return rc;
    if (get(l, ref, "Regex") != JSON_NONE) {
        rc = get_text(l, ref, what, "Regex", &text);
        if (rc == 0 && (rc = token_pattern_parse(l->arena, text, pattern, l->err)) < 0)
            err_wrap(l->err, "%s", what);
        return rc;
    }
    rc = get_text(l, ref, what, "String", &text);
    if (rc == 0 && text.len == 0)
        return invalid(l, what, "has an empty pattern");
    *pattern = (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = text };
    return rc;
}

static int add_normal(struct loader *l, struct normal_step step) {
    if (normalizer_add(&l->t->normalizer, l->arena, step))
        return 0;
    return err_set(l->err, VSR_E_LIMIT, "normalizer: more than %d steps", NORMALIZER_STEPS_MAX);
}

static int add_form(struct loader *l, enum normal_form_kind kind) {
    return add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_FORM, .form = normal_form_build(l->arena, kind) });
}

static int read_bert_normalizer(struct loader *l, json_ref ref, const char *what) {
    bool clean, chinese, strip, lower;
    int rc;
    if ((rc = check_keys(l, ref, what, "type clean_text handle_chinese_chars strip_accents lowercase")) < 0 ||
        (rc = get_bool(l, ref, what, "clean_text", true, &clean)) < 0 ||
        (rc = get_bool(l, ref, what, "handle_chinese_chars", true, &chinese)) < 0 ||
        (rc = get_bool(l, ref, what, "lowercase", true, &lower)) < 0 ||
        (rc = get_bool(l, ref, what, "strip_accents", lower, &strip)) < 0)
        return rc;
    if (clean && (rc = add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_CLEAN })) < 0)
        return rc;
    if (chinese && (rc = add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_CHINESE })) < 0)
        return rc;
    if (strip && ((rc = add_form(l, NORMAL_FORM_D)) < 0 ||
                  (rc = add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_STRIP_NONSPACING })) < 0))
        return rc;
    return lower ? add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_LOWER }) : 0;
}

static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* False when it is not base64. */
static bool decode_base64(struct arena *arena, vsr_str text, vsr_str *ret) {
    char *out = arena_alloc(arena, text.len / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t n_bits = 0, len = 0;
    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[len++] = (char)(bits >> n_bits);
        }
    }
    *ret = str_make(out, len);
    return true;
}

static int read_precompiled(struct loader *l, json_ref ref, const char *what) {
    struct charsmap *map = ARENA_NEW(l->arena, struct charsmap);
    vsr_str text, blob;
    json_ref value = get(l, ref, "precompiled_charsmap");
    int rc = check_keys(l, ref, what, "type precompiled_charsmap");
    if (rc < 0)
        return rc;
    if (value == JSON_NONE) /* nothing to do, as some converters write it */
        return 0;
    if ((rc = get_text(l, ref, what, "precompiled_charsmap", &text)) < 0)
        return rc;
    if (text.len == 0)
        return 0;
    if (!decode_base64(l->own, text, &blob))
        return invalid(l, what, "has a precompiled_charsmap that is not base64");
    if ((rc = charsmap_read(l->arena, blob, map, l->err)) < 0)
        return rc;
    return add_normal(l, (struct normal_step){ .kind = NORMAL_STEP_CHARSMAP, .charsmap = map });
}

static int read_strip(struct loader *l, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_STRIP };
    int rc;
    if ((rc = check_keys(l, ref, what, "type strip_left strip_right")) < 0 ||
        (rc = get_bool(l, ref, what, "strip_left", true, &step.left)) < 0 ||
        (rc = get_bool(l, ref, what, "strip_right", true, &step.right)) < 0)
        return rc;
    return add_normal(l, step);
}

static int read_replace(struct loader *l, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_REPLACE };
    int rc;
    if ((rc = check_keys(l, ref, what, "type pattern content")) < 0 ||
        (rc = get_pattern(l, ref, what, &step.pattern)) < 0 ||
        (rc = get_text(l, ref, what, "content", &step.content)) < 0)
        return rc;
    return add_normal(l, step);
}

static int read_prepend(struct loader *l, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_PREPEND };
    int rc;
    if ((rc = check_keys(l, ref, what, "type prepend")) < 0 ||
        (rc = get_text(l, ref, what, "prepend", &step.content)) < 0)
        return rc;
    return add_normal(l, step);
}

static int read_normalizer(struct loader *l, json_ref ref, int depth);

static int read_normalizers(struct loader *l, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == NEST_MAX)
        return invalid(l, what, "holds Sequences within Sequences too deep");
    if ((rc = check_keys(l, ref, what, "type normalizers")) < 0 ||
        (rc = get_array(l, ref, what, "normalizers", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item))
        if ((rc = read_normalizer(l, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_normalizer(struct loader *l, json_ref ref, int depth) {
    static const struct {
        const char *type;
        enum normal_step_kind kind;
        enum normal_form_kind form;
    } plain[] = {
        { "NFC", NORMAL_STEP_FORM, NORMAL_FORM_C },   { "NFD", NORMAL_STEP_FORM, NORMAL_FORM_D },
        { "NFKC", NORMAL_STEP_FORM, NORMAL_FORM_KC }, { "NFKD", NORMAL_STEP_FORM, NORMAL_FORM_KD },
        { "Lowercase", NORMAL_STEP_LOWER, 0 },        { "StripAccents", NORMAL_STEP_STRIP_MARKS, 0 },
        { "ByteLevel", NORMAL_STEP_BYTES, 0 },        { "Nmt", NORMAL_STEP_NMT, 0 },
    };
    const char *what;
    vsr_str type;
    int rc = get_type(l, ref, "normalizer", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(l->own, "normalizer %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    for (size_t i = 0; i < VSR_COUNT(plain); i++) {
        if (!str_eq_c(type, plain[i].type))
            continue;
        if ((rc = check_keys(l, ref, what, "type")) < 0)
            return rc;
        return plain[i].kind == NORMAL_STEP_FORM ? add_form(l, plain[i].form)
                                                 : add_normal(l, (struct normal_step){ .kind = plain[i].kind });
    }
    if (str_eq_c(type, "Sequence"))
        return read_normalizers(l, ref, what, depth);
    if (str_eq_c(type, "BertNormalizer"))
        return read_bert_normalizer(l, ref, what);
    if (str_eq_c(type, "Precompiled"))
        return read_precompiled(l, ref, what);
    if (str_eq_c(type, "Strip"))
        return read_strip(l, ref, what);
    if (str_eq_c(type, "Replace"))
        return read_replace(l, ref, what);
    if (str_eq_c(type, "Prepend"))
        return read_prepend(l, ref, what);
    return unknown_type(l, "normalizer", type);
}

static int add_split(struct loader *l, struct split_step step) {
    if (splitter_add(&l->t->splitter, l->arena, step))
        return 0;
    return err_set(l->err, VSR_E_LIMIT, "pre_tokenizer: more than %d steps", SPLITTER_STEPS_MAX);
}

static struct token_pattern *new_pattern(struct loader *l, struct token_pattern pattern) {
    struct token_pattern *copy = ARENA_NEW(l->arena, struct token_pattern);
    *copy = pattern;
    return copy;
}

static int get_behaviour(struct loader *l, json_ref ref, const char *what, enum split_behaviour fallback,
                         enum split_behaviour *ret) {
    static const char *const names[] = { "Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext" };
    json_ref value = get(l, ref, "behavior");
    *ret = fallback;
    if (value == JSON_NONE)
        return 0;
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (json_is(&l->doc, value, JSON_STRING) && str_eq_c(text_of(l, value), names[i])) {
            *ret = (enum split_behaviour)i;
            return 0;
        }
    return invalid(l, what,
                   "has an unknown behavior; known are Removed, Isolated, Contiguous, MergedWithPrevious and "
                   "MergedWithNext");
}

static int read_byte_level(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_BYTES, .behaviour = SPLIT_ISOLATED };
    bool prefix, regex, unused;
    int rc;
    if ((rc = check_keys(l, ref, what, "type add_prefix_space trim_offsets use_regex")) < 0 ||
        (rc = get_bool(l, ref, what, "add_prefix_space", true, &prefix)) < 0 ||
        (rc = get_bool(l, ref, what, "trim_offsets", true, &unused)) < 0 ||
        (rc = get_bool(l, ref, what, "use_regex", true, &regex)) < 0)
        return rc;
    step.prepend = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    step.pattern = regex ? new_pattern(l, (struct token_pattern){ .kind = PATTERN_GPT2 }) : NULL;
    return add_split(l, step);
}

static int get_prepend_scheme(struct loader *l, json_ref ref, const char *what, enum split_prepend *ret) {
    static const char *const names[] = { "never", "first", "always" };
    json_ref value = get(l, ref, "prepend_scheme");
    bool prefix;
    int rc = get_bool(l, ref, what, "add_prefix_space", true, &prefix);
    *ret = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    if (rc < 0 || value == JSON_NONE)
        return rc;
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (json_is(&l->doc, value, JSON_STRING) && str_eq_c(text_of(l, value), names[i])) {
            *ret = (enum split_prepend)i;
            return 0;
        }
    return invalid(l, what, "has an unknown prepend_scheme; known are always, first and never");
}

static int read_metaspace(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_METASPACE, .behaviour = SPLIT_WITH_NEXT };
    bool split;
    int rc;
    if ((rc = check_keys(l, ref, what, "type replacement prepend_scheme add_prefix_space split str_rep")) < 0 ||
        (rc = get_prepend_scheme(l, ref, what, &step.prepend)) < 0 ||
        (rc = get_bool(l, ref, what, "split", true, &split)) < 0)
        return rc;
    step.replacement = VSR_STR(META_SPACE);
    if (get(l, ref, "replacement") != JSON_NONE && (rc = get_text(l, ref, what, "replacement", &step.replacement)) < 0)
        return rc;
    if (utf8_count(step.replacement) != 1)
        return invalid(l, what, "has a replacement that is not one character");
    if (split)
        step.pattern = new_pattern(l, (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = step.replacement });
    return add_split(l, step);
}

static int read_split(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    int rc;
    if ((rc = check_keys(l, ref, what, "type pattern behavior invert")) < 0 ||
        (rc = get_pattern(l, ref, what, &step.pattern)) < 0 ||
        (rc = get_behaviour(l, ref, what, SPLIT_ISOLATED, &step.behaviour)) < 0 ||
        (rc = get_bool(l, ref, what, "invert", false, &step.invert)) < 0)
        return rc;
    return add_split(l, step);
}

static struct token_pattern one_of(struct token_class class) {
    return (struct token_pattern){ .kind = PATTERN_RUN, .class = class, .least = 1, .most = 1 };
}

static int read_punctuation(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    int rc;
    if ((rc = check_keys(l, ref, what, "type behavior")) < 0 ||
        (rc = get_behaviour(l, ref, what, SPLIT_ISOLATED, &step.behaviour)) < 0)
        return rc;
    step.pattern = new_pattern(l, one_of((struct token_class){ .bert_punctuation = true }));
    return add_split(l, step);
}

static int read_digits(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    bool individual;
    int rc;
    if ((rc = check_keys(l, ref, what, "type individual_digits")) < 0 ||
        (rc = get_bool(l, ref, what, "individual_digits", false, &individual)) < 0)
        return rc;
    step.behaviour = individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
    step.pattern = new_pattern(l, one_of((struct token_class){ .number = true }));
    return add_split(l, step);
}

static int read_delimiter(struct loader *l, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN, .behaviour = SPLIT_REMOVED };
    vsr_str delimiter;
    int rc;
    if ((rc = check_keys(l, ref, what, "type delimiter")) < 0 ||
        (rc = get_text(l, ref, what, "delimiter", &delimiter)) < 0)
        return rc;
    if (utf8_count(delimiter) != 1)
        return invalid(l, what, "has a delimiter that is not one character");
    step.pattern = new_pattern(l, (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = delimiter });
    return add_split(l, step);
}

static int read_plain_split(struct loader *l, json_ref ref, const char *what, struct split_step step) {
    int rc = check_keys(l, ref, what, "type");
    return rc < 0 ? rc : add_split(l, step);
}

static int read_pre_tokenizer(struct loader *l, json_ref ref, int depth);

static int read_pre_tokenizers(struct loader *l, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == NEST_MAX)
        return invalid(l, what, "holds Sequences within Sequences too deep");
    if ((rc = check_keys(l, ref, what, "type pretokenizers")) < 0 ||
        (rc = get_array(l, ref, what, "pretokenizers", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item))
        if ((rc = read_pre_tokenizer(l, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_pre_tokenizer(struct loader *l, json_ref ref, int depth) {
    static const struct {
        const char *type;
        int (*read)(struct loader *l, json_ref ref, const char *what);
    } readers[] = {
        { "ByteLevel", read_byte_level },    { "Metaspace", read_metaspace }, { "Split", read_split },
        { "Punctuation", read_punctuation }, { "Digits", read_digits },       { "CharDelimiterSplit", read_delimiter },
    };
    const char *what;
    vsr_str type;
    int rc = get_type(l, ref, "pre_tokenizer", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(l->own, "pre_tokenizer %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    for (size_t i = 0; i < VSR_COUNT(readers); i++)
        if (str_eq_c(type, readers[i].type))
            return readers[i].read(l, ref, what);
    if (str_eq_c(type, "Sequence"))
        return read_pre_tokenizers(l, ref, what, depth);
    if (str_eq_c(type, "BertPreTokenizer"))
        return read_plain_split(l, ref, what, (struct split_step){ .kind = SPLIT_BERT });
    if (str_eq_c(type, "WhitespaceSplit"))
        return read_plain_split(l, ref, what,
                                (struct split_step){
                                    .kind = SPLIT_PATTERN,
                                    .behaviour = SPLIT_REMOVED,
                                    .pattern = new_pattern(l, one_of((struct token_class){ .space = true })) });
    if (str_eq_c(type, "Whitespace"))
        return read_plain_split(l, ref, what,
                                (struct split_step){ .kind = SPLIT_PATTERN,
                                                     .behaviour = SPLIT_REMOVED,
                                                     .invert = true,
                                                     .pattern = new_pattern(l, (struct token_pattern){
                                                                                   .kind = PATTERN_WORD_OR_OTHER }) });
    return unknown_type(l, "pre_tokenizer", type);
}

static bool is_special(const struct loader *l, uint32_t id) {
    return id < l->n_special && bits_has(l->special, id);
}

static void mark_special(struct loader *l, uint32_t id) {
    if (id < l->n_special)
        bits_add(l->special, id);
}

/* {"token": id, ...} */
static int read_vocabulary(struct loader *l, json_ref ref) {
    size_t n = 0, bytes_len = 0;
    if (ref == JSON_NONE || !json_is(&l->doc, ref, JSON_OBJECT))
        return invalid(l, "model", "has no vocab that is an object");
    for (json_ref key = json_first(&l->doc, ref); key != JSON_NONE;
         key = json_next(&l->doc, ref, json_next(&l->doc, ref, key))) {
        n++;
        bytes_len += l->doc.nodes[key].end - l->doc.nodes[key].start;
    }
    vocabulary_init(&l->t->vocabulary, l->arena, n, bytes_len);
    for (json_ref key = json_first(&l->doc, ref), value; key != JSON_NONE; key = json_next(&l->doc, ref, value)) {
        uint32_t id;
        int rc;
        value = json_next(&l->doc, ref, key);
        if ((rc = get_id(l, value, "model: vocab", &id)) < 0)
            return rc;
        vocabulary_put(&l->t->vocabulary, text_of(l, key), id);
    }
    return 0;
}

/* Id of a token that an option names; TOKEN_NONE when the option is absent. */
static int get_token(struct loader *l, json_ref ref, const char *key, uint32_t *ret) {
    vsr_str token;
    int rc;
    *ret = TOKEN_NONE;
    if (get(l, ref, key) == JSON_NONE)
        return 0;
    if ((rc = get_text(l, ref, "model", key, &token)) < 0)
        return rc;
    *ret = vocabulary_id(&l->t->vocabulary, token);
    for (size_t i = 0; i < l->t->n_added && *ret == TOKEN_NONE; i++)
        if (str_eq(l->t->added[i].content, token))
            *ret = l->t->added[i].id;
    if (*ret == TOKEN_NONE)
        return err_set(l->err, VSR_E_INVALID, "model: %s \"%.*s\" is in no vocabulary", key,
                       (int)(token.len < 80 ? token.len : 80), token.ptr);
    return 0;
}

/* Keys of all tokens that a text may become and that begin with `prefix`, without it. */
static void build_trie(struct loader *l, vsr_str prefix, struct token_trie *trie) {
    const struct vocabulary *vocabulary = &l->t->vocabulary;
    struct trie_key *keys = ARENA_ARRAY(l->own, struct trie_key, vocabulary->n);
    size_t n = 0;
    for (uint32_t id = 0; id < vocabulary->n; id++) {
        vsr_str token = vocabulary_token(vocabulary, id);
        if (vocabulary_has(vocabulary, id) && !is_special(l, id) && str_starts(token, prefix))
            keys[n++] = (struct trie_key){ str_sub(token, prefix.len, token.len), id };
    }
    token_trie_build(trie, l->arena, keys, n);
}

static int read_wordpiece(struct loader *l, json_ref ref) {
    struct wordpiece *model = &l->t->model.wordpiece;
    json_ref chars = get(l, ref, "max_input_chars_per_word");
    vsr_str prefix = VSR_STR("##");
    int64_t chars_max = WORDPIECE_CHARS_DEFAULT;
    int rc;
    if ((rc = check_keys(l, ref, "model WordPiece",
                         "type vocab unk_token continuing_subword_prefix max_input_chars_per_word")) < 0 ||
        (rc = get_token(l, ref, "unk_token", &model->unk)) < 0)
        return rc;
    if (get(l, ref, "continuing_subword_prefix") != JSON_NONE &&
        (rc = get_text(l, ref, "model", "continuing_subword_prefix", &prefix)) < 0)
        return rc;
    if (chars != JSON_NONE && (!json_i64(&l->doc, chars, &chars_max) || chars_max < 0 || chars_max > UINT32_MAX))
        return invalid(l, "model", "has a max_input_chars_per_word that is no count");
    if (model->unk == TOKEN_NONE)
        return invalid(l, "model WordPiece", "has no unk_token");
    l->t->kind = MODEL_WORDPIECE;
    model->chars_max = (uint32_t)chars_max;
    build_trie(l, VSR_STR(""), &model->starts);
    build_trie(l, prefix, &model->continues);
    return 0;
}

static int read_word_level(struct loader *l, json_ref ref) {
    int rc = check_keys(l, ref, "model WordLevel", "type vocab unk_token");
    l->t->kind = MODEL_WORD_LEVEL;
    if (rc < 0 || (rc = get_token(l, ref, "unk_token", &l->t->model.word_level.unk)) < 0)
        return rc;
    build_trie(l, VSR_STR(""), &l->t->model.word_level.words);
    return 0;
}

static void find_byte_ids(const struct loader *l, uint32_t ids[static 256]) {
    static const char hex[] = "0123456789ABCDEF";
    for (unsigned b = 0; b < 256; b++) {
        const char name[] = { '<', '0', 'x', hex[b >> 4], hex[b & 15], '>' };
        ids[b] = vocabulary_id(&l->t->vocabulary, str_make(name, sizeof(name)));
    }
}

static void find_alphabet_ids(const struct loader *l, uint32_t ids[static 256]) {
    for (unsigned b = 0; b < 256; b++) {
        char c[4];
        size_t n = utf8_encode(byte_alphabet((uint8_t)b), c);
        ids[b] = vocabulary_id(&l->t->vocabulary, str_make(c, n));
        if (ids[b] != TOKEN_NONE && is_special(l, ids[b]))
            ids[b] = TOKEN_NONE;
    }
}

/* "a b" or ["a", "b"]. */
static bool read_merge(struct loader *l, json_ref ref, vsr_str *ret_left, vsr_str *ret_right) {
    if (json_is(&l->doc, ref, JSON_ARRAY)) {
        json_ref first = json_first(&l->doc, ref);
        if (json_count(&l->doc, ref) != 2)
            return false;
        return json_str(l->own, &l->doc, first, ret_left) &&
               json_str(l->own, &l->doc, json_next(&l->doc, ref, first), ret_right);
    }
    if (!json_str(l->own, &l->doc, ref, ret_right))
        return false;
    *ret_left = str_split(ret_right, ' ');
    return ret_right->ptr && str_find_char(*ret_right, ' ') < 0;
}

static int merge_error(struct loader *l, size_t number, vsr_str left, vsr_str right, const char *problem) {
    return err_set(l->err, VSR_E_INVALID, "model BPE: merge %zu (\"%.*s\" and \"%.*s\") %s", number,
                   (int)(left.len < 60 ? left.len : 60), left.ptr, (int)(right.len < 60 ? right.len : 60), right.ptr,
                   problem);
}

static int read_merges(struct loader *l, json_ref merges) {
    struct bpe *bpe = &l->t->model.bpe;
    const struct vocabulary *vocabulary = &l->t->vocabulary;
    size_t number = 0;
    for (json_ref item = json_first(&l->doc, merges); item != JSON_NONE; item = json_next(&l->doc, merges, item)) {
        vsr_str left = { "", 0 }, right = { "", 0 }, tail;
        uint32_t left_id, right_id, id;
        if (!read_merge(l, item, &left, &right))
            return err_set(l->err, VSR_E_INVALID, "model BPE: merge %zu is neither \"a b\" nor [\"a\", \"b\"]", number);
        left_id = vocabulary_id(vocabulary, left);
        right_id = vocabulary_id(vocabulary, right);
        tail = str_starts(right, bpe->prefix) ? str_sub(right, bpe->prefix.len, right.len) : right;
        id = vocabulary_id_of_two(vocabulary, left, tail);
        if (left_id == TOKEN_NONE || right_id == TOKEN_NONE)
            return merge_error(l, number, left, right, "has a part that is not in the vocabulary");
        if (id == TOKEN_NONE)
            return merge_error(l, number, left, right, "gives what is not in the vocabulary");
        if (is_special(l, id))
            bpe_skip_merge(bpe, id);
        else
            bpe_add_merge(bpe, left_id, right_id, id);
        number++;
    }
    return 0;
}

/* Whether the model can read raw bytes instead of the byte alphabet. */
static void prefer_bytes(struct loader *l) {
    struct splitter *splitter = &l->t->splitter;
    struct bpe *bpe = &l->t->model.bpe;
    struct split_step *last = splitter->n_steps ? &splitter->steps[splitter->n_steps - 1] : NULL;
    if (!last || last->kind != SPLIT_BYTES || bpe->byte_fallback || bpe->prefix.len || bpe->suffix.len)
        return;
    last->keep_bytes = true;
    bpe->bytes_are_chars = true;
    find_alphabet_ids(l, bpe->byte_ids);
}

static int get_affix(struct loader *l, json_ref ref, const char *key, vsr_str *ret) {
    int rc;
    *ret = (vsr_str){ "", 0 };
    if (get(l, ref, key) == JSON_NONE)
        return 0;
    rc = get_text(l, ref, "model", key, ret);
    if (rc == 0 && ret->len > 64)
        return err_set(l->err, VSR_E_LIMIT, "model: %s is longer than 64 bytes", key);
    return rc;
}

static int read_bpe(struct loader *l, json_ref ref) {
    struct bpe *bpe = &l->t->model.bpe;
    json_ref merges;
    size_t n_merges;
    int rc;
    *bpe = (struct bpe){ .vocabulary = &l->t->vocabulary, .cache_key = l->key };
    l->t->kind = MODEL_BPE;
    if ((rc = check_keys(l, ref, "model BPE",
                         "type vocab merges dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk "
                         "byte_fallback ignore_merges")) < 0 ||
        (rc = get_token(l, ref, "unk_token", &bpe->unk)) < 0 ||
        (rc = get_bool(l, ref, "model", "fuse_unk", false, &bpe->fuse_unk)) < 0 ||
        (rc = get_bool(l, ref, "model", "byte_fallback", false, &bpe->byte_fallback)) < 0 ||
        (rc = get_bool(l, ref, "model", "ignore_merges", false, &bpe->ignore_merges)) < 0 ||
        (rc = get_affix(l, ref, "continuing_subword_prefix", &bpe->prefix)) < 0 ||
        (rc = get_affix(l, ref, "end_of_word_suffix", &bpe->suffix)) < 0 ||
        (rc = get_array(l, ref, "model BPE", "merges", &merges)) < 0)
        return rc;
    n_merges = json_count(&l->doc, merges);
    if (n_merges > BPE_MERGES_MAX)
        return err_set(l->err, VSR_E_LIMIT, "model BPE: more than %d merges", BPE_MERGES_MAX);
    bpe->special = l->special;
    bpe->n_special = l->n_special;
    find_byte_ids(l, bpe->byte_ids);
    prefer_bytes(l);
    bpe_init(bpe, l->arena, n_merges);
    if ((rc = read_merges(l, merges)) < 0)
        return rc;
    bpe_finish(bpe);
    return 0;
}

/* [["piece", score], ...]; the id is the place in the list. */
static int read_pieces(struct loader *l, json_ref list, double **ret_scores) {
    size_t n = json_count(&l->doc, list), bytes_len = l->doc.nodes[list].end - l->doc.nodes[list].start;
    uint32_t id = 0;
    if (n > TOKENIZER_VOCABULARY_MAX)
        return err_set(l->err, VSR_E_LIMIT, "model Unigram: more than %d pieces", TOKENIZER_VOCABULARY_MAX);
    *ret_scores = ARENA_ARRAY(l->arena, double, n + 1);
    vocabulary_init(&l->t->vocabulary, l->arena, n, bytes_len);
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item), id++) {
        json_ref piece = json_is(&l->doc, item, JSON_ARRAY) ? json_first(&l->doc, item) : JSON_NONE;
        json_ref score = piece == JSON_NONE ? JSON_NONE : json_next(&l->doc, item, piece);
        if (piece == JSON_NONE || !json_is(&l->doc, piece, JSON_STRING) || score == JSON_NONE ||
            !json_double(&l->doc, score, &(*ret_scores)[id]))
            return err_set(l->err, VSR_E_INVALID, "model Unigram: piece %u is not [\"piece\", score]", id);
        vocabulary_put(&l->t->vocabulary, text_of(l, piece), id);
    }
    return 0;
}

static int read_unigram(struct loader *l, json_ref ref) {
    struct unigram *model = &l->t->model.unigram;
    json_ref unk = get(l, ref, "unk_id");
    double least = 0;
    int rc;
    if ((rc = check_keys(l, ref, "model Unigram", "type vocab unk_id byte_fallback")) < 0 ||
        (rc = get_bool(l, ref, "model", "byte_fallback", false, &model->byte_fallback)) < 0)
        return rc;
    model->unk = TOKEN_NONE;
    if (unk != JSON_NONE && (rc = get_id(l, unk, "model Unigram: unk_id", &model->unk)) < 0)
        return rc;
    if (model->unk != TOKEN_NONE && !vocabulary_has(&l->t->vocabulary, model->unk))
        return invalid(l, "model Unigram", "has an unk_id that no piece has");
    for (uint32_t id = 0; id < l->t->vocabulary.n; id++)
        least = id == 0 || model->scores[id] < least ? model->scores[id] : least;
    l->t->kind = MODEL_UNIGRAM;
    model->vocabulary = &l->t->vocabulary;
    model->unk_score = least - 10;
    model->special = l->special;
    find_byte_ids(l, model->byte_ids);
    build_trie(l, VSR_STR(""), &model->trie);
    return 0;
}

static int read_added_token(struct loader *l, json_ref ref, size_t number, struct added_token *ret) {
    const char *what = arena_printf(l->own, "added_tokens[%zu]", number).ptr;
    int rc;
    if (!json_is(&l->doc, ref, JSON_OBJECT))
        return invalid(l, what, "is no object");
    *ret = (struct added_token){ 0 };
    if ((rc = check_keys(l, ref, what, "id content single_word lstrip rstrip normalized special")) < 0 ||
        (rc = get_id(l, get(l, ref, "id"), what, &ret->id)) < 0 ||
        (rc = get_text(l, ref, what, "content", &ret->content)) < 0 ||
        (rc = get_bool(l, ref, what, "single_word", false, &ret->single_word)) < 0 ||
        (rc = get_bool(l, ref, what, "lstrip", false, &ret->lstrip)) < 0 ||
        (rc = get_bool(l, ref, what, "rstrip", false, &ret->rstrip)) < 0 ||
        (rc = get_bool(l, ref, what, "special", false, &ret->special)) < 0 ||
        (rc = get_bool(l, ref, what, "normalized", !ret->special, &ret->normalized)) < 0)
        return rc;
    if (ret->content.len > ADDED_CONTENT_LEN_MAX)
        return err_set(l->err, VSR_E_LIMIT, "%s: longer than %d bytes", what, ADDED_CONTENT_LEN_MAX);
    return 0;
}

static int read_added(struct loader *l) {
    json_ref list = get(l, 0, "added_tokens");
    size_t n = 0;
    int rc;
    if (list == JSON_NONE)
        return 0;
    if (!json_is(&l->doc, list, JSON_ARRAY))
        return invalid(l, "added_tokens", "is no list");
    if (json_count(&l->doc, list) > ADDED_TOKENS_MAX)
        return err_set(l->err, VSR_E_LIMIT, "added_tokens: more than %d", ADDED_TOKENS_MAX);
    l->t->added = ARENA_ARRAY(l->arena, struct added_token, json_count(&l->doc, list) + 1);
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item)) {
        struct added_token *token = &l->t->added[l->t->n_added];
        if ((rc = read_added_token(l, item, n++, token)) < 0)
            return rc;
        l->t->n_added += token->content.len > 0;
    }
    return 0;
}

/* Ids that no text leads to: of special tokens, also where the model's vocabulary has them under another id. */
static void collect_special(struct loader *l) {
    size_t n = l->t->vocabulary.n;
    for (size_t i = 0; i < l->t->n_added; i++)
        n = l->t->added[i].id >= n ? l->t->added[i].id + 1 : n;
    l->n_special = n;
    l->special = ARENA_ARRAY(l->arena, uint64_t, BITS_WORDS(n + 1));
    for (size_t i = 0; i < l->t->n_added; i++) {
        uint32_t id = vocabulary_id(&l->t->vocabulary, l->t->added[i].content);
        if (!l->t->added[i].special)
            continue;
        mark_special(l, l->t->added[i].id);
        if (id != TOKEN_NONE)
            mark_special(l, id);
    }
}

static int add_item(struct loader *l, struct template_form *form, struct template_item item) {
    if (template_form_add(form, l->arena, item))
        return 0;
    return err_set(l->err, VSR_E_LIMIT, "post_processor: more than %d items", TEMPLATE_ITEMS_MAX);
}

/* A token of the template is special even where the file does not call it so. */
static int add_template_token(struct loader *l, struct template_form *form, uint32_t id, uint8_t type) {
    for (size_t i = 0; i < l->t->n_added; i++)
        if (l->t->added[i].id == id)
            l->t->added[i].special = true;
    return add_item(l, form, (struct template_item){ .kind = TEMPLATE_TOKEN, .id = id, .type = type });
}

/* ["[SEP]", 102] */
static int get_named_token(struct loader *l, json_ref ref, const char *what, const char *key, uint32_t *ret) {
    json_ref list;
    int rc = get_array(l, ref, what, key, &list);
    return rc < 0 ? rc : get_id(l, json_at(&l->doc, list, 1), what, ret);
}

/* cls A sep [between] B sep */
static int add_classic(struct loader *l, json_ref ref, const char *what, bool double_sep, uint8_t second_type) {
    struct template_form *single = &l->t->template.single, *pair = &l->t->template.pair;
    uint32_t cls = TOKEN_NONE, sep = TOKEN_NONE;
    int rc;
    if ((rc = get_named_token(l, ref, what, "cls", &cls)) < 0 || (rc = get_named_token(l, ref, what, "sep", &sep)) < 0)
        return rc;
    for (int two = 0; two < 2; two++) {
        struct template_form *form = two ? pair : single;
        if ((rc = add_template_token(l, form, cls, 0)) < 0 ||
            (rc = add_item(l, form, (struct template_item){ .kind = TEMPLATE_FIRST })) < 0 ||
            (rc = add_template_token(l, form, sep, 0)) < 0)
            return rc;
    }
    if (double_sep && (rc = add_template_token(l, pair, sep, 0)) < 0)
        return rc;
    if ((rc = add_item(l, pair, (struct template_item){ .kind = TEMPLATE_SECOND, .type = second_type })) < 0)
        return rc;
    return add_template_token(l, pair, sep, second_type);
}

static int get_type_id(struct loader *l, json_ref ref, const char *what, uint8_t *ret) {
    json_ref value = get(l, ref, "type_id");
    int64_t type = 0;
    if (value != JSON_NONE && (!json_i64(&l->doc, value, &type) || type < 0 || type > 255))
        return invalid(l, what, "has a type_id that is no number from 0 to 255");
    *ret = (uint8_t)type;
    return 0;
}

static int add_special_item(struct loader *l, json_ref tokens, json_ref ref, struct template_form *form,
                            const char *what) {
    vsr_str name;
    uint8_t type;
    json_ref token, ids;
    int rc;
    if ((rc = check_keys(l, ref, what, "id type_id")) < 0 || (rc = get_text(l, ref, what, "id", &name)) < 0 ||
        (rc = get_type_id(l, ref, what, &type)) < 0)
        return rc;
    token = json_get(&l->doc, tokens, name);
    if (token == JSON_NONE || !json_is(&l->doc, token, JSON_OBJECT))
        return err_set(l->err, VSR_E_INVALID, "%s: special_tokens has no \"%.*s\"", what,
                       (int)(name.len < 80 ? name.len : 80), name.ptr);
    if ((rc = get_array(l, token, what, "ids", &ids)) < 0)
        return rc;
    for (json_ref item = json_first(&l->doc, ids); item != JSON_NONE; item = json_next(&l->doc, ids, item)) {
        uint32_t id;
        if ((rc = get_id(l, item, what, &id)) < 0 || (rc = add_template_token(l, form, id, type)) < 0)
            return rc;
    }
    return 0;
}

static int add_sequence_item(struct loader *l, json_ref ref, struct template_form *form, const char *what) {
    struct template_item item = { .kind = TEMPLATE_FIRST };
    vsr_str id;
    int rc;
    if ((rc = check_keys(l, ref, what, "id type_id")) < 0 || (rc = get_text(l, ref, what, "id", &id)) < 0 ||
        (rc = get_type_id(l, ref, what, &item.type)) < 0)
        return rc;
    if (str_eq_c(id, "B") && form == &l->t->template.pair)
        item.kind = TEMPLATE_SECOND;
    else if (!str_eq_c(id, "A"))
        return invalid(l, what, "has a Sequence that is neither A nor, in a pair, B");
    for (size_t i = 0; i < form->n; i++)
        if (form->items[i].kind == item.kind)
            return invalid(l, what, "has the same Sequence twice");
    return add_item(l, form, item);
}

static int add_form_items(struct loader *l, json_ref ref, const char *key, struct template_form *form,
                          const char *what) {
    json_ref list, tokens = get(l, ref, "special_tokens");
    int rc = get_array(l, ref, what, key, &list);
    if (rc < 0)
        return rc;
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item)) {
        json_ref special, sequence;
        if (!json_is(&l->doc, item, JSON_OBJECT) || json_count(&l->doc, item) != 1)
            return invalid(l, what, "has an item that is neither a SpecialToken nor a Sequence");
        special = get(l, item, "SpecialToken");
        sequence = get(l, item, "Sequence");
        if (special != JSON_NONE && json_is(&l->doc, special, JSON_OBJECT))
            rc = add_special_item(l, tokens, special, form, what);
        else if (sequence != JSON_NONE && json_is(&l->doc, sequence, JSON_OBJECT))
            rc = add_sequence_item(l, sequence, form, what);
        else
            rc = invalid(l, what, "has an item that is neither a SpecialToken nor a Sequence");
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_template(struct loader *l, json_ref ref, const char *what) {
    json_ref pair = get(l, ref, "pair");
    int rc;
    if ((rc = check_keys(l, ref, what, "type single pair special_tokens")) < 0 ||
        (rc = add_form_items(l, ref, "single", &l->t->template.single, what)) < 0)
        return rc;
    return pair == JSON_NONE ? 0 : add_form_items(l, ref, "pair", &l->t->template.pair, what);
}

static int read_trims(struct loader *l, json_ref ref, const char *what) {
    int rc = get_bool(l, ref, what, "trim_offsets", true, &l->t->template.trims);
    return rc < 0 ? rc : get_bool(l, ref, what, "add_prefix_space", true, &l->t->template.trims_after_space);
}

static int read_post_processor(struct loader *l, json_ref ref, int depth);

static int read_post_processors(struct loader *l, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == NEST_MAX)
        return invalid(l, what, "holds Sequences within Sequences too deep");
    if ((rc = check_keys(l, ref, what, "type processors")) < 0 ||
        (rc = get_array(l, ref, what, "processors", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&l->doc, list); item != JSON_NONE; item = json_next(&l->doc, list, item))
        if ((rc = read_post_processor(l, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_post_processor(struct loader *l, json_ref ref, int depth) {
    const char *what;
    vsr_str type;
    int rc = get_type(l, ref, "post_processor", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(l->own, "post_processor %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    if (str_eq_c(type, "Sequence"))
        return read_post_processors(l, ref, what, depth);
    if (str_eq_c(type, "ByteLevel")) {
        rc = check_keys(l, ref, what, "type add_prefix_space trim_offsets use_regex");
        return rc < 0 ? rc : read_trims(l, ref, what);
    }
    if (!str_eq_c(type, "TemplateProcessing") && !str_eq_c(type, "BertProcessing") &&
        !str_eq_c(type, "RobertaProcessing"))
        return unknown_type(l, "post_processor", type);
    if (l->has_template)
        return invalid(l, what, "is the second one that adds tokens");
    l->has_template = true;
    if (str_eq_c(type, "TemplateProcessing"))
        return read_template(l, ref, what);
    if (str_eq_c(type, "BertProcessing")) {
        rc = check_keys(l, ref, what, "type sep cls");
        return rc < 0 ? rc : add_classic(l, ref, what, false, 1);
    }
    if ((rc = check_keys(l, ref, what, "type sep cls trim_offsets add_prefix_space")) < 0 ||
        (rc = read_trims(l, ref, what)) < 0)
        return rc;
    return add_classic(l, ref, what, true, 0);
}

/* Read before the model is built: tokens of the template are special. */
static int read_template_of(struct loader *l) {
    json_ref ref = get(l, 0, "post_processor");
    int rc = ref == JSON_NONE ? 0 : read_post_processor(l, ref, 0);
    if (rc == 0 && !l->has_template)
        token_template_plain(&l->t->template, l->arena);
    return rc;
}

static int read_model(struct loader *l) {
    json_ref ref = get(l, 0, "model"), type_ref;
    vsr_str type = VSR_STR("BPE");
    int rc;
    if (ref == JSON_NONE || !json_is(&l->doc, ref, JSON_OBJECT))
        return invalid(l, "model", "is missing or no object");
    type_ref = get(l, ref, "type");
    if (type_ref != JSON_NONE || get(l, ref, "merges") == JSON_NONE) /* very old files of BPE name no type */
        if ((rc = get_type(l, ref, "model", &type)) < 0)
            return rc;
    if (str_eq_c(type, "Unigram")) {
        json_ref list;
        double *scores = NULL;
        if ((rc = get_array(l, ref, "model Unigram", "vocab", &list)) < 0 || (rc = read_pieces(l, list, &scores)) < 0)
            return rc;
        l->t->model.unigram = (struct unigram){ .scores = scores };
    } else if ((rc = read_vocabulary(l, get(l, ref, "vocab"))) < 0) {
        return rc;
    }
    if ((rc = read_added(l)) < 0 || (rc = read_template_of(l)) < 0)
        return rc;
    collect_special(l);
    if (str_eq_c(type, "WordPiece"))
        return read_wordpiece(l, ref);
    if (str_eq_c(type, "BPE"))
        return read_bpe(l, ref);
    if (str_eq_c(type, "Unigram"))
        return read_unigram(l, ref);
    if (str_eq_c(type, "WordLevel"))
        return read_word_level(l, ref);
    return unknown_type(l, "model", type);
}

/* Added tokens count from here on where tokens are looked up by their text or by their id. */
static void enter_added(struct loader *l) {
    for (size_t i = 0; i < l->t->n_added; i++)
        vocabulary_put(&l->t->vocabulary, l->t->added[i].content, l->t->added[i].id);
}

static int check_template(struct loader *l) {
    const struct template_form *forms[] = { &l->t->template.single, &l->t->template.pair };
    for (size_t f = 0; f < VSR_COUNT(forms); f++)
        for (size_t i = 0; i < forms[f]->n; i++)
            if (forms[f]->items[i].kind == TEMPLATE_TOKEN && !vocabulary_has(&l->t->vocabulary, forms[f]->items[i].id))
                return err_set(l->err, VSR_E_INVALID, "post_processor: id %u is in no vocabulary",
                               forms[f]->items[i].id);
    return 0;
}

static int read_all(struct loader *l) {
    json_ref part;
    int rc;
    if (!json_is(&l->doc, 0, JSON_OBJECT))
        return invalid(l, "tokenizer.json", "is no object");
    if ((rc = check_keys(l, 0, "tokenizer.json",
                         "version truncation padding added_tokens normalizer pre_tokenizer model post_processor "
                         "decoder")) < 0)
        return rc;
    if ((part = get(l, 0, "normalizer")) != JSON_NONE && (rc = read_normalizer(l, part, 0)) < 0)
        return rc;
    if ((part = get(l, 0, "pre_tokenizer")) != JSON_NONE && (rc = read_pre_tokenizer(l, part, 0)) < 0)
        return rc;
    if ((rc = read_model(l)) < 0)
        return rc;
    enter_added(l);
    if ((rc = check_template(l)) < 0)
        return rc;
    return tokenizer_build_added(l->t, l->err);
}

int tokenizer_from_json(struct arena *arena, vsr_str json, struct tokenizer **ret, struct vsr_err *err) {
    struct loader l = { .arena = arena, .own = arena_new(1 << 20, 0), .err = err };
    int rc;
    if (json.len > TOKENIZER_FILE_LEN_MAX) {
        arena_free(l.own);
        return err_set(err, VSR_E_LIMIT, "a tokenizer.json of %zu bytes is longer than %d", json.len,
                       TOKENIZER_FILE_LEN_MAX);
    }
    l.t = ARENA_NEW(arena, struct tokenizer);
    l.t->arena = arena;
    l.key = str_hash(json, 1) | 1;
    normalizer_init(&l.t->normalizer);
    rc = json_parse(l.own, json, &l.doc, err);
    if (rc == 0)
        rc = read_all(&l);
    if (rc == 0)
        *ret = l.t;
    arena_free(l.own);
    return rc;
}
