#include "nn/encoder_linears.h"

#include "core/arena.h"
#include "nn/encoder_family.h"

struct head_row {
    const char *name;
    enum weights_part part;
    bool output;
};

enum { LAYER_ROWS_MAX = LINEARS * LINEAR_PARTS_MAX + 2, HEAD_ROWS_MAX = 4 };

#define CLASSIFIER \
    { "classifier", WEIGHTS_HEAD, true }
#define ROBERTA_HEADS \
    { "pooler.dense", WEIGHTS_TRUNK, false }, { "classifier.dense", WEIGHTS_HEAD, false }, \
        { "classifier.out_proj", WEIGHTS_HEAD, true }, CLASSIFIER
#define DECODER_HEADS \
    { "score", WEIGHTS_HEAD, true }

static const struct head_row head_rows[][HEAD_ROWS_MAX] = {
    [ENCODER_BERT] = { { "pooler.dense", WEIGHTS_TRUNK, false }, CLASSIFIER },
    [ENCODER_ROBERTA] = { ROBERTA_HEADS },
    [ENCODER_MPNET] = { ROBERTA_HEADS },
    [ENCODER_DEBERTA] = { { "pooler.dense", WEIGHTS_HEAD, false }, CLASSIFIER },
    [ENCODER_MODERNBERT] = { { "head.dense", WEIGHTS_HEAD, false }, CLASSIFIER },
    [ENCODER_QWEN3] = { DECODER_HEADS },
    [ENCODER_GEMMA3] = { DECODER_HEADS },
    [ENCODER_SIGLIP] = { { NULL, WEIGHTS_HEAD, false } },
};

static size_t add_row(struct arena *arena, const struct encoder_config *c, size_t layer, const char *name, size_t out,
                      size_t in, struct encoder_linear *ret) {
    *ret = (struct encoder_linear){
        .name = arena_printf(arena, "%s%zu.%s", encoder_family_names(c->family)->layer, layer, name),
        .part = WEIGHTS_TRUNK,
        .layer = layer,
        .out = out,
        .in = in,
    };
    return 1;
}

/* DeBERTa maps the table of distances by itself only where it does not share the projections of the text. */
static size_t add_distances(struct arena *arena, const struct encoder_config *c, size_t layer,
                            struct encoder_linear *items) {
    const struct deberta_config *d = &c->deberta;
    size_t n = 0;
    if (c->family != ENCODER_DEBERTA || d->share_keys)
        return 0;
    if (d->content_to_position)
        n += add_row(arena, c, layer, "attention.self.pos_key_proj", c->hidden, c->hidden, items + n);
    if (d->position_to_content)
        n += add_row(arena, c, layer, "attention.self.pos_query_proj", c->hidden, c->hidden, items + n);
    return n;
}

static size_t add_layer(struct arena *arena, const struct encoder_config *c, size_t layer,
                        struct encoder_linear *items) {
    const struct encoder_family_names *names = encoder_family_names(c->family);
    size_t n = 0;
    for (enum linear linear = 0; linear < LINEARS; linear++) {
        struct linear_shape shape = encoder_linear_shape(c, linear);
        for (size_t i = 0; i < shape.n; i++)
            n += add_row(arena, c, layer, names->linears[linear][i], shape.rows[i], shape.cols, items + n);
        if (linear == LINEAR_QKV)
            n += add_distances(arena, c, layer, items + n);
    }
    return n;
}

struct encoder_linears encoder_linears(struct arena *arena, const struct encoder_config *c) {
    const struct head_row *heads = head_rows[c->family];
    struct encoder_linear *items =
        ARENA_ARRAY(arena, struct encoder_linear, c->layers * LAYER_ROWS_MAX + HEAD_ROWS_MAX);
    size_t n = 0;
    for (size_t layer = 0; layer < c->layers; layer++)
        n += add_layer(arena, c, layer, items + n);
    for (const struct head_row *row = heads; row < heads + HEAD_ROWS_MAX && row->name; row++)
        items[n++] = (struct encoder_linear){ .name = str_from_c(row->name),
                                              .part = row->part,
                                              .layer = LINEAR_NO_LAYER,
                                              .out = row->output ? 0 : c->hidden,
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
