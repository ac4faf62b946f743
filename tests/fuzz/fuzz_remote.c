/* links: evidence */
/*
 * What other servers answer, whatever the bytes: as a whole answer, and as what a chat model says. Whoever reads it
 * gives as many numbers as labels, each in [0, 1], or fails; vectors have unit length.
 *
 * The first byte chooses the format and how it is configured.
 */
#include <math.h>
#include <stdint.h>

#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "evidence/http_embeddings.h"
#include "evidence/http_format.h"
#include "signal/evidence.h"

enum { BODY_LEN_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_format(const struct http_format *format, const struct signal_source *source, vsr_str body) {
    struct arena *arena = arena_new(0, 0);
    struct evidence_answer answer = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    if (format->read(source, body, arena, &answer, &err) == 0) {
        VSR_ASSERT(answer.n == answer.n_labels && answer.n > 0);
        for (size_t i = 0; i < answer.n; i++)
            VSR_ASSERT(answer.numbers[i] >= 0 && answer.numbers[i] <= 1);
    } else {
        VSR_ASSERT(err.code < 0 && err.text[0]);
    }
    arena_free(arena);
}

/* Reading in steps is reading, or failing, the same. */
static void check_steps(vsr_str body, size_t n_texts, int whole, const struct http_vectors *want) {
    struct http_embeddings *reader;
    struct http_vectors vectors;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = http_embeddings_begin(body, n_texts, 0, &reader, &err);
    if (rc < 0) {
        VSR_ASSERT(rc == whole);
        return;
    }
    do
        rc = http_embeddings_step(reader, 3, &vectors, &err);
    while (rc == HTTP_EMBEDDINGS_MORE);
    VSR_ASSERT(rc == whole);
    http_embeddings_free(reader);
    if (rc < 0)
        return;
    VSR_ASSERT(vectors.n == want->n && vectors.dims == want->dims);
    VSR_ASSERT(memcmp(vectors.numbers, want->numbers, want->n * want->dims * sizeof(float)) == 0);
    mem_free(vectors.numbers);
}

static void check_vectors(vsr_str body, size_t n_texts) {
    struct http_vectors vectors;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = http_embeddings_read(body, n_texts, 0, &vectors, &err);
    check_steps(body, n_texts, rc, &vectors);
    if (rc < 0)
        return;
    VSR_ASSERT(vectors.n == n_texts && vectors.dims > 0);
    for (size_t i = 0; i < vectors.n; i++) {
        double sum = 0;
        for (size_t k = 0; k < vectors.dims; k++)
            sum += (double)vectors.numbers[i * vectors.dims + k] * vectors.numbers[i * vectors.dims + k];
        VSR_ASSERT(fabs(sum - 1) < 1e-3);
    }
    mem_free(vectors.numbers);
}

static void write_completion(struct buf *out, vsr_str text) {
    buf_append_c(out, "{\"choices\":[{\"message\":{\"content\":");
    json_quote(out, text);
    buf_append_c(out, "}}]}");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    static const struct signal_label labels[] = { { VSR_STR_INIT("a"), VSR_STR_INIT("x") },
                                                  { VSR_STR_INIT("b"), VSR_STR_INIT("y") } };
    static const struct http_format *const formats[] = { &http_classify, &http_guard, &http_label, &http_route };
    struct config_external_model model = { .llm_model_name = VSR_STR("m") };
    struct signal_source source = { .config = &model, .labels = labels, .n_labels = VSR_COUNT(labels) };
    const struct http_format *format;
    struct buf body;
    vsr_str text;
    if (len == 0)
        return 0;
    format = formats[bytes[0] % VSR_COUNT(formats)];
    model.parser_type = bytes[0] / 4 % (PARSER_SIMPLE + 1);
    if ((format == &http_classify || format == &http_guard) && bytes[0] >= 128)
        source.n_labels = 0;
    text = str_make((const char *)bytes + 1, len - 1);
    buf_init(&body, BODY_LEN_MAX);
    write_completion(&body, text);
    check_format(format, &source, text);
    check_format(format, &source, buf_str(&body));
    check_vectors(text, bytes[0] % 3 + 1);
    buf_reset(&body);
    format->write(&body, &source, text, bytes[0] % 3);
    VSR_ASSERT(!buf_failed(&body));
    buf_done(&body);
    return 0;
}
