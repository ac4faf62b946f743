/* Table of `global.model_catalog.inference`: how models run inside vsr. */
#include "config/global_inference.h"

#include "config/global_tables.h"
#include "config/rows.h"

/* By enum config_device, config_precision, config_load and config_long_text; the first of a model's own is "as above".
 */
static const char *const devices[] = { "auto", "cpu", NULL };
static const char *const precisions[] = { "auto", "f32", "bf16", "int8", NULL };
static const char *const loads[] = { "eager", "lazy", NULL };
static const char *const long_texts[] = { "truncate", "chunk", "sample", NULL };
static const char *const own_precisions[] = { "", "auto", "f32", "bf16", "int8", NULL };
static const char *const own_loads[] = { "", "eager", "lazy", NULL };
static const char *const own_long_texts[] = { "", "truncate", "chunk", "sample", NULL };

#define T struct config_inference_model
static const struct field model_fields[] = {
    { ROW(model, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Path, name or alias of the model, as it is written where it is used." },
    { "precision", FIELD_ENUM, offsetof(T, own_precision), .choices = own_precisions,
      .help = "Arithmetic; unset: as for all." },
    { "load", FIELD_ENUM, offsetof(T, own_load), .choices = own_loads,
      .help = "When it is loaded; unset: as for all." },
    { "max_tokens", FIELD_INT, offsetof(T, max_tokens), BETWEEN(0, 131072),
      .help = "Most tokens of one input; 0: as for all." },
    { "long_text", FIELD_ENUM, offsetof(T, own_long_text), .choices = own_long_texts,
      .help = "What is done with longer texts; unset: as for all." },
    { ROW(mandatory, BOOL), .help = "Whether vsr is not ready without it." },
};
#undef T
const struct schema config_inference_model_schema =
    SCHEMA("inference model", struct config_inference_model, model_fields);

#define T struct config_inference
static const struct field inference_fields[] = {
    { ROW(device, ENUM), .fallback = "auto", .choices = devices,
      .help = "What models run on: auto takes the best here." },
    { ROW(threads, INT), BETWEEN(0, 256), .fallback = "0", .help = "Inference threads; 0: one for each processor." },
    { ROW(batch_tokens, INT), BETWEEN(16, 1048576), .fallback = "4096",
      .help = "Tokens of different requests that run together; a longer text runs alone." },
    { ROW(queue_length, INT), BETWEEN(1, 1000000), .fallback = "1024",
      .help = "Texts that may wait; past it a model is unavailable." },
    { ROW(queue_mb, INT), BETWEEN(1, 1048576), .fallback = "256",
      .help =
          "Memory, in MiB, that texts hold once they are queued and while they run; past it a model is unavailable." },
    { ROW(cache_mb, INT), BETWEEN(0, 1048576), .fallback = "64",
      .help = "Results that are remembered, in MiB; 0: none." },
    { ROW(memory_mb, INT), BETWEEN(0, 16777216), .fallback = "0",
      .help =
          "Weights in memory, in MiB, past which lazy models are unloaded, least recently used first; 0: no bound." },
    { ROW(precision, ENUM), .fallback = "auto", .choices = precisions,
      .help = "Arithmetic; auto: bf16 where the processor has a unit for it, else f32." },
    { ROW(load, ENUM), .fallback = "eager", .choices = loads,
      .help = "When models are loaded: eager at start, lazy when one is asked for first." },
    { ROW(max_tokens, INT), BETWEEN(0, 131072), .fallback = "2048",
      .help = "Most tokens of one input of a classifier or tagger; 0: what each was made for, as with embedders." },
    { ROW(long_text, ENUM), .fallback = "chunk", .choices = long_texts,
      .help = "What is done with longer texts: chunk looks at all of it in windows, sample at head, middle and tail, "
              "truncate at its beginning." },
    { ROW(models, OBJECTS), .object = &config_inference_model_schema, .help = "What differs for single models." },
};
#undef T
const struct schema config_inference_schema = SCHEMA("inference", struct config_inference, inference_fields);
