/*
 * model_use - a model opened for a member of `vsr model` that runs it.
 *
 * Found by name, alias, repository or directory as `vsr model show` finds it. One thread.
 */
#ifndef VSR_CLI_MODEL_USE_H
#define VSR_CLI_MODEL_USE_H

#include "cli/cli.h"
#include "core/str.h"
#include "model/long_text.h"
#include "nn/precision.h"

struct arena;
struct engine;
struct model;
struct nn_runtime;
struct tokenizer;

enum { MODEL_TEXTS_MAX = 4096, MODEL_TEXT_LEN_MAX = 16 << 20, MODEL_BESIDE_MAX = 64 };

extern const char *const model_precisions[];

#define MODEL_OPTION_DEVICE \
    { \
        "device", 0, OPTION_TEXT, 0, "NAME", "where it runs: auto, or cpu; this build has no other", NULL, \
            "VSR_MODEL_DEVICE" \
    }

/* For the tables of options of all that load a model. */
#define MODEL_OPTIONS_LOAD \
    MODEL_OPTION_DIR, \
        { "base", 'b', OPTION_TEXT, 0, "NAME", "what an adapter adapts; by default what its own file says" }, \
        { "precision", \
          'p', \
          OPTION_TEXT, \
          0, \
          "NAME", \
          "f32, bf16 or int8; by default what this processor does best", \
          NULL, \
          "VSR_MODEL_PRECISION", \
          model_precisions }, \
        MODEL_OPTION_DEVICE

/* For those that run one. */
#define MODEL_OPTIONS_RUN \
    MODEL_OPTIONS_LOAD, { \
        "threads", 't', OPTION_NUMBER, 0, "N", "inference threads; by default one for each processor", NULL, NULL, \
            NULL, 1, 256 \
    }

extern const char *const model_long_texts[];

/* For those who ask about texts that may be long. */
#define MODEL_OPTIONS_LONG \
    { "max-tokens", 0,    OPTION_NUMBER, 0, "N",   "most tokens of one input; by default what the model was made for", \
      NULL,         NULL, NULL,          4, 131072 }, \
    { \
        "long-text", 0, OPTION_TEXT, 0, "HOW", \
            "longer texts: chunk (all of it, in windows), sample (head, middle, tail) or truncate", "chunk", NULL, \
            model_long_texts \
    }

struct model_use {
    struct arena *arena;
    vsr_str directory;
    vsr_str base; /* of an adapter: where the model lies that it adapts; else empty */
    struct nn_runtime *runtime;
    struct model *model;
    struct engine *engine;
    struct model *beside[MODEL_BESIDE_MAX]; /* in the same memory: by model_use_stack(), or model_use_open_beside() */
    size_t n_beside;
};

/* Where the model lies. CLI_OK, or an exit code after a message. */
int model_use_find(const struct cli *cli, const char *name, struct model_use *ret);
/* What --long-text says. */
enum long_text model_use_long_text(const struct cli *cli);
/* Found, loaded and ready to run, by MODEL_OPTIONS_RUN and MODEL_OPTIONS_LONG. Close in any case. */
int model_use_open(const struct cli *cli, const char *name, struct model_use *ret);
struct model_choice {
    enum precision precision;
    size_t tokens_max, threads;
    size_t cache_len_max; /* as of the engine */
    bool no_strip;        /* as of the model */
    bool one_of_several;  /* --base is of the adapters among them */
};
/* What --precision says. */
enum precision model_use_precision(const struct cli *cli);
/* What the options that model_use_open() reads say. */
struct model_choice model_use_choice(const struct cli *cli);
/* The same by the caller's choice. */
int model_use_open_with(const struct cli *cli, const char *name, const struct model_choice *choice,
                        struct model_use *ret);
/* Opens what the repeatable option `adapter` names beside the model. CLI_OK, or an exit code after a message. */
int model_use_stack(const struct cli *cli, struct model_use *use);
/* Opens another model, one of several, beside the first one, as that was opened. CLI_OK, or an exit code after a
 * message. */
int model_use_open_beside(const struct cli *cli, struct model_use *use, const char *name);
/* By --threads, else one for each processor. */
size_t model_use_threads(const struct cli *cli);
void model_use_close(struct model_use *use);

/* The texts that operands stand for: each is one, and `-` is every line of standard input. In the use's arena. */
int model_use_texts(const struct cli *cli, struct model_use *use, int argc, char **argv, vsr_str **ret, size_t *ret_n);

#endif
