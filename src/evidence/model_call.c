#include "evidence/model_call.h"

#include <pthread.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "evidence/mailbox.h"
#include "evidence/spans.h"
#include "model/builtin.h"
#include "model/engine.h"
#include "model/model.h"
#include "signal/picture_example.h"
#include "signal/risk.h"

struct model_call {
    struct letter letter; /* first */
    struct model_call_options options;
    struct engine_call call;
    bool *risk; /* [classes]; NULL: none is */
    pthread_t submitter;
    bool submitting; /* the submitter's own */
    bool ended;      /* within engine_submit() */
    bool cancelled;  /* the loop's own: nobody waits any more */
    int rc;
    struct vsr_err err;
};

enum signal_code evidence_code_of(int rc) {
    switch (rc) {
    case 0:
        return SIGNAL_OK;
    case VSR_E_TIMEOUT:
        return SIGNAL_TIMEOUT;
    case VSR_E_UNAVAILABLE:
    case VSR_E_NOT_FOUND:
    case VSR_E_CLOSED:
        return SIGNAL_UNAVAILABLE;
    case VSR_E_CANCELLED:
        return SIGNAL_CANCELLED;
    case VSR_E_LIMIT:
        return SIGNAL_TOO_LONG;
    default:
        return SIGNAL_FAILED;
    }
}

struct evidence_answer evidence_failure(struct arena *arena, int rc, const char *reason) {
    return (struct evidence_answer){ .code = evidence_code_of(rc),
                                     .reason = reason ? arena_c_str(arena, str_from_c(reason)) : NULL };
}

/* ---- life */

static void call_free(struct model_call *call) {
    engine_call_done(&call->call);
    mem_free(call->risk);
    store_put(&call->options.handle);
    mem_free(call);
}

/* Back on the loop; or the loop is gone, and with it whoever asked. */
static void open_letter(struct letter *letter, bool late) {
    struct model_call *call = (struct model_call *)letter;
    if (late || call->cancelled)
        call_free(call);
    else
        call->options.done(call->options.owner, call);
}

/* On an inference thread, or on the loop's while it submits. */
static void on_done(struct engine_call *engine_call, int rc, const struct vsr_err *err) {
    struct model_call *call = engine_call->owner;
    call->rc = rc;
    if (rc < 0)
        call->err = *err;
    if (pthread_equal(pthread_self(), call->submitter) && call->submitting)
        call->ended = true;
    else
        mailbox_post(call->options.mailbox, &call->letter);
}

/* ---- asking */

static enum evidence_kind kind_of(const struct model *model) {
    switch (model_task(model)) {
    case MODEL_EMBED:
        return EVIDENCE_VECTOR;
    case MODEL_TAG:
        return EVIDENCE_SPANS;
    case MODEL_CLASSIFY:
        break;
    }
    return EVIDENCE_CLASSES;
}

static bool is_picture(const struct model_call_options *options, vsr_str *ret_base64) {
    return options->source->images && picture_uri_base64(options->ask->text, ret_base64);
}

static int check(const struct model_call_options *options, struct vsr_err *err) {
    static const char *const wants[] = { [EVIDENCE_VECTOR] = "vectors of texts",
                                         [EVIDENCE_CLASSES] = "classes of texts",
                                         [EVIDENCE_SPANS] = "classes of tokens" };
    const struct model *model = options->handle.model;
    enum evidence_kind kind = kind_of(model);
    vsr_str picture;
    if (is_picture(options, &picture) && picture.len == 0)
        return err_set(err, VSR_E_INVALID, "the picture is empty");
    if (kind != options->ask->kind)
        return err_set(err, VSR_E_UNAVAILABLE, "model %.*s gives %s, and %s are wanted",
                       VSR_FMT(str_sub(options->source->model.path, 0, 128)), wants[kind], wants[options->ask->kind]);
    return 0;
}

/* A guard's finding in one window of a text is one of the text. */
static void mark_risk(struct model_call *call) {
    const struct model *model = call->options.handle.model;
    const struct labels *labels = model_labels(model);
    const struct signal_risk *risk = call->options.source->risk;
    if (!risk || model_task(model) != MODEL_CLASSIFY || labels->n != model_width(model))
        return;
    call->risk = mem_alloc(labels->n * sizeof(*call->risk));
    if (signal_risk_mark(risk, labels->names, labels->n, call->risk))
        call->call.risk = call->risk;
}

static void prepare(struct model_call *call) {
    const struct model_call_options *options = &call->options;
    call->call = (struct engine_call){
        .model = options->handle.model,
        .text = options->ask->text,
        .long_text = options->handle.long_text,
        .layers = options->source->layers,
        .no_exit_norm = options->no_exit_norm && options->source->layers > 0,
        .priority = options->priority,
        .deadline_ms = options->deadline_ms,
        .done = on_done,
        .owner = call,
    };
    if (is_picture(options, &call->call.picture)) {
        call->call.text = VSR_STR("");
        call->call.picture_base64 = true;
    }
    mark_risk(call);
}

int model_call_start(const struct model_call_options *options, struct model_call **ret_call, bool *ret_done,
                     struct vsr_err *err) {
    struct model_call *call = MEM_NEW(struct model_call);
    int rc;
    call->options = *options;
    call->letter.open = open_letter;
    call->err = VSR_ERR_NONE;
    call->submitter = pthread_self();
    call->submitting = true;
    rc = check(options, err);
    if (rc == 0) {
        prepare(call);
        mailbox_promise(options->mailbox);
        rc = engine_submit(options->engine, &call->call, err);
        call->submitting = false; /* the engine may end it on this thread later, when it is freed */
        if (rc < 0 || call->ended)
            mailbox_take_back(options->mailbox);
    }
    if (rc < 0) {
        call_free(call);
        return rc;
    }
    *ret_done = call->ended;
    *ret_call = call;
    return 0;
}

void model_call_cancel(struct model_call *call) {
    if (!call)
        return;
    if (call->ended) {
        call_free(call);
    } else if (engine_cancel(call->options.engine, &call->call)) {
        mailbox_take_back(call->options.mailbox);
        call_free(call);
    } else {
        call->cancelled = true;
    }
}

/* ---- the answer */

static const vsr_str *copy_labels(struct arena *arena, const vsr_str *labels, size_t n) {
    vsr_str *copy = ARENA_ARRAY(arena, vsr_str, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_str(arena, labels[i]);
    return copy;
}

static int read_numbers(const struct model_call *call, struct arena *arena, struct evidence_answer *answer,
                        struct vsr_err *err) {
    const struct labels *labels = model_labels(call->call.model);
    const struct builtin_model *builtin = model_builtin(call->call.model);
    float *numbers;
    if (call->call.n_rows != 1)
        return err_set(err, VSR_E_INTERNAL, "the model gave %zu rows for one text", call->call.n_rows);
    numbers = ARENA_ARRAY(arena, float, call->call.width);
    memcpy(numbers, call->call.result, call->call.width * sizeof(float));
    answer->numbers = numbers;
    answer->n = call->call.width;
    answer->similarity = builtin ? builtin->similarity : NULL;
    if (labels->n > 0) {
        answer->labels = copy_labels(arena, labels->names, labels->n);
        answer->n_labels = labels->n;
    }
    return 0;
}

/* The tokens of the text alone, without those of the template. */
static struct bio_tokens tokens_of(const struct engine_call *call, struct arena *arena) {
    float *probabilities = ARENA_ARRAY(arena, float, call->n_tokens * call->width);
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, call->n_tokens);
    uint32_t *ends = ARENA_ARRAY(arena, uint32_t, call->n_tokens);
    size_t n = 0;
    for (size_t i = 0; i < call->n_tokens; i++) {
        if (call->sequences[i] != 0)
            continue;
        memcpy(probabilities + n * call->width, call->result + i * call->width, call->width * sizeof(float));
        starts[n] = call->starts[i];
        ends[n++] = call->ends[i];
    }
    return (struct bio_tokens){ probabilities, starts, ends, n };
}

static int read_spans(const struct model_call *call, struct arena *arena, struct evidence_answer *answer,
                      struct vsr_err *err) {
    const struct labels *labels = model_labels(call->call.model);
    struct bio_tokens tokens = tokens_of(&call->call, arena);
    return evidence_spans(arena, call->options.ask->text, &tokens, model_bio_rule(call->call.model), labels->names,
                          labels->n, answer, err);
}

void model_call_answer(struct model_call *call, struct arena *arena, struct evidence_answer *ret_answer) {
    struct evidence_answer answer = { .code = SIGNAL_OK,
                                      .remembered = call->call.remembered,
                                      .cut = call->call.n_dropped > 0 };
    int rc = call->rc;
    if (rc == 0 && call->options.ask->kind == EVIDENCE_SPANS)
        rc = read_spans(call, arena, &answer, &call->err);
    else if (rc == 0)
        rc = read_numbers(call, arena, &answer, &call->err);
    if (rc < 0)
        answer = evidence_failure(arena, rc, call->err.text);
    answer.model = arena_c_str(arena, call->options.source->model.path);
    answer.version = arena_c_str(arena, str_from_c(model_version(call->call.model)));
    *ret_answer = answer;
    call_free(call);
}
