/* Reads the `post_processor` of a tokenizer.json: what stands around one text or two, and how places are trimmed. */
#include "core/arena.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_work.h"

static int add_item(struct tokenizer_reader *r, struct template_form *form, struct template_item item) {
    if (template_form_add(form, r->arena, item))
        return 0;
    return err_set(r->err, VSR_E_LIMIT, "post_processor: more than %d items", TEMPLATE_ITEMS_MAX);
}

/* A token of the template is special even where the file does not call it so. */
static int add_template_token(struct tokenizer_reader *r, struct template_form *form, uint32_t id, uint8_t type) {
    for (size_t i = 0; i < r->t->n_added; i++)
        if (r->t->added[i].id == id)
            r->t->added[i].special = true;
    return add_item(r, form, (struct template_item){ .kind = TEMPLATE_TOKEN, .id = id, .type = type });
}

/* ["[SEP]", 102] */
static int get_named_token(struct tokenizer_reader *r, json_ref ref, const char *what, const char *key, uint32_t *ret) {
    json_ref list;
    int rc = reader_array(r, ref, what, key, &list);
    return rc < 0 ? rc : reader_id(r, json_at(&r->doc, list, 1), what, ret);
}

/* cls A sep [between] B sep */
static int add_classic(struct tokenizer_reader *r, json_ref ref, const char *what, bool double_sep,
                       uint8_t second_type) {
    struct template_form *single = &r->t->template.single, *pair = &r->t->template.pair;
    uint32_t cls = TOKEN_NONE, sep = TOKEN_NONE;
    int rc;
    if ((rc = get_named_token(r, ref, what, "cls", &cls)) < 0 || (rc = get_named_token(r, ref, what, "sep", &sep)) < 0)
        return rc;
    for (int two = 0; two < 2; two++) {
        struct template_form *form = two ? pair : single;
        if ((rc = add_template_token(r, form, cls, 0)) < 0 ||
            (rc = add_item(r, form, (struct template_item){ .kind = TEMPLATE_FIRST })) < 0 ||
            (rc = add_template_token(r, form, sep, 0)) < 0)
            return rc;
    }
    if (double_sep && (rc = add_template_token(r, pair, sep, 0)) < 0)
        return rc;
    if ((rc = add_item(r, pair, (struct template_item){ .kind = TEMPLATE_SECOND, .type = second_type })) < 0)
        return rc;
    return add_template_token(r, pair, sep, second_type);
}

static int get_type_id(struct tokenizer_reader *r, json_ref ref, const char *what, uint8_t *ret) {
    json_ref value = reader_get(r, ref, "type_id");
    int64_t type = 0;
    if (value != JSON_NONE && (!json_i64(&r->doc, value, &type) || type < 0 || type > 255))
        return reader_invalid(r, what, "has a type_id that is no number from 0 to 255");
    *ret = (uint8_t)type;
    return 0;
}

static int add_special_item(struct tokenizer_reader *r, json_ref tokens, json_ref ref, struct template_form *form,
                            const char *what) {
    vsr_str name;
    uint8_t type = 0;
    json_ref token, ids;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "id type_id")) < 0 ||
        (rc = reader_string(r, ref, what, "id", &name)) < 0 || (rc = get_type_id(r, ref, what, &type)) < 0)
        return rc;
    token = json_get(&r->doc, tokens, name);
    if (token == JSON_NONE || !json_is(&r->doc, token, JSON_OBJECT))
        return err_set(r->err, VSR_E_INVALID, "%s: special_tokens has no \"%.*s\"", what,
                       (int)(name.len < 80 ? name.len : 80), name.ptr);
    if ((rc = reader_array(r, token, what, "ids", &ids)) < 0)
        return rc;
    for (json_ref item = json_first(&r->doc, ids); item != JSON_NONE; item = json_next(&r->doc, ids, item)) {
        uint32_t id = TOKEN_NONE;
        if ((rc = reader_id(r, item, what, &id)) < 0 || (rc = add_template_token(r, form, id, type)) < 0)
            return rc;
    }
    return 0;
}

static int add_sequence_item(struct tokenizer_reader *r, json_ref ref, struct template_form *form, const char *what) {
    struct template_item item = { .kind = TEMPLATE_FIRST };
    vsr_str id;
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "id type_id")) < 0 || (rc = reader_string(r, ref, what, "id", &id)) < 0 ||
        (rc = get_type_id(r, ref, what, &item.type)) < 0)
        return rc;
    if (str_eq_c(id, "B") && form == &r->t->template.pair)
        item.kind = TEMPLATE_SECOND;
    else if (!str_eq_c(id, "A"))
        return reader_invalid(r, what, "has a Sequence that is neither A nor, in a pair, B");
    for (size_t i = 0; i < form->n; i++)
        if (form->items[i].kind == item.kind)
            return reader_invalid(r, what, "has the same Sequence twice");
    return add_item(r, form, item);
}

static int add_form_items(struct tokenizer_reader *r, json_ref ref, const char *key, struct template_form *form,
                          const char *what) {
    json_ref list, tokens = reader_get(r, ref, "special_tokens");
    int rc = reader_array(r, ref, what, key, &list);
    if (rc < 0)
        return rc;
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item)) {
        json_ref special, sequence;
        if (!json_is(&r->doc, item, JSON_OBJECT) || json_count(&r->doc, item) != 1)
            return reader_invalid(r, what, "has an item that is neither a SpecialToken nor a Sequence");
        special = reader_get(r, item, "SpecialToken");
        sequence = reader_get(r, item, "Sequence");
        if (special != JSON_NONE && json_is(&r->doc, special, JSON_OBJECT))
            rc = add_special_item(r, tokens, special, form, what);
        else if (sequence != JSON_NONE && json_is(&r->doc, sequence, JSON_OBJECT))
            rc = add_sequence_item(r, sequence, form, what);
        else
            rc = reader_invalid(r, what, "has an item that is neither a SpecialToken nor a Sequence");
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_template(struct tokenizer_reader *r, json_ref ref, const char *what) {
    json_ref pair = reader_get(r, ref, "pair");
    int rc;
    if ((rc = reader_check_keys(r, ref, what, "type single pair special_tokens")) < 0 ||
        (rc = add_form_items(r, ref, "single", &r->t->template.single, what)) < 0)
        return rc;
    return pair == JSON_NONE ? 0 : add_form_items(r, ref, "pair", &r->t->template.pair, what);
}

static int read_trims(struct tokenizer_reader *r, json_ref ref, const char *what) {
    int rc = reader_bool(r, ref, what, "trim_offsets", true, &r->t->template.trims);
    return rc < 0 ? rc : reader_bool(r, ref, what, "add_prefix_space", true, &r->t->template.trims_after_space);
}

static int read_post_processor(struct tokenizer_reader *r, json_ref ref, int depth);

static int read_post_processors(struct tokenizer_reader *r, json_ref ref, const char *what, int depth) {
    json_ref list;
    int rc;
    if (depth == READER_NEST_MAX)
        return reader_invalid(r, what, "holds Sequences within Sequences too deep");
    if ((rc = reader_check_keys(r, ref, what, "type processors")) < 0 ||
        (rc = reader_array(r, ref, what, "processors", &list)) < 0)
        return rc;
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item))
        if ((rc = read_post_processor(r, item, depth + 1)) < 0)
            return rc;
    return 0;
}

static int read_post_processor(struct tokenizer_reader *r, json_ref ref, int depth) {
    const char *what;
    vsr_str type;
    int rc = reader_type(r, ref, "post_processor", &type);
    if (rc < 0)
        return rc;
    what = arena_printf(r->own, "post_processor %.*s", (int)(type.len < 80 ? type.len : 80), type.ptr).ptr;
    if (str_eq_c(type, "Sequence"))
        return read_post_processors(r, ref, what, depth);
    if (str_eq_c(type, "ByteLevel")) {
        rc = reader_check_keys(r, ref, what, "type add_prefix_space trim_offsets use_regex");
        return rc < 0 ? rc : read_trims(r, ref, what);
    }
    if (!str_eq_c(type, "TemplateProcessing") && !str_eq_c(type, "BertProcessing") &&
        !str_eq_c(type, "RobertaProcessing"))
        return reader_unknown_type(r, "post_processor", type);
    if (r->has_template)
        return reader_invalid(r, what, "is the second one that adds tokens");
    r->has_template = true;
    if (str_eq_c(type, "TemplateProcessing"))
        return read_template(r, ref, what);
    if (str_eq_c(type, "BertProcessing")) {
        rc = reader_check_keys(r, ref, what, "type sep cls");
        return rc < 0 ? rc : add_classic(r, ref, what, false, 1);
    }
    if ((rc = reader_check_keys(r, ref, what, "type sep cls trim_offsets add_prefix_space")) < 0 ||
        (rc = read_trims(r, ref, what)) < 0)
        return rc;
    return add_classic(r, ref, what, true, 0);
}

int reader_read_template(struct tokenizer_reader *r) {
    json_ref ref = reader_get(r, 0, "post_processor");
    int rc = ref == JSON_NONE ? 0 : read_post_processor(r, ref, 0);
    if (rc == 0 && !r->has_template)
        token_template_plain(&r->t->template, r->arena);
    return rc;
}

int reader_check_template(struct tokenizer_reader *r) {
    const struct template_form *forms[] = { &r->t->template.single, &r->t->template.pair };
    for (size_t f = 0; f < VSR_COUNT(forms); f++)
        for (size_t i = 0; i < forms[f]->n; i++)
            if (forms[f]->items[i].kind == TEMPLATE_TOKEN && !vocabulary_has(&r->t->vocabulary, forms[f]->items[i].id))
                return err_set(r->err, VSR_E_INVALID, "post_processor: id %u is in no vocabulary",
                               forms[f]->items[i].id);
    return 0;
}
