/* image_gen - requests for pictures go to an image backend (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

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

struct image_gen_config {
    struct config_at at;
    bool enabled;
    vsr_str backend;
    void *backend_config;
    int64_t default_width, default_height, max_inference_steps;
    double timeout_seconds;
    const struct yaml_node *modality_detection;
};

static const char *const qualities[] = { "standard", "hd", NULL };
static const char *const styles[] = { "vivid", "natural", NULL };

static const struct field omni_fields[] = {
    { "base_url", FIELD_STRING, offsetof(struct image_vllm_omni, base_url), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Root of its API." },
    { "model", FIELD_STRING, offsetof(struct image_vllm_omni, model), .help = "Its model." },
    { "num_inference_steps", FIELD_INT, offsetof(struct image_vllm_omni, num_inference_steps), .flags = FIELD_RANGE,
      .least = 1, .greatest = 10000, .help = "Steps of diffusion." },
    { "cfg_scale", FIELD_NUMBER, offsetof(struct image_vllm_omni, cfg_scale), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "How closely the prompt is followed." },
    { "seed", FIELD_INT, offsetof(struct image_vllm_omni, seed), .help = "Seed; absent: a new one each time." },
};
static const struct schema omni_schema = SCHEMA("vllm_omni backend", struct image_vllm_omni, omni_fields);

static const struct field openai_fields[] = {
    { "api_key", FIELD_STRING, offsetof(struct image_openai, api_key),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK | FIELD_SECRET, .help = "Its key." },
    { "base_url", FIELD_STRING, offsetof(struct image_openai, base_url), .help = "Root of its API." },
    { "model", FIELD_STRING, offsetof(struct image_openai, model), .help = "Its model." },
    { "quality", FIELD_ENUM, offsetof(struct image_openai, quality), .fallback = "standard", .choices = qualities,
      .help = "Quality of the picture." },
    { "style", FIELD_ENUM, offsetof(struct image_openai, style), .fallback = "vivid", .choices = styles,
      .help = "Style of the picture." },
};
static const struct schema openai_schema = SCHEMA("openai backend", struct image_openai, openai_fields);

static const struct field_variant backends[] = { { "vllm_omni", &omni_schema }, { "openai", &openai_schema } };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct image_gen_config, enabled), .fallback = "true",
      .help = "Whether pictures are made." },
    { "backend", FIELD_STRING, offsetof(struct image_gen_config, backend), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Who makes them: vllm_omni or openai." },
    { "backend_config", FIELD_VARIANT, offsetof(struct image_gen_config, backend_config), .selector = "backend",
      .variants = backends, .n_variants = VSR_COUNT(backends), .help = "Settings of the backend." },
    { "default_width", FIELD_INT, offsetof(struct image_gen_config, default_width), .flags = FIELD_RANGE, .least = 1,
      .greatest = 65536, .help = "Width when the request names none." },
    { "default_height", FIELD_INT, offsetof(struct image_gen_config, default_height), .flags = FIELD_RANGE, .least = 1,
      .greatest = 65536, .help = "Height when the request names none." },
    { "max_inference_steps", FIELD_INT, offsetof(struct image_gen_config, max_inference_steps), .flags = FIELD_RANGE,
      .least = 1, .greatest = 10000, .help = "Most steps that a request may ask for." },
    { "timeout_seconds", FIELD_NUMBER, offsetof(struct image_gen_config, timeout_seconds), .flags = FIELD_RANGE,
      .least = 0, .greatest = INFINITY, .help = "Longest wait; 0: the listener's." },
    { "modality_detection", FIELD_NODE, offsetof(struct image_gen_config, modality_detection),
      .help = "As in global.model_catalog.modules.modality_detector." },
};
static const struct schema schema = SCHEMA("image_gen", struct image_gen_config, fields);

static bool is_enabled(const void *block) {
    const struct image_gen_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_image_gen = {
    .type = "image_gen", .schema = &schema, .block_required = true, .enabled = is_enabled
};
