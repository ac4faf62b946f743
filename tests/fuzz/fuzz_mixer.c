/* links: nn */
/*
 * Any bytes as the files of a mixer and of a head for it: what is accepted runs over a short text without reading where
 * it should not. The first two bytes say how long the first file is.
 */
#include "core/assert.h"
#include "nn/mixer.h"
#include "nn/mixer_head.h"

enum { TOKENS = 40, NUMBERS_MAX = TOKENS * MIXER_LABELS_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void run_head(const struct mixer *mixer, vsr_str bytes, struct mixer_text *text, struct mixer_text *second) {
    static float numbers[NUMBERS_MAX];
    struct mixer_head *head;
    size_t labels;
    if (mixer_head_new(mixer, bytes, &head, NULL) < 0)
        return;
    if (!mixer_head_is_pair(head))
        second = NULL;
    (void)mixer_head_labels(head, &labels);
    VSR_ASSERT(labels > 0 && labels * mixer_head_rows(head, text, second) <= NUMBERS_MAX);
    (void)mixer_head_run(head, text, second, numbers, NULL); /* any numbers */
    mixer_head_free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    uint32_t ids[TOKENS] = { 0 };
    uint8_t shapes[TOKENS] = { 0, 1, 17, 31, 8 };
    struct mixer_text *text, *second;
    struct mixer *mixer;
    const float *h;
    float vector[MIXER_VECTOR_DIMS_MAX];
    size_t cut;
    vsr_str rest;
    if (len < 2)
        return 0;
    rest = str_make((const char *)data + 2, len - 2);
    cut = (size_t)(data[0] | data[1] << 8) % (rest.len + 1);
    if (mixer_new(str_sub(rest, 0, cut), &mixer, NULL) < 0)
        return 0;
    for (size_t i = 0; i < TOKENS; i++)
        ids[i] = (uint32_t)(i % mixer_vocabulary(mixer));
    text = mixer_text_new();
    second = mixer_text_new();
    if (mixer_text_set(text, mixer, ids, shapes, TOKENS, NULL) == 0 &&
        mixer_text_set(second, mixer, ids, shapes, TOKENS - 2, NULL) == 0) {
        VSR_ASSERT(mixer_vector_dims(mixer) <= MIXER_VECTOR_DIMS_MAX);
        (void)mixer_text_vector(text, vector, NULL);
        (void)mixer_text_mixed(text, &h, NULL);
        run_head(mixer, str_sub(rest, cut, rest.len), text, second);
    }
    mixer_text_free(text);
    mixer_text_free(second);
    mixer_free(mixer);
    return 0;
}
