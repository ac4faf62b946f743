/* Reads the `normalizer` of a tokenizer.json: the steps that a text takes before it is cut. */
#include "core/arena.h"
#include "core/base64.h"
#include "text/tokenizer_reader.h"

static int add_normal(struct tokenizer_reader *r, struct normal_step step) {
    if (normalizer_add(&r->t->normalizer, r->arena, step))
        return 0;
    return err_set(r->err, VSR_E_LIMIT, "normalizer: more than %d steps", NORMALIZER_STEPS_MAX);
}

static int add_form(struct tokenizer_reader *r, enum normal_form_kind kind) {
    return add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_FORM, .form = normal_form_build(r->arena, kind) });
}

static int read_bert_normalizer(struct tokenizer_reader *r, json_ref ref, const char *what) {
    bool clean, chinese, strip, lower;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type clean_text handle_chinese_chars strip_accents lowercase")) < 0 ||
        (rc = reader_bool(r, ref, what, "clean_text", true, &clean)) < 0 ||
        (rc = reader_bool(r, ref, what, "handle_chinese_chars", true, &chinese)) < 0 ||
        (rc = reader_bool(r, ref, what, "lowercase", true, &lower)) < 0 ||
        (rc = reader_bool(r, ref, what, "strip_accents", lower, &strip)) < 0)
        return rc;
    if (clean && (rc = add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_CLEAN })) < 0)
        return rc;
    if (chinese && (rc = add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_CHINESE })) < 0)
        return rc;
    if (strip && ((rc = add_form(r, NORMAL_FORM_D)) < 0 ||
                  (rc = add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_STRIP_NONSPACING })) < 0))
        return rc;
    return lower ? add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_LOWER }) : 0;
}

/* False when it is not base64. */
static bool decode_base64(struct arena *arena, vsr_str text, vsr_str *ret) {
    char *out = arena_alloc(arena, base64_room(text.len));
    size_t len;
    if (!base64_read(text, false, out, &len))
        return false;
    *ret = str_make(out, len);
    return true;
}

static int read_precompiled(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct charsmap *map = ARENA_NEW(r->arena, struct charsmap);
    vsr_str text, blob;
    json_ref value = reader_get(r, ref, "precompiled_charsmap");
    int rc = reader_check_keys(r, ref, what, "type precompiled_charsmap");
    if (rc < 0)
        return rc;
    if (value == JSON_NONE) /* nothing to do, as some converters write it */
        return 0;
    if ((rc = reader_string(r, ref, what, "precompiled_charsmap", &text)) < 0)
        return rc;
    if (text.len == 0)
        return 0;
    if (!decode_base64(r->own, text, &blob))
        return reader_invalid(r, what, "has a precompiled_charsmap that is not base64");
    if ((rc = charsmap_read(r->arena, blob, map, r->err)) < 0)
        return rc;
    return add_normal(r, (struct normal_step){ .kind = NORMAL_STEP_CHARSMAP, .charsmap = map });
}

static int read_strip(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_STRIP };
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type strip_left strip_right")) < 0 ||
        (rc = reader_bool(r, ref, what, "strip_left", true, &step.left)) < 0 ||
        (rc = reader_bool(r, ref, what, "strip_right", true, &step.right)) < 0)
        return rc;
    return add_normal(r, step);
}

static int read_replace(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_REPLACE };
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type pattern content")) < 0 ||
        (rc = reader_pattern(r, ref, what, &step.pattern)) < 0 ||
        (rc = reader_string(r, ref, what, "content", &step.content)) < 0)
        return rc;
    return add_normal(r, step);
}

static int read_prepend(struct tokenizer_reader *r, json_ref ref, const char *what) {
    struct normal_step step = { .kind = NORMAL_STEP_PREPEND };
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type prepend")) < 0 ||
        (rc = reader_string(r, ref, what, "prepend", &step.content)) < 0)
        return rc;
    return add_normal(r, step);
}

static int read_normalizer(struct tokenizer_reader *r, json_ref ref, int depth);

static int read_normalizers(struct tokenizer_reader *r, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == READER_NEST_MAX)
        return reader_invalid(r, what, "holds Sequences within Sequences too deep");
    if ((rc = reader_check_keys(r, ref, what, "type normalizers")) < 0 ||
        (rc = reader_array(r, ref, what, "normalizers", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item))
        if ((rc = read_normalizer(r, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_normalizer(struct tokenizer_reader *r, json_ref ref, int depth) {
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
    int rc = reader_type(r, ref, "normalizer", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(r->own, "normalizer %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    for (size_t i = 0; i < VSR_COUNT(plain); i++) {
        if (!str_eq_c(type, plain[i].type))
            continue;
        if ((rc = reader_check_keys(r, ref, what, "type")) < 0)
            return rc;
        return plain[i].kind == NORMAL_STEP_FORM ? add_form(r, plain[i].form)
                                                 : add_normal(r, (struct normal_step){ .kind = plain[i].kind });
    }
    if (str_eq_c(type, "Sequence"))
        return read_normalizers(r, ref, what, depth);
    if (str_eq_c(type, "BertNormalizer"))
        return read_bert_normalizer(r, ref, what);
    if (str_eq_c(type, "Precompiled"))
        return read_precompiled(r, ref, what);
    if (str_eq_c(type, "Strip"))
        return read_strip(r, ref, what);
    if (str_eq_c(type, "Replace"))
        return read_replace(r, ref, what);
    if (str_eq_c(type, "Prepend"))
        return read_prepend(r, ref, what);
    return reader_unknown_type(r, "normalizer", type);
}

int reader_read_normalizer(struct tokenizer_reader *r) {
    json_ref ref = reader_get(r, 0, "normalizer");
    return ref == JSON_NONE ? 0 : read_normalizer(r, ref, 0);
}
