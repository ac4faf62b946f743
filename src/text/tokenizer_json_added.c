/* Reads the `added_tokens` of a tokenizer.json, and finds which ids no text may become. */
#include "core/arena.h"
#include "core/bits.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_work.h"

static int read_added_token(struct tokenizer_reader *r, json_ref ref, size_t number, struct added_token *ret) {
    const char *what = arena_printf(r->own, "added_tokens[%zu]", number).ptr;
    int rc;
    if (!json_is(&r->doc, ref, JSON_OBJECT))
        return reader_invalid(r, what, "is no object");
    *ret = (struct added_token){ 0 };
    if ((rc = reader_check_keys(r, ref, what, "id content single_word lstrip rstrip normalized special")) < 0 ||
        (rc = reader_id(r, reader_get(r, ref, "id"), what, &ret->id)) < 0 ||
        (rc = reader_string(r, ref, what, "content", &ret->content)) < 0 ||
        (rc = reader_bool(r, ref, what, "single_word", false, &ret->single_word)) < 0 ||
        (rc = reader_bool(r, ref, what, "lstrip", false, &ret->lstrip)) < 0 ||
        (rc = reader_bool(r, ref, what, "rstrip", false, &ret->rstrip)) < 0 ||
        (rc = reader_bool(r, ref, what, "special", false, &ret->special)) < 0 ||
        (rc = reader_bool(r, ref, what, "normalized", !ret->special, &ret->normalized)) < 0)
        return rc;
    if (ret->content.len > ADDED_CONTENT_LEN_MAX)
        return err_set(r->err, VSR_E_LIMIT, "%s: longer than %d bytes", what, ADDED_CONTENT_LEN_MAX);
    return 0;
}

int reader_read_added(struct tokenizer_reader *r) {
    json_ref list = reader_get(r, 0, "added_tokens");
    size_t n = 0;
    int rc;
    if (list == JSON_NONE)
        return 0;
    if (!json_is(&r->doc, list, JSON_ARRAY))
        return reader_invalid(r, "added_tokens", "is no list");
    if (json_count(&r->doc, list) > ADDED_TOKENS_MAX)
        return err_set(r->err, VSR_E_LIMIT, "added_tokens: more than %d", ADDED_TOKENS_MAX);
    r->t->added = ARENA_ARRAY(r->arena, struct added_token, json_count(&r->doc, list) + 1);
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item)) {
        struct added_token *token = &r->t->added[r->t->n_added];
        if ((rc = read_added_token(r, item, n++, token)) < 0)
            return rc;
        r->t->n_added += token->content.len > 0;
    }
    return 0;
}

static void mark_special(struct tokenizer_reader *r, uint32_t id) {
    if (id < r->n_special)
        bits_add(r->special, id);
}

void reader_collect_special(struct tokenizer_reader *r) {
    size_t n = r->t->vocabulary.n;
    for (size_t i = 0; i < r->t->n_added; i++)
        n = r->t->added[i].id >= n ? r->t->added[i].id + 1 : n;
    r->n_special = n;
    r->special = ARENA_ARRAY(r->arena, uint64_t, BITS_WORDS(n + 1));
    for (size_t i = 0; i < r->t->n_added; i++) {
        uint32_t id = vocabulary_id(&r->t->vocabulary, r->t->added[i].content);
        if (!r->t->added[i].special)
            continue;
        mark_special(r, r->t->added[i].id);
        if (id != TOKEN_NONE)
            mark_special(r, id);
    }
}

void reader_enter_added(struct tokenizer_reader *r) {
    for (size_t i = 0; i < r->t->n_added; i++)
        vocabulary_put(&r->t->vocabulary, r->t->added[i].content, r->t->added[i].id);
}
