/*
 * Who frees a call: the desk's thread, when it has told the answer, or has cancelled it and finds the answer in the
 * box; the hub's, when it was cancelled before. The latter is told by a second task behind the one that began the call,
 * so that it always finds a call that is there.
 */
#include "evidence/mcp_call.h"

#include <pthread.h>

#include "config/global_shared.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "mcp/hub.h"
#include "net/bell.h"
#include "net/loop.h"

/* Answers on their way to one loop. Outlives its desk while calls do. */
struct box {
    pthread_mutex_t lock;
    struct bell *bell;      /* NULL: the desk is gone */
    struct mcp_call *first; /* answers that have come */
    size_t n_refs;
};

struct mcp_desk {
    struct loop *loop;
    struct mcp_hub *hub;
    struct mcp_server *server;
    struct arena *arena;
    const struct mcp_format *format;
    vsr_str tool;
    struct box *box;
    size_t n_calls;
};

struct mcp_call {
    struct mcp_call *next; /* in the box */
    struct mcp_desk *desk; /* NULL: cancelled */
    struct box *box;
    struct mcp_hub *hub;
    struct mcp_server *server;
    struct mcp_task begin, end;
    struct mcp_question *question; /* hub's loop: NULL when it is over */
    struct loop_timer timer;       /* desk's loop */
    struct arena *arena;
    const struct mcp_format *format;
    vsr_str tool;
    struct mcp_asked asked;
    uint64_t timeout_ms;
    bool is_cancelled, is_boxed; /* under the box's lock */
    mcp_answer_fn *done;
    void *owner;
    struct mcp_answer answer;
};

/* ---- memory */

static struct box *box_ref(struct box *box) {
    (void)pthread_mutex_lock(&box->lock);
    box->n_refs++;
    (void)pthread_mutex_unlock(&box->lock);
    return box;
}

static void box_unref(struct box *box) {
    bool last;
    (void)pthread_mutex_lock(&box->lock);
    last = --box->n_refs == 0;
    (void)pthread_mutex_unlock(&box->lock);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&box->lock);
    mem_free(box);
}

static void call_free(struct mcp_call *call) {
    mcp_server_unref(call->server);
    box_unref(call->box);
    arena_free(call->arena);
    mem_free(call);
}

/* ---- on the hub's loop */

static const vsr_str *keep_texts(struct arena *arena, const vsr_str *texts, size_t n) {
    vsr_str *copies = ARENA_ARRAY(arena, vsr_str, n);
    for (size_t i = 0; i < n; i++)
        copies[i] = arena_str(arena, texts[i]);
    return copies;
}

static void keep(struct mcp_call *call, const struct mcp_answer *answer) {
    const struct mcp_told *told = &answer->told;
    float *numbers = ARENA_ARRAY(call->arena, float, told->n);
    for (size_t i = 0; i < told->n; i++)
        numbers[i] = told->numbers[i];
    call->answer = (struct mcp_answer){
        .code = answer->code,
        .reason = answer->reason ? arena_c_str(call->arena, str_from_c(answer->reason)) : NULL,
        .told = { .labels = keep_texts(call->arena, told->labels, told->n_labels),
                  .n_labels = told->n_labels,
                  .numbers = numbers,
                  .n = told->n },
        .name = arena_c_str(call->arena, str_from_c(answer->name)),
        .version = arena_c_str(call->arena, str_from_c(answer->version)),
    };
}

static void on_answer(void *owner, const struct mcp_answer *answer) {
    struct mcp_call *call = owner;
    struct box *box = call->box;
    call->question = NULL;
    keep(call, answer);
    (void)pthread_mutex_lock(&box->lock);
    if (!call->is_cancelled) {
        call->next = box->first;
        box->first = call;
        call->is_boxed = true;
        bell_ring(box->bell); /* there is a desk as long as a call is not cancelled */
    }
    (void)pthread_mutex_unlock(&box->lock);
}

static void begin_on_hub(void *data) {
    struct mcp_call *call = data;
    call->question = mcp_tool_ask(mcp_tool_of(call->server, call->format, call->tool), &call->asked, call->timeout_ms,
                                  on_answer, call);
}

static void end_on_hub(void *data) {
    struct mcp_call *call = data;
    if (call->question)
        mcp_question_cancel(call->question);
    call_free(call);
}

/* ---- on the desk's loop */

static struct mcp_call *take(struct box *box) {
    struct mcp_call *call;
    (void)pthread_mutex_lock(&box->lock);
    call = box->first;
    if (call)
        box->first = call->next;
    (void)pthread_mutex_unlock(&box->lock);
    return call;
}

/* Whoever is told of the last call may free the desk. */
static void on_bell(void *data) {
    struct mcp_desk *desk = data;
    struct box *box = box_ref(desk->box);
    for (struct mcp_call *call; (call = take(box)) != NULL;) {
        loop_timer_stop(&call->timer);
        call->desk->n_calls--;
        call->done(call->owner, &call->answer);
        call_free(call);
    }
    box_unref(box);
}

/* Leaves the call to the hub's thread, or frees it when that is done with it. */
static void let_go(struct mcp_call *call) {
    struct box *box = call->box;
    struct mcp_call **link = &box->first;
    bool is_boxed;
    (void)pthread_mutex_lock(&box->lock);
    is_boxed = call->is_boxed;
    call->is_cancelled = true;
    while (is_boxed && *link != call)
        link = &(*link)->next;
    if (is_boxed)
        *link = call->next;
    (void)pthread_mutex_unlock(&box->lock);
    if (is_boxed)
        call_free(call);
    else
        mcp_hub_submit(call->hub, &call->end, end_on_hub, call);
}

void mcp_call_cancel(struct mcp_call *call) {
    if (!call)
        return;
    loop_timer_stop(&call->timer);
    call->desk->n_calls--;
    let_go(call);
}

static void on_late(void *data) {
    struct mcp_call *call = data;
    mcp_answer_fn *done = call->done;
    void *owner = call->owner;
    mcp_call_cancel(call); /* before it is told: the desk may be freed then, and the hub's thread must not ring it */
    done(owner, &(struct mcp_answer){ .code = SIGNAL_TIMEOUT, .reason = "the tool server did not answer in time" });
}

struct mcp_call *mcp_call_start(struct mcp_desk *desk, const struct mcp_asked *asked, uint64_t timeout_ms,
                                mcp_answer_fn *done, void *owner) {
    struct mcp_call *call = MEM_NEW(struct mcp_call);
    VSR_DEBUG_ASSERT(loop_on_thread(desk->loop));
    call->arena = arena_new(0, 0);
    call->desk = desk;
    call->hub = desk->hub;
    call->server = mcp_server_ref(desk->server);
    call->box = box_ref(desk->box);
    call->tool = arena_str(call->arena, desk->tool);
    call->format = desk->format;
    call->asked = *asked;
    call->asked.texts = keep_texts(call->arena, asked->texts, asked->n_texts);
    call->asked.labels = keep_texts(call->arena, asked->labels, asked->n_labels);
    call->timeout_ms = timeout_ms;
    call->done = done;
    call->owner = owner;
    desk->n_calls++;
    loop_timer_start(desk->loop, &call->timer, timeout_ms, on_late, call);
    mcp_hub_submit(desk->hub, &call->begin, begin_on_hub, call);
    return call;
}

/* ---- desks */

static struct mcp_server *find_server(const struct mcp_desk *desk, const struct config_tool_server *config) {
    struct mcp_variable *env = ARENA_ARRAY(desk->arena, struct mcp_variable, config->env.n);
    bool is_stdio = config->transport_type == MCP_STDIO;
    struct mcp_server_options options = { .kind = is_stdio ? MCP_OVER_STDIO : MCP_OVER_HTTP };
    for (size_t i = 0; i < config->env.n; i++)
        env[i] = (struct mcp_variable){ config->env.keys[i], config->env.values[i] };
    if (is_stdio) {
        options.command = config->command;
        options.args = config->args.items;
        options.n_args = config->args.n;
        options.env = env;
        options.n_env = config->env.n;
    } else {
        options.url = config->url;
    }
    return mcp_hub_server(desk->hub, &options,
                          arena_printf(desk->arena, "%s:%.*s", desk->format->purpose, VSR_FMT(desk->tool)));
}

int mcp_desk_new(struct loop *loop, struct mcp_hub *hub, const struct mcp_format *format,
                 const struct config_tool_server *config, struct mcp_desk **ret_desk, struct vsr_err *err) {
    struct mcp_desk *desk = MEM_NEW(struct mcp_desk);
    struct box *box = MEM_NEW(struct box);
    int rc = bell_new(loop, on_bell, desk, &box->bell, err);
    if (rc < 0) {
        mem_free(box);
        mem_free(desk);
        return rc;
    }
    (void)pthread_mutex_init(&box->lock, NULL); /* default attributes cannot fail */
    box->n_refs = 1;
    desk->loop = loop;
    desk->hub = hub;
    desk->box = box;
    desk->format = format;
    desk->arena = arena_new(0, 0);
    desk->tool = arena_str(desk->arena, str_trim(config->tool_name));
    desk->server = find_server(desk, config);
    *ret_desk = desk;
    return 0;
}

void mcp_desk_free(struct mcp_desk *desk) {
    struct box *box;
    if (!desk)
        return;
    VSR_ASSERT(desk->n_calls == 0);
    box = desk->box;
    (void)pthread_mutex_lock(&box->lock);
    VSR_ASSERT(!box->first);
    bell_free(box->bell);
    box->bell = NULL;
    (void)pthread_mutex_unlock(&box->lock);
    box_unref(box);
    mcp_server_unref(desk->server);
    arena_free(desk->arena);
    mem_free(desk);
}
