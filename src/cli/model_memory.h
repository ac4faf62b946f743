/*
 * model_memory - what the models of a use take in memory, and what of it they have in common.
 *
 * Weights that are alike are there once (nn/tensor_store.h), so only models that are loaded together can say what they
 * share. One thread.
 */
#ifndef VSR_CLI_MODEL_MEMORY_H
#define VSR_CLI_MODEL_MEMORY_H

struct buf;
struct json_writer;
struct model_use;

#define MODEL_OPTION_MEMORY(help) \
    { "memory", 0, OPTION_FLAG, 0, NULL, help }

/* A line for each model and one for all. */
void model_memory_text(const struct model_use *use, struct buf *out);
/* The member "memory" of an object. */
void model_memory_json(const struct model_use *use, struct json_writer *w);

#endif
