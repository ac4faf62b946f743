#include <stdlib.h>

#include "core/arena.h"
#include "dsl/format_parts.h"

/* The first comment at or behind that byte. */
static size_t first_comment(const struct format *f, uint32_t from) {
    const struct tokens *tokens = &f->parsed->tokens;
    size_t low = 0, high = tokens->n_comments;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tokens->comments[middle].at.start < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t format_n_comments(const struct format *f, uint32_t from, uint32_t to) {
    return to > from ? first_comment(f, to) - first_comment(f, from) : 0;
}

/* The first token at or behind that byte. */
static const struct token *first_token(const struct format *f, uint32_t from) {
    const struct tokens *tokens = &f->parsed->tokens;
    size_t low = 0, high = tokens->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tokens->items[middle].at.start < from)
            low = middle + 1;
        else
            high = middle;
    }
    return &tokens->items[low];
}

uint32_t format_open(const struct format *f, uint32_t from) {
    const struct token *token = first_token(f, from);
    while (token->kind != TOKEN_END && !token_is(token, '{'))
        token++;
    return token->at.start;
}

uint32_t format_with_word(const struct format *f, uint32_t from, vsr_str word) {
    const struct token *token = first_token(f, from);
    return token > f->parsed->tokens.items && token_is_word(token - 1, word) ? token[-1].at.start : from;
}

/* ---- whose a comment is */

/* The comment on the rest of a line whose last token ends at `from`, when it comes before `to`. */
static const struct comment *behind(const struct format *f, uint32_t from, uint32_t to) {
    const struct tokens *tokens = &f->parsed->tokens;
    size_t i = first_comment(f, from);
    if (i == tokens->n_comments || tokens->comments[i].at.start >= to || tokens->comments[i].own_line)
        return NULL;
    return &tokens->comments[i];
}

void format_attach(const struct format *f, struct format_list *list) {
    uint32_t from = list->open;
    for (size_t i = 0; i < list->n; i++) {
        struct format_unit *unit = &list->units[i];
        unit->above = from;
        unit->behind = behind(f, unit->end, i + 1 < list->n ? list->units[i + 1].start : list->close);
        from = unit->behind ? unit->behind->at.end : unit->end;
    }
}

/* ---- writing */

void format_indent(struct format *f, int indent) {
    for (int i = 0; i < indent; i++)
        buf_append_char(f->out, ' ');
}

static void write_comment(struct format *f, const struct comment *comment) {
    buf_append(f->out, str_sub(f->parsed->source, comment->at.start, comment->at.end));
}

/* Whether an empty line stands before what is at that byte. */
static bool is_apart(const struct format *f, uint32_t at) {
    vsr_str source = f->parsed->source;
    int n_breaks = 0;
    for (; at > 0 && str_find_char(VSR_STR(" \t\r\n\f\v"), source.ptr[at - 1]) >= 0; at--)
        n_breaks += source.ptr[at - 1] == '\n';
    return at > 0 && n_breaks > 1;
}

void format_behind(struct format *f, const struct format_unit *unit) {
    if (!unit->behind)
        return;
    buf_append_char(f->out, ' ');
    write_comment(f, unit->behind);
}

/* `*space`: an empty line is due before whatever comes next. */
static void above(struct format *f, uint32_t from, uint32_t to, int indent, bool *space) {
    size_t i = first_comment(f, from), end = first_comment(f, to);
    for (; i < end; i++) {
        if (*space)
            buf_append_char(f->out, '\n');
        format_indent(f, indent);
        write_comment(f, &f->parsed->tokens.comments[i]);
        buf_append_char(f->out, '\n');
        *space = false;
    }
}

void format_above(struct format *f, uint32_t from, uint32_t to, int indent) {
    bool space = false;
    above(f, from, to, indent, &space);
}

/* Comments of the gap before something, with the empty lines between them. `first`: nothing stands in the container. */
static void gap_above(struct format *f, uint32_t from, uint32_t to, int indent, bool *first, bool force) {
    size_t i = first_comment(f, from), end = first_comment(f, to);
    for (; i < end; i++) {
        const struct comment *comment = &f->parsed->tokens.comments[i];
        bool space = !*first && (force || is_apart(f, comment->at.start));
        above(f, comment->at.start, comment->at.end, indent, &space);
        *first = force = false;
    }
    if (!*first && (force || (to < f->parsed->source.len && is_apart(f, to))))
        buf_append_char(f->out, '\n');
}

static int compare_units(const void *a, const void *b) {
    const struct format_unit *one = a, *other = b;
    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    return one->start < other->start ? -1 : one->start > other->start;
}

static void write_unit(struct format *f, const struct format_list *list, size_t i, bool *first) {
    const struct format_unit *unit = &list->units[i];
    gap_above(f, unit->above, unit->start, list->indent, first, list->spaced && i > 0);
    format_above(f, unit->start, unit->body, list->indent);
    format_indent(f, list->indent);
    list->write(f, unit, list->indent);
    if (list->separator && !unit->last)
        buf_append_c(f->out, list->separator);
    format_behind(f, unit);
    buf_append_char(f->out, '\n');
    *first = false;
}

/* Comments above the closing sign. An empty line below them would be one at the end of a block, which nobody needs. */
static void gap_below(struct format *f, uint32_t from, uint32_t to, int indent, bool first) {
    size_t i = first_comment(f, from), end = first_comment(f, to);
    for (; i < end; i++) {
        const struct comment *comment = &f->parsed->tokens.comments[i];
        bool space = !first && is_apart(f, comment->at.start);
        above(f, comment->at.start, comment->at.end, indent, &space);
        first = false;
    }
}

void format_units(struct format *f, struct format_list *list) {
    const struct format_unit *end = list->n ? &list->units[list->n - 1] : NULL;
    const struct comment *opening =
        list->whole_file ? NULL : behind(f, list->open, list->n ? list->units[0].start : list->close);
    uint32_t rest;
    bool first = true;
    format_attach(f, list);
    rest = !end ? opening ? opening->at.end : list->open : end->behind ? end->behind->at.end : end->end;
    if (opening) {
        buf_append_char(f->out, ' ');
        write_comment(f, opening);
        if (list->n)
            list->units[0].above = opening->at.end;
    }
    if (!list->whole_file)
        buf_append_char(f->out, '\n');
    if (list->n)
        qsort(list->units, list->n, sizeof(*list->units), compare_units);
    for (size_t i = 0; i < list->n; i++) {
        list->units[i].last = i + 1 == list->n;
        write_unit(f, list, i, &first);
    }
    gap_below(f, rest, list->close, list->indent, first);
}
