/*
 * model_call - one ask, answered by a model that lies in a directory and runs in this process.
 *
 * What the engine says is put into the words of an ask: a vector, one probability for each label, or spans. A model
 * whose task is another one than the ask's answers nothing. Loop thread; the model runs elsewhere.
 */
#ifndef VSR_EVIDENCE_MODEL_CALL_H
#define VSR_EVIDENCE_MODEL_CALL_H

#include "model/store.h"
#include "nn/scheduler.h"
#include "signal/evidence.h"

struct engine;
struct mailbox;
struct model_call;

struct model_call_options {
    struct engine *engine;
    struct mailbox *mailbox;
    struct store_handle handle;         /* taken, also on failure */
    const struct signal_source *source; /* kept until the call ends */
    const struct evidence_ask *ask;     /* kept likewise */
    bool no_exit_norm;
    enum scheduler_priority priority;
    uint64_t deadline_ms; /* of clock_mono_ms(), to begin; 0: none */
    /* On the loop, never from inside model_call_start(). The call is over once it was answered or cancelled. */
    void (*done)(void *owner, struct model_call *call);
    void *owner;
};

/* `*ret_done`: the answer is there already, and done() will not be called. */
int model_call_start(const struct model_call_options *options, struct model_call **ret_call, bool *ret_done,
                     struct vsr_err *err) VSR_MUST_CHECK;
/* The answer, in `arena`; frees the call. */
void model_call_answer(struct model_call *call, struct arena *arena, struct evidence_answer *ret_answer);
/* Without an answer. NULL is allowed. */
void model_call_cancel(struct model_call *call);

/* What an error says about an ask. */
enum signal_code evidence_code_of(int rc);
/* The answer that an error is; its reason is copied to `arena`. */
struct evidence_answer evidence_failure(struct arena *arena, int rc, const char *reason);

#endif
