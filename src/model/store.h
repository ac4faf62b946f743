/*
 * store - the models of a process by name: loads them, counts who uses them, unloads and replaces them.
 *
 * A configuration says which models it wants; store_configure() makes it so, and what did not change stays as it is.
 * Where the files of each are, and whether they are others than before, a thread of the store's own finds out: the disk
 * may be slow. A model that is eager (or mandatory) is loaded at once, by threads of the store's too; a lazy one when
 * somebody asks for it first, and all who ask meanwhile wait for that one load. A load ends with a self-test: two texts
 * are run, and numbers that are none are a failure. A failure is remembered with its reason until the next
 * store_configure(), which tries again.
 *
 * What is not wanted any more is forgotten, unless somebody holds a claim to it: requests of a former configuration may
 * still ask for its models. Such a model is none of the readiness, is lazy whatever it was, and goes with the last
 * claim.
 *
 * A model is a counted reference: calls that run keep theirs, so another load can take its place at any time. While a
 * replacement is being loaded the old one answers, and when the replacement fails it goes on to.
 *
 * With a ceiling, the least recently used lazy models are unloaded once the weights of all models together exceed it;
 * what is eager stays. During a load both may be there. Any thread.
 */
#ifndef VSR_MODEL_STORE_H
#define VSR_MODEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/directory.h"
#include "model/long_text.h"
#include "model/model.h"
#include "model/readiness.h"

struct engine;
struct nn_runtime;
struct store;
struct store_claim;

enum { STORE_MODELS_MAX = READINESS_MODELS_MAX, STORE_LOADERS_MAX = 16 };

enum store_load { STORE_LAZY, STORE_EAGER };

struct store_options {
    struct nn_runtime *runtime;  /* kept, as are the next two */
    struct engine *engine;       /* runs the self-tests */
    struct readiness *readiness; /* is told every state; of this store alone */
    struct model_places places;  /* copied */
    uint64_t bytes_max;          /* of weights; 0: no ceiling */
    size_t loaders;              /* models loaded at the same time; 0: by processors, at most 4 */
    /* Of a change of state; may be NULL. On the store's threads; must not configure. */
    void (*report)(void *owner, vsr_str name, enum readiness_state state, vsr_str message);
    void *owner;
};

/* Strings are copied. */
struct store_model {
    vsr_str name;    /* as configurations spell it: a path, a catalogue name, an alias, a repository */
    vsr_str repo_id; /* in place of the catalogue's; may be empty */
    vsr_str type;    /* what it is for: "pii-detection" */
    vsr_str label_file;
    vsr_str device; /* as model_options says */
    enum precision precision;
    size_t tokens_max; /* 0: what the model was made for */
    enum long_text long_text;
    enum store_load load;
    bool mandatory; /* the process is not ready without it; loaded at once */
};

struct store_stats {
    size_t models, checking, loaded, loading, failed, absent;
    size_t waited_for; /* for a loader */
    size_t claimed;    /* kept for a claim only; in `models` all the same */
    uint64_t bytes;    /* of weights in memory, what several share counted once */
    uint64_t loads, failures, unloads;
};

/* A model that is being used; its reference is given back by store_put(). */
struct store_handle {
    struct model *model;
    enum long_text long_text;
};

int store_new(const struct store_options *options, struct store **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* Waits for loads that have begun; nobody may ask any more. Models live on as long as handles do. NULL is allowed. */
void store_free(struct store *store);

/* From now on exactly these; names that mean one model are one, with what the first says about it, eager and mandatory
 * when any of them is. Neither looks at the disk nor loads before it returns. VSR_E_LIMIT past STORE_MODELS_MAX. */
int store_configure(struct store *store, const struct store_model *models, size_t n,
                    struct vsr_err *err) VSR_MUST_CHECK;

/*
 * To what was configured last: until the claim is given up all of it can be asked for, whatever is configured
 * meanwhile. Past STORE_MODELS_MAX models that only claims hold, further ones are not kept. Any thread; give up before
 * store_free().
 */
struct store_claim *store_claim(struct store *store);
/* NULL is allowed. Frees the claim; models that nobody else wants are given back by a thread of the store's. */
void store_claim_free(struct store_claim *claim);

/*
 * A lazy model begins to load. Waits for it until `deadline_ms` of clock_mono_ms() (0: does not wait). VSR_E_NOT_FOUND:
 * no such name was configured; VSR_E_UNAVAILABLE: it is absent, has failed (both with the reason) or is still being
 * looked for or loaded; VSR_E_TIMEOUT; VSR_E_CLOSED.
 */
int store_get(struct store *store, vsr_str name, uint64_t deadline_ms, struct store_handle *ret,
              struct vsr_err *err) VSR_MUST_CHECK;
/* Whether it is worth waiting for a model that store_get() did not give: it is being looked for or loaded. `*ret_lazy`:
 * because somebody asked for it. */
bool store_is_coming(struct store *store, vsr_str name, bool *ret_lazy);
/* Empties the handle. One that is empty already is allowed. */
void store_put(struct store_handle *handle);

/* What the configuration calls the model of this directory, which may be under way; cut to fit. False: nobody wants it.
 */
bool store_name_of(struct store *store, vsr_str directory, char name[static READINESS_NAME_LEN]);

struct store_stats store_stats(struct store *store);

#endif
