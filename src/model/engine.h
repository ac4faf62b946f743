/*
 * engine - runs models on inference threads, for many callers at once.
 *
 * A call is one text or pair, or a picture, which is read and runs by itself. Calls of one model and task that wait at
 * the same time run as one batch, whoever asked; so do those of a base and of all adapters that are stacked on it
 * (model/model.h). A call's result is the same to the bit whatever it ran with. What has been asked before is answered
 * from memory, and what is being run for somebody already is not run again: all who ask for it get the one result, with
 * the best of their priorities and the latest of their deadlines. A result that is no number is an error, never an
 * answer. Any thread may call. done() comes on a thread of the scheduler's, which others wait for: it does little, and
 * hands on what takes time. That is an inference thread, for a call whose deadline passes also the one that keeps the
 * deadlines of all (nn/scheduler.h); or it comes before engine_submit() returns, when the answer was known. A model
 * whose last reference a run held that everybody had cancelled is freed on such a thread too, once the run is over.
 */
#ifndef VSR_MODEL_ENGINE_H
#define VSR_MODEL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/long_text.h"
#include "nn/matryoshka.h"
#include "nn/result_cache.h"
#include "nn/scheduler.h"

enum { ENGINE_TOGETHER_MAX = 64 };

struct engine;
struct flight;
struct nn_runtime;
struct model;

enum { ENGINE_PARTS_MAX = LONG_TEXT_WINDOWS_MAX };

/* A batch that has run to its end, for statistics. */
struct engine_batch_seen {
    const struct model *model; /* of the first input; others are adapters of the same trunk */
    size_t n, tokens;          /* inputs, and tokens of all */
    uint64_t run_ns;
    const uint64_t *waited_ns; /* [n] each since it was asked for */
};

/*
 * Threads. The engine has as many cores as `threads` says, and no more threads than that compute at a time. A pass that
 * is alone spreads over all of them; when several run they share, down to one core each, and those that began alone
 * give cores back as others come (nn/team.h). Short batches take few: a thread for each sixteen tokens, and at most
 * four for less than sixty-four. What a call gets does not depend on any of this, to the bit.
 */
struct engine_options {
    size_t threads;      /* 0: one for each processor */
    size_t pass_threads; /* of one pass, at most; 0: all, 1: no pass is shared out */
    /* Each priority leaves an eighth of either to better ones, and pictures come in only while half is free. */
    size_t calls_max;     /* waiting; 0: 1024 */
    size_t bytes_max;     /* of calls that are queued or run; 0: 256 MiB */
    size_t tokens_max;    /* of a batch; 0: 4096 */
    size_t cache_len_max; /* bytes of remembered results; SIZE_MAX: none, 0: 64 MiB */
    /* Optional. On an inference thread, before those are told who wait. */
    void (*on_batch)(void *owner, const struct engine_batch_seen *seen);
    void *owner;
};

/* The engine's own: what a call waits for. */
struct engine_part {
    struct engine_call *call;
    struct flight *flight;
    struct engine_part *prev, *next; /* others who wait for that flight */
    struct long_window window;       /* of a long text: of the tokens that are cut */
};

/* The caller's storage, kept until done() or a successful cancel. Fill what stands above the line. */
struct engine_call {
    struct model *model;
    vsr_str text, second; /* borrowed during engine_submit(); `second` is of a pair */
    vsr_str picture;      /* embedding: a file that nn/picture.h reads, in place of texts; borrowed likewise */
    bool picture_base64;  /* it is base64 of the file */
    bool is_pair;
    bool cut_first; /* a pair too long: the first text gives way, else the longer one */
    enum long_text long_text;
    const bool *risk; /* [classes], borrowed until done(): with LONG_TEXT_CHUNK, see there; NULL: the mean counts */
    const vsr_str *prompt; /* embedding: before the text, borrowed likewise; NULL: the model's default, if it has one */
    size_t layers;         /* embedding: leave after so many, by nn/matryoshka.h; 0: all */
    bool no_exit_norm;     /* with layers: where the model is left, its last norm is not applied */
    size_t dims;           /* embedding: cut to so many, by nn/matryoshka.h; 0: all */
    enum scheduler_priority priority;
    uint64_t deadline_ms; /* of clock_mono_ms(); 0: none. It keeps a run from beginning, and ends none */
    void (*done)(struct engine_call *call, int rc, const struct vsr_err *err);
    void *owner;
    /* ---- the engine's own, and results */
    float *result; /* [n_rows][width]: probabilities or a vector; engine_call_done() frees it */
    size_t n_rows, width;
    struct matryoshka_cut cut;     /* what became of `dims` and `layers` */
    uint32_t *ids, *starts, *ends; /* [n_tokens]; starts and ends: bytes of the caller's texts */
    uint8_t *types, *sequences;
    size_t n_tokens, n_dropped;      /* left out */
    uint32_t n_prompt;               /* tokens of a prompt at the start, template tokens among them; 0: not needed */
    size_t n_room;                   /* tokens that the arrays were made for */
    bool remembered;                 /* nothing was run for it */
    struct engine_part *parts, only; /* `parts` is `only` when there is one */
    size_t n_parts, n_left;          /* in the air */
    size_t cut_from, n_cut;          /* the tokens that windows are over */
    size_t held;                     /* bytes that count against the engine's bound */
    bool ended;
    struct engine_call *next;
};

struct engine_stats {
    struct scheduler_stats queue;
    struct result_cache_stats cache;
    uint64_t shared;         /* inputs that were being run already when they were asked for */
    size_t bytes, bytes_max; /* of calls that wait or run, now and at most */
    uint64_t refused_bytes;  /* calls that would have taken more */
};

/* One for each processor. */
size_t engine_threads_default(void);

int engine_new(struct nn_runtime *runtime, const struct engine_options *options, struct engine **ret,
               struct vsr_err *err) VSR_MUST_CHECK;
/* Calls that wait are told VSR_E_CLOSED. NULL is allowed. */
void engine_free(struct engine *engine);

/*
 * Tokenises and queues. VSR_E_UNAVAILABLE when too many wait, or the memory that queued calls may hold is taken;
 * VSR_E_LIMIT when this one alone needs more than that. done() is not called then. Memory counts from queueing on: what
 * callers tokenise at the moment, a call each or those of one engine_submit_all(), comes on top. What is answered from
 * memory is never refused. The caller holds `call->model` until done() or a successful cancel. A deadline ends the
 * waiting within milliseconds, and no run: who must go on at a certain time has a timer of his own, and cancels.
 */
int engine_submit(struct engine *engine, struct engine_call *call, struct vsr_err *err) VSR_MUST_CHECK;
/*
 * At most ENGINE_TOGETHER_MAX calls, queued at once: those that can run together do, where one by one the first might
 * begin without the others. In order up to the first that fails, whose error is returned: that one and those behind it
 * are not submitted, `*ret_n` calls are.
 */
int engine_submit_all(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n,
                      struct vsr_err *err) VSR_MUST_CHECK;
/* True: done() will not be called. What has begun runs on when nobody waits for it, and is remembered. */
bool engine_cancel(struct engine *engine, struct engine_call *call);
/* Frees what the engine allocated for a call that is over, whichever way. */
void engine_call_done(struct engine_call *call);

/* Submits `n` calls, whose done and owner need not be set, and waits for all. The first error, in order of the calls;
 * those behind one that cannot be queued are not run. Not from done(), whose thread it would wait for. */
int engine_run(struct engine *engine, struct engine_call *calls, size_t n, struct vsr_err *err) VSR_MUST_CHECK;

struct engine_stats engine_stats(struct engine *engine);

#endif
