#include "nn/mixer_head.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/json_fields.h"
#include "nn/kernels.h"
#include "nn/mixer.h"
#include "nn/mixer_file.h"
#include "nn/mixing.h"
#include "nn/ngrams.h"
#include "nn/pooling.h"

enum {
    ROWS = 16,           /* tokens that are worked on together */
    LABEL_LEN_MAX = 256, /* bytes */
};

struct mixer_head {
    struct arena *arena;
    const struct mixer *mixer;
    enum mixer_head_kind kind;
    vsr_str task;
    vsr_str *labels; /* [n_labels] */
    size_t n_labels;
    const float *token_queries, *mixed_queries; /* [n][D] and [n][M]; NULL: none */
    size_t n_token_queries, n_mixed_queries;
    bool reads_sentence;
    struct ngrams ngrams;               /* orders 0: none */
    struct mixer_linear hidden;         /* panels NULL: none */
    struct mixer_linear out;            /* panels NULL: it reads n-grams alone */
    struct mixer_linear align, compare; /* of pairs */
    struct mixing own; /* of a tagger that brings its own convolutions; width 0: it reads the trunk's */
    float temperature;
    float scale;       /* of logits */
    const float *bias; /* of logits [n_labels]; NULL: none */
};

static const char *const kind_names[] = {
#define X(name, text) [MIXER_HEAD_##name] = text,
    MIXER_HEADS(X)
#undef X
};

const char *mixer_head_kind_name(enum mixer_head_kind kind) {
    return kind_names[kind];
}

/* ---- reading */

static int read_kind(struct mixer_head *head, const struct mixer_file *file) {
    vsr_str kind = safetensors_note(&file->tensors, VSR_STR("kind"));
    for (size_t i = 0; i < VSR_COUNT(kind_names); i++) {
        if (str_eq_c(kind, kind_names[i])) {
            head->kind = (enum mixer_head_kind)i;
            return 0;
        }
    }
    return err_set(file->err, VSR_E_INVALID,
                   "metadata \"kind\" is \"%.*s\", expected \"classify\", \"tag\", \"pair\" or \"pair-tag\"",
                   VSR_FMT(str_sub(kind, 0, 32)));
}

static int read_labels(struct mixer_head *head, const struct mixer_file *file) {
    vsr_str text = safetensors_note(&file->tensors, VSR_STR("labels"));
    struct json_fields f;
    size_t n;
    int rc = fields_open_any(&f, text, file->err);
    if (rc == 0 && !json_is(&f.doc, 0, JSON_ARRAY))
        fields_wrong_value(&f, 0, "expected an array of texts");
    if (rc == 0 && f.rc == 0) {
        n = json_count(&f.doc, 0);
        if (n == 0 || n > MIXER_LABELS_MAX)
            fields_wrong_value(&f, 0, "%zu labels, expected 1 to %d", n, MIXER_LABELS_MAX);
        else
            head->labels = ARENA_ARRAY(head->arena, vsr_str, n);
        for (json_ref at = json_first(&f.doc, 0); at != JSON_NONE && f.rc == 0; at = json_next(&f.doc, 0, at)) {
            vsr_str label = fields_text_of(&f, at);
            if (f.rc == 0 && (label.len == 0 || label.len > LABEL_LEN_MAX))
                fields_wrong_value(&f, at, "a label of %zu bytes, expected 1 to %d", label.len, LABEL_LEN_MAX);
            for (size_t i = 0; i < head->n_labels && f.rc == 0; i++)
                if (str_eq(head->labels[i], label))
                    fields_wrong_value(&f, at, "label \"%.*s\" stands there twice", VSR_FMT(label));
            if (f.rc == 0)
                head->labels[head->n_labels++] = arena_str(head->arena, label);
        }
    }
    rc = fields_end(&f);
    return rc < 0 ? err_wrap(file->err, "metadata \"labels\"") : 0;
}

/* "tokens,mixed,sentence,ngrams" or some of them. */
static int read_inputs(struct mixer_head *head, struct mixer_file *file, size_t *ret_width) {
    vsr_str inputs = safetensors_note(&file->tensors, VSR_STR("inputs"));
    size_t dims = mixer_dims(head->mixer), width = mixer_width(head->mixer);
    int rc = 0;
    if (inputs.len == 0)
        return err_set(file->err, VSR_E_INVALID,
                       "metadata \"inputs\" is missing: expected \"tokens,mixed,sentence,ngrams\"");
    *ret_width = 0;
    for (vsr_str rest = inputs; rest.ptr && rc == 0;) {
        vsr_str part = str_split(&rest, ',');
        if (str_eq_c(part, "tokens") && !head->token_queries)
            rc = mixer_file_matrix(file, "token_pool.query", &head->n_token_queries, &dims, &head->token_queries);
        else if (str_eq_c(part, "mixed") && !head->mixed_queries && width > 0)
            rc = mixer_file_matrix(file, "pool.query", &head->n_mixed_queries, &width, &head->mixed_queries);
        else if (str_eq_c(part, "sentence") && !head->reads_sentence)
            head->reads_sentence = true;
        else if (str_eq_c(part, "ngrams") && head->ngrams.space.orders == 0)
            rc = ngrams_read(file, mixer_vocabulary(head->mixer), head->n_labels, &head->ngrams);
        else
            rc = err_set(file->err, VSR_E_INVALID,
                         "metadata \"inputs\" names \"%.*s\", expected each of \"tokens\", \"mixed\" (where the trunk "
                         "has it), \"sentence\" and \"ngrams\" at most once",
                         VSR_FMT(str_sub(part, 0, 32)));
    }
    if (rc == 0 && (head->n_token_queries > MIXER_QUERIES_MAX || head->n_mixed_queries > MIXER_QUERIES_MAX))
        rc = err_set(file->err, VSR_E_LIMIT, "more than %d queries of a pool", MIXER_QUERIES_MAX);
    *ret_width = head->n_token_queries * dims + head->n_mixed_queries * width + head->reads_sentence * dims;
    return rc;
}

static int read_own_mixing(struct mixer_head *head, struct mixer_file *file, size_t *width) {
    int rc = mixing_read(file, mixer_dims(head->mixer), mixer_vocabulary(head->mixer), &head->own);
    if (rc == 0 && head->own.width > 0)
        *width = head->own.width;
    return rc;
}

static int read_pair(struct mixer_head *head, struct mixer_file *file, size_t *ret_width) {
    const float *temperature = NULL;
    int rc = mixer_file_linear(file, "align", mixer_dims(head->mixer), 0, &head->align);
    if (rc == 0)
        rc = mixer_file_vector(file, "align.temperature", 1, &temperature);
    if (rc == 0)
        rc = mixer_file_linear(file, "compare", 4 * mixer_width(head->mixer) + 2, 0, &head->compare);
    if (rc < 0)
        return rc;
    VSR_ASSERT(temperature);
    head->temperature = temperature[0];
    *ret_width = head->kind == MIXER_HEAD_PAIR ? 4 * head->compare.out : head->compare.out;
    return 0;
}

/* `width`: of what is classified. */
static int read_output(struct mixer_head *head, struct mixer_file *file, size_t width) {
    const float *scale = NULL;
    int rc = 0;
    head->scale = 1;
    if (width > 0 && mixer_file_has(file, "hidden.weight")) {
        rc = mixer_file_linear(file, "hidden", width, 0, &head->hidden);
        width = head->hidden.out;
    }
    if (rc == 0 && width > 0)
        rc = mixer_file_linear(file, "out", width, head->n_labels, &head->out);
    if (rc == 0 && mixer_file_has(file, "calibration.scale")) {
        rc = mixer_file_vector(file, "calibration.scale", 1, &scale);
        if (rc == 0)
            head->scale = scale[0];
    }
    if (rc == 0 && mixer_file_has(file, "calibration.bias"))
        rc = mixer_file_vector(file, "calibration.bias", head->n_labels, &head->bias);
    return rc;
}

static int read_head(struct mixer_head *head, struct mixer_file *file) {
    size_t width = mixer_width(head->mixer);
    int rc = read_kind(head, file);
    if (rc == 0)
        rc = read_labels(head, file);
    if (rc < 0)
        return rc;
    head->task = safetensors_note(&file->tensors, VSR_STR("task"));
    if (head->kind != MIXER_HEAD_CLASSIFY && width == 0 &&
        !(head->kind == MIXER_HEAD_TAG && mixer_file_has(file, "mixer.in.weight")))
        return err_set(file->err, VSR_E_INVALID, "a head of kind \"%s\" needs convolutions, which the trunk has not",
                       kind_names[head->kind]);
    if (head->kind == MIXER_HEAD_CLASSIFY)
        rc = read_inputs(head, file, &width);
    else if (head->kind == MIXER_HEAD_TAG)
        rc = read_own_mixing(head, file, &width);
    else
        rc = read_pair(head, file, &width);
    if (rc == 0)
        rc = read_output(head, file, width);
    return rc < 0 ? rc : mixer_file_finish(file);
}

int mixer_head_new(const struct mixer *mixer, vsr_str bytes, struct mixer_head **ret, struct vsr_err *err) {
    struct mixer_head *head = MEM_NEW(struct mixer_head);
    struct mixer_file file;
    int rc;
    head->arena = arena_new(0, 0);
    head->mixer = mixer;
    rc = mixer_file_open(head->arena, bytes, &file, err);
    if (rc == 0)
        rc = read_head(head, &file);
    if (rc < 0) {
        mixer_head_free(head);
        return rc;
    }
    *ret = head;
    return 0;
}

void mixer_head_free(struct mixer_head *head) {
    if (!head)
        return;
    arena_free(head->arena);
    mem_free(head);
}

enum mixer_head_kind mixer_head_kind(const struct mixer_head *head) {
    return head->kind;
}

bool mixer_head_is_pair(const struct mixer_head *head) {
    return head->kind == MIXER_HEAD_PAIR || head->kind == MIXER_HEAD_PAIR_TAG;
}

vsr_str mixer_head_task(const struct mixer_head *head) {
    return head->task;
}

const vsr_str *mixer_head_labels(const struct mixer_head *head, size_t *ret_n) {
    *ret_n = head->n_labels;
    return head->labels;
}

size_t mixer_head_bytes(const struct mixer_head *head) {
    return arena_bytes(head->arena);
}

/* ---- from features to probabilities */

/* Rows of features to logits. `room` holds ROWS rows of the hidden layer. */
static void judge(const struct mixer_head *head, const float *features, size_t width, size_t n, float *room,
                  float *ret) {
    for (size_t at = 0, some; at < n; at += some) {
        const float *rows = features + at * width;
        some = n - at < ROWS ? n - at : ROWS;
        if (head->hidden.panels) {
            mixer_linear_run(&head->hidden, rows, width, some, room);
            mixer_activate(room, some, head->hidden.out);
            rows = room;
        }
        mixer_linear_run(&head->out, rows, head->out.in, some, ret + at * head->n_labels);
    }
}

/* Logits to probabilities that are calibrated, in place. */
static void calibrate(const struct mixer_head *head, float *rows, size_t n) {
    size_t labels = head->n_labels;
    for (size_t i = 0; i < n * labels; i++)
        rows[i] = rows[i] * head->scale + (head->bias ? head->bias[i % labels] : 0);
    if (labels == 1)
        kernel_sigmoid(rows, n);
    else
        kernel_softmax(rows, labels, n, labels);
}

static void finish(const struct mixer_head *head, const float *features, size_t width, size_t n, float *room,
                   float *ret) {
    judge(head, features, width, n, room, ret);
    calibrate(head, ret, n);
}

static size_t hidden_room(const struct mixer_head *head) {
    return ROWS * head->hidden.out;
}

static int add_ngrams(const struct mixer_head *head, struct mixer_text *text, float *logits, struct vsr_err *err) {
    const uint32_t *features;
    size_t n;
    int rc = mixer_text_ngrams(text, &head->ngrams.space, &features, &n, err);
    if (rc == 0)
        ngrams_add(&head->ngrams, features, n, logits);
    return rc;
}

static int classify(const struct mixer_head *head, struct mixer_text *text, float *ret, struct vsr_err *err) {
    size_t dims = mixer_dims(head->mixer), width = mixer_width(head->mixer), n, features, at = 0;
    size_t queries = head->n_token_queries > head->n_mixed_queries ? head->n_token_queries : head->n_mixed_queries;
    const float *numbers;
    float *room, *scores;
    int rc;
    (void)mixer_text_ids(text, &n);
    features = head->n_token_queries * dims + head->n_mixed_queries * width + head->reads_sentence * dims;
    rc = mixer_text_room(text, features + hidden_room(head) + queries * n, &room, err);
    scores = room + features + hidden_room(head);
    memset(ret, 0, head->n_labels * sizeof(*ret));
    if (rc == 0 && head->token_queries && (rc = mixer_text_tokens(text, &numbers, err)) == 0) {
        pooling_run(head->token_queries, head->n_token_queries, numbers, n, dims, scores, room);
        at = head->n_token_queries * dims;
    }
    if (rc == 0 && head->mixed_queries && (rc = mixer_text_mixed(text, &numbers, err)) == 0) {
        pooling_run(head->mixed_queries, head->n_mixed_queries, numbers, n, width, scores, room + at);
        at += head->n_mixed_queries * width;
    }
    if (rc == 0 && head->reads_sentence && (rc = mixer_text_sentence(text, &numbers, err)) == 0)
        memcpy(room + at, numbers, dims * sizeof(*numbers));
    if (rc == 0 && head->out.panels)
        judge(head, room, features, 1, room + features, ret);
    if (rc == 0 && head->ngrams.space.orders > 0)
        rc = add_ngrams(head, text, ret, err);
    if (rc == 0)
        calibrate(head, ret, 1);
    return rc;
}

static int tag(const struct mixer_head *head, struct mixer_text *text, float *ret, struct vsr_err *err) {
    const float *h;
    float *room;
    size_t n;
    size_t own = head->own.width;
    int rc = own > 0 ? mixer_text_mixed_by(text, &head->own, &h, err) : mixer_text_mixed(text, &h, err);
    (void)mixer_text_ids(text, &n);
    if (rc == 0)
        rc = mixer_text_room(text, hidden_room(head), &room, err);
    if (rc == 0)
        finish(head, h, own > 0 ? own : mixer_width(head->mixer), n, room, ret);
    return rc;
}

/* ---- pairs */

/* One text of a pair. */
struct side {
    struct mixer_text *text;
    const uint32_t *ids;
    size_t n;
    const float *h; /* [n][M] */
    float *u;       /* [n][E] */
};

/* Where the numbers of a comparison stand. */
struct bench {
    float *scores;   /* [ROWS][tokens of the other side] */
    float *gathered; /* [ROWS][M] */
    float *features; /* [ROWS][4 M + 2] */
    float *compared; /* [ROWS][C], or [n][C] of a tagger */
    uint8_t *seen;   /* [V] whether the other side has a token */
};

static void align(const struct mixer_head *head, const float *x, struct side *side) {
    size_t width = head->align.out;
    mixer_linear_run(&head->align, x, head->align.in, side->n, side->u);
    for (size_t i = 0; i < side->n; i++)
        kernel_normalize(side->u + i * width, side->u + i * width, width);
}

/* Weights of the tokens of `other` for token `at` of `from`, to `scores`. Returns the greatest similarity. */
static float weigh(const struct mixer_head *head, const struct side *from, const struct side *other, size_t at,
                   float *scores) {
    size_t width = head->align.out;
    float most = other->n ? -INFINITY : 0;
    for (size_t i = 0; i < other->n; i++) {
        float score = kernel_dot(from->u + at * width, other->u + i * width, width);
        most = score > most ? score : most;
        scores[i] = score * head->temperature;
    }
    if (other->n)
        kernel_softmax(scores, other->n, 1, other->n);
    return most;
}

static void write_features(const float *h, const float *gathered, size_t width, float *ret) {
    for (size_t i = 0; i < width; i++) {
        ret[i] = h[i];
        ret[width + i] = gathered[i];
        ret[2 * width + i] = fabsf(h[i] - gathered[i]);
        ret[3 * width + i] = h[i] * gathered[i];
    }
}

/* c of `n` tokens of `from`, at most ROWS, from token `at` on. */
static void compare(const struct mixer_head *head, const struct side *from, const struct side *other, size_t at,
                    size_t n, const struct bench *bench, float *ret) {
    size_t width = mixer_width(head->mixer), features = 4 * width + 2;
    const struct low_rank sum = { .x = bench->scores, .x_stride = other->n, .factor = other->h, .rank = other->n };
    for (size_t i = 0; i < n; i++) {
        float *row = bench->features + i * features;
        row[4 * width] = weigh(head, from, other, at + i, bench->scores + i * other->n);
        row[4 * width + 1] = bench->seen[from->ids[at + i]];
    }
    memset(bench->gathered, 0, n * width * sizeof(*bench->gathered));
    if (other->n)
        kernel_add_low_rank(&sum, bench->gathered, width, n, width);
    for (size_t i = 0; i < n; i++)
        write_features(from->h + (at + i) * width, bench->gathered + i * width, width, bench->features + i * features);
    mixer_linear_run(&head->compare, bench->features, features, n, ret);
    mixer_activate(ret, n, head->compare.out);
}

static void mark_seen(uint8_t *seen, const struct side *side, uint8_t value) {
    for (size_t i = 0; i < side->n; i++)
        seen[side->ids[i]] = value;
}

static void add_row(const float *row, size_t width, bool first, float *sum, float *most) {
    for (size_t i = 0; i < width; i++) {
        sum[i] += row[i];
        most[i] = first || row[i] > most[i] ? row[i] : most[i];
    }
}

/* [mean; maximum] of c over the tokens of `from`. */
static void summarize(const struct mixer_head *head, const struct side *from, const struct side *other,
                      const struct bench *bench, float *ret) {
    size_t width = head->compare.out;
    float *mean = ret, *most = ret + width;
    VSR_ASSERT(ret && bench->seen);
    memset(ret, 0, 2 * width * sizeof(*ret));
    mark_seen(bench->seen, other, 1);
    for (size_t at = 0; at < from->n; at += ROWS) {
        size_t some = from->n - at < ROWS ? from->n - at : ROWS;
        compare(head, from, other, at, some, bench, bench->compared);
        for (size_t i = 0; i < some; i++)
            add_row(bench->compared + i * width, width, at + i == 0, mean, most);
    }
    mark_seen(bench->seen, other, 0);
    for (size_t i = 0; i < width && from->n; i++)
        mean[i] /= (float)from->n;
}

static int open_side(const struct mixer_head *head, struct mixer_text *text, const float **ret_x, struct side *ret,
                     struct vsr_err *err) {
    int rc = mixer_text_mixed(text, &ret->h, err);
    (void)head;
    ret->text = text;
    ret->ids = mixer_text_ids(text, &ret->n);
    return rc < 0 ? rc : mixer_text_tokens(text, ret_x, err);
}

/* One block of memory, in the first text. */
static int open_bench(const struct mixer_head *head, struct side *a, struct side *b, struct bench *bench,
                      float **ret_rest, struct vsr_err *err) {
    size_t width = mixer_width(head->mixer), most = a->n > b->n ? a->n : b->n,
           vocabulary = mixer_vocabulary(head->mixer);
    size_t compared = (head->kind == MIXER_HEAD_PAIR_TAG ? b->n + 1 : ROWS) * head->compare.out;
    size_t rest = 4 * head->compare.out + hidden_room(head), flags = vocabulary / sizeof(float) + 1;
    float *room;
    int rc = mixer_text_room(a->text,
                             (a->n + b->n) * head->align.out + ROWS * (most + width + 4 * width + 2) + compared + rest +
                                 flags,
                             &room, err);
    if (rc < 0)
        return rc;
    a->u = room;
    b->u = a->u + a->n * head->align.out;
    bench->scores = b->u + b->n * head->align.out;
    bench->gathered = bench->scores + ROWS * most;
    bench->features = bench->gathered + ROWS * width;
    bench->compared = bench->features + ROWS * (4 * width + 2);
    *ret_rest = bench->compared + compared;
    bench->seen = (uint8_t *)(*ret_rest + rest);
    memset(bench->seen, 0, vocabulary);
    return 0;
}

static int run_pair(const struct mixer_head *head, struct mixer_text *text, struct mixer_text *second, float *ret,
                    struct vsr_err *err) {
    struct side a = { .n = 0 }, b = { .n = 0 };
    struct bench bench = { .scores = NULL };
    const float *x_a = NULL, *x_b = NULL;
    float *rest = NULL;
    size_t width = head->compare.out;
    int rc = open_side(head, text, &x_a, &a, err);
    if (rc == 0)
        rc = open_side(head, second, &x_b, &b, err);
    if (rc == 0)
        rc = open_bench(head, &a, &b, &bench, &rest, err);
    if (rc < 0)
        return rc;
    VSR_ASSERT(bench.features && bench.seen);
    align(head, x_a, &a);
    align(head, x_b, &b);
    if (head->kind == MIXER_HEAD_PAIR_TAG) {
        mark_seen(bench.seen, &a, 1);
        for (size_t at = 0; at < b.n; at += ROWS)
            compare(head, &b, &a, at, b.n - at < ROWS ? b.n - at : ROWS, &bench, bench.compared + at * width);
        finish(head, bench.compared, width, b.n, rest, ret);
        return 0;
    }
    summarize(head, &b, &a, &bench, rest);
    summarize(head, &a, &b, &bench, rest + 2 * width);
    finish(head, rest, 4 * width, 1, rest + 4 * width, ret);
    return 0;
}

/* ---- running */

size_t mixer_head_rows(const struct mixer_head *head, const struct mixer_text *text, const struct mixer_text *second) {
    size_t n = 1;
    if (head->kind == MIXER_HEAD_TAG)
        (void)mixer_text_ids(text, &n);
    else if (head->kind == MIXER_HEAD_PAIR_TAG)
        (void)mixer_text_ids(second, &n);
    return n;
}

int mixer_head_run(const struct mixer_head *head, struct mixer_text *text, struct mixer_text *second, float *ret,
                   struct vsr_err *err) {
    VSR_ASSERT(mixer_head_is_pair(head) == (second != NULL));
    switch (head->kind) {
    case MIXER_HEAD_CLASSIFY:
        return classify(head, text, ret, err);
    case MIXER_HEAD_TAG:
        return tag(head, text, ret, err);
    case MIXER_HEAD_PAIR:
    case MIXER_HEAD_PAIR_TAG:
        return run_pair(head, text, second, ret, err);
    }
    return err_set(err, VSR_E_INTERNAL, "a head of no kind");
}
