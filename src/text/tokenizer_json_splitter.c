/* Reads the `pre_tokenizer` of a tokenizer.json: how a text is cut into the pieces that the model sees. */
#include "core/arena.h"
#include "core/utf8.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_work.h"

#define META_SPACE "\xE2\x96\x81"

static int add_split(struct tokenizer_reader *r, struct split_step step) {
    if (splitter_add(&r->t->splitter, r->arena, step))
        return 0;
    return err_set(r->err, VSR_E_LIMIT, "pre_tokenizer: more than %d steps", SPLITTER_STEPS_MAX);
}

static struct token_pattern *new_pattern(struct tokenizer_reader *r, struct token_pattern pattern) {
    struct token_pattern *copy = ARENA_NEW(r->arena, struct token_pattern);
    *copy = pattern;
    return copy;
}

static int get_behaviour(struct tokenizer_reader *r, json_ref ref, const char *what, enum split_behaviour fallback,
                         enum split_behaviour *ret) {
    static const char *const names[] = { "Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext" };
    json_ref value = reader_get(r, ref, "behavior");
    *ret = fallback;
    if (value == JSON_NONE)
        return 0;
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (json_is(&r->doc, value, JSON_STRING) && str_eq_c(reader_text(r, value), names[i])) {
            *ret = (enum split_behaviour)i;
            return 0;
        }
    return reader_invalid(r, what,
                          "has an unknown behavior; known are Removed, Isolated, Contiguous, MergedWithPrevious and "
                          "MergedWithNext");
}

static int read_byte_level(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_BYTES, .behaviour = SPLIT_ISOLATED };
    bool prefix, regex, unused;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type add_prefix_space trim_offsets use_regex")) < 0 ||
        (rc = reader_bool(r, ref, what, "add_prefix_space", true, &prefix)) < 0 ||
        (rc = reader_bool(r, ref, what, "trim_offsets", true, &unused)) < 0 ||
        (rc = reader_bool(r, ref, what, "use_regex", true, &regex)) < 0)
        return rc;
    step.prepend = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    step.pattern = regex ? new_pattern(r, (struct token_pattern){ .kind = PATTERN_GPT2 }) : NULL;
    return add_split(r, step);
}

static int get_prepend_scheme(struct tokenizer_reader *r, json_ref ref, const char *what, enum split_prepend *ret) {
    static const char *const names[] = { "never", "first", "always" };
    json_ref value = reader_get(r, ref, "prepend_scheme");
    bool prefix;
    int rc = reader_bool(r, ref, what, "add_prefix_space", true, &prefix);
    *ret = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    if (rc < 0 || value == JSON_NONE)
        return rc;
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (json_is(&r->doc, value, JSON_STRING) && str_eq_c(reader_text(r, value), names[i])) {
            *ret = (enum split_prepend)i;
            return 0;
        }
    return reader_invalid(r, what, "has an unknown prepend_scheme; known are always, first and never");
}

static int read_metaspace(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_METASPACE, .behaviour = SPLIT_WITH_NEXT };
    bool split;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type replacement prepend_scheme add_prefix_space split str_rep")) < 0 ||
        (rc = get_prepend_scheme(r, ref, what, &step.prepend)) < 0 ||
        (rc = reader_bool(r, ref, what, "split", true, &split)) < 0)
        return rc;
    step.replacement = VSR_STR(META_SPACE);
    if (reader_get(r, ref, "replacement") != JSON_NONE &&
        (rc = reader_string(r, ref, what, "replacement", &step.replacement)) < 0)
        return rc;
    if (utf8_count(step.replacement) != 1)
        return reader_invalid(r, what, "has a replacement that is not one character");
    if (split)
        step.pattern = new_pattern(r, (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = step.replacement });
    return add_split(r, step);
}

static int read_split(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type pattern behavior invert")) < 0 ||
        (rc = reader_pattern(r, ref, what, &step.pattern)) < 0 ||
        (rc = get_behaviour(r, ref, what, SPLIT_ISOLATED, &step.behaviour)) < 0 ||
        (rc = reader_bool(r, ref, what, "invert", false, &step.invert)) < 0)
        return rc;
    return add_split(r, step);
}

static struct token_pattern one_of(struct token_class class) {
    return (struct token_pattern){ .kind = PATTERN_RUN, .class = class, .least = 1, .most = 1 };
}

static int read_punctuation(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type behavior")) < 0 ||
        (rc = get_behaviour(r, ref, what, SPLIT_ISOLATED, &step.behaviour)) < 0)
        return rc;
    step.pattern = new_pattern(r, one_of((struct token_class){ .bert_punctuation = true }));
    return add_split(r, step);
}

static int read_digits(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN };
    bool individual;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type individual_digits")) < 0 ||
        (rc = reader_bool(r, ref, what, "individual_digits", false, &individual)) < 0)
        return rc;
    step.behaviour = individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
    step.pattern = new_pattern(r, one_of((struct token_class){ .number = true }));
    return add_split(r, step);
}

static int read_delimiter(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct split_step step = { .kind = SPLIT_PATTERN, .behaviour = SPLIT_REMOVED };
    vsr_str delimiter;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type delimiter")) < 0 ||
        (rc = reader_string(r, ref, what, "delimiter", &delimiter)) < 0)
        return rc;
    if (utf8_count(delimiter) != 1)
        return reader_invalid(r, what, "has a delimiter that is not one character");
    step.pattern = new_pattern(r, (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = delimiter });
    return add_split(r, step);
}

static int read_plain_split(struct tokenizer_reader *r, json_ref ref, const char *what, struct split_step step) {
    int rc = reader_check_keys(r, ref, what, "type");
    return rc < 0 ? rc : add_split(r, step);
}

static int read_pre_tokenizer(struct tokenizer_reader *r, json_ref ref, int depth);

static int read_pre_tokenizers(struct tokenizer_reader *r, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == READER_NEST_MAX)
        return reader_invalid(r, what, "holds Sequences within Sequences too deep");
    if ((rc = reader_check_keys(r, ref, what, "type pretokenizers")) < 0 ||
        (rc = reader_array(r, ref, what, "pretokenizers", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item))
        if ((rc = read_pre_tokenizer(r, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_pre_tokenizer(struct tokenizer_reader *r, json_ref ref, int depth) {
    static const struct {
        const char *type;
        int (*read)(struct tokenizer_reader *r, json_ref ref, const char *what);
    } readers[] = {
        { "ByteLevel", read_byte_level },    { "Metaspace", read_metaspace }, { "Split", read_split },
        { "Punctuation", read_punctuation }, { "Digits", read_digits },       { "CharDelimiterSplit", read_delimiter },
    };
    const char *what;
    vsr_str type;
    int rc = reader_type(r, ref, "pre_tokenizer", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(r->own, "pre_tokenizer %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    for (size_t i = 0; i < VSR_COUNT(readers); i++)
        if (str_eq_c(type, readers[i].type))
            return readers[i].read(r, ref, what);
    if (str_eq_c(type, "Sequence"))
        return read_pre_tokenizers(r, ref, what, depth);
    if (str_eq_c(type, "BertPreTokenizer"))
        return read_plain_split(r, ref, what, (struct split_step){ .kind = SPLIT_BERT });
    if (str_eq_c(type, "WhitespaceSplit"))
        return read_plain_split(r, ref, what,
                                (struct split_step){
                                    .kind = SPLIT_PATTERN,
                                    .behaviour = SPLIT_REMOVED,
                                    .pattern = new_pattern(r, one_of((struct token_class){ .space = true })) });
    if (str_eq_c(type, "Whitespace"))
        return read_plain_split(r, ref, what,
                                (struct split_step){ .kind = SPLIT_PATTERN,
                                                     .behaviour = SPLIT_REMOVED,
                                                     .invert = true,
                                                     .pattern = new_pattern(r, (struct token_pattern){
                                                                                   .kind = PATTERN_WORD_OR_OTHER }) });
    return reader_unknown_type(r, "pre_tokenizer", type);
}

int reader_read_splitter(struct tokenizer_reader *r) {
    json_ref ref = reader_get(r, 0, "pre_tokenizer");
    return ref == JSON_NONE ? 0 : read_pre_tokenizer(r, ref, 0);
}
