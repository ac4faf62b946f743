/*
 * global_inference - the structs of `global.model_catalog.inference`: how models run inside vsr. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_INFERENCE_H
#define VSR_CONFIG_GLOBAL_INFERENCE_H

#include "config/schema.h"

enum config_device { DEVICE_AUTO, DEVICE_CPU };
enum config_inference_precision { INFERENCE_AUTO, INFERENCE_F32, INFERENCE_BF16, INFERENCE_INT8 };
enum config_inference_load { INFERENCE_EAGER, INFERENCE_LAZY };
enum config_inference_long_text { INFERENCE_TRUNCATE, INFERENCE_CHUNK, INFERENCE_SAMPLE };

/* What differs for one model. The `own_` ones are one more than the enum's; 0: as for all. */
struct config_inference_model {
    struct config_at at;
    vsr_str model;
    int own_precision, own_load, own_long_text;
    int64_t max_tokens; /* 0: as for all */
    bool mandatory;
};

struct config_inference {
    struct config_at at;
    int device; /* enum config_device */
    int64_t threads, batch_tokens, queue_length, queue_mb, cache_mb, memory_mb, max_tokens;
    int precision;             /* enum config_inference_precision */
    int load;                  /* enum config_inference_load */
    int long_text;             /* enum config_inference_long_text */
    struct config_list models; /* struct config_inference_model */
};

/* NULL: nothing differs for it. `models/` at the head of either spelling does not count. */
const struct config_inference_model *config_inference_model(const struct config_inference *inference, vsr_str model);

#endif
