/*
 * eval - a dry run: what the policy makes of one request, and which model it leads to, without sending anything.
 *
 * The management API, `vsr route` and probes all come through here, so that they say the same of the same request, in
 * the same document (config.md §18.3, decisions.md §4.3). Models are asked as the gateway asks them, on the caller's
 * lane (evidence/lane.h). The route scratch belongs to one worker's index; everything lives in the arena.
 */
#ifndef VSR_SERVE_EVAL_H
#define VSR_SERVE_EVAL_H

#include "core/err.h"
#include "core/json.h"
#include "serve/snapshot.h"
#include "wire/facts.h"

struct arena;
struct evidence_lane;
struct evidence_run;
struct json_writer;

/* How far the model is known before anything runs. */
enum eval_status {
    EVAL_SELECTED,           /* this model */
    EVAL_PLANNED_FINAL,      /* several are called, this one writes the answer */
    EVAL_EXECUTION_REQUIRED, /* only running it tells */
    EVAL_UNAVAILABLE,        /* no decision names a model and there is no default model */
};
const char *eval_status_text(enum eval_status status);

struct eval {
    const struct snapshot *snapshot;
    vsr_str requested_model;
    const struct model_name *name;          /* NULL: the request names no model, the default recipe is asked */
    const struct snapshot_recipe *recipe;   /* NULL: the model is passed through */
    struct route_state *state;              /* NULL: nothing was evaluated */
    const struct route_outcome *outcome;    /* NULL likewise */
    const struct config_decision *decision; /* NULL: none matched */
    const struct config_model_ref *ref;     /* of `model`; NULL: default model or pass-through */
    vsr_str model;                          /* empty: EXECUTION_REQUIRED or UNAVAILABLE */
    enum eval_status status;
    vsr_str method; /* "single", "default", "passthrough", or the algorithm's type */
    struct eval_wait {
        struct evidence_lane *lane;
        struct arena *arena;
        struct evidence_run *run; /* NULL: nothing is waited for */
        void (*done)(void *owner);
        void *owner;
    } wait; /* its own */
};

/*
 * Reads the body of a dry run: a chat completion, or `text` in place of `messages`. A model may be left out. Fails with
 * VSR_E_INVALID and a message for the client. Keeps `doc`.
 */
int eval_read(const struct snapshot *snapshot, struct arena *arena, const struct json_doc *doc,
              struct request_facts *ret_facts, struct vsr_err *err) VSR_MUST_CHECK;

/* Who evaluates, and with what. */
struct eval_options {
    const struct snapshot *snapshot; /* kept */
    size_t worker;                   /* whose scratch is used */
    struct evidence_lane *lane;      /* kept; NULL: no model is asked, and what only one can say is unavailable */
    struct arena *arena;             /* kept */
    /* Of eval_start() alone: when everything that was asked is answered. On the lane's loop, never from inside. */
    void (*done)(void *owner);
    void *owner;
};

/*
 * Evaluates everything that is configured. VSR_E_NOT_FOUND: no model of that name; VSR_E_REFUSED: the request would be
 * answered with 403. Waits for models and servers; the lane has a loop of its own.
 */
int eval_run(const struct eval_options *options, const struct request_facts *facts, struct eval *ret_eval,
             struct vsr_err *err) VSR_MUST_CHECK;

enum { EVAL_WAITS = 1 };
/*
 * The same without waiting: EVAL_WAITS when done() will come, and then eval_go_on() has to be called, which may wait
 * once more. `ret_eval` stays where it is meanwhile, and the snapshot is referenced by the caller.
 */
int eval_start(const struct eval_options *options, const struct request_facts *facts, struct eval *ret_eval,
               struct vsr_err *err) VSR_MUST_CHECK;
int eval_go_on(struct eval *eval, struct vsr_err *err) VSR_MUST_CHECK;
/* No done() will come. Of one that does not wait, too. */
void eval_cancel(struct eval *eval);

/* The document, as members of an object that the caller began; `trace` adds the trees of all decisions. */
void eval_members(const struct eval *eval, bool trace, struct json_writer *w);

/* Key of a family's names in documents: "keywords" for "keyword" (config.md §7.3). Static. */
const char *eval_response_key(const char *family);

#endif
