/*
 * Reads tokenizer.json. Each component is an object with a `type`; a type or an option that is not known is an error,
 * because leaving it out would give other tokens than the model was trained on.
 *
 * The order matters: tokens of the template are special, and special tokens are none that the model may find.
 */
#include "core/arena.h"
#include "text/tokenizer_reader.h"

static int read_all(struct tokenizer_reader *r) {
    int rc;
    if (!json_is(&r->doc, 0, JSON_OBJECT))
        return reader_invalid(r, "tokenizer.json", "is no object");
    if ((rc = reader_check_keys(r, 0, "tokenizer.json",
                                "version truncation padding added_tokens normalizer pre_tokenizer model post_processor "
                                "decoder")) < 0 ||
        (rc = reader_read_normalizer(r)) < 0 || (rc = reader_read_splitter(r)) < 0 ||
        (rc = reader_read_vocabulary(r)) < 0 || (rc = reader_read_added(r)) < 0 || (rc = reader_read_template(r)) < 0)
        return rc;
    reader_collect_special(r);
    if ((rc = reader_read_model(r)) < 0)
        return rc;
    reader_enter_added(r);
    if ((rc = reader_check_template(r)) < 0)
        return rc;
    return tokenizer_build_added(r->t, r->err);
}

int tokenizer_from_json(struct arena *arena, vsr_str json, struct tokenizer **ret, struct vsr_err *err) {
    struct tokenizer_reader r = { .arena = arena, .own = arena_new(1 << 20, 0), .err = err };
    int rc;
    if (json.len > TOKENIZER_FILE_LEN_MAX) {
        arena_free(r.own);
        return err_set(err, VSR_E_LIMIT, "a tokenizer.json of %zu bytes is longer than %d", json.len,
                       TOKENIZER_FILE_LEN_MAX);
    }
    r.t = ARENA_NEW(arena, struct tokenizer);
    r.t->arena = arena;
    r.key = str_hash(json, 1) | 1;
    normalizer_init(&r.t->normalizer);
    rc = json_parse(r.own, json, &r.doc, err);
    if (rc == 0)
        rc = read_all(&r);
    if (rc == 0)
        *ret = r.t;
    arena_free(r.own);
    return rc;
}
