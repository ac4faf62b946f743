#include "text/tokenizer_unigram.h"

#include "core/bits.h"
#include "text/tokenizer_work.h"

#define UNREACHED UINT32_MAX

/* The best way to a byte of the text. */
struct unigram_node {
    double score;
    uint32_t from; /* start of the last entry on the way, counted from `base` */
    uint32_t id;   /* TOKEN_NONE: an unknown character */
};

struct lattice {
    const struct unigram *model;
    struct tokenizer_work *work;
    const struct token_text *text;
    size_t base;                       /* byte that nodes[0] stands for: all before it is settled */
    size_t reach;                      /* the farthest byte that an entry has reached */
    size_t unknown_start, unknown_end; /* run of unknown characters that is not written yet */
};

static bool has_all_bytes(const struct unigram *model, vsr_str bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        if (model->byte_ids[(uint8_t)bytes.ptr[i]] == TOKEN_NONE)
            return false;
    return true;
}

/* The bytes of one character, the last of which has its place. */
static void write_char_bytes(const struct lattice *l, size_t start, size_t end) {
    uint32_t from = token_text_start(l->text, start), to = token_text_end(l->text, end - 1);
    for (size_t i = start; i < end; i++)
        token_list_push(l->work, l->model->byte_ids[(uint8_t)l->text->ptr[i]], from, i + 1 == end ? to : from);
}

static uint32_t fused_id(const struct unigram *model, vsr_str run) {
    uint32_t id = vocabulary_id(model->vocabulary, run);
    return id != TOKEN_NONE && model->special && bits_has(model->special, id) ? TOKEN_NONE : id;
}

/* A run of unknown characters as tokens. */
static void write_unknown(struct lattice *l) {
    const struct unigram *model = l->model;
    size_t start = l->unknown_start, end = l->unknown_end;
    vsr_str run = str_make(l->text->ptr + start, end - start);
    uint32_t id;
    if (start == end)
        return;
    l->unknown_start = l->unknown_end;
    if (model->sentencepiece && model->byte_fallback) {
        for (size_t at = start, next; at < end; at = next) {
            next = at + token_char_len(l->text->ptr[at]);
            write_char_bytes(l, at, next);
        }
        return;
    }
    id = model->sentencepiece ? TOKEN_NONE : fused_id(model, run);
    if (id == TOKEN_NONE && model->byte_fallback && has_all_bytes(model, run)) {
        uint32_t from = token_text_start(l->text, start), to = token_text_end(l->text, end - 1);
        for (size_t i = 0; i < run.len; i++)
            token_list_push(l->work, model->byte_ids[(uint8_t)run.ptr[i]], from, to);
        return;
    }
    id = id == TOKEN_NONE ? model->unk : id;
    if (id != TOKEN_NONE)
        token_push(l->work, l->text, id, start, end);
}

/* The best way from the base to `at` as tokens; the base moves there. */
static void settle(struct lattice *l, size_t at) {
    struct tokenizer_work *work = l->work;
    struct unigram_node *nodes = work->nodes;
    size_t n = 0;
    double score = nodes[at - l->base].score;
    for (size_t end = at - l->base; end > 0; end = nodes[end].from) {
        if (!token_reserve(work, &work->stack, &work->stack_cap, sizeof(*work->stack), n + 1))
            return;
        work->stack[n++] = (uint32_t)end;
    }
    for (size_t start = 0; n > 0;) {
        size_t end = work->stack[--n];
        if (nodes[end].id == TOKEN_NONE) {
            if (l->unknown_end != l->base + start || l->unknown_start == l->unknown_end)
                l->unknown_start = l->base + start;
            l->unknown_end = l->base + end;
        } else {
            write_unknown(l);
            token_push(work, l->text, nodes[end].id, l->base + start, l->base + end);
        }
        start = end;
    }
    nodes[0].score = score;
    l->base = at;
}

/* Offers a way to `end` that comes from `start`. */
static void offer(struct lattice *l, size_t start, size_t end, uint32_t id, double score) {
    struct tokenizer_work *work = l->work;
    size_t at = end - l->base;
    if (end > l->reach) {
        if (!token_reserve(work, &work->nodes, &work->nodes_cap, sizeof(*work->nodes), at + 1))
            return;
        for (size_t i = l->reach + 1 - l->base; i <= at; i++)
            work->nodes[i].from = UNREACHED;
        l->reach = end;
    }
    if (work->nodes[at].from != UNREACHED && !(score > work->nodes[at].score))
        return;
    if (l->model->sentencepiece)
        score = (double)(float)score;
    work->nodes[at] = (struct unigram_node){ score, (uint32_t)(start - l->base), id };
}

static double score_of(const struct unigram *model, uint32_t id, size_t len) {
    if (model->user_defined && bits_has(model->user_defined, id))
        return (double)((float)len * (float)model->score_max) - 0.1;
    return model->scores[id];
}

/* All entries that begin at `at`. */
static void extend(struct lattice *l, size_t at, size_t end) {
    const struct unigram *model = l->model;
    size_t char_end = at + token_char_len(l->text->ptr[at]);
    double here = l->work->nodes[at - l->base].score;
    uint32_t node = TRIE_ROOT;
    bool single = false;
    for (size_t i = at; i < end;) {
        uint32_t id;
        node = token_trie_step(&model->trie, node, (uint8_t)l->text->ptr[i++]);
        if (node == TOKEN_NONE)
            break;
        id = token_trie_value(&model->trie, node);
        if (id == TOKEN_NONE)
            continue;
        offer(l, at, i, id, here + score_of(model, id, i - at));
        single |= i == char_end;
    }
    if (!single)
        offer(l, at, char_end, TOKEN_NONE,
              model->sentencepiece ? (double)((float)model->unk_score + (float)here) : here + model->unk_score);
}

void unigram_encode(const struct unigram *model, struct tokenizer_work *work, const struct token_text *text,
                    size_t start, size_t end) {
    struct lattice l = { .model = model, .work = work, .text = text, .base = start, .reach = start };
    if (start == end || !token_reserve(work, &work->nodes, &work->nodes_cap, sizeof(*work->nodes), 1024))
        return;
    work->nodes[0] = (struct unigram_node){ 0, UNREACHED, TOKEN_NONE };
    for (size_t at = start; at < end && !work->failed; at += token_char_len(text->ptr[at])) {
        if (at == l.reach && at > l.base)
            settle(&l, at);
        extend(&l, at, end);
    }
    if (work->failed)
        return;
    settle(&l, end);
    write_unknown(&l);
}
