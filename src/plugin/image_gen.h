/*
 * image_gen - who makes pictures for a decision, and how (plugins.md 16).
 *
 * The settings alone; what they are for stands in gateway.md 14. Immutable; any thread.
 */
#ifndef VSR_PLUGIN_IMAGE_GEN_H
#define VSR_PLUGIN_IMAGE_GEN_H

#include "config/document.h"

struct image_vllm_omni {
    struct config_at at;
    vsr_str base_url, model;
    int64_t num_inference_steps, seed;
    double cfg_scale;
};

struct image_openai {
    struct config_at at;
    vsr_str api_key, base_url, model;
    int quality, style;
};

/* Numbers are 0 where nothing was written. */
struct image_gen_config {
    struct config_at at;
    bool enabled;
    vsr_str backend;
    void *backend_config; /* struct image_openai or image_vllm_omni */
    int64_t default_width, default_height, max_inference_steps;
    double timeout_seconds;
    const struct yaml_node *modality_detection;
};

/* By `quality` and `style` of struct image_openai. */
extern const char *const image_gen_qualities[], *const image_gen_styles[];

bool image_gen_is_openai(const struct image_gen_config *config);
/* Empty: OpenAI's own. */
vsr_str image_gen_base_url(const struct image_gen_config *config);
/* False: a new one each time. */
bool image_gen_has_seed(const struct image_vllm_omni *omni);

#endif
