#include "config/yaml_notes.h"

#include <stdlib.h>

#include "core/arena.h"

/* ---- entries: what comments can belong to */

enum { NO_PARENT = -1, DASH_DISTANCE_MAX = 256 /* blanks between a dash and its element */ };

struct line {
    uint32_t start, first; /* its first byte; the first that is no blank, or its end */
};

struct entry {
    struct yaml_node *node;
    size_t start;    /* of the key; of the dash for an element */
    size_t col;      /* 0-based */
    ptrdiff_t above; /* entry that this one is in, or NO_PARENT */
    size_t order;    /* of the walk: who is outside comes first */
};

struct entries {
    struct arena *scratch;
    vsr_str text;
    struct line *lines;
    size_t n_lines, lines_cap;
    struct entry *items;
    size_t n, cap;
};

static const vsr_str byte_order_mark = VSR_STR_INIT("\xEF\xBB\xBF");

static void find_lines(struct entries *e) {
    size_t at = str_starts(e->text, byte_order_mark) ? byte_order_mark.len : 0;
    do {
        struct line line = { (uint32_t)at, (uint32_t)at };
        while (line.first < e->text.len && strchr(" \t\r", e->text.ptr[line.first]) && e->text.ptr[line.first])
            line.first++;
        e->lines = arena_grow(e->scratch, e->lines, sizeof(*e->lines), e->n_lines, &e->lines_cap);
        e->lines[e->n_lines++] = line;
        const char *end = at < e->text.len ? memchr(e->text.ptr + at, '\n', e->text.len - at) : NULL;
        at = end ? (size_t)(end - e->text.ptr) + 1 : e->text.len;
    } while (at < e->text.len);
}

static const struct line *line_of(const struct entries *e, size_t at) {
    size_t low = 0, high = e->n_lines;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (e->lines[middle].start <= at)
            low = middle;
        else
            high = middle;
    }
    return &e->lines[low];
}

static bool begins_line(const struct entries *e, size_t at) {
    return line_of(e, at)->first >= at;
}

static bool has_blank_above(const struct entries *e, size_t at) {
    const struct line *line = line_of(e, at);
    return line > e->lines && (line[-1].first == e->text.len || e->text.ptr[line[-1].first] == '\n');
}

static size_t column_of(const struct entries *e, size_t at) {
    return at - line_of(e, at)->start;
}

/* Where an element's dash stands; the element itself when it has none. */
static size_t dash_of(vsr_str text, size_t start) {
    size_t at = start, least = start > DASH_DISTANCE_MAX ? start - DASH_DISTANCE_MAX : 0;
    while (at > least && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t'))
        at--;
    return at > 0 && text.ptr[at - 1] == '-' ? at - 1 : start;
}

static void collect(struct entries *e, struct yaml_node *node, ptrdiff_t above);

static void add_entry(struct entries *e, struct yaml_node *node, size_t start, struct yaml_node *value,
                      ptrdiff_t above) {
    /* What was written before the place it is used at is an alias: it is an entry where it was written. */
    if ((node->start == 0 && node->end == 0) || (above != NO_PARENT && start < e->items[above].start))
        return;
    e->items = arena_grow(e->scratch, e->items, sizeof(*e->items), e->n, &e->cap);
    e->items[e->n] = (struct entry){ node, start, column_of(e, start), above, e->n };
    above = (ptrdiff_t)e->n++;
    if (value->start >= start)
        collect(e, value, above);
}

/* Brackets on one line hold no entries; on several lines they do, because a comment may stand between them. */
static void collect(struct entries *e, struct yaml_node *node, ptrdiff_t above) {
    if (node->kind != YAML_MAPPING && node->kind != YAML_SEQUENCE)
        return;
    if (node->flow && node->end <= e->text.len && node->start <= node->end &&
        !memchr(e->text.ptr + node->start, '\n', node->end - node->start))
        return;
    for (size_t i = 0; i < node->n_items; i++) {
        struct yaml_node *value = node->items[i];
        if (node->kind == YAML_MAPPING)
            add_entry(e, node->keys[i], node->keys[i]->start, value, above);
        else
            add_entry(e, value, node->flow ? value->start : dash_of(e->text, value->start), value, above);
    }
}

static int by_place(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* In the text's order, each node once: what aliases repeat is where it was written. */
static void sort_entries(struct entries *e) {
    size_t *place = ARENA_ARRAY(e->scratch, size_t, e->n), n = 0;
    if (e->n)
        qsort(e->items, e->n, sizeof(*e->items), by_place);
    for (size_t i = 0; i < e->n; i++) {
        place[e->items[i].order] = n;
        if (n && e->items[n - 1].node == e->items[i].node && e->items[n - 1].start == e->items[i].start)
            place[e->items[i].order] = n - 1;
        else
            e->items[n++] = e->items[i];
    }
    e->n = n;
    for (size_t i = 0; i < n; i++)
        if (e->items[i].above != NO_PARENT)
            e->items[i].above = (ptrdiff_t)place[e->items[i].above];
}

/* ---- notes */

struct yaml_notes *yaml_notes_of(struct arena *arena, struct yaml_node *node) {
    if (!node->notes)
        node->notes = ARENA_NEW(arena, struct yaml_notes);
    return node->notes;
}

void yaml_lines_add(struct arena *arena, struct yaml_lines *lines, vsr_str line) {
    if (line.len == 0 && lines->n && lines->items[lines->n - 1].len == 0)
        return;
    lines->items = arena_grow(arena, lines->items, sizeof(*lines->items), lines->n, &lines->cap);
    lines->items[lines->n++] = line;
}

static void add_lines(struct arena *arena, struct yaml_lines *to, const struct yaml_lines *from) {
    for (size_t i = 0; i < from->n; i++)
        yaml_lines_add(arena, to, from->items[i]);
}

void yaml_notes_give(struct arena *arena, struct yaml_node *from, struct yaml_node *to) {
    struct yaml_notes *gone = from->notes, *kept;
    struct yaml_lines lines = { 0 };
    if (!gone || from == to)
        return;
    from->notes = NULL;
    if (!to->notes) {
        to->notes = gone;
        return;
    }
    kept = to->notes;
    add_lines(arena, &lines, &gone->before);
    if (gone->behind.len)
        yaml_lines_add(arena, &lines, gone->behind);
    add_lines(arena, &lines, &kept->before);
    kept->before = lines;
    add_lines(arena, &kept->after, &gone->after);
}

/* ---- comments */

struct comments {
    struct arena *arena;
    const struct entries *entries;
    vsr_str text;
    struct yaml_node *root;
    size_t next; /* entry behind the place that is looked at */
};

/* The deepest entry before `next` that a comment at `col` can end. */
static struct yaml_node *entry_above(const struct comments *c, size_t col) {
    ptrdiff_t at = (ptrdiff_t)c->next - 1;
    while (at != NO_PARENT && c->entries->items[at].col > col)
        at = c->entries->items[at].above;
    return at == NO_PARENT ? NULL : c->entries->items[at].node;
}

/* Where a comment on a line of its own belongs. */
static struct yaml_lines *lines_for(const struct comments *c, size_t start) {
    size_t col = column_of(c->entries, start);
    const struct entries *e = c->entries;
    struct yaml_node *above = c->next ? entry_above(c, col) : NULL;
    if (c->next < e->n && !(above && col > e->items[c->next].col))
        return &yaml_notes_of(c->arena, e->items[c->next].node)->before;
    if (above && col > 0)
        return &yaml_notes_of(c->arena, above)->after;
    return &yaml_notes_of(c->arena, c->root)->after;
}

/* Whether nothing but dashes stands before `at` on its line: the element comes below. */
static bool follows_dash(const struct comments *c, size_t at) {
    size_t i = line_of(c->entries, at)->start;
    while (i < at && strchr(" \t-", c->text.ptr[i]))
        i++;
    return i == at;
}

static void add_comment(const struct comments *c, size_t start, vsr_str comment) {
    struct yaml_notes *notes;
    struct yaml_lines *lines;
    if (!begins_line(c->entries, start) && c->next < c->entries->n && follows_dash(c, start)) {
        yaml_lines_add(c->arena, &yaml_notes_of(c->arena, c->entries->items[c->next].node)->before, comment);
        return;
    }
    if (!begins_line(c->entries, start) && c->next) {
        notes = yaml_notes_of(c->arena, c->entries->items[c->next - 1].node);
        if (notes->behind.len == 0)
            notes->behind = comment;
        else
            yaml_lines_add(c->arena, &notes->after, comment);
        return;
    }
    lines = lines_for(c, start);
    if (has_blank_above(c->entries, start))
        yaml_lines_add(c->arena, lines, VSR_STR(""));
    yaml_lines_add(c->arena, lines, comment);
}

/* Entries up to `at` are behind us; those below an empty line get it. */
static void pass_entries(struct comments *c, size_t at) {
    const struct entries *e = c->entries;
    for (; c->next < e->n && e->items[c->next].start < at; c->next++) {
        const struct entry *entry = &e->items[c->next];
        if (begins_line(e, entry->start) && has_blank_above(e, entry->start))
            yaml_lines_add(c->arena, &yaml_notes_of(c->arena, entry->node)->before, VSR_STR(""));
    }
}

/* A `#` begins a comment at the start of a line and behind a blank. */
static bool is_comment(vsr_str text, size_t at) {
    return text.ptr[at] == '#' && (at == 0 || strchr(" \t\r\n", text.ptr[at - 1]) ||
                                   (at == byte_order_mark.len && str_starts(text, byte_order_mark)));
}

static void read_comments(struct comments *c, const struct yaml_spans *spans) {
    size_t span = 0;
    for (size_t at = 0; at < c->text.len; at++) {
        size_t end = at;
        while (span < spans->n && spans->items[span].end <= at)
            span++;
        if (span < spans->n && spans->items[span].start <= at) {
            at = spans->items[span].end - 1;
            continue;
        }
        if (!is_comment(c->text, at))
            continue;
        while (end < c->text.len && c->text.ptr[end] != '\n' && c->text.ptr[end] != '\r')
            end++;
        pass_entries(c, at);
        add_comment(c, at, str_trim(str_sub(c->text, at, end)));
        at = end - 1;
    }
    pass_entries(c, c->text.len + 1);
}

/* The first comments speak of the whole document; what an empty line parts from them, of the first entry. */
static void split_head(struct arena *arena, const struct entries *e, struct yaml_node *root) {
    struct yaml_notes *notes = e->n ? e->items[0].node->notes : NULL;
    struct yaml_lines rest = { 0 };
    size_t cut = 0;
    if (!notes)
        return;
    for (size_t i = 0; i < notes->before.n; i++)
        if (notes->before.items[i].len == 0)
            cut = i + 1;
    if (cut == 0)
        cut = notes->before.n;
    for (size_t i = 0; i < notes->before.n; i++)
        yaml_lines_add(arena, i < cut ? &yaml_notes_of(arena, root)->before : &rest, notes->before.items[i]);
    notes->before = rest;
}

void yaml_notes_attach(struct arena *arena, vsr_str text, const struct yaml_spans *spans, struct yaml_node *root) {
    struct arena *scratch = arena_new(0, 0);
    struct entries entries = { .scratch = scratch, .text = text };
    struct comments comments = { .arena = arena, .entries = &entries, .text = text, .root = root };
    find_lines(&entries);
    collect(&entries, root, NO_PARENT);
    sort_entries(&entries);
    read_comments(&comments, spans);
    split_head(arena, &entries, root);
    arena_free(scratch);
}
