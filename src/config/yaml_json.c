#include "config/yaml_json.h"

#include "core/arena.h"
#include "core/json.h"
#include "core/map.h"

struct reader {
    struct arena *arena;
    const struct json_doc *doc;
    struct vsr_err *err;
    size_t n_nodes;
};

enum { LINEAR_KEYS_MAX = 12 /* below this, comparing with every key beats hashing */ };

static const struct {
    const char *name;
    enum yaml_kind kind;
    const char *content; /* the member that only this kind has; NULL: none */
} kinds[] = {
    { "mapping", YAML_MAPPING, "entries" },
    { "sequence", YAML_SEQUENCE, "items" },
    { "scalar", YAML_SCALAR, "value" },
    { "null", YAML_NULL, NULL },
};

/* ---- members */

static int wrong(struct reader *r, json_ref at, const char *message) {
    uint32_t line, col;
    json_position(r->doc->text, r->doc->nodes[at].start, &line, &col);
    (void)err_set(r->err, VSR_E_INVALID, "%s", message);
    err_at(r->err, VSR_STR(""), line, col);
    return VSR_E_INVALID;
}

static int get_place(struct reader *r, json_ref object, const char *name, uint32_t *ret_number) {
    json_ref ref = json_get(r->doc, object, str_from_c(name));
    int64_t value;
    if (ref == JSON_NONE)
        return 0;
    if (!json_i64(r->doc, ref, &value) || value < 0 || value >= YAML_SECOND_FILE)
        return wrong(r, ref, "a place of a YAML tree is a number of a line or column");
    *ret_number = (uint32_t)value;
    return 0;
}

static int get_places(struct reader *r, json_ref object, struct yaml_node *node) {
    int rc = get_place(r, object, "line", &node->line);
    return rc < 0 ? rc : get_place(r, object, "column", &node->col);
}

/* `value` and `quoted`. */
static int get_text(struct reader *r, json_ref object, struct yaml_node *node) {
    json_ref value = json_get(r->doc, object, VSR_STR("value"));
    json_ref quoted = json_get(r->doc, object, VSR_STR("quoted"));
    if (!json_is(r->doc, value, JSON_STRING))
        return wrong(r, value == JSON_NONE ? object : value, "a scalar or key of a YAML tree has a text in \"value\"");
    if (!json_str(r->arena, r->doc, value, &node->text))
        return err_set(r->err, VSR_E_NOMEM, "out of memory");
    if (quoted != JSON_NONE && !json_bool(r->doc, quoted, &node->quoted))
        return wrong(r, quoted, "\"quoted\" is true or false");
    node->source = node->text;
    node->style = node->quoted ? YAML_DOUBLE_QUOTED : YAML_PLAIN;
    return 0;
}

static struct yaml_node *new_node(struct reader *r, enum yaml_kind kind) {
    struct yaml_node *node = NULL;
    if (r->n_nodes++ < YAML_NODES_MAX)
        node = arena_try_alloc(r->arena, sizeof(*node));
    if (node)
        node->kind = kind;
    else
        (void)err_set(r->err, VSR_E_LIMIT, "the YAML tree is too large: %d nodes are allowed", YAML_NODES_MAX);
    return node;
}

/* ---- nodes */

static int get_node(struct reader *r, json_ref object, struct yaml_node **ret_node);

static int get_key(struct reader *r, json_ref entry, struct yaml_node **ret_key) {
    json_ref key = json_get(r->doc, entry, VSR_STR("key"));
    struct yaml_node *node;
    int rc;
    if (!json_is(r->doc, key, JSON_OBJECT))
        return wrong(r, entry, "an entry of a YAML tree has a \"key\"");
    node = new_node(r, YAML_SCALAR);
    if (!node)
        return VSR_E_LIMIT;
    rc = get_places(r, key, node);
    if (rc == 0)
        rc = get_text(r, key, node);
    if (rc == 0)
        *ret_key = node;
    return rc;
}

/* The keys before the last one, which is new. Few are compared, many hashed. */
static bool is_repeated(struct reader *r, const struct yaml_node *node, size_t n, struct map *keys) {
    vsr_str text = node->keys[n]->text;
    if (n < LINEAR_KEYS_MAX) {
        for (size_t i = 0; i < n; i++)
            if (str_eq(node->keys[i]->text, text))
                return true;
        return false;
    }
    if (n == LINEAR_KEYS_MAX) {
        map_init(keys, r->arena);
        for (size_t i = 0; i < n; i++)
            map_put(keys, node->keys[i]->text, node->keys[i]);
    }
    return map_put(keys, text, node->keys[n]) != NULL;
}

static int get_children(struct reader *r, json_ref list, struct yaml_node *node) {
    size_t n = json_count(r->doc, list), i = 0;
    struct map keys;
    node->items = arena_try_alloc(r->arena, n * sizeof(struct yaml_node *));
    node->keys = node->kind == YAML_MAPPING ? arena_try_alloc(r->arena, n * sizeof(struct yaml_node *)) : NULL;
    if (!node->items || (node->kind == YAML_MAPPING && !node->keys))
        return err_set(r->err, VSR_E_NOMEM, "out of memory");
    for (json_ref ref = json_first(r->doc, list); ref != JSON_NONE; ref = json_next(r->doc, list, ref), i++) {
        int rc = json_is(r->doc, ref, JSON_OBJECT) ? 0 : wrong(r, ref, "a node of a YAML tree is an object");
        if (rc == 0 && node->kind == YAML_MAPPING)
            rc = get_key(r, ref, &node->keys[i]);
        if (rc == 0 && node->kind == YAML_MAPPING && is_repeated(r, node, i, &keys))
            rc = wrong(r, ref, "the key stands there twice");
        if (rc == 0)
            rc = get_node(r, ref, &node->items[i]);
        if (rc < 0)
            return rc;
        node->n_items = i + 1;
    }
    return 0;
}

/* Recursion is bounded by the depth of the JSON. */
static int get_node(struct reader *r, json_ref object, struct yaml_node **ret_node) {
    json_ref kind = json_get(r->doc, object, VSR_STR("kind")), content;
    struct yaml_node *node;
    size_t k = 0;
    int rc;
    while (k < VSR_COUNT(kinds) &&
           (!json_is(r->doc, kind, JSON_STRING) || !json_str_eq(r->doc, kind, str_from_c(kinds[k].name))))
        k++;
    if (k == VSR_COUNT(kinds))
        return wrong(r, kind == JSON_NONE ? object : kind, "\"kind\" of a node is mapping, sequence, scalar or null");
    node = new_node(r, kinds[k].kind);
    if (!node)
        return VSR_E_LIMIT;
    rc = get_places(r, object, node);
    if (rc == 0 && node->kind == YAML_SCALAR)
        rc = get_text(r, object, node);
    if (rc == 0 && (node->kind == YAML_MAPPING || node->kind == YAML_SEQUENCE)) {
        content = json_get(r->doc, object, str_from_c(kinds[k].content));
        rc = json_is(r->doc, content, JSON_ARRAY) ? get_children(r, content, node)
                                                  : wrong(r, object, "a collection has a list of what is in it");
    }
    if (rc == 0)
        *ret_node = node;
    return rc;
}

int yaml_json_read(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct vsr_err *err) {
    struct json_doc doc;
    struct reader r = { .arena = arena, .doc = &doc, .err = err };
    int rc;
    if (text.len > YAML_JSON_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the YAML tree is too large: %d bytes are allowed", YAML_JSON_LEN_MAX);
    rc = json_parse(arena, text, &doc, err);
    if (rc < 0)
        return rc;
    return json_is(&doc, 0, JSON_OBJECT) ? get_node(&r, 0, ret_root)
                                         : wrong(&r, 0, "a node of a YAML tree is an object");
}
