/*
 * modality - whether text, an image, or both are asked for (signals.md §6.9): the verdict that routing, headers and
 * image generation share. Pure: any thread.
 */
#ifndef VSR_SIGNAL_MODALITY_H
#define VSR_SIGNAL_MODALITY_H

#include <stdbool.h>

#include "core/str.h"

struct config_modality_detector;

enum modality_kind { MODALITY_AR, MODALITY_DIFFUSION, MODALITY_BOTH, MODALITIES };

/* "AR", "DIFFUSION", "BOTH": names of rules, and what headers say. */
const char *modality_label(enum modality_kind modality);

struct modality_verdict {
    const char *method; /* who said so; NULL: nobody could. Static */
    enum modality_kind label;
    double confidence;
};

/* By words: whether any that asks for an image is in the text, and any that asks for both. */
struct modality_verdict modality_by_words(const struct config_modality_detector *detector, bool has_image_word,
                                          bool has_both_word);

/*
 * By the detector's method. `model` is what a classifier says, NULL without one; its `method` is not read. Without one
 * the method hybrid goes by words alone and says so (`keyword`), unless it has none: then, as with the method
 * classifier, nobody can tell.
 */
struct modality_verdict modality_decide(const struct config_modality_detector *detector,
                                        const struct modality_verdict *words, const struct modality_verdict *model);

#endif
