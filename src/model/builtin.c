#include "model/builtin.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "model/builtin_data.h"
#include "nn/mixer.h"
#include "nn/mixer_head.h"
#include "nn/mixing.h"
#include "nn/pages.h"
#include "text/token_shape.h"
#include "text/tokenizer.h"

#define WORD_MARK "\xE2\x96\x81" /* U+2581 before a piece that begins a word */

_Static_assert((int)MIXING_SHAPES == 2 * (int)TOKEN_SHAPES, "each class for tokens that begin a word, and for others");
_Static_assert((int)BUILTIN_SECOND > (int)MIXING_SHAPES, "a flag beside the shapes");

enum piece {
    PIECE_INSIDE, /* of a word */
    PIECE_BEGINS, /* a word */
    PIECE_MARK,   /* nothing but the mark: where one was put before a text, its place is that text's first character */
};

/* What is ready of the built-in models: written under the lock, once, and read by any thread that opened one. */
static struct builtin {
    pthread_mutex_t mutex;
    struct arena *arena;
    struct mixer *trunk;
    struct tokenizer *tokenizer;
    uint8_t *pieces; /* [vocabulary] of enum piece */
    struct builtin_model models[BUILTIN_MODELS_MAX];
    bool open[BUILTIN_MODELS_MAX];
    size_t head_bytes;
} builtin = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* ---- names */

bool builtin_is(vsr_str name) {
    return str_starts(name, VSR_STR(BUILTIN_PREFIX));
}

static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static vsr_str names[BUILTIN_MODELS_MAX];

static void make_names(void) {
    static char room[BUILTIN_MODELS_MAX][64];
    VSR_ASSERT(builtin_data_models_n <= BUILTIN_MODELS_MAX);
    for (size_t i = 0; i < builtin_data_models_n; i++) {
        (void)snprintf(room[i], sizeof(room[i]), BUILTIN_PREFIX "%s", builtin_data_models[i].task); /* they are short */
        names[i] = str_from_c(room[i]);
    }
}

const vsr_str *builtin_names(size_t *ret_n) {
    (void)pthread_once(&names_once, make_names); /* fails only for a control that is none */
    *ret_n = builtin_data_models_n;
    return names;
}

bool builtin_is_pair(const struct builtin_model *model) {
    return model->kind == BUILTIN_PAIR_CLASSES || model->kind == BUILTIN_PAIR_TAGS;
}

/* ---- making ready */

static vsr_str bytes_of(const struct builtin_data *data) {
    return str_make(data->begin, (size_t)(data->end - data->begin));
}

static enum piece piece_of(vsr_str token) {
    vsr_str mark = VSR_STR(WORD_MARK);
    return str_eq(token, mark) ? PIECE_MARK : str_starts(token, mark) ? PIECE_BEGINS : PIECE_INSIDE;
}

static int open_trunk(struct vsr_err *err) {
    size_t n;
    if (builtin.pieces)
        return 0;
    if (!builtin.arena)
        builtin.arena = arena_new(0, 0);
    if (!builtin.trunk && mixer_new(bytes_of(&builtin_data_trunk), &builtin.trunk, err) < 0)
        return err_wrap(err, "built-in trunk");
    if (!builtin.tokenizer &&
        tokenizer_from_json(builtin.arena, bytes_of(&builtin_data_tokenizer), &builtin.tokenizer, err) < 0)
        return err_wrap(err, "built-in tokenizer");
    n = tokenizer_vocabulary_size(builtin.tokenizer);
    if (n > mixer_vocabulary(builtin.trunk))
        return err_set(err, VSR_E_INVALID, "the built-in tokenizer has %zu pieces, the trunk %zu", n,
                       mixer_vocabulary(builtin.trunk));
    builtin.pieces = ARENA_ARRAY(builtin.arena, uint8_t, mixer_vocabulary(builtin.trunk));
    for (size_t i = 0; i < n; i++)
        builtin.pieces[i] = (uint8_t)piece_of(tokenizer_token(builtin.tokenizer, (uint32_t)i));
    return 0;
}

static enum builtin_kind kind_of(const struct mixer_head *head) {
    switch (mixer_head_kind(head)) {
    case MIXER_HEAD_TAG:
        return BUILTIN_TAGS;
    case MIXER_HEAD_PAIR:
        return BUILTIN_PAIR_CLASSES;
    case MIXER_HEAD_PAIR_TAG:
        return BUILTIN_PAIR_TAGS;
    case MIXER_HEAD_CLASSIFY:
        break;
    }
    return BUILTIN_CLASSES;
}

static int open_head(const struct builtin_data *data, struct builtin_model *model, struct vsr_err *err) {
    struct mixer_head *head;
    int rc = mixer_head_new(builtin.trunk, bytes_of(data), &head, err);
    if (rc < 0)
        return rc;
    if (!str_eq_c(mixer_head_task(head), data->task)) {
        rc = err_set(err, VSR_E_INVALID, "the file is of a model for \"%.*s\"", VSR_FMT(mixer_head_task(head)));
        mixer_head_free(head);
        return rc;
    }
    model->head = head;
    model->kind = kind_of(head);
    model->labels = mixer_head_labels(head, &model->n_labels);
    model->width = model->n_labels;
    builtin.head_bytes += mixer_head_bytes(head);
    return 0;
}

static int open_model(size_t index, struct vsr_err *err) {
    const struct builtin_data *data = &builtin_data_models[index];
    struct builtin_model *model = &builtin.models[index];
    int rc = open_trunk(err);
    if (rc < 0 || builtin.open[index])
        return rc;
    *model = (struct builtin_model){ .name = names[index],
                                     .task = str_from_c(data->task),
                                     .version = str_from_c(data->version),
                                     .kind = BUILTIN_VECTOR,
                                     .width = mixer_vector_dims(builtin.trunk),
                                     .similarity = mixer_similarity(builtin.trunk) };
    if (data->begin && (rc = open_head(data, model, err)) < 0)
        return rc;
    builtin.open[index] = true;
    return 0;
}

static int unknown(vsr_str name, struct vsr_err *err) {
    char list[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < builtin_data_models_n && len < sizeof(list); i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", i ? ", " : "", VSR_FMT(names[i]));
    return err_set(err, VSR_E_NOT_FOUND, "there is no built-in model \"%.*s\": expected one of %s",
                   VSR_FMT(str_sub(name, 0, 64)), list);
}

int builtin_open(vsr_str name, const struct builtin_model **ret, struct vsr_err *err) {
    size_t n, i = 0;
    int rc;
    (void)builtin_names(&n);
    while (i < n && !str_eq(names[i], name))
        i++;
    if (i == n)
        return unknown(name, err);
    (void)pthread_mutex_lock(&builtin.mutex); /* fails only for a mutex that is none */
    rc = open_model(i, err);
    (void)pthread_mutex_unlock(&builtin.mutex);
    if (rc < 0)
        return err_wrap(err, "%.*s", VSR_FMT(name));
    *ret = &builtin.models[i];
    return 0;
}

const struct tokenizer *builtin_tokenizer(void) {
    VSR_ASSERT(builtin.tokenizer);
    return builtin.tokenizer;
}

size_t builtin_bytes(void) {
    size_t bytes;
    (void)pthread_mutex_lock(&builtin.mutex);
    bytes = builtin.trunk ? mixer_bytes(builtin.trunk) + arena_bytes(builtin.arena) + builtin.head_bytes : 0;
    (void)pthread_mutex_unlock(&builtin.mutex);
    return bytes;
}

size_t builtin_weight_bytes(const struct builtin_model *model) {
    const struct builtin_data *head = &builtin_data_models[model - builtin.models];
    return bytes_of(&builtin_data_trunk).len + bytes_of(head).len;
}

/* ---- a text */

/* One of the two texts of a pair, or the only one. */
struct side {
    struct tokenizer_scratch *tokenizer;
    struct mixer_text *text;
    struct pages shapes;
    struct encoding tokens;
    struct pages last; /* the text that is set */
    size_t last_len;
    bool is_set; /* by read_text() */
};

struct builtin_scratch {
    struct side sides[2];
    struct side *tagged; /* whose tokens rows of tags are of */
    struct pages results;
};

struct builtin_scratch *builtin_scratch_new(void) {
    struct builtin_scratch *scratch = MEM_NEW(struct builtin_scratch);
    for (size_t i = 0; i < VSR_COUNT(scratch->sides); i++) {
        scratch->sides[i].tokenizer = tokenizer_scratch_new();
        scratch->sides[i].text = mixer_text_new();
    }
    scratch->tagged = &scratch->sides[0];
    return scratch;
}

void builtin_scratch_free(struct builtin_scratch *scratch) {
    if (!scratch)
        return;
    for (size_t i = 0; i < VSR_COUNT(scratch->sides); i++) {
        tokenizer_scratch_free(scratch->sides[i].tokenizer);
        mixer_text_free(scratch->sides[i].text);
        pages_free(&scratch->sides[i].shapes);
        pages_free(&scratch->sides[i].last);
    }
    pages_free(&scratch->results);
    mem_free(scratch);
}

void builtin_scratch_forget(struct builtin_scratch *scratch) {
    for (size_t i = 0; i < VSR_COUNT(scratch->sides); i++)
        scratch->sides[i].is_set = false;
}

void builtin_shapes(vsr_str text, const uint32_t *ids, const uint32_t *starts, const uint32_t *ends, size_t n,
                    uint8_t *ret) {
    for (size_t i = 0; i < n; i++) {
        enum piece piece = (enum piece)builtin.pieces[ids[i]];
        vsr_str bytes = piece == PIECE_MARK ? VSR_STR("") : str_sub(text, starts[i], ends[i]);
        ret[i] = (uint8_t)(token_shape(bytes) + (piece == PIECE_INSIDE ? TOKEN_SHAPES : 0));
    }
}

static bool is_last(const struct side *side, vsr_str text) {
    return side->is_set && side->last_len == text.len && text.len > 0 &&
           memcmp(side->last.data, text.ptr, text.len) == 0;
}

static int keep_last(struct side *side, vsr_str text, struct vsr_err *err) {
    int rc = pages_grow(&side->last, text.len + 1, err);
    if (rc < 0)
        return rc;
    memcpy(side->last.data, text.ptr, text.len);
    side->last_len = text.len;
    side->is_set = true;
    return 0;
}

/* One request asks about one text in several stages: what was computed for it stays. */
static int read_text(struct side *side, vsr_str text, struct vsr_err *err) {
    const struct tokenizer_options options = { .bare = true };
    struct encoding *tokens = &side->tokens;
    int rc;
    if (is_last(side, text))
        return 0;
    side->is_set = false;
    if (text.len > BUILTIN_TEXT_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "a text of %zu bytes, at most %d: it must be cut", text.len,
                       BUILTIN_TEXT_LEN_MAX);
    rc = tokenizer_encode(builtin.tokenizer, side->tokenizer, text, &options, tokens, err);
    if (rc == 0)
        rc = pages_grow(&side->shapes, tokens->n + 1, err);
    if (rc < 0)
        return rc;
    builtin_shapes(text, tokens->ids, tokens->starts, tokens->ends, tokens->n, side->shapes.data);
    rc = mixer_text_set(side->text, builtin.trunk, tokens->ids, side->shapes.data, tokens->n, err);
    return rc < 0 ? rc : keep_last(side, text, err);
}

struct builtin_tokens builtin_tokens(const struct builtin_scratch *scratch) {
    const struct encoding *tokens = &scratch->tagged->tokens;
    return (struct builtin_tokens){ tokens->ids, tokens->starts, tokens->ends, tokens->n };
}

static int check_numbers(const struct builtin_model *model, const float *numbers, size_t n, struct vsr_err *err) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return err_set(err, VSR_E_INTERNAL, "%.*s: the result is not a number", VSR_FMT(model->name));
    return 0;
}

static int run_model(const struct builtin_model *model, struct mixer_text *text, struct mixer_text *second, float *ret,
                     struct vsr_err *err) {
    return model->head ? mixer_head_run(model->head, text, second, ret, err) : mixer_text_vector(text, ret, err);
}

/* All models over texts that are set. `room` numbers are left free before the results. */
static int run_models(struct builtin_scratch *scratch, struct mixer_text *second, size_t room,
                      const struct builtin_model *const *models, size_t n, struct builtin_result *results,
                      struct vsr_err *err) {
    struct mixer_text *text = scratch->sides[0].text;
    size_t total = room;
    float *numbers;
    int rc;
    for (size_t i = 0; i < n; i++) {
        VSR_ASSERT(builtin_is_pair(models[i]) == (second != NULL));
        results[i].n_rows = models[i]->head ? mixer_head_rows(models[i]->head, text, second) : 1;
        total += results[i].n_rows * models[i]->width;
    }
    rc = pages_grow(&scratch->results, (total + 1) * sizeof(*numbers), err);
    numbers = (float *)scratch->results.data + room;
    for (size_t i = 0; i < n && rc == 0; i++) {
        size_t len = results[i].n_rows * models[i]->width;
        rc = run_model(models[i], text, second, numbers, err);
        if (rc == 0)
            rc = check_numbers(models[i], numbers, len, err);
        results[i].numbers = numbers;
        numbers += len;
    }
    return rc;
}

int builtin_run(struct builtin_scratch *scratch, vsr_str text, const struct builtin_model *const *models, size_t n,
                struct builtin_result *results, struct vsr_err *err) {
    int rc = read_text(&scratch->sides[0], text, err);
    scratch->tagged = &scratch->sides[0];
    if (rc == 0 && scratch->sides[0].tokens.n > BUILTIN_TOKENS_MAX)
        rc = err_set(err, VSR_E_LIMIT, "a text of %zu tokens, at most %d: it must be cut", scratch->sides[0].tokens.n,
                     BUILTIN_TOKENS_MAX);
    return rc < 0 ? rc : run_models(scratch, NULL, 0, models, n, results, err);
}

int builtin_run_pair(struct builtin_scratch *scratch, vsr_str first, vsr_str second,
                     const struct builtin_model *const *models, size_t n, struct builtin_result *results,
                     struct vsr_err *err) {
    int rc = read_text(&scratch->sides[0], first, err);
    if (rc == 0)
        rc = read_text(&scratch->sides[1], second, err);
    scratch->tagged = &scratch->sides[1];
    return rc < 0 ? rc : run_models(scratch, scratch->sides[1].text, 0, models, n, results, err);
}

/* ---- tokens that somebody else made */

/* Rows of a pair's first text, for which there is room before those of its second. */
static void put_rows_before(struct builtin_scratch *scratch, size_t n, size_t width, struct builtin_result *result) {
    float *rows = scratch->results.data;
    memset(rows, 0, n * width * sizeof(*rows));
    for (size_t i = 0; i < n; i++)
        rows[i * width] = 1;
    *result = (struct builtin_result){ rows, n + result->n_rows };
}

int builtin_run_tokens(struct builtin_scratch *scratch, const struct builtin_model *model, const uint32_t *ids,
                       const uint8_t *shapes, size_t n, struct builtin_result *ret, struct vsr_err *err) {
    struct side *first = &scratch->sides[0], *second = &scratch->sides[1];
    bool pair = builtin_is_pair(model);
    size_t n_first = 0, n_before;
    uint8_t *bare;
    int rc;
    builtin_scratch_forget(scratch);
    while (n_first < n && (!pair || !(shapes[n_first] & BUILTIN_SECOND)))
        n_first++;
    rc = pages_grow(&first->shapes, n + 1, err);
    if (rc < 0)
        return rc;
    bare = first->shapes.data;
    for (size_t i = 0; i < n; i++)
        bare[i] = shapes[i] & (uint8_t)~BUILTIN_SECOND;
    rc = mixer_text_set(first->text, builtin.trunk, ids, bare, n_first, err);
    if (rc == 0 && pair)
        rc = mixer_text_set(second->text, builtin.trunk, ids + n_first, bare + n_first, n - n_first, err);
    n_before = model->kind == BUILTIN_PAIR_TAGS ? n_first : 0;
    if (rc == 0)
        rc = run_models(scratch, pair ? second->text : NULL, n_before * model->width, &model, 1, ret, err);
    if (rc == 0 && n_before > 0)
        put_rows_before(scratch, n_before, model->width, ret);
    return rc;
}
