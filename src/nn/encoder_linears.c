#include "nn/encoder_linears.h"

#include "core/arena.h"

/* Sizes in terms of the configuration. */
enum size_word {
    SIZE_HIDDEN,
    SIZE_INTERMEDIATE,
    SIZE_QUERIES,
    SIZE_KEYS,
    SIZE_THREE_HIDDEN,
    SIZE_TWO_INTERMEDIATE,
    SIZE_CLASSES
};

struct row {
    const char *name; /* behind "<layers>.<number>." for the rows of a layer */
    enum size_word out, in;
};

struct head_row {
    const char *name;
    enum weights_part part;
    enum size_word out;
    bool output;
};

enum { LAYER_ROWS_MAX = 8, HEAD_ROWS_MAX = 4 };

struct family_rows {
    const char *layers;
    struct row layer[LAYER_ROWS_MAX];
    struct head_row heads[HEAD_ROWS_MAX];
};

#define SELF "attention.self."
#define BERT_END \
    { "attention.output.dense", SIZE_HIDDEN, SIZE_HIDDEN }, { "intermediate.dense", SIZE_INTERMEDIATE, SIZE_HIDDEN }, \
    { \
        "output.dense", SIZE_HIDDEN, SIZE_INTERMEDIATE \
    }
#define BERT_SELF \
    { SELF "query", SIZE_HIDDEN, SIZE_HIDDEN }, { SELF "key", SIZE_HIDDEN, SIZE_HIDDEN }, { \
        SELF "value", SIZE_HIDDEN, SIZE_HIDDEN \
    }
#define CLASSIFIER \
    { "classifier", WEIGHTS_HEAD, SIZE_CLASSES, true }
#define ROBERTA_HEADS \
    { "pooler.dense", WEIGHTS_TRUNK, SIZE_HIDDEN, false }, { "classifier.dense", WEIGHTS_HEAD, SIZE_HIDDEN, false }, \
        { "classifier.out_proj", WEIGHTS_HEAD, SIZE_CLASSES, true }, CLASSIFIER
#define DECODER_ROWS \
    { \
        { "self_attn.q_proj", SIZE_QUERIES, SIZE_HIDDEN }, { "self_attn.k_proj", SIZE_KEYS, SIZE_HIDDEN }, \
            { "self_attn.v_proj", SIZE_KEYS, SIZE_HIDDEN }, { "self_attn.o_proj", SIZE_HIDDEN, SIZE_QUERIES }, \
            { "mlp.gate_proj", SIZE_INTERMEDIATE, SIZE_HIDDEN }, { "mlp.up_proj", SIZE_INTERMEDIATE, SIZE_HIDDEN }, { \
            "mlp.down_proj", SIZE_HIDDEN, SIZE_INTERMEDIATE \
        } \
    }

static const struct family_rows families[] = {
    [ENCODER_BERT] = { "encoder.layer",
                       { BERT_SELF, BERT_END },
                       { { "pooler.dense", WEIGHTS_TRUNK, SIZE_HIDDEN, false }, CLASSIFIER } },
    [ENCODER_ROBERTA] = { "encoder.layer", { BERT_SELF, BERT_END }, { ROBERTA_HEADS } },
    [ENCODER_MPNET] = { "encoder.layer",
                        { { "attention.attn.q", SIZE_HIDDEN, SIZE_HIDDEN },
                          { "attention.attn.k", SIZE_HIDDEN, SIZE_HIDDEN },
                          { "attention.attn.v", SIZE_HIDDEN, SIZE_HIDDEN },
                          { "attention.attn.o", SIZE_HIDDEN, SIZE_HIDDEN },
                          { "intermediate.dense", SIZE_INTERMEDIATE, SIZE_HIDDEN },
                          { "output.dense", SIZE_HIDDEN, SIZE_INTERMEDIATE } },
                        { ROBERTA_HEADS } },
    [ENCODER_DEBERTA] = { "encoder.layer",
                          { { SELF "query_proj", SIZE_HIDDEN, SIZE_HIDDEN },
                            { SELF "key_proj", SIZE_HIDDEN, SIZE_HIDDEN },
                            { SELF "value_proj", SIZE_HIDDEN, SIZE_HIDDEN },
                            { SELF "pos_key_proj", SIZE_HIDDEN, SIZE_HIDDEN },
                            { SELF "pos_query_proj", SIZE_HIDDEN, SIZE_HIDDEN },
                            BERT_END },
                          { { "pooler.dense", WEIGHTS_HEAD, SIZE_HIDDEN, false }, CLASSIFIER } },
    [ENCODER_MODERNBERT] = { "layers",
                             { { "attn.Wqkv", SIZE_THREE_HIDDEN, SIZE_HIDDEN },
                               { "attn.Wo", SIZE_HIDDEN, SIZE_HIDDEN },
                               { "mlp.Wi", SIZE_TWO_INTERMEDIATE, SIZE_HIDDEN },
                               { "mlp.Wo", SIZE_HIDDEN, SIZE_INTERMEDIATE } },
                             { { "head.dense", WEIGHTS_HEAD, SIZE_HIDDEN, false }, CLASSIFIER } },
    [ENCODER_QWEN3] = { "layers", DECODER_ROWS, { { "score", WEIGHTS_HEAD, SIZE_CLASSES, true } } },
    [ENCODER_GEMMA3] = { "layers", DECODER_ROWS, { { "score", WEIGHTS_HEAD, SIZE_CLASSES, true } } },
};

static size_t size_of(const struct encoder_config *c, enum size_word word) {
    switch (word) {
    case SIZE_HIDDEN:
        return c->hidden;
    case SIZE_INTERMEDIATE:
        return c->intermediate;
    case SIZE_QUERIES:
        return c->heads * c->head_dim;
    case SIZE_KEYS:
        return c->kv_heads * c->head_dim;
    case SIZE_THREE_HIDDEN:
        return 3 * c->hidden;
    case SIZE_TWO_INTERMEDIATE:
        return 2 * c->intermediate;
    case SIZE_CLASSES:
        return 0;
    }
    return 0;
}

/* DeBERTa maps the table of distances by itself only where it does not share the projections of the text. */
static bool exists(const struct encoder_config *c, const char *name) {
    const struct deberta_config *d = &c->deberta;
    if (strcmp(name, SELF "pos_key_proj") == 0)
        return d->content_to_position && !d->share_keys;
    if (strcmp(name, SELF "pos_query_proj") == 0)
        return d->position_to_content && !d->share_keys;
    return true;
}

static size_t add_layer(struct arena *arena, const struct encoder_config *c, size_t layer,
                        struct encoder_linear *items) {
    const struct family_rows *rows = &families[c->family];
    size_t n = 0;
    for (const struct row *row = rows->layer; row < rows->layer + LAYER_ROWS_MAX && row->name; row++) {
        if (!exists(c, row->name))
            continue;
        items[n++] = (struct encoder_linear){ .name = arena_printf(arena, "%s.%zu.%s", rows->layers, layer, row->name),
                                              .part = WEIGHTS_TRUNK,
                                              .layer = layer,
                                              .out = size_of(c, row->out),
                                              .in = size_of(c, row->in) };
    }
    return n;
}

struct encoder_linears encoder_linears(struct arena *arena, const struct encoder_config *c) {
    const struct head_row *heads = families[c->family].heads;
    struct encoder_linear *items =
        ARENA_ARRAY(arena, struct encoder_linear, c->layers * LAYER_ROWS_MAX + HEAD_ROWS_MAX);
    size_t n = 0;
    for (size_t layer = 0; layer < c->layers; layer++)
        n += add_layer(arena, c, layer, items + n);
    for (const struct head_row *row = heads; row < heads + HEAD_ROWS_MAX && row->name; row++)
        items[n++] = (struct encoder_linear){ .name = str_from_c(row->name),
                                              .part = row->part,
                                              .layer = LINEAR_NO_LAYER,
                                              .out = size_of(c, row->out),
                                              .in = c->hidden,
                                              .output = row->output };
    return (struct encoder_linears){ items, n };
}

const struct encoder_linear *encoder_linear_find(const struct encoder_linears *linears, vsr_str name) {
    for (size_t i = 0; i < linears->n; i++) {
        if (str_eq(linears->items[i].name, name))
            return &linears->items[i];
    }
    return NULL;
}
