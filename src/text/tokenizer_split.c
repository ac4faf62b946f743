#include "text/tokenizer_split.h"

#include "core/arena.h"
#include "text/tokenizer_normalize.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

bool splitter_add(struct splitter *splitter, struct arena *arena, struct split_step step) {
    if (splitter->n_steps == SPLITTER_STEPS_MAX)
        return false;
    splitter->steps = arena_grow(arena, splitter->steps, sizeof(step), splitter->n_steps, &splitter->cap);
    splitter->steps[splitter->n_steps++] = step;
    return true;
}

/* Joins segments to pieces as the behaviour says, one segment at a time. */
struct joiner {
    struct tokenizer_work *work;
    struct token_spans *out;
    enum split_behaviour behaviour;
    size_t first; /* pieces from here on belong to the piece being cut */
    bool after_match;
    struct token_span pending; /* WITH_NEXT: a match that waits for what follows */
    bool has_pending;
};

static void push(struct joiner *j, size_t start, size_t end) {
    if (end > start)
        (void)token_span_push(j->work, j->out, start, end);
}

static void flush(struct joiner *j) {
    if (j->has_pending)
        push(j, j->pending.start, j->pending.end);
    j->has_pending = false;
}

static bool has_piece(const struct joiner *j) {
    return j->out->n > j->first;
}

static void add_match(struct joiner *j, size_t start, size_t end) {
    switch (j->behaviour) {
    case SPLIT_REMOVED:
        break;
    case SPLIT_ISOLATED:
        push(j, start, end);
        break;
    case SPLIT_CONTIGUOUS:
        if (j->after_match && has_piece(j))
            j->out->at[j->out->n - 1].end = (uint32_t)end;
        else
            push(j, start, end);
        break;
    case SPLIT_WITH_PREVIOUS:
        if (!j->after_match && has_piece(j))
            j->out->at[j->out->n - 1].end = (uint32_t)end;
        else
            push(j, start, end);
        break;
    case SPLIT_WITH_NEXT:
        flush(j);
        j->pending = (struct token_span){ (uint32_t)start, (uint32_t)end };
        j->has_pending = true;
        break;
    }
    j->after_match = true;
}

static void add_gap(struct joiner *j, size_t start, size_t end) {
    if (j->has_pending)
        start = j->pending.start;
    j->has_pending = false;
    if (j->behaviour == SPLIT_CONTIGUOUS && !j->after_match && has_piece(j))
        j->out->at[j->out->n - 1].end = (uint32_t)end;
    else
        push(j, start, end);
    j->after_match = false;
}

static void cut(const struct split_step *step, struct tokenizer_work *work, const struct token_text *text,
                struct token_span piece, struct token_spans *out) {
    struct joiner j = { .work = work, .out = out, .behaviour = step->behaviour, .first = out->n };
    vsr_str bytes = str_make(text->ptr, piece.end);
    size_t from = piece.start, start, end;
    while (!work->failed && token_pattern_find(step->pattern, bytes, from, &start, &end)) {
        if (start > from)
            (step->invert ? add_match : add_gap)(&j, from, start);
        (step->invert ? add_gap : add_match)(&j, start, end);
        from = end;
    }
    if (from < piece.end)
        (step->invert ? add_match : add_gap)(&j, from, piece.end);
    flush(&j);
}

/* ASCII: 0 part of a word, 1 white space, 2 punctuation. */
static unsigned bert_class(uint32_t cp) {
    if (unicode_is_space(cp))
        return 1;
    return token_is_punctuation(cp) ? 2 : 0;
}

static void cut_bert(struct tokenizer_work *work, const struct token_text *text, struct token_span piece,
                     struct token_spans *out) {
    size_t word = piece.start;
    for (size_t pos = piece.start; pos < piece.end;) {
        size_t at = pos;
        unsigned class = bert_class(token_decode(text->ptr, &pos));
        if (class == 0)
            continue;
        if (at > word)
            (void)token_span_push(work, out, word, at);
        if (class == 2)
            (void)token_span_push(work, out, at, pos);
        word = pos;
    }
    if (piece.end > word)
        (void)token_span_push(work, out, word, piece.end);
}

static struct token_spans *next_spans(struct tokenizer_work *work) {
    struct token_spans *spans = &work->spans[work->spans_turn];
    work->spans_turn ^= 1;
    spans->n = 0;
    return spans;
}

static const struct token_spans *cut_all(const struct split_step *step, struct tokenizer_work *work,
                                         const struct token_text *text, const struct token_spans *pieces) {
    struct token_spans *out = next_spans(work);
    for (size_t i = 0; i < pieces->n && !work->failed; i++) {
        if (step->kind == SPLIT_BERT)
            cut_bert(work, text, pieces->at[i], out);
        else
            cut(step, work, text, pieces->at[i], out);
    }
    return out;
}

static bool begins_with(const struct token_text *text, struct token_span piece, vsr_str prefix) {
    return piece.end - piece.start >= prefix.len && memcmp(text->ptr + piece.start, prefix.ptr, prefix.len) == 0;
}

/* The piece with `replacement` for its spaces, and one before it where the scheme wants that. */
static void write_metaspace(const struct split_step *step, struct tokenizer_work *work, const struct token_text *text,
                            struct token_span piece, struct token_out *out) {
    size_t from = piece.start;
    bool prepend =
        step->prepend == PREPEND_ALWAYS || (step->prepend == PREPEND_FIRST && token_text_start(text, piece.start) == 0);
    if (text->ptr[piece.start] == ' ' || begins_with(text, piece, step->replacement))
        prepend = false;
    if (prepend)
        token_out_bytes(work, out, step->replacement, token_text_start(text, piece.start),
                        token_text_end(text, piece.start));
    while (from < piece.end && !work->failed) {
        const char *space = memchr(text->ptr + from, ' ', piece.end - from);
        size_t at = space ? (size_t)(space - text->ptr) : piece.end;
        token_out_copy(work, out, text, from, at);
        if (space)
            token_out_bytes(work, out, step->replacement, token_text_start(text, at), token_text_end(text, at));
        from = at + 1;
    }
}

static void write_bytes(const struct split_step *step, struct tokenizer_work *work, const struct token_text *text,
                        struct token_span piece, struct token_out *out) {
    if (step->prepend == PREPEND_ALWAYS && text->ptr[piece.start] != ' ')
        token_out_bytes(work, out, VSR_STR(" "), token_text_start(text, piece.start),
                        token_text_end(text, piece.start));
    token_out_copy(work, out, text, piece.start, piece.end);
}

static void write_alphabet(const struct split_step *step, struct tokenizer_work *work, const struct token_text *text,
                           struct token_span piece, struct token_out *out) {
    (void)step;
    write_byte_alphabet(work, out, text, piece.start, piece.end);
}

typedef void (*write_piece)(const struct split_step *step, struct tokenizer_work *work, const struct token_text *text,
                            struct token_span piece, struct token_out *out);

/* A new text of rewritten pieces, and where they stand in it. */
static const struct token_spans *rewrite(const struct split_step *step, struct tokenizer_work *work,
                                         struct token_text *text, const struct token_spans *pieces, write_piece write) {
    struct token_out *out = token_out_next(work);
    struct token_spans *spans = next_spans(work);
    for (size_t i = 0; i < pieces->n && !work->failed; i++) {
        size_t start = out->len;
        write(step, work, text, pieces->at[i], out);
        (void)token_span_push(work, spans, start, out->len);
    }
    *text = token_out_text(out);
    return spans;
}

static const struct token_spans *run_step(const struct split_step *step, struct tokenizer_work *work,
                                          struct token_text *text, const struct token_spans *pieces) {
    if (step->kind == SPLIT_METASPACE)
        pieces = rewrite(step, work, text, pieces, write_metaspace);
    if (step->kind == SPLIT_BYTES && step->prepend == PREPEND_ALWAYS)
        pieces = rewrite(step, work, text, pieces, write_bytes);
    if (step->pattern || step->kind == SPLIT_BERT)
        pieces = cut_all(step, work, text, pieces);
    if (step->kind == SPLIT_BYTES && !step->keep_bytes)
        pieces = rewrite(step, work, text, pieces, write_alphabet);
    return pieces;
}

const struct token_spans *splitter_run(const struct splitter *splitter, struct tokenizer_work *work,
                                       struct token_text *text) {
    struct token_spans *whole = next_spans(work);
    const struct token_spans *pieces = whole;
    if (text->len)
        (void)token_span_push(work, whole, 0, text->len);
    for (size_t i = 0; i < splitter->n_steps && !work->failed; i++)
        pieces = run_step(&splitter->steps[i], work, text, pieces);
    return pieces;
}
