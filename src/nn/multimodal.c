#include "nn/multimodal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/json_fields.h"
#include "nn/kernels.h"
#include "nn/picture_scale.h"
#include "nn/weights.h"

#define TEXT_PART "text_encoder."
#define IMAGE_PART "image_encoder."
#define AUDIO_PART "audio_encoder."

enum {
    TEXT_HEAD_DIM = 32,
    IMAGE_HEAD_DIM = 64,
    POSITIONS_MAX = 1 << 20,
    PATCH_SIDE_MAX = 64,
    VOCABULARY_MAX = 1 << 24
};

/* ---- the configuration */

bool multimodal_is_doc(const struct json_doc *doc) {
    return json_get(doc, 0, VSR_STR("text_hidden_size")) != JSON_NONE ||
           json_get(doc, 0, VSR_STR("text_num_layers")) != JSON_NONE;
}

bool multimodal_is(vsr_str json) {
    struct json_fields f;
    bool is = fields_open(&f, json, NULL) == 0 && multimodal_is_doc(&f.doc);
    (void)fields_end(&f); /* what is no JSON is told by whoever reads it */
    return is;
}

static void read_cuts(struct json_fields *f, struct multimodal *m) {
    json_ref list = fields_typed(f, 0, "matryoshka_dims", JSON_ARRAY);
    if (list == JSON_NONE)
        return;
    for (json_ref item = json_first(&f->doc, list); item != JSON_NONE; item = json_next(&f->doc, list, item)) {
        int64_t dims;
        if (!json_i64(&f->doc, item, &dims) || dims <= 0 || (uint64_t)dims > m->dims ||
            m->n_cuts == MULTIMODAL_CUTS_MAX) {
            fields_wrong(f, 0, "matryoshka_dims", "expected at most %d numbers from 1 to embedding_dim (%zu)",
                         MULTIMODAL_CUTS_MAX, m->dims);
            return;
        }
        m->cuts[m->n_cuts++] = (size_t)dims;
    }
}

/* What it says must be what the tensors are. */
static void agree(struct json_fields *f, const char *key, size_t found) {
    size_t said = fields_size(f, 0, key, found, 0, ENCODER_HIDDEN_MAX);
    if (said != found)
        fields_wrong(f, 0, key, "%zu, the weights have %zu", said, found);
}

static int read_config(vsr_str json, struct multimodal *m, struct vsr_err *err) {
    struct json_fields f;
    if (fields_open(&f, json, err) == 0) {
        m->dims = fields_size(&f, 0, "embedding_dim", m->text.hidden, 1, ENCODER_HIDDEN_MAX);
        agree(&f, "text_hidden_size", m->text.hidden);
        agree(&f, "text_num_layers", m->text.layers);
        if (m->dims != m->text.hidden)
            fields_wrong(&f, 0, "embedding_dim", "%zu, but vectors of texts have %zu dimensions", m->dims,
                         m->text.hidden);
        read_cuts(&f, m);
    }
    return fields_end(&f);
}

/* ---- sizes, by the tensors */

struct sizing {
    const struct weights *weights;
    int rc;
    struct vsr_err *err;
};

static size_t size_of(struct sizing *s, const char *tensor, size_t dim, size_t most) {
    size_t size = 0;
    if (s->rc == 0)
        s->rc = weights_dim(s->weights, WEIGHTS_TRUNK, str_from_c(tensor), dim, &size, s->err);
    if (s->rc == 0 && (size == 0 || size > most))
        s->rc = err_set(s->err, VSR_E_INVALID, "tensor \"%s\": dimension %zu is %zu, expected 1 to %zu", tensor, dim,
                        size, most);
    return s->rc < 0 ? 0 : size;
}

/* Those of which a matrix is there. */
static size_t count_layers(struct sizing *s, const char *before, const char *behind) {
    char name[WEIGHTS_NAME_LEN_MAX];
    for (size_t n = 0; n <= ENCODER_LAYERS_MAX; n++) {
        (void)snprintf(name, sizeof(name), "%s%zu%s", before, n, behind); /* our own, and short */
        if (weights_has(s->weights, WEIGHTS_TRUNK, str_from_c(name)))
            continue;
        if (n == 0 && s->rc == 0)
            s->rc = err_set(s->err, VSR_E_NOT_FOUND, "tensor \"%s\" is missing", name);
        return n;
    }
    if (s->rc == 0)
        s->rc = err_set(s->err, VSR_E_LIMIT, "more than %d layers", ENCODER_LAYERS_MAX);
    return 0;
}

static void set_heads(struct sizing *s, struct encoder_config *c, size_t head_dim, const char *what) {
    if (s->rc == 0 && c->hidden % head_dim != 0)
        s->rc = err_set(s->err, VSR_E_INVALID, "%s has %zu dimensions, expected a multiple of %zu", what, c->hidden,
                        head_dim);
    c->head_dim = head_dim;
    c->heads = c->kv_heads = c->hidden / head_dim;
    c->attention_scale = (float)(1 / sqrt((double)head_dim));
    c->attention_bias = c->mlp_bias = c->norm_bias = true;
    c->embedding_scale = 1;
    memset(c->layer_full, 1, c->layers);
}

static int size_text(struct weights *weights, struct encoder_config *ret, struct vsr_err *err) {
    struct sizing s = { .weights = weights, .err = err };
    struct encoder_config c = { .family = ENCODER_BERT, .task = TASK_NONE };
    c.vocabulary = size_of(&s, "embeddings.word_embeddings.weight", 0, VOCABULARY_MAX);
    c.hidden = size_of(&s, "embeddings.word_embeddings.weight", 1, ENCODER_HIDDEN_MAX);
    c.positions = size_of(&s, "embeddings.position_embeddings.weight", 0, POSITIONS_MAX);
    c.token_types = size_of(&s, "embeddings.token_type_embeddings.weight", 0, UINT8_MAX);
    c.layers = count_layers(&s, "encoder.layer.", ".attention.self.query.weight");
    c.intermediate = size_of(&s, "encoder.layer.0.intermediate.dense.weight", 0, KERNELS_WIDTH_MAX);
    c.norm_eps = 1e-12f;
    c.activation = ACTIVATION_GELU;
    c.classifier_activation = c.pooler_activation = ACTIVATION_TANH;
    set_heads(&s, &c, TEXT_HEAD_DIM, "the part for texts");
    if (s.rc == 0)
        *ret = c;
    return s.rc;
}

static int check_picture(const struct encoder_config *c, struct vsr_err *err) {
    size_t across = (size_t)lround(sqrt((double)c->positions));
    if (across * across != c->positions || across * c->patch_side > PICTURE_SCALED_SIDE_MAX)
        return err_set(err, VSR_E_INVALID,
                       "%zu positions of patches with %zu pixels make no square picture of at most %d pixels a side",
                       c->positions, c->patch_side, PICTURE_SCALED_SIDE_MAX);
    return 0;
}

static int size_image(struct weights *weights, struct encoder_config *ret, struct vsr_err *err) {
    struct sizing s = { .weights = weights, .err = err };
    struct encoder_config c = { .family = ENCODER_SIGLIP, .task = TASK_NONE };
    c.hidden = size_of(&s, "embeddings.patch_embedding.weight", 0, ENCODER_HIDDEN_MAX);
    c.patch_side = size_of(&s, "embeddings.patch_embedding.weight", 2, PATCH_SIDE_MAX);
    c.positions = size_of(&s, "embeddings.position_embedding.weight", 0, POSITIONS_MAX);
    c.layers = count_layers(&s, "encoder.layers.", ".self_attn.q_proj.weight");
    c.intermediate = size_of(&s, "encoder.layers.0.mlp.fc1.weight", 0, KERNELS_WIDTH_MAX);
    c.norm_eps = 1e-6f;
    c.activation = ACTIVATION_GELU_TANH;
    set_heads(&s, &c, IMAGE_HEAD_DIM, "the part for pictures");
    if (s.rc == 0)
        s.rc = check_picture(&c, err);
    if (s.rc == 0)
        *ret = c;
    return s.rc;
}

/* ---- the file */

/* Lone numbers beside the parts belong to training: how cosines were scaled in its loss. */
static int check_parts(const struct weights *weights, bool *ret_image, struct vsr_err *err) {
    static const char *const parts[] = { TEXT_PART "encoder.", IMAGE_PART, AUDIO_PART };
    *ret_image = false;
    for (size_t i = 0; i < weights_count(weights); i++) {
        const struct tensor *tensor = weights_at(weights, i);
        bool known = tensor->n == 1;
        for (size_t k = 0; k < VSR_COUNT(parts); k++)
            known |= str_starts(tensor->name, str_from_c(parts[k]));
        if (!known)
            return err_set(err, VSR_E_INVALID,
                           "tensor \"%.*s\" has no place in the model: expected " TEXT_PART "encoder.*, " IMAGE_PART
                           "* and " AUDIO_PART "*",
                           VSR_FMT(tensor->name));
        *ret_image |= str_starts(tensor->name, VSR_STR(IMAGE_PART));
    }
    return 0;
}

/* Its own view of the file for each part: what one needs the other need not know. */
static int open_image(vsr_str directory, struct multimodal *m, struct vsr_err *err) {
    /* The second is how the trunk is saved when it was made from a class that has one more layer of names. */
    static const char *const trunks[] = { "vision_encoder.", "vision_encoder.vision_model." };
    vsr_str embedding = encoder_family_embedding(ENCODER_SIGLIP);
    size_t i = 0;
    int rc = weights_open(directory, &m->image_weights, err);
    if (rc < 0)
        return rc;
    do
        weights_choose(m->image_weights, VSR_STR(IMAGE_PART), str_from_c(trunks[i]));
    while (!weights_has(m->image_weights, WEIGHTS_TRUNK, embedding) && ++i < VSR_COUNT(trunks));
    if (i == VSR_COUNT(trunks))
        weights_choose(m->image_weights, VSR_STR(IMAGE_PART), str_from_c(trunks[0])); /* so that messages name it */
    return size_image(m->image_weights, &m->image, err);
}

int multimodal_open(vsr_str directory, vsr_str json, struct multimodal *ret, struct vsr_err *err) {
    struct multimodal m = { .dims = 0 };
    bool image = false;
    int rc = weights_open(directory, &m.text_weights, err);
    if (rc == 0)
        rc = check_parts(m.text_weights, &image, err);
    if (rc == 0) {
        weights_choose(m.text_weights, VSR_STR(TEXT_PART), VSR_STR("encoder."));
        rc = size_text(m.text_weights, &m.text, err);
    }
    if (rc == 0)
        rc = read_config(json, &m, err) < 0 ? err_wrap(err, "config.json") : 0;
    if (rc == 0 && image)
        rc = open_image(directory, &m, err);
    if (rc < 0)
        multimodal_close(&m);
    else
        *ret = m;
    return rc;
}

void multimodal_close(struct multimodal *m) {
    weights_unref(m->text_weights);
    weights_unref(m->image_weights);
    m->text_weights = m->image_weights = NULL;
}
