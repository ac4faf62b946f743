#include "evidence/run.h"

#include <stdatomic.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "evidence/builtin_ask.h"
#include "evidence/evidence_state.h"
#include "evidence/lane_state.h"
#include "evidence/model_call.h"
#include "evidence/remote.h"
#include "model/builtin.h"
#include "model/store.h"
#include "net/loop.h"
#include "route/route.h"

enum { WAIT_TURN_MS = 50 };

/* What is asked and not answered yet: one ask, or several that one server was sent together. */
struct pending {
    struct pending *prev, *next;
    struct evidence_run *run;
    struct line *line;
    struct evidence_ask **asks;
    size_t n_asks;
    uint64_t deadline_ms;    /* of clock_mono_ms(); 0: none */
    struct model_call *call; /* one of these two is there */
    struct remote_call *remote;
};

/* The asks of one source that are not asked yet. */
struct line {
    struct evidence_ask **asks; /* [n], those before `next` are gone; NULL: it was too late for one */
    size_t next, n;
    size_t n_flying;   /* pending ones */
    uint64_t due_ms;   /* when the first of those that wait may be too late; UINT64_MAX: none will be */
    bool loading;      /* its model is: `why` says so, */
    uint64_t until_ms; /* which asks without a deadline wait for until then */
    struct vsr_err why;
};

struct evidence_run {
    struct evidence_lane *lane;
    struct evidence_question question;
    struct pending *pending;
    size_t n_flying; /* pending ones */
    struct line *lines;
    size_t n_lines, turn; /* whose turn it is */
    struct loop_timer timer;
    uint64_t begin_ns, begin_ms;
    bool has_more; /* what could be asked at once, were it not for others whom the loop serves */
};

/* ---- pending */

static struct pending *add_pending(struct evidence_run *run, struct line *line, struct evidence_ask *const *asks,
                                   size_t n, uint64_t deadline_ms) {
    struct pending *pending = ARENA_NEW(run->question.arena, struct pending);
    pending->run = run;
    pending->line = line;
    pending->asks = ARENA_ARRAY(run->question.arena, struct evidence_ask *, n);
    for (size_t i = 0; i < n; i++)
        pending->asks[i] = asks[i];
    pending->n_asks = n;
    pending->deadline_ms = deadline_ms;
    pending->next = run->pending;
    if (run->pending)
        run->pending->prev = pending;
    run->pending = pending;
    run->n_flying++;
    line->n_flying++;
    return pending;
}

static void unlink_pending(struct pending *pending) {
    *(pending->prev ? &pending->prev->next : &pending->run->pending) = pending->next;
    if (pending->next)
        pending->next->prev = pending->prev;
    pending->run->n_flying--;
    pending->line->n_flying--;
}

static void cancel_pending(struct pending *pending) {
    model_call_cancel(pending->call);
    remote_call_cancel(pending->remote);
    unlink_pending(pending);
}

/* ---- answers */

static const struct bound_source *bound_of(const struct evidence_run *run, const struct evidence_ask *ask) {
    return &run->question.binding->sources[ask->source];
}

static void answer(struct evidence_run *run, struct evidence_ask *ask, const struct evidence_answer *given) {
    evidence_metrics_count(&run->lane->evidence->metrics, bound_of(run, ask)->place, given,
                           clock_mono_ns() - run->begin_ns);
    run->question.answer(run->question.data, ask, given);
}

static void fail(struct evidence_run *run, struct evidence_ask *ask, int rc, const char *reason) {
    struct evidence_answer failure = evidence_failure(run->question.arena, rc, reason);
    failure.model = arena_c_str(run->question.arena, bound_of(run, ask)->source->model.path);
    answer(run, ask, &failure);
}

/* Whether a model of the program can answer it here. */
static bool is_inline(const struct evidence_run *run, const struct evidence_ask *ask) {
    const struct bound_source *bound = bound_of(run, ask);
    return bound->builtin && ask->text.len <= BUILTIN_TEXT_LEN_MAX &&
           builtin_check(bound->builtin, ask->kind, NULL) == 0;
}

static void fail_all(struct evidence_run *run, struct evidence_ask *const *asks, size_t n, int rc, const char *reason) {
    for (size_t i = 0; i < n; i++)
        fail(run, asks[i], rc, reason);
}

/* All that wait for this source: what one cannot have the others cannot either. */
static void fail_line(struct evidence_run *run, struct line *line, int rc, const char *reason) {
    while (line->next < line->n) {
        struct evidence_ask *ask = line->asks[line->next++];
        if (ask)
            fail(run, ask, rc, reason);
    }
    line->loading = false;
}

static void go_on(struct evidence_run *run);

/* ---- models in directories */

static void on_model(void *owner, struct model_call *call) {
    struct pending *pending = owner;
    struct evidence_run *run = pending->run;
    struct evidence_answer given;
    model_call_answer(call, run->question.arena, &given);
    unlink_pending(pending);
    answer(run, pending->asks[0], &given);
    go_on(run);
}

/* Takes the handle. */
static void call_model(struct evidence_run *run, struct line *line, struct evidence_ask *ask, struct engine *engine,
                       struct store_handle handle, uint64_t deadline_ms) {
    const struct bound_source *bound = bound_of(run, ask);
    struct pending *pending = add_pending(run, line, &ask, 1, deadline_ms);
    struct vsr_err err = VSR_ERR_NONE;
    struct evidence_answer given;
    struct model_call *call;
    bool done;
    struct model_call_options options = {
        .engine = engine,
        .mailbox = run->lane->mailbox,
        .handle = handle,
        .source = bound->source,
        .ask = ask,
        .no_exit_norm = run->question.binding->no_exit_norm,
        .priority = run->question.in_background ? PRIORITY_COMFORT : bound->priority,
        .deadline_ms = deadline_ms,
        .done = on_model,
        .owner = pending,
    };
    int rc = model_call_start(&options, &call, &done, &err);
    if (rc == 0 && !done) {
        pending->call = call;
        return;
    }
    unlink_pending(pending);
    if (rc < 0) {
        fail(run, ask, rc, err.text);
    } else {
        model_call_answer(call, run->question.arena, &given);
        answer(run, ask, &given);
    }
}

/* Until when a model that is not there is worth waiting for, without a deadline; 0: it is not. */
static uint64_t wait_until(const struct evidence_run *run, struct store *store, vsr_str name) {
    bool lazy, coming = store_is_coming(store, name, &lazy);
    if (!coming)
        return 0;
    if (run->lane->patient)
        return UINT64_MAX;
    return lazy ? clock_mono_ms() + EVIDENCE_LOAD_WAIT_MS : 0;
}

/* The first of the line; or it stays where it is, and the line waits for its model. */
static void start_model(struct evidence_run *run, struct line *line, struct evidence_ask *ask, uint64_t deadline_ms) {
    const struct evidence_options *options = &run->lane->evidence->options;
    vsr_str name = bound_of(run, ask)->source->model.path;
    struct vsr_err err = VSR_ERR_NONE;
    struct store_handle handle;
    struct engine *engine = NULL;
    struct store *store = NULL;
    int rc;
    if (options->models)
        options->models(options->owner, &engine, &store);
    if (!engine || !store) {
        fail_line(run, line, VSR_E_UNAVAILABLE, "no models are run in this process");
        return;
    }
    rc = store_get(store, name, 0, &handle, &err);
    if (rc == 0) {
        line->next++;
        call_model(run, line, ask, engine, handle, deadline_ms);
        return;
    }
    line->until_ms = rc == VSR_E_UNAVAILABLE ? wait_until(run, store, name) : 0;
    line->loading = line->until_ms > 0;
    line->why = err;
    if (!line->loading)
        fail_line(run, line, rc, err.text);
}

/* Once for all that wait for the model. */
static void look_again(struct evidence_run *run, struct line *line) {
    const struct evidence_options *options = &run->lane->evidence->options;
    vsr_str name = bound_of(run, line->asks[line->next])->source->model.path;
    struct store_handle handle;
    struct engine *engine;
    struct store *store;
    bool lazy;
    int rc;
    options->models(options->owner, &engine, &store);
    rc = store_get(store, name, 0, &handle, &line->why);
    if (rc == 0) {
        store_put(&handle);
        line->loading = false;
    } else if (!store_is_coming(store, name, &lazy)) {
        struct vsr_err why = line->why;
        fail_line(run, line, rc, why.text);
    }
}

/* ---- built-in models */

/* Asks that `models` of the program can answer about one text, from `asks[0]` on; what is answered becomes NULL. A text
 * that must be cut is left to the engine. */
static void answer_text(struct evidence_run *run, struct evidence_ask **asks, size_t n) {
    const struct builtin_model *models[BUILTIN_ASKS_MAX] = { NULL };
    struct evidence_answer answers[BUILTIN_ASKS_MAX];
    size_t asked[BUILTIN_ASKS_MAX], n_asked = 0;
    vsr_str text = asks[0]->text;
    for (size_t i = 0; i < n && n_asked < BUILTIN_ASKS_MAX; i++) {
        if (!asks[i] || !is_inline(run, asks[i]) || !str_eq(asks[i]->text, text))
            continue;
        models[n_asked] = bound_of(run, asks[i])->builtin;
        asked[n_asked++] = i;
    }
    if (!builtin_answer(run->lane->scratch, text, models, n_asked, run->question.arena, answers))
        return;
    for (size_t i = 0; i < n_asked; i++) {
        struct evidence_ask *ask = asks[asked[i]];
        asks[asked[i]] = NULL;
        answer(run, ask, &answers[i]);
    }
}

/* What is short enough, all texts together: the loop serves others, too. */
static void answer_inline(struct evidence_run *run, struct evidence_ask **asks, size_t n) {
    bool unhurried = run->question.in_background || run->lane->patient;
    size_t room = unhurried ? SIZE_MAX : EVIDENCE_INLINE_LEN_MAX;
    size_t n_texts = unhurried ? SIZE_MAX : EVIDENCE_INLINE_TEXTS_MAX;
    for (size_t i = 0; i < n && n_texts > 0; i++) {
        if (!asks[i] || !is_inline(run, asks[i]) || asks[i]->text.len > room)
            continue;
        room -= asks[i]->text.len;
        n_texts--;
        if (!run->lane->scratch)
            run->lane->scratch = builtin_scratch_new();
        answer_text(run, asks + i, n - i);
    }
}

/* ---- servers */

/* Vectors of several texts stand one behind the other. */
static void answer_part(struct pending *pending, size_t i, const struct evidence_answer *given) {
    struct evidence_answer part = *given;
    if (part.code == SIGNAL_OK && pending->n_asks > 1) {
        part.n = given->n / pending->n_asks;
        part.numbers = given->numbers + i * part.n;
    }
    answer(pending->run, pending->asks[i], &part);
}

static void on_remote(void *owner, const struct evidence_answer *given) {
    struct pending *pending = owner;
    unlink_pending(pending);
    for (size_t i = 0; i < pending->n_asks; i++)
        answer_part(pending, i, given);
    go_on(pending->run);
}

static void start_remote(struct evidence_run *run, struct line *line, size_t n, uint64_t deadline_ms) {
    struct evidence_ask *const *asks = line->asks + line->next;
    struct remote_question question = {
        .kind = asks[0]->kind, .n_texts = n, .timeout_ms = (uint64_t)asks[0]->timeout_ms, .arena = run->question.arena
    };
    vsr_str *texts = ARENA_ARRAY(run->question.arena, vsr_str, n);
    struct vsr_err err = VSR_ERR_NONE;
    struct remote_client *client;
    struct pending *pending;
    int rc = lane_remote(run->lane, run->question.binding, asks[0]->source, &client, &err);
    if (rc < 0) {
        fail_line(run, line, rc, err.text);
        return;
    }
    for (size_t i = 0; i < n; i++)
        texts[i] = asks[i]->text;
    question.texts = texts;
    line->next += n;
    pending = add_pending(run, line, asks, n, deadline_ms);
    pending->remote = remote_call_start(client, &question, on_remote, pending);
}

/* How many of the asks from here on can go to their server together. */
static size_t batch_of(const struct evidence_run *run, struct evidence_ask *const *asks, size_t n) {
    size_t k = 1;
    while (run->question.in_batches && k < n && k < REMOTE_BATCH_MAX && asks[k] && asks[0]->kind == EVIDENCE_VECTOR &&
           asks[k]->kind == EVIDENCE_VECTOR && asks[k]->timeout_ms == asks[0]->timeout_ms)
        k++;
    return k;
}

/* ---- asking, some at a time */

/* What could not be answered on this thread: too long, or not by this model. */
static void start_builtin(struct evidence_run *run, struct line *line, struct evidence_ask *ask, uint64_t deadline_ms) {
    const struct bound_source *bound = bound_of(run, ask);
    struct vsr_err err = VSR_ERR_NONE;
    if (!bound->builtin) {
        fail_line(run, line, VSR_E_UNAVAILABLE, bound->missing);
    } else if (builtin_check(bound->builtin, ask->kind, &err) < 0) {
        line->next++;
        fail(run, ask, VSR_E_UNAVAILABLE, err.text);
    } else {
        start_model(run, line, ask, deadline_ms);
    }
}

static uint64_t deadline_of(const struct evidence_run *run, const struct evidence_ask *ask) {
    return ask->timeout_ms > 0 ? run->begin_ms + (uint64_t)ask->timeout_ms : 0;
}

/* The line's first, or its first ones together. */
static void start_some(struct evidence_run *run, struct line *line) {
    struct evidence_ask *ask = line->asks[line->next];
    uint64_t deadline_ms = deadline_of(run, ask);
    switch (bound_of(run, ask)->place) {
    case PLACE_BUILTIN:
        start_builtin(run, line, ask, deadline_ms);
        break;
    case PLACE_MODEL:
        start_model(run, line, ask, deadline_ms);
        break;
    default:
        start_remote(run, line, batch_of(run, line->asks + line->next, line->n - line->next), deadline_ms);
        break;
    }
}

static bool has_waiting(struct line *line) {
    while (line->next < line->n && !line->asks[line->next])
        line->next++;
    return line->next < line->n;
}

/* A source that is slow leaves room for the others, and for those whose model is still being loaded. */
static size_t share_of(struct evidence_run *run) {
    size_t n_open = 0;
    for (size_t i = 0; i < run->n_lines; i++)
        n_open += run->lines[i].n_flying > 0 || has_waiting(&run->lines[i]);
    return n_open > EVIDENCE_FLYING_MAX ? 1 : EVIDENCE_FLYING_MAX / (n_open ? n_open : 1);
}

/* The next line that may ask; NULL: none for now. */
static struct line *next_line(struct evidence_run *run) {
    size_t share = share_of(run);
    for (size_t i = 0; i < run->n_lines && run->n_flying < EVIDENCE_FLYING_MAX; i++) {
        struct line *line = &run->lines[(run->turn + i) % run->n_lines];
        if (line->loading || line->n_flying >= share || !has_waiting(line))
            continue;
        run->turn = (run->turn + i + 1) % run->n_lines;
        return line;
    }
    return NULL;
}

/* As many as may be in flight, and no more at one turn of the loop: others wait for it. */
static void ask_some(struct evidence_run *run) {
    struct line *line;
    size_t n = 0;
    while (n < EVIDENCE_FLYING_MAX && (line = next_line(run))) {
        start_some(run, line);
        n++;
    }
    run->has_more = n == EVIDENCE_FLYING_MAX;
}

static bool is_over(struct evidence_run *run) {
    for (size_t i = 0; i < run->n_lines; i++)
        if (has_waiting(&run->lines[i]))
            return false;
    return !run->pending;
}

/* ---- time */

static void on_timer(void *data);

/* For the first that is due. Whoever waits for a model looks for it. */
static void rearm(struct evidence_run *run) {
    uint64_t now = clock_mono_ms(), due = run->has_more ? now : UINT64_MAX;
    for (const struct pending *pending = run->pending; pending; pending = pending->next)
        if (pending->deadline_ms && pending->deadline_ms < due)
            due = pending->deadline_ms;
    for (size_t i = 0; i < run->n_lines; i++) {
        struct line *line = &run->lines[i];
        if (!has_waiting(line))
            continue;
        if (line->due_ms < due)
            due = line->due_ms;
        if (line->loading && now + EVIDENCE_LOAD_POLL_MS < due)
            due = now + EVIDENCE_LOAD_POLL_MS;
    }
    if (due != UINT64_MAX)
        loop_timer_start(run->lane->loop, &run->timer, due > now ? due - now : 0, on_timer, run);
}

static void finish(struct evidence_run *run) {
    loop_timer_stop(&run->timer);
    run->lane->n_runs--;
    run->question.done(run->question.owner); /* the run's memory may be gone */
}

static void go_on(struct evidence_run *run) {
    ask_some(run);
    if (is_over(run))
        finish(run);
    else
        rearm(run);
}

/* Those for whom it is too late before they were asked. */
static void expire(struct evidence_run *run, struct line *line, uint64_t now) {
    const char *late = line->loading ? line->why.text : "no answer within the time that signals have";
    if (line->due_ms > now && !(line->loading && line->until_ms <= now))
        return;
    line->due_ms = UINT64_MAX;
    for (size_t i = line->next; i < line->n; i++) {
        struct evidence_ask *ask = line->asks[i];
        uint64_t deadline_ms = ask ? deadline_of(run, ask) : 0;
        if (!ask)
            continue;
        if (deadline_ms ? deadline_ms <= now : line->loading && line->until_ms <= now) {
            line->asks[i] = NULL;
            fail(run, ask, VSR_E_TIMEOUT, late);
        } else if (deadline_ms && deadline_ms < line->due_ms) {
            line->due_ms = deadline_ms;
        }
    }
}

static void on_timer(void *data) {
    struct evidence_run *run = data;
    uint64_t now = clock_mono_ms();
    for (struct pending *pending = run->pending, *next; pending; pending = next) {
        next = pending->next;
        if (!pending->deadline_ms || pending->deadline_ms > now)
            continue;
        cancel_pending(pending);
        fail_all(run, pending->asks, pending->n_asks, VSR_E_TIMEOUT, "no answer within the time that signals have");
    }
    for (size_t i = 0; i < run->n_lines; i++) {
        struct line *line = &run->lines[i];
        expire(run, line, now);
        if (has_waiting(line) && line->loading)
            look_again(run, line);
    }
    go_on(run);
}

/* ---- runs */

/* What is left of `asks`, by source. */
static void line_up(struct evidence_run *run, struct evidence_ask *const *asks, size_t n) {
    struct arena *arena = run->question.arena;
    size_t *lines = ARENA_ARRAY(arena, size_t, run->question.binding->n_sources); /* by source: index + 1 */
    run->lines = ARENA_ARRAY(arena, struct line, run->question.binding->n_sources);
    for (size_t i = 0; i < n; i++) {
        if (!asks[i])
            continue;
        VSR_ASSERT(asks[i]->source < run->question.binding->n_sources);
        if (!lines[asks[i]->source])
            lines[asks[i]->source] = ++run->n_lines;
        run->lines[lines[asks[i]->source] - 1].n++;
    }
    for (size_t i = 0; i < run->n_lines; i++) {
        struct line *line = &run->lines[i];
        line->asks = ARENA_ARRAY(arena, struct evidence_ask *, line->n);
        line->n = 0;
        line->due_ms = UINT64_MAX;
    }
    for (size_t i = 0; i < n; i++) {
        struct line *line = asks[i] ? &run->lines[lines[asks[i]->source] - 1] : NULL;
        uint64_t deadline_ms = asks[i] ? deadline_of(run, asks[i]) : 0;
        if (!line)
            continue;
        line->asks[line->n++] = asks[i];
        if (deadline_ms && deadline_ms < line->due_ms)
            line->due_ms = deadline_ms;
    }
}

struct evidence_run *evidence_run_start(struct evidence_lane *lane, const struct evidence_question *question) {
    struct evidence_run *run = ARENA_NEW(question->arena, struct evidence_run);
    struct evidence_ask **asks = ARENA_ARRAY(question->arena, struct evidence_ask *, question->n_asks);
    run->lane = lane;
    run->question = *question;
    run->begin_ns = clock_mono_ns();
    run->begin_ms = clock_mono_ms();
    for (size_t i = 0; i < question->n_asks; i++)
        asks[i] = question->asks[i]; /* what is answered may leave the caller's array */
    answer_inline(run, asks, question->n_asks);
    line_up(run, asks, question->n_asks);
    ask_some(run);
    if (is_over(run))
        return NULL;
    lane->n_runs++;
    rearm(run);
    return run;
}

void evidence_run_cancel(struct evidence_run *run) {
    if (!run)
        return;
    while (run->pending)
        cancel_pending(run->pending);
    loop_timer_stop(&run->timer);
    run->lane->n_runs--;
}

/* ---- evaluations */

static void answer_route(void *data, struct evidence_ask *ask, const struct evidence_answer *given) {
    route_answer(data, ask, given);
}

static struct evidence_question question_of(const struct evidence_binding *binding, struct route_state *state,
                                            struct arena *arena) {
    struct evidence_question question = { .binding = binding, .arena = arena, .answer = answer_route, .data = state };
    question.asks = route_asks(state, &question.n_asks);
    return question;
}

struct evidence_run *evidence_run_route(struct evidence_lane *lane, const struct evidence_binding *binding,
                                        struct route_state *state, struct arena *arena, void (*done)(void *owner),
                                        void *owner) {
    struct evidence_question question = question_of(binding, state, arena);
    question.done = done;
    question.owner = owner;
    return evidence_run_start(lane, &question);
}

/* ---- waiting */

static void on_done(void *owner) {
    *(bool *)owner = true;
}

void evidence_run_wait(struct evidence_lane *lane, const struct evidence_question *question, const _Atomic bool *stop) {
    struct evidence_question waited = *question;
    struct evidence_run *run;
    bool done = false;
    VSR_ASSERT(lane->owns_loop);
    waited.done = on_done;
    waited.owner = &done;
    run = evidence_run_start(lane, &waited);
    while (run && !done && !(stop && atomic_load(stop)))
        (void)loop_run_once(lane->loop, WAIT_TURN_MS);
    if (run && !done)
        evidence_run_cancel(run);
}

void evidence_run_wait_route(struct evidence_lane *lane, const struct evidence_binding *binding,
                             struct route_state *state, struct arena *arena) {
    struct evidence_question question = question_of(binding, state, arena);
    evidence_run_wait(lane, &question, NULL);
}
