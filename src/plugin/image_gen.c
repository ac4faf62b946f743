/* The table and the checks of the plugin; serve/stage_image.c does what it says. */
#include "plugin/image_gen.h"

#include <math.h>

#include "config/address.h"
#include "plugin/plugin.h"

const char *const image_gen_qualities[] = { "standard", "hd", NULL };
const char *const image_gen_styles[] = { "vivid", "natural", NULL };

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
    { "quality", FIELD_ENUM, offsetof(struct image_openai, quality), .fallback = "standard",
      .choices = image_gen_qualities, .help = "Quality of the picture." },
    { "style", FIELD_ENUM, offsetof(struct image_openai, style), .fallback = "vivid", .choices = image_gen_styles,
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

/* One detector decides for the whole process what a request wants. */
static void check(const struct config_site *site, const void *block) {
    const struct image_gen_config *config = block;
    struct address address;
    const char *wrong = NULL;
    vsr_str base_url = image_gen_base_url(config);
    if (!config->enabled)
        return;
    if (config->modality_detection)
        diag_warn(site->diag, "W_UNUSED", schema_field_at(&schema, config, "modality_detection", site->arena),
                  VSR_STR("write it under global.model_catalog.modules.modality_detector"),
                  "the detector of a plugin is not read");
    if (!config->backend_config)
        diag_error(site->diag, "E_REQUIRED", schema_field_at(&schema, config, "backend", site->arena), VSR_STR(""),
                   "backend_config is needed: it says where pictures are made");
    else if (base_url.len)
        wrong = address_parse(base_url, false, site->arena, &address);
    if (wrong)
        diag_error(site->diag, "E_TYPE", schema_field_at(&schema, config, "backend_config", site->arena), VSR_STR(""),
                   "base_url: %s", wrong);
}

bool image_gen_is_openai(const struct image_gen_config *config) {
    return str_eq(config->backend, VSR_STR("openai"));
}

vsr_str image_gen_base_url(const struct image_gen_config *config) {
    const struct image_openai *openai = config->backend_config;
    const struct image_vllm_omni *omni = config->backend_config;
    if (!config->backend_config)
        return VSR_STR("");
    return image_gen_is_openai(config) ? openai->base_url : omni->base_url;
}

bool image_gen_has_seed(const struct image_vllm_omni *omni) {
    return schema_present(&omni_schema, omni, "seed");
}

const struct config_kind plugin_image_gen = { .type = "image_gen",
                                              .schema = &schema,
                                              .block_required = true,
                                              .ready = true,
                                              .enabled = is_enabled,
                                              .check = TABLE_CHECK(check) };
