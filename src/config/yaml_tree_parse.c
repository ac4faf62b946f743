/*
 * The tree is built from libfyaml's events with a stack of open collections. A collection's children grow in a scratch
 * arena and move to the caller's arena, in their final size, when it closes; at that moment its duplicate keys are
 * reported and its merge keys are replaced by what they stand for.
 *
 * An alias does not copy: the node of its anchor is put into the tree once more. What that costs those who walk the
 * tree is counted in nodes ("weight"), so that ten lines of nested aliases cannot become a billion visits.
 */
#include "config/yaml_tree.h"

#include <libfyaml.h>

#include "config/diag.h"
#include "config/yaml_text.h"
#include "core/arena.h"
#include "core/err.h"
#include "core/map.h"
#include "core/utf8.h"

enum {
    LINEAR_KEYS_MAX = 12,   /* below this, comparing with every key beats hashing */
    PATH_STEP_LEN_MAX = 128 /* a name in a path is cut there: a long one would be copied into every path below it */
};

struct anchor {
    struct yaml_node *node;
    size_t weight;   /* nodes in it, aliases expanded */
    unsigned height; /* levels of collections in it */
    bool open;       /* still being read: an alias to it would make a circle */
};

struct frame {
    struct yaml_node *node;
    struct yaml_node **items, **keys; /* scratch; [node->n_items] */
    size_t items_cap, keys_cap;
    struct yaml_node *key; /* MAPPING: key that waits for its value */
    size_t weight;
    unsigned height;
    struct anchor *anchor;
};

struct builder {
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of the building */
    struct diag *diag;
    vsr_str text;       /* what is parsed */
    struct map anchors; /* name -> struct anchor */
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth;
    struct yaml_node *root;
    size_t n_nodes, n_documents;
    uint32_t line, col;       /* of the last event that had a position */
    bool plain;               /* no anchors, aliases, merge keys and tags */
    struct yaml_spans *spans; /* NULL when nobody asked for them */
};

/* ---- problems */

static struct diag_at at_position(uint32_t line, uint32_t col) {
    return (struct diag_at){ .line = line, .col = col };
}

static int fail_here(struct builder *b, const char *message) {
    diag_error(b->diag, "E_YAML", at_position(b->line, b->col), VSR_STR(""), "%s", message);
    return VSR_E_INVALID;
}

/* Appends `.key`, or `[name]` for an element of a list; the name is known when it was written before the problem. */
static vsr_str path_step(struct arena *arena, vsr_str path, const struct frame *frame, const struct frame *child) {
    if (frame->node->kind == YAML_MAPPING) {
        if (!frame->key)
            return path;
        return arena_printf(arena, "%.*s%s%.*s", VSR_FMT(path), path.len ? "." : "",
                            VSR_FMT(utf8_cut(frame->key->text, PATH_STEP_LEN_MAX)));
    }
    for (size_t i = 0; child && child->keys && i < child->node->n_items; i++)
        if (str_eq_c(child->keys[i]->text, "name") && child->items[i]->kind == YAML_SCALAR && child->items[i]->text.len)
            return arena_printf(arena, "%.*s[%.*s]", VSR_FMT(path),
                                VSR_FMT(utf8_cut(child->items[i]->text, PATH_STEP_LEN_MAX)));
    return arena_printf(arena, "%.*s[%zu]", VSR_FMT(path), frame->node->n_items);
}

/* Empty when nobody will read it. */
static vsr_str path_of_key(struct builder *b, vsr_str key) {
    vsr_str path = { 0 };
    if (diag_full(b->diag))
        return path;
    for (size_t i = 0; i + 1 < b->depth; i++)
        path = path_step(b->diag->arena, path, &b->stack[i], &b->stack[i + 1]);
    return arena_printf(b->diag->arena, "%.*s%s%.*s", VSR_FMT(path), path.len ? "." : "",
                        VSR_FMT(utf8_cut(key, PATH_STEP_LEN_MAX)));
}

static void report_duplicate(struct builder *b, const struct yaml_node *key, const struct yaml_node *first) {
    struct diag_at at = { key->line, key->col, path_of_key(b, key->text) };
    diag_error(b->diag, "E_DUP", at, VSR_STR("keep one of them"), "key \"%.*s\" is already set at line %u, column %u",
               VSR_FMT(key->text), first->line, first->col);
}

/* ---- closing a mapping: duplicates and merge keys */

/* The keys of one mapping; small ones are compared one by one. */
struct key_set {
    struct map map;
    struct yaml_node **keys;
    size_t n;
};

static const struct yaml_node *key_set_find(const struct key_set *set, vsr_str text) {
    if (set->n > LINEAR_KEYS_MAX)
        return map_get(&set->map, text);
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->keys[i]->text, text))
            return set->keys[i];
    return NULL;
}

static void key_set_add(struct key_set *set, struct yaml_node *key) {
    set->keys[set->n++] = key;
    if (set->n == LINEAR_KEYS_MAX + 1) {
        for (size_t i = 0; i < set->n; i++)
            map_put(&set->map, set->keys[i]->text, set->keys[i]);
    } else if (set->n > LINEAR_KEYS_MAX) {
        map_put(&set->map, key->text, key);
    }
}

static bool is_merge_key(const struct yaml_node *key) {
    return !key->quoted && str_eq_c(key->text, "<<");
}

/* What a merge key stands for: one mapping, or the mappings of a list. -1 when it is neither. */
static ptrdiff_t merge_sources(struct yaml_node *value, struct yaml_node **one, struct yaml_node ***ret_sources) {
    if (value->kind == YAML_MAPPING) {
        *one = value;
        *ret_sources = one;
        return 1;
    }
    if (value->kind != YAML_SEQUENCE)
        return -1;
    for (size_t i = 0; i < value->n_items; i++)
        if (value->items[i]->kind != YAML_MAPPING)
            return -1;
    *ret_sources = value->items;
    return (ptrdiff_t)value->n_items;
}

/* Most keys that the mapping can have once its merge keys are resolved. */
static size_t merged_count(const struct frame *frame) {
    size_t count = frame->node->n_items;
    for (size_t i = 0; i < frame->node->n_items; i++) {
        struct yaml_node *one, **sources;
        ptrdiff_t n;
        if (!is_merge_key(frame->keys[i]))
            continue;
        n = merge_sources(frame->items[i], &one, &sources);
        for (ptrdiff_t s = 0; s < n; s++)
            count += sources[s]->n_items;
    }
    return count;
}

struct pairs {
    struct yaml_node **keys, **items; /* [key_set.n] */
    struct key_set seen;
};

static void pairs_add(struct pairs *pairs, struct yaml_node *key, struct yaml_node *value) {
    pairs->items[pairs->seen.n] = value;
    key_set_add(&pairs->seen, key);
}

/* Adds the keys that the mapping does not have yet: its own win, then earlier sources. */
static void merge_value(struct builder *b, struct pairs *pairs, const struct yaml_node *key, struct yaml_node *value) {
    struct yaml_node *one, **sources;
    ptrdiff_t n = merge_sources(value, &one, &sources);
    if (n < 0) {
        struct diag_at at = { key->line, key->col, path_of_key(b, key->text) };
        diag_error(b->diag, "E_YAML", at, VSR_STR(""), "a merge key takes a mapping or a list of mappings");
        return;
    }
    for (ptrdiff_t s = 0; s < n; s++)
        for (size_t i = 0; i < sources[s]->n_items; i++)
            if (!key_set_find(&pairs->seen, sources[s]->keys[i]->text))
                pairs_add(pairs, sources[s]->keys[i], sources[s]->items[i]);
}

static void close_mapping(struct builder *b, struct frame *frame) {
    struct yaml_node *node = frame->node;
    size_t n_own = node->n_items, most = merged_count(frame);
    struct pairs pairs = { .keys = ARENA_ARRAY(b->arena, struct yaml_node *, most),
                           .items = ARENA_ARRAY(b->arena, struct yaml_node *, most) };
    struct arena_mark mark = arena_mark(b->scratch);
    bool merges = false;
    pairs.seen.keys = pairs.keys;
    map_init(&pairs.seen.map, b->scratch);
    for (size_t i = 0; i < n_own; i++) {
        const struct yaml_node *first;
        if (is_merge_key(frame->keys[i])) {
            merges = true;
            if (b->plain)
                diag_error(b->diag, "E_YAML", at_position(frame->keys[i]->line, frame->keys[i]->col), VSR_STR(""),
                           "merge keys are not allowed here");
            continue;
        }
        first = key_set_find(&pairs.seen, frame->keys[i]->text);
        if (first)
            report_duplicate(b, frame->keys[i], first);
        else
            pairs_add(&pairs, frame->keys[i], frame->items[i]);
    }
    for (size_t i = 0; merges && i < n_own; i++)
        if (is_merge_key(frame->keys[i]))
            merge_value(b, &pairs, frame->keys[i], frame->items[i]);
    node->keys = pairs.keys;
    node->items = pairs.items;
    node->n_items = pairs.seen.n;
    arena_rewind(b->scratch, mark);
}

static void close_sequence(struct builder *b, struct frame *frame) {
    struct yaml_node **items = ARENA_ARRAY(b->arena, struct yaml_node *, frame->node->n_items);
    if (frame->node->n_items)
        memcpy(items, frame->items, frame->node->n_items * sizeof(*items));
    frame->node->items = items;
}

/* ---- growing the tree */

static int add_to_mapping(struct builder *b, struct frame *frame, struct yaml_node *node) {
    size_t n = frame->node->n_items;
    if (!frame->key) {
        if (node->kind != YAML_SCALAR)
            return fail_here(b, "a mapping key must be plain or quoted text");
        frame->key = node;
        return 0;
    }
    frame->items = arena_grow(b->scratch, frame->items, sizeof(*frame->items), n, &frame->items_cap);
    frame->keys = arena_grow(b->scratch, frame->keys, sizeof(*frame->keys), n, &frame->keys_cap);
    frame->keys[n] = frame->key;
    frame->items[n] = node;
    frame->node->n_items = n + 1;
    frame->key = NULL;
    return 0;
}

static int add_node(struct builder *b, struct yaml_node *node, size_t weight, unsigned height) {
    struct frame *frame;
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    frame = &b->stack[b->depth - 1];
    frame->weight += weight;
    if (frame->height < height + 1)
        frame->height = height + 1;
    if (frame->node->kind == YAML_MAPPING)
        return add_to_mapping(b, frame, node);
    frame->items = arena_grow(b->scratch, frame->items, sizeof(*frame->items), frame->node->n_items, &frame->items_cap);
    frame->items[frame->node->n_items++] = node;
    return 0;
}

static int count_nodes(struct builder *b, size_t weight) {
    b->n_nodes += weight;
    if (b->n_nodes <= YAML_NODES_MAX)
        return 0;
    diag_error(b->diag, "E_YAML", at_position(b->line, b->col), VSR_STR(""),
               "the document has more than %d nodes, aliases expanded", YAML_NODES_MAX);
    return VSR_E_LIMIT;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind) {
    struct yaml_node *node = ARENA_NEW(b->arena, struct yaml_node);
    node->kind = kind;
    node->line = b->line;
    node->col = b->col;
    return node;
}

static vsr_str token_text(struct fy_token *token) {
    size_t len = 0;
    const char *text = token ? fy_token_get_text(token, &len) : NULL;
    return str_make(text ? text : "", text ? len : 0);
}

static struct anchor *put_anchor(struct builder *b, struct fy_token *token, struct yaml_node *node) {
    struct anchor *anchor;
    if (!token)
        return NULL;
    if (b->plain)
        (void)fail_here(b, "anchors are not allowed here"); /* counted; the rest is read for its own errors */
    anchor = ARENA_NEW(b->scratch, struct anchor);
    *anchor = (struct anchor){ .node = node, .weight = 1 };
    map_put(&b->anchors, arena_str(b->scratch, token_text(token)), anchor);
    return anchor;
}

/* Writes whether the tag makes the scalar a string. Types of scalars are the schema's business, so other standard tags
 * say nothing. */
static int read_tag(struct builder *b, struct fy_token *token, bool *ret_is_string) {
    static const char *const ignored[] = { "int", "float", "bool", "null", "map", "seq" };
    vsr_str tag = token_text(token), prefix = VSR_STR("tag:yaml.org,2002:"), name;
    *ret_is_string = false;
    if (!token)
        return 0;
    if (b->plain)
        return fail_here(b, "tags are not allowed here");
    name = str_starts(tag, prefix) ? str_sub(tag, prefix.len, tag.len) : VSR_STR("");
    *ret_is_string = str_eq_c(tag, "!") || str_eq_c(name, "str");
    if (*ret_is_string)
        return 0;
    for (size_t i = 0; i < VSR_COUNT(ignored); i++)
        if (str_eq_c(name, ignored[i]))
            return 0;
    return fail_here(b, "this tag is not supported");
}

/* ---- text of scalars */

/* What libfyaml gets wrong is done here: config/yaml_text.h. */
static vsr_str scalar_text(struct builder *b, struct fy_token *value) {
    const struct fy_mark *start = fy_token_start_mark(value), *end = fy_token_end_mark(value);
    enum fy_scalar_style style = fy_token_scalar_style(value);
    vsr_str raw = { 0 };
    if (start && end && end->input_pos <= b->text.len)
        raw = str_sub(b->text, start->input_pos, end->input_pos);
    if (style == FYSS_SINGLE_QUOTED && str_find(raw, VSR_STR("''")) >= 0)
        return yaml_unquote_single(b->arena, raw);
    if (style == FYSS_DOUBLE_QUOTED && str_find_char(raw, '\\') >= 0 && str_find_char(raw, '\n') >= 0)
        return yaml_unquote_double(b->arena, raw);
    return arena_str(b->arena, token_text(value));
}

/*
 * A block of text that begins no deeper than what it belongs to is empty, and something else follows. libfyaml 0.7.12
 * takes that for its text, if an empty line or a comment comes first: keys would vanish in it without a word. Such a
 * document is refused, though YAML allows the empty block.
 */
static int check_block_indent(struct builder *b, struct fy_token *value) {
    const struct fy_mark *start = fy_token_start_mark(value), *end = fy_token_end_mark(value);
    const struct yaml_node *above = b->depth ? b->stack[b->depth - 1].node : NULL;
    vsr_str raw;
    if (fy_token_scalar_style(value) < FYSS_LITERAL || !above || !start || !end || end->input_pos > b->text.len)
        return 0;
    raw = str_sub(b->text, start->input_pos, end->input_pos);
    while (raw.len) {
        vsr_str line = str_split(&raw, '\n');
        size_t indent = 0;
        while (indent < line.len && line.ptr[indent] == ' ')
            indent++;
        if (str_trim(line).len == 0)
            continue;
        return indent >= above->col
                   ? 0
                   : fail_here(b,
                               "a block of text is empty, or not indented deeper than its key; write \"\" for no text");
    }
    return 0;
}

static bool is_in_quotes(struct fy_token *value) {
    enum fy_scalar_style style = fy_token_scalar_style(value);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

_Static_assert((int)FYSS_PLAIN == YAML_PLAIN && (int)FYSS_SINGLE_QUOTED == YAML_SINGLE_QUOTED &&
                   (int)FYSS_DOUBLE_QUOTED == YAML_DOUBLE_QUOTED && (int)FYSS_LITERAL == YAML_LITERAL &&
                   (int)FYSS_FOLDED == YAML_FOLDED,
               "styles are taken over as they are");

static enum yaml_style scalar_style(struct fy_token *value) {
    enum fy_scalar_style style = fy_token_scalar_style(value);
    return style > FYSS_PLAIN && style < FYSS_MAX ? (enum yaml_style)style : YAML_PLAIN;
}

static void note_extent(struct builder *b, struct yaml_node *node, struct fy_token *value) {
    const struct fy_mark *start = fy_token_start_mark(value), *end = fy_token_end_mark(value);
    if (!start || !end || end->input_pos > b->text.len || start->input_pos > end->input_pos)
        return;
    node->start = (uint32_t)start->input_pos;
    node->end = (uint32_t)end->input_pos;
    if (!b->spans)
        return;
    b->spans->items = arena_grow(b->arena, b->spans->items, sizeof(*b->spans->items), b->spans->n, &b->spans->cap);
    b->spans->items[b->spans->n++] = (struct yaml_span){ node->start, node->end };
}

static int on_scalar(struct builder *b, struct fy_event *event) {
    struct fy_token *value = event->scalar.value;
    bool is_string = false, is_key;
    struct yaml_node *node;
    int rc = count_nodes(b, 1);
    if (rc == 0)
        rc = read_tag(b, event->scalar.tag, &is_string);
    if (rc == 0 && value)
        rc = check_block_indent(b, value);
    if (rc < 0)
        return rc;
    /* The mark of a quoted scalar stands behind its quote. */
    if (value && b->col > 1 && is_in_quotes(value))
        b->col--;
    is_key = b->depth && b->stack[b->depth - 1].node->kind == YAML_MAPPING && !b->stack[b->depth - 1].key;
    node = new_node(b, value || is_string || is_key ? YAML_SCALAR : YAML_NULL);
    node->quoted = is_string || (value && fy_token_scalar_style(value) != FYSS_PLAIN);
    node->text = value ? scalar_text(b, value) : VSR_STR("");
    if (value) {
        node->style = (uint8_t)scalar_style(value);
        note_extent(b, node, value);
    }
    put_anchor(b, event->scalar.anchor, node);
    return add_node(b, node, 1, 0);
}

static int on_alias(struct builder *b, struct fy_event *event) {
    vsr_str name = token_text(event->alias.anchor);
    struct anchor *anchor = map_get(&b->anchors, name);
    int rc;
    if (b->plain)
        return fail_here(b, "aliases are not allowed here");
    if (!anchor) {
        diag_error(b->diag, "E_YAML", at_position(b->line, b->col), VSR_STR(""),
                   "alias \"*%.*s\" has no anchor before it", VSR_FMT(name));
        return VSR_E_INVALID;
    }
    if (anchor->open)
        return fail_here(b, "an alias must not refer to a block that it is part of");
    if (b->depth + anchor->height > YAML_DEPTH_MAX)
        return fail_here(b, "nested too deeply");
    rc = count_nodes(b, anchor->weight);
    return rc < 0 ? rc : add_node(b, anchor->node, anchor->weight, anchor->height);
}

static int on_open(struct builder *b, struct fy_event *event, enum yaml_kind kind, struct fy_token *anchor,
                   struct fy_token *tag) {
    const struct fy_mark *mark = fy_event_start_mark(event);
    struct frame *frame;
    bool is_string = false;
    int rc = count_nodes(b, 1);
    if (rc == 0)
        rc = read_tag(b, tag, &is_string);
    if (rc < 0)
        return rc;
    if (b->depth == YAML_DEPTH_MAX) {
        diag_error(b->diag, "E_YAML", at_position(b->line, b->col), VSR_STR(""), "nested deeper than %d levels",
                   YAML_DEPTH_MAX);
        return VSR_E_LIMIT;
    }
    frame = &b->stack[b->depth++];
    *frame = (struct frame){ .node = new_node(b, kind), .weight = 1, .height = 1 };
    frame->node->flow = fy_event_get_node_style(event) == FYNS_FLOW;
    frame->node->start = frame->node->end = mark ? (uint32_t)mark->input_pos : 0;
    frame->anchor = put_anchor(b, anchor, frame->node);
    if (frame->anchor)
        frame->anchor->open = true;
    return 0;
}

static int on_close(struct builder *b, struct fy_event *event) {
    struct frame *frame = &b->stack[b->depth - 1];
    const struct fy_mark *mark = fy_event_end_mark(event);
    if (mark && mark->input_pos > frame->node->start)
        frame->node->end = (uint32_t)mark->input_pos;
    if (frame->node->kind == YAML_MAPPING)
        close_mapping(b, frame);
    else
        close_sequence(b, frame);
    if (frame->anchor) {
        frame->anchor->open = false;
        frame->anchor->weight = frame->weight;
        frame->anchor->height = frame->height;
    }
    b->depth--;
    return add_node(b, frame->node, frame->weight, frame->height);
}

static int on_document(struct builder *b) {
    if (b->n_documents++ == 0)
        return 0;
    return fail_here(b, "a second document starts here; a configuration is one document");
}

static int on_event(struct builder *b, struct fy_event *event) {
    const struct fy_mark *mark = fy_event_start_mark(event);
    bool is_empty = event->type == FYET_SCALAR && !event->scalar.value;
    if (mark && !is_empty && event->type != FYET_MAPPING_END && event->type != FYET_SEQUENCE_END) {
        b->line = (uint32_t)mark->line + 1;
        b->col = (uint32_t)mark->column + 1;
    }
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return on_document(b);
    case FYET_SCALAR:
        return on_scalar(b, event);
    case FYET_ALIAS:
        return on_alias(b, event);
    case FYET_MAPPING_START:
        return on_open(b, event, YAML_MAPPING, event->mapping_start.anchor, event->mapping_start.tag);
    case FYET_SEQUENCE_START:
        return on_open(b, event, YAML_SEQUENCE, event->sequence_start.anchor, event->sequence_start.tag);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return on_close(b, event);
    default:
        return 0;
    }
}

/* ---- running the parser */

static int report_syntax(struct builder *b, struct fy_diag *messages) {
    void *iterator = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(messages, &iterator);
    if (!first || !first->msg)
        return fail_here(b, "malformed YAML");
    /* Unlike marks, these positions count from 1. */
    diag_error(b->diag, "E_YAML", at_position((uint32_t)first->line, (uint32_t)first->column), VSR_STR(""), "%s",
               first->msg);
    return VSR_E_SYNTAX;
}

static int run_events(struct builder *b, struct fy_parser *parser, struct fy_diag *messages) {
    int rc = 0;
    bool ended = false;
    while (rc == 0 && !ended) {
        struct fy_event *event = fy_parser_parse(parser);
        if (!event)
            return report_syntax(b, messages);
        rc = on_event(b, event);
        ended = event->type == FYET_STREAM_END;
        fy_parser_event_free(parser, event);
    }
    return rc == 0 && fy_parser_get_stream_error(parser) ? report_syntax(b, messages) : rc;
}

static int run_parser(struct builder *b) {
    struct fy_diag_cfg quiet;
    struct fy_parse_cfg config = { .flags = FYPCF_ALLOW_DUPLICATE_KEYS | FYPCF_JSON_NONE | FYPCF_DISABLE_DEPTH_LIMIT };
    struct fy_parser *parser = NULL;
    int rc = VSR_E_NOMEM;
    fy_diag_cfg_default(&quiet);
    quiet.fp = NULL;
    quiet.level = FYET_ERROR;
    config.diag = fy_diag_create(&quiet);
    if (!config.diag)
        goto out;
    fy_diag_set_collect_errors(config.diag, true);
    parser = fy_parser_create(&config);
    if (!parser || fy_parser_set_string(parser, b->text.ptr, b->text.len) != 0)
        goto out;
    rc = run_events(b, parser, config.diag);
out:
    if (rc == VSR_E_NOMEM)
        (void)fail_here(b, "out of memory");
    fy_parser_destroy(parser);
    fy_diag_destroy(config.diag);
    return rc;
}

/* ---- the whole */

static int check_bytes(vsr_str text, struct diag *diag) {
    size_t bad = utf8_check(text);
    uint32_t line = 1, col = 1;
    const char *nul = text.len ? memchr(text.ptr, 0, text.len) : NULL;
    if (text.len > YAML_BYTES_MAX) {
        diag_error(diag, "E_YAML", at_position(0, 0), VSR_STR(""), "the document is larger than %d bytes",
                   YAML_BYTES_MAX);
        return VSR_E_LIMIT;
    }
    if (nul && (size_t)(nul - text.ptr) < bad)
        bad = (size_t)(nul - text.ptr);
    if (bad == text.len)
        return 0;
    for (size_t i = 0; i < bad; i++) {
        col = text.ptr[i] == '\n' ? 1 : col + (((unsigned char)text.ptr[i] & 0xC0) != 0x80);
        line += text.ptr[i] == '\n';
    }
    diag_error(diag, "E_YAML", at_position(line, col), VSR_STR(""), "%s", nul ? "a NUL byte" : "invalid UTF-8");
    return VSR_E_SYNTAX;
}

/* `spans`: NULL when nobody asked for them. */
static int parse(struct arena *arena, vsr_str text, bool plain, struct yaml_node **ret_root, struct yaml_spans *spans,
                 struct diag *diag) {
    struct builder *b;
    struct arena *scratch;
    size_t n_errors = diag->n_errors;
    int rc = check_bytes(text, diag);
    if (rc < 0)
        return rc;
    scratch = arena_new(0, 0);
    b = ARENA_NEW(scratch, struct builder);
    *b = (struct builder){ .arena = arena, .scratch = scratch, .diag = diag, .line = 1, .col = 1, .plain = plain };
    b->spans = spans;
    map_init(&b->anchors, scratch);
    b->text = arena_str(scratch, text);
    rc = run_parser(b);
    if (rc == 0 && diag->n_errors > n_errors)
        rc = VSR_E_INVALID;
    if (rc == 0 && (!b->root || yaml_is_null(b->root))) {
        diag_error(diag, "E_EMPTY", at_position(1, 1), VSR_STR(""), "the document is empty");
        rc = VSR_E_INVALID;
    }
    if (rc == 0)
        *ret_root = b->root;
    arena_free(scratch);
    return rc;
}

int yaml_tree_parse(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct diag *diag) {
    return parse(arena, text, false, ret_root, NULL, diag);
}

int yaml_tree_parse_plain(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct diag *diag) {
    return parse(arena, text, true, ret_root, NULL, diag);
}

int yaml_tree_parse_spans(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct yaml_spans *ret_spans,
                          struct diag *diag) {
    *ret_spans = (struct yaml_spans){ 0 };
    return parse(arena, text, false, ret_root, ret_spans, diag);
}
