/*
 * readiness - how far the models of a process are: what is being downloaded or loaded, what can be asked already.
 *
 * Whoever downloads and loads models reports here; management API, metrics and `/ready` look. A process is ready when
 * every mandatory model is; the others are best effort, and what needs them is unavailable until they are there. Any
 * thread; every call takes one lock for a moment and copies what it is given.
 */
#ifndef VSR_MODEL_READINESS_H
#define VSR_MODEL_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct json_writer;
struct readiness;

enum { READINESS_MODELS_MAX = 256, READINESS_NAME_LEN = 256, READINESS_MESSAGE_LEN = 480 };

/* Of the process as a whole. */
#define READINESS_PHASES(X) \
    X(CHECKING, "checking") /* which models are needed, and which are here */ \
    X(DOWNLOADING, "downloading") \
    X(SKIPPED, "skipped")     /* no model is needed */ \
    X(COMPLETED, "completed") /* all files are here */ \
    X(INITIALIZING, "initializing_models") \
    X(READY, "ready") \
    X(FAILED, "failed")

enum readiness_phase {
#define X(name, text) READINESS_##name,
    READINESS_PHASES(X)
#undef X
};

/* Of one model. */
#define MODEL_STATES(X) \
    X(CHECKING, "checking") /* its files are being looked for */ \
    X(ABSENT, "absent") \
    X(DOWNLOADING, "downloading") \
    X(WAITING, "waiting") /* its files are here; it is loaded later, or when it is asked for first */ \
    X(LOADING, "loading") \
    X(READY, "ready") \
    X(FAILED, "failed")

enum readiness_state {
#define X(name, text) MODEL_STATE_##name,
    MODEL_STATES(X)
#undef X
};

const char *model_state_name(enum readiness_state state);

/* Begins with READINESS_CHECKING. */
struct readiness *readiness_new(void);
void readiness_free(struct readiness *readiness);

struct readiness_model {
    vsr_str name;   /* as the configuration calls it */
    vsr_str type;   /* "embedding", "domain-classification", ... */
    vsr_str path;   /* canonical; may be empty */
    bool mandatory; /* the process is not ready without it */
};

/* Returns the number by which the model is called below, or -1 past READINESS_MODELS_MAX. */
int readiness_add(struct readiness *readiness, const struct readiness_model *model);
/* It is not needed any more; its number may be given to another. */
void readiness_remove(struct readiness *readiness, int model);
/* A configuration calls it by other words from now on. */
void readiness_describe(struct readiness *readiness, int model, const struct readiness_model *described);
/* A mandatory model that nobody can even try to load; empty: there is none any more. */
void readiness_set_without_entry(struct readiness *readiness, vsr_str name);

/* `message`: why, in case of a failure; of a model that is ready, a warning; may be empty. */
void readiness_set_phase(struct readiness *readiness, enum readiness_phase phase, vsr_str message);
void readiness_set_state(struct readiness *readiness, int model, enum readiness_state state, vsr_str message);
struct readiness_load {
    vsr_str resolved_path; /* where the files are */
    uint64_t load_ms, self_test_us, memory_bytes;
    vsr_str task, architecture, precision;
    size_t tokens_max;
    size_t width;          /* classes, or dimensions */
    const vsr_str *labels; /* [n_labels] */
    size_t n_labels;
};

/* When loading has succeeded. Makes the model ready. */
void readiness_loaded(struct readiness *readiness, int model, const struct readiness_load *load);

enum readiness_state readiness_state(struct readiness *readiness, int model);

/* Whether no mandatory model is missing. The name of the first one that is goes to `missing`. */
bool readiness_is_ready(struct readiness *readiness, char missing[static READINESS_NAME_LEN]);

/* Borrowed while visit() runs, which must not call back. */
struct readiness_view {
    const char *name, *type, *path;
    enum readiness_state state;
    bool mandatory;
    uint64_t load_ms, memory_bytes;
};
void readiness_each(struct readiness *readiness, void (*visit)(void *data, const struct readiness_view *view),
                    void *data);

/* Members of an object that is open: phase, message, what is pending, counts; how many are ready under `ready_key`. */
void readiness_summary_json(struct readiness *readiness, const char *ready_key, struct json_writer *w);
/* An array: what is known about each model, the catalogue's record included. */
void readiness_models_json(struct readiness *readiness, struct json_writer *w);
/* An object: summary and models. */
void readiness_json(struct readiness *readiness, struct json_writer *w);

#endif
