#include <string.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "model/builtin.h"
#include "model/engine_state.h"
#include "model/long_call.h"
#include "model/model.h"
#include "model/prepared_text.h"
#include "model/tokenizer_pool.h"
#include "nn/encoder_config.h"
#include "nn/picture.h"
#include "nn/sentence_files.h"
#include "nn/vision.h"
#include "text/tokenizer.h"

enum {
    TOKEN_BYTES = 3 * sizeof(uint32_t) + 2, /* of a call's arrays */
    PICTURE_TEXT_LEN_MAX = PICTURE_LEN_MAX / 3 * 4 + 4,
    RESERVED = 8, /* as with places in the queue: each priority leaves this part of the memory to those before it */
};

/* ---- calls */

void engine_call_done(struct engine_call *call) {
    if (call->n_parts > 1)
        mem_free(call->parts);
    call->parts = NULL;
    call->n_parts = 0;
    mem_free(call->result);
    mem_free(call->ids);
    call->result = NULL;
    call->ids = call->starts = call->ends = NULL;
    call->types = call->sequences = NULL;
}

/* One allocation for all arrays. */
static void copy_tokens(struct engine_call *call, const struct encoding *encoding) {
    size_t n = encoding->n;
    call->n_tokens = call->n_room = n;
    call->n_dropped = encoding->n_dropped;
    call->ids = mem_alloc(n * TOKEN_BYTES);
    call->starts = call->ids + n;
    call->ends = call->starts + n;
    call->types = (uint8_t *)(call->ends + n);
    call->sequences = call->types + n;
    memcpy(call->ids, encoding->ids, n * sizeof(uint32_t));
    memcpy(call->starts, encoding->starts, n * sizeof(uint32_t));
    memcpy(call->ends, encoding->ends, n * sizeof(uint32_t));
    memcpy(call->types, encoding->types, n);
    memcpy(call->sequences, encoding->sequences, n);
}

/* What an embedder reads; the caller's prompt wins over the model's own. */
static struct preparation preparation_of(const struct engine_call *call) {
    struct preparation how = model_preparation(call->model);
    if (call->prompt)
        how.prompt = *call->prompt;
    return how;
}

/* Whether somebody has to know which tokens are the prompt's: it is left out of the vector, or of what is cut. */
static bool counts_prompt(const struct engine_call *call) {
    return !model_sentence_files(call->model)->include_prompt || call->n_tokens > model_tokens_max(call->model);
}

/*
 * How many tokens are the prompt's. It is counted as the library does that embedders are made with: the prompt by
 * itself, without the special token behind it, even where its last letters become one token with the text.
 */
static int count_prompt(struct engine_call *call, struct tokenizer_scratch *scratch,
                        const struct tokenizer_options *options, struct vsr_err *err) {
    const struct preparation how = preparation_of(call);
    struct prepared_text prompt;
    struct encoding encoding = { .n = 0 };
    int rc;
    if (how.prompt.len == 0)
        return 0;
    rc = prepared_text_make(&how, VSR_STR(""), &prompt, err);
    if (rc == 0)
        rc = tokenizer_encode(model_tokenizer(call->model), scratch, prompt.text, options, &encoding, err);
    if (rc == 0 && encoding.n > 0)
        call->n_prompt = (uint32_t)(encoding.n - (encoding.sequences[encoding.n - 1] == ENCODING_TEMPLATE));
    prepared_text_done(&prompt);
    return rc;
}

/* A built-in model reads the shape of each token of `text` where others read its type. */
static void read_shapes(struct engine_call *call, vsr_str text, uint8_t sequence) {
    for (size_t i = 0, n; i < call->n_tokens; i += n) {
        n = 1;
        if (call->sequences[i] != sequence)
            continue;
        while (i + n < call->n_tokens && call->sequences[i + n] == sequence)
            n++;
        builtin_shapes(text, call->ids + i, call->starts + i, call->ends + i, n, call->types + i);
        for (size_t k = i; k < i + n && sequence == 1; k++)
            call->types[k] |= BUILTIN_SECOND;
    }
}

static int encode_text(struct engine_call *call, struct tokenizer_scratch *scratch,
                       const struct tokenizer_options *options, struct vsr_err *err) {
    const struct preparation how = preparation_of(call);
    struct prepared_text prepared;
    struct encoding encoding;
    int rc = prepared_text_make(&how, call->text, &prepared, err);
    if (rc == 0)
        rc = tokenizer_encode(model_tokenizer(call->model), scratch, prepared.text, options, &encoding, err);
    if (rc == 0)
        copy_tokens(call, &encoding);
    if (rc == 0 && model_builtin(call->model))
        read_shapes(call, prepared.text, 0);
    for (size_t i = 0; rc == 0 && i < call->n_tokens; i++)
        if (call->sequences[i] == 0)
            prepared_text_place(&prepared, &call->starts[i], &call->ends[i]);
    prepared_text_done(&prepared);
    if (rc == 0 && counts_prompt(call)) {
        rc = count_prompt(call, scratch, options, err);
        if (rc < 0)
            engine_call_done(call);
    }
    return rc;
}

/* Classifiers read texts as they are. */
static int encode_pair(struct engine_call *call, struct tokenizer_scratch *scratch,
                       const struct tokenizer_options *options, struct vsr_err *err) {
    struct encoding encoding;
    int rc =
        tokenizer_encode_pair(model_tokenizer(call->model), scratch, call->text, call->second, options, &encoding, err);
    if (rc == 0)
        copy_tokens(call, &encoding);
    if (rc == 0 && model_builtin(call->model)) {
        read_shapes(call, call->text, 0);
        read_shapes(call, call->second, 1);
    }
    return rc;
}

static int tokenize(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    size_t windows = call->long_text == LONG_TEXT_TRUNCATE ? 1 : LONG_TEXT_WINDOWS_MAX;
    const struct tokenizer_options options = { .tokens_max = windows * model_tokens_max(call->model),
                                               .truncation =
                                                   call->cut_first ? TOKENIZER_ONLY_FIRST : TOKENIZER_KEEP_START };
    struct tokenizer_scratch *scratch = tokenizer_pool_take(engine->tokenizers);
    int rc;
    call->n_tokens = 0;
    call->n_prompt = 0;
    rc = call->is_pair ? encode_pair(call, scratch, &options, err) : encode_text(call, scratch, &options, err);
    tokenizer_pool_give(engine->tokenizers, scratch);
    if (rc == 0 && call->n_tokens == 0) {
        engine_call_done(call);
        rc = err_set(err, VSR_E_INVALID, "the text has no tokens and the model adds none");
    }
    return rc;
}

static int check_call(struct engine_call *call, struct vsr_err *err) {
    const struct builtin_model *builtin = model_builtin(call->model);
    bool embeds = model_task(call->model) == MODEL_EMBED;
    if (builtin && builtin_is_pair(builtin) != call->is_pair)
        return err_set(err, VSR_E_INVALID, "%.*s takes %s", VSR_FMT(builtin->name),
                       call->is_pair ? "one text, not a pair" : "a pair of texts");
    if (call->picture.len > 0 && (!embeds || !model_vision(call->model)))
        return err_set(err, VSR_E_UNAVAILABLE, "model %.*s reads no pictures",
                       VSR_FMT(str_sub(model_directory_of(call->model), 0, 128)));
    if (call->picture.len > PICTURE_TEXT_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the picture has %zu bytes; at most %d are read", call->picture.len,
                       call->picture_base64 ? PICTURE_TEXT_LEN_MAX : PICTURE_LEN_MAX);
    if (embeds && call->is_pair)
        return err_set(err, VSR_E_INVALID, "an embedder takes one text, not a pair");
    if (!embeds && (call->layers || call->dims || call->prompt || call->no_exit_norm))
        return err_set(err, VSR_E_INVALID, "layers, dimensions and prompts are of embedders");
    return embeds ? matryoshka_fit(model_matryoshka(call->model), call->dims, call->layers, &call->cut, err) : 0;
}

/* ---- flights */

static void release(struct flight *dead[], size_t n) {
    for (size_t i = 0; i < n; i++)
        flight_free(dead[i]);
}

/* With `air` held. What is not needed any more is listed in `dead`, to be freed without it. */
static void leave(struct engine *engine, struct engine_part *part, struct flight *dead[], size_t *n_dead) {
    struct flight *flight = part->flight;
    if (!flight)
        return;
    part->flight = NULL;
    if (!flight->landed) {
        flight_detach(flight, part);
        if (!flight->parts && scheduler_cancel(engine->scheduler, &flight->job)) {
            flight_unlist(&engine->flights, flight);
            (void)flight_unref(flight); /* that was the scheduler's */
        }
    }
    if (flight_unref(flight))
        dead[(*n_dead)++] = flight;
}

/* With `air` held. */
static void leave_each(struct engine *engine, struct engine_call *call, struct flight *dead[], size_t *n_dead) {
    for (size_t i = 0; i < call->n_parts; i++)
        leave(engine, &call->parts[i], dead, n_dead);
    VSR_DEBUG_ASSERT(engine->bytes >= call->held);
    engine->bytes -= call->held;
    call->held = 0;
}

static void leave_all(struct engine *engine, struct engine_call *call) {
    struct flight *dead[ENGINE_PARTS_MAX];
    size_t n_dead = 0;
    (void)pthread_mutex_lock(&engine->air); /* fails only for a mutex that is none */
    leave_each(engine, call, dead, &n_dead);
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
}

/* ---- waiting for flights */

/* All parts are there: the answer, or the first failure. */
static void finish(struct engine *engine, struct engine_call *call) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = 0;
    call->remembered = true;
    for (size_t i = 0; i < call->n_parts; i++) {
        const struct flight *flight = call->parts[i].flight;
        call->remembered &= flight->remembered;
        if (flight->rc < 0 && rc == 0) {
            rc = flight->rc;
            err = *flight->err;
        }
    }
    if (rc == 0)
        long_call_combine(call);
    leave_all(engine, call);
    call->done(call, rc, &err);
}

/* With `air` held: a part less to wait for. */
static void arrive(struct engine_part *part, struct engine_call **ended) {
    struct engine_call *call = part->call;
    if (--call->n_left > 0)
        return;
    call->ended = true;
    call->next = *ended;
    *ended = call;
}

/*
 * With `air` held. Whoever joined while the job was being given up as too late may have more time. Returns
 * VSR_E_TIMEOUT, with `err` as it was, when nobody has; else what queueing it again says.
 */
static int fly_again(struct engine *engine, struct flight *flight, struct vsr_err *err) {
    uint64_t now_ms = clock_mono_ms(), latest = 0;
    bool endless = false;
    for (const struct engine_part *part = flight->parts; part; part = part->next) {
        const struct engine_call *call = part->call;
        bool has_time = call->deadline_ms == 0 || call->deadline_ms > now_ms;
        if (has_time && call->priority < flight->job.priority)
            flight->job.priority = call->priority;
        endless |= part->call->deadline_ms == 0;
        if (part->call->deadline_ms > latest)
            latest = part->call->deadline_ms;
    }
    if (!endless && latest <= now_ms)
        return VSR_E_TIMEOUT;
    flight->job.deadline_ms = endless ? 0 : latest;
    return scheduler_submit(engine->scheduler, &flight->job, err);
}

static void on_landed(struct scheduler_job *job, int rc, const struct vsr_err *err) {
    struct flight *flight = flight_of(job);
    struct engine *engine = flight->engine;
    struct engine_call *ended = NULL;
    struct vsr_err why = err ? *err : VSR_ERR_NONE;
    bool dead;
    (void)pthread_mutex_lock(&engine->air);
    if (rc == VSR_E_TIMEOUT && (rc = fly_again(engine, flight, &why)) == 0) {
        (void)pthread_mutex_unlock(&engine->air);
        return;
    }
    if (rc < 0)
        flight_fail(flight, rc, &why);
    flight_unlist(&engine->flights, flight);
    flight->landed = true;
    while (flight->parts) {
        struct engine_part *part = flight->parts;
        flight_detach(flight, part);
        arrive(part, &ended);
    }
    dead = flight_unref(flight);
    (void)pthread_mutex_unlock(&engine->air);
    if (dead)
        flight_free(flight);
    while (ended) {
        struct engine_call *call = ended;
        ended = call->next;
        finish(engine, call);
    }
}

/* ---- memory that calls hold while they wait and run */

/* The call's own, and its flights as if nobody shared them: one may outlive the call that it was made for. */
static size_t bytes_of(const struct engine_call *call) {
    bool tags = model_task(call->model) == MODEL_TAG;
    size_t bytes = call->n_room * TOKEN_BYTES + call->n_rows * call->width * sizeof(*call->result);
    for (size_t i = 0; i < call->n_parts; i++) {
        size_t n = call->n_parts > 1 ? call->n_tokens - call->n_cut + call->parts[i].window.n : call->n_tokens;
        bytes += flight_bytes(n, call->picture.len, tags ? n : 1, call->width) + sizeof(struct engine_part);
    }
    return bytes;
}

/* Pictures, of which one may be as large as thousands of texts, leave half to these, as in the queue. */
static size_t room_for(const struct engine *engine, const struct engine_call *call) {
    size_t room = engine->bytes_max - engine->bytes_max / RESERVED * call->priority;
    return call->picture.len > 0 ? room / 2 : room;
}

/* With `air` held: once for each call, before it waits for its first flight. */
static int admit(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    size_t bytes, room = room_for(engine, call);
    if (call->held > 0)
        return 0;
    bytes = bytes_of(call);
    if (bytes <= room && engine->bytes <= room - bytes) {
        call->held = bytes;
        engine->bytes += bytes;
        return 0;
    }
    engine->refused_bytes++;
    if (bytes > room && call->picture.len > 0)
        return err_set(err, VSR_E_LIMIT, "a picture needs %zu bytes, all that wait for inference have %zu", bytes,
                       room);
    if (bytes > room)
        return err_set(err, VSR_E_LIMIT, "a text of %zu tokens needs %zu bytes, all that wait for inference have %zu",
                       call->n_tokens, bytes, room);
    return err_set(err, VSR_E_UNAVAILABLE,
                   "the inference queue is full: what waits holds %zu of %zu bytes, and this needs %zu", engine->bytes,
                   room, bytes);
}

/* ---- boarding */

/* With `air` held: a flight that is not needed. */
static int give_up(struct flight *made, struct flight *dead[], size_t *n_dead, int rc) {
    (void)flight_unref(made);
    dead[(*n_dead)++] = made;
    return rc;
}

static size_t tokens_of(const struct flight *flight) {
    const struct flight_input *input = &flight->input;
    return input->picture.len > 0 ? vision_tokens(model_vision(input->model)) : input->n_tokens;
}

/* With `air` held. Takes the flight that has been made for a part, and lets the part wait for it or for its like. */
static int board(struct engine *engine, struct engine_part *part, struct flight *made, struct flight *dead[],
                 size_t *n_dead, struct vsr_err *err) {
    struct engine_call *call = part->call;
    struct flight *flight = flight_find(&engine->flights, made->key);
    int rc;
    if (flight) {
        rc = admit(engine, call, err);
        if (rc < 0)
            return give_up(made, dead, n_dead, rc);
        engine->shared++;
        scheduler_hurry(engine->scheduler, &flight->job, call->priority, call->deadline_ms);
        flight->n_refs++;
        flight_attach(flight, part);
        return give_up(made, dead, n_dead, 0);
    }
    made->remembered = made->landed = result_cache_get(engine->cache, made->key, made->result,
                                                       made->input.n_rows * made->input.width * sizeof(*made->result));
    if (made->landed) {
        part->flight = made;
        return 0;
    }
    made->engine = engine;
    made->asked_ns = clock_mono_ns();
    made->job =
        (struct scheduler_job){ .kind = model_kind(made->input.model, made->input.layers, made->input.no_exit_norm),
                                .priority = call->priority,
                                .tokens = tokens_of(made),
                                .heavy = made->input.picture.len > 0,
                                .deadline_ms = call->deadline_ms,
                                .done = on_landed,
                                .owner = made };
    rc = admit(engine, call, err);
    if (rc == 0)
        rc = scheduler_submit_quietly(engine->scheduler, &made->job, err);
    if (rc < 0)
        return give_up(made, dead, n_dead, rc);
    made->n_refs++; /* one is the scheduler's */
    flight_list(&engine->flights, made);
    flight_attach(made, part);
    return 0;
}

/* A flight copies its tokens, so that those of a window can be put together here first. */
static struct flight *make_flight(const struct engine_call *call, const struct engine_part *part, uint32_t *ids,
                                  uint8_t *types) {
    bool tags = model_task(call->model) == MODEL_TAG;
    struct flight_input input = {
        .model = call->model,
        .ids = call->ids,
        .types = call->types,
        .n_tokens = call->n_tokens,
        .width = call->width,
        .layers = call->cut.layers,
        .no_exit_norm = call->no_exit_norm && call->cut.layers > 0,
        .skip = model_sentence_files(call->model)->include_prompt ? 0 : call->n_prompt,
        .picture = call->picture,
        .is_base64 = call->picture_base64,
    };
    if (call->picture.len > 0) { /* the layers that a text may leave out are not its own */
        input.layers = 0;
        input.no_exit_norm = false;
    }
    if (ids) { /* a window */
        size_t head = call->cut_from, n = part->window.n, tail = call->n_tokens - head - call->n_cut;
        memcpy(ids, call->ids, head * sizeof(*ids));
        memcpy(ids + head, call->ids + head + part->window.from, n * sizeof(*ids));
        memcpy(ids + head + n, call->ids + head + call->n_cut, tail * sizeof(*ids));
        memcpy(types, call->types, head);
        memcpy(types + head, call->types + head + part->window.from, n);
        memcpy(types + head + n, call->types + head + call->n_cut, tail);
        input.ids = ids;
        input.types = types;
        input.n_tokens = head + n + tail;
    }
    input.n_rows = tags ? input.n_tokens : 1;
    return flight_new(&input);
}

static void make_flights(const struct engine_call *call, struct flight *made[]) {
    size_t n = call->n_parts > 1 ? model_tokens_max(call->model) : 0;
    uint32_t *ids = n ? mem_alloc(n * (sizeof(*ids) + 1)) : NULL;
    for (size_t i = 0; i < call->n_parts; i++)
        made[i] = make_flight(call, &call->parts[i], ids, ids ? (uint8_t *)(ids + n) : NULL);
    mem_free(ids);
}

/* Tokens and all that is needed to run; nothing is left behind on failure. */
static int begin_call(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    int rc;
    call->cut = (struct matryoshka_cut){ .dims = 0 };
    rc = check_call(call, err);
    call->result = NULL;
    call->ids = NULL;
    call->ended = false;
    call->held = 0;
    call->parts = &call->only;
    call->n_parts = 1;
    call->only = (struct engine_part){ .call = call };
    call->n_tokens = call->n_room = call->n_dropped = 0;
    if (rc == 0 && call->picture.len == 0)
        rc = tokenize(engine, call, err);
    if (rc < 0)
        return rc;
    rc = call->picture.len == 0 ? long_call_fit(call, err) : 0;
    if (rc < 0) {
        engine_call_done(call);
        return rc;
    }
    call->n_rows = model_task(call->model) == MODEL_TAG ? call->n_tokens : 1;
    call->width = call->cut.dims ? call->cut.dims : model_width(call->model);
    call->result = mem_alloc(call->n_rows * call->width * sizeof(*call->result));
    return 0;
}

/* All parts or none. Tells whether the call is over already. */
static int board_all(struct engine *engine, struct engine_call *call, bool *ret_over, struct vsr_err *err) {
    struct flight *made[ENGINE_PARTS_MAX], *dead[2 * ENGINE_PARTS_MAX];
    size_t n = call->n_parts, n_dead = 0, i;
    int rc = 0;
    VSR_ASSERT(n <= ENGINE_PARTS_MAX);
    make_flights(call, made);
    call->n_left = n;
    (void)pthread_mutex_lock(&engine->air);
    for (i = 0; i < n && rc == 0; i++) {
        rc = board(engine, &call->parts[i], made[i], dead, &n_dead, err);
        if (rc == 0 && call->parts[i].flight->landed)
            call->n_left--;
    }
    for (size_t k = i; k < n; k++) {
        (void)flight_unref(made[k]);
        dead[n_dead++] = made[k];
    }
    if (rc < 0)
        leave_each(engine, call, dead, &n_dead);
    *ret_over = rc == 0 && call->n_left == 0;
    call->ended = *ret_over;
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
    return rc;
}

/* Calls that have begun, in order up to the first that cannot; threads are woken once all are there. */
static int board_together(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n,
                          struct vsr_err *err) {
    bool over[ENGINE_TOGETHER_MAX];
    size_t done = 0;
    int rc = 0;
    VSR_ASSERT(n <= ENGINE_TOGETHER_MAX);
    while (done < n && (rc = board_all(engine, &calls[done], &over[done], err)) == 0)
        done++;
    scheduler_wake(engine->scheduler);
    *ret_n = done;
    for (size_t i = 0; i < done; i++)
        if (over[i])
            finish(engine, &calls[i]);
    return rc;
}

/* In order up to the first that cannot. */
static int begin_calls(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n, struct vsr_err *err) {
    int rc = 0;
    *ret_n = 0;
    while (*ret_n < n && (rc = begin_call(engine, &calls[*ret_n], err)) == 0)
        ++*ret_n;
    return rc;
}

int engine_submit_all(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n, struct vsr_err *err) {
    struct vsr_err full = VSR_ERR_NONE;
    size_t begun;
    int rc = begin_calls(engine, calls, n, &begun, err);
    int boarded = board_together(engine, calls, begun, ret_n, &full);
    for (size_t i = *ret_n; i < begun; i++)
        engine_call_done(&calls[i]);
    if (boarded < 0)
        *err = full;
    return boarded < 0 ? boarded : rc;
}

int engine_submit(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    size_t n;
    return engine_submit_all(engine, call, 1, &n, err);
}

bool engine_cancel(struct engine *engine, struct engine_call *call) {
    struct flight *dead[ENGINE_PARTS_MAX];
    size_t n_dead = 0;
    bool cancelled;
    (void)pthread_mutex_lock(&engine->air);
    cancelled = !call->ended;
    call->ended = true;
    if (cancelled)
        leave_each(engine, call, dead, &n_dead);
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
    return cancelled;
}

/* ---- calls that are waited for */

struct wait {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t left;
    size_t failed; /* index of the first call that did */
    struct vsr_err err;
    struct engine_call *calls;
};

static void on_waited_done(struct engine_call *call, int rc, const struct vsr_err *err) {
    struct wait *wait = call->owner;
    (void)pthread_mutex_lock(&wait->mutex); /* fails only for a mutex that is none */
    if (rc < 0 && (size_t)(call - wait->calls) < wait->failed) {
        wait->failed = (size_t)(call - wait->calls);
        wait->err = *err;
        wait->err.code = rc;
    }
    wait->left--;
    (void)pthread_cond_signal(&wait->changed);
    (void)pthread_mutex_unlock(&wait->mutex);
}

static void wait_until(struct wait *wait, size_t left) {
    (void)pthread_mutex_lock(&wait->mutex);
    while (wait->left > left)
        (void)pthread_cond_wait(&wait->changed, &wait->mutex);
    (void)pthread_mutex_unlock(&wait->mutex);
}

/* How many were waited for before. */
static size_t wait_for(struct wait *wait, size_t more) {
    size_t before;
    (void)pthread_mutex_lock(&wait->mutex);
    before = wait->left;
    wait->left += more;
    (void)pthread_mutex_unlock(&wait->mutex);
    return before;
}

/* A full queue is waited out while calls of ours are in it. */
static int board_waited(struct engine *engine, struct wait *wait, struct engine_call *calls, size_t n,
                        struct vsr_err *err) {
    for (size_t done = 0, boarded; done < n; done += boarded) {
        size_t before = wait_for(wait, n - done);
        int rc = board_together(engine, calls + done, n - done, &boarded, err);
        (void)wait_for(wait, boarded - (n - done)); /* less */
        if (rc == 0)
            return 0;
        if (rc != VSR_E_UNAVAILABLE || before + boarded == 0) {
            for (size_t i = done + boarded; i < n; i++)
                engine_call_done(&calls[i]);
            return rc;
        }
        wait_until(wait, before + boarded - 1);
    }
    return 0;
}

/* The calls before one that fails are run. */
static int submit_waited(struct engine *engine, struct wait *wait, struct engine_call *calls, size_t n,
                         struct vsr_err *err) {
    struct vsr_err full = VSR_ERR_NONE;
    size_t begun;
    int rc = begin_calls(engine, calls, n, &begun, err), boarded = board_waited(engine, wait, calls, begun, &full);
    if (boarded < 0)
        *err = full;
    return boarded < 0 ? boarded : rc;
}

int engine_run(struct engine *engine, struct engine_call *calls, size_t n, struct vsr_err *err) {
    struct wait wait = { .failed = n, .calls = calls };
    int rc = 0;
    (void)pthread_mutex_init(&wait.mutex, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_cond_init(&wait.changed, NULL);
    for (size_t i = 0; i < n; i++) { /* so that all may be freed, whichever are reached */
        calls[i].result = NULL;
        calls[i].ids = NULL;
        calls[i].n_parts = 0;
        calls[i].done = on_waited_done;
        calls[i].owner = &wait;
    }
    for (size_t i = 0; i < n && rc == 0; i += ENGINE_TOGETHER_MAX)
        rc = submit_waited(engine, &wait, calls + i, n - i < ENGINE_TOGETHER_MAX ? n - i : ENGINE_TOGETHER_MAX, err);
    wait_until(&wait, 0);
    if (wait.failed < n) { /* before the one that could not be queued, if any */
        rc = wait.err.code;
        *err = wait.err;
    }
    (void)pthread_cond_destroy(&wait.changed);
    (void)pthread_mutex_destroy(&wait.mutex);
    return rc;
}
