/* Texts classified by a tool server that is a shell script, through the whole of remote.h. */
#include <pthread.h>

#include "config/global_modules.h"
#include "core/arena.h"
#include "evidence/remote.h"
#include "mcp/hub.h"
#include "unit/net/peer.h"

/* Answers each request by its method and, for tools, by what its text has in it. */
static const char script[] =
    "reply() { echo \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":$id,\\\"result\\\":$1}\"; };"
    "changed() { echo '{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}'; };"
    "list='\"math\",\"law\"';"
    "tool() { reply \"{\\\"content\\\":[],\\\"structuredContent\\\":$1}\"; };"
    "while read -r l; do id=${l#*'\"id\":'}; id=${id%%,*}; case $l in"
    " *'\"initialize\"'*) reply "
    "'{\"protocolVersion\":\"2025-06-18\",\"serverInfo\":{\"name\":\"shell\",\"version\":\"3\"}}';;"
    " *tools/list*) reply '{\"tools\":[{\"name\":\"classify_text\"},{\"name\":\"list_categories\"}]}';;"
    " *list_categories*) tool \"{\\\"categories\\\":[$list]}\";;"
    " *integral*) tool '{\"class\":0,\"confidence\":0.75,\"probabilities\":[0.75,0.25]}';;"
    " *contract*) tool '{\"class\":\"law\",\"confidence\":0.5}';;"
    " *wrong*) tool '{\"class\":7}';;"
    " *fails*) reply '{\"isError\":true,\"content\":[]}';;"
    " *ends*) exit 9;;"
    " *moves*) [ \"$list\" = '\"law\",\"math\"' ] || changed; list='\"law\",\"math\"'; tool '{\"class\":1}';;"
    " *restless*) changed; tool '{\"class\":1}';;"
    " *silent*) ;;"
    " esac; done";

struct rig {
    struct loop *loop;
    struct mcp_hub *hub;
    struct arena *arena;
    vsr_str args[2];
    struct config_mcp_classifier config;
    struct signal_source source;
    struct remote_host host;
    struct remote_client *client;
    struct evidence_answer answer;
    int n_done;
};

static void rig_config(struct rig *rig) {
    *rig = (struct rig){ .arena = arena_new(0, 0), .args = { VSR_STR("-c"), VSR_STR("") } };
    rig->args[1] = str_from_c(script);
    rig->config = (struct config_mcp_classifier){
        .enabled = true, .transport_type = MCP_STDIO, .command = VSR_STR("sh"), .args = { .items = rig->args, .n = 2 }
    };
    rig->source = (struct signal_source){ .kind = SOURCE_MCP, .config = &rig->config };
}

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    struct mcp_place place = { 0 };
    rig_config(rig);
    CHECK_MSG(loop_new(&rig->loop, &err) == 0, "%s", err.text);
    place.loop = rig->loop;
    CHECK_MSG(mcp_hub_new(&place, &rig->hub, &err) == 0, "%s", err.text);
    rig->host = (struct remote_host){ .loop = rig->loop, .mcp = rig->hub };
}

static void rig_end(struct rig *rig) {
    remote_client_free(rig->client);
    mcp_hub_free(rig->hub);
    loop_free(rig->loop);
    arena_free(rig->arena);
}

static void on_done(void *owner, const struct evidence_answer *answer) {
    struct rig *rig = owner;
    rig->answer = *answer;
    rig->n_done++;
}

static struct remote_call *start(struct rig *rig, const vsr_str *text, uint64_t timeout_ms) {
    const struct remote_question question = {
        .kind = EVIDENCE_CLASSES, .texts = text, .n_texts = 1, .timeout_ms = timeout_ms, .arena = rig->arena
    };
    if (!rig->client)
        rig->client = remote_client_new(&rig->host, &rig->source);
    return remote_call_start(rig->client, &question, on_done, rig);
}

static void ask(struct rig *rig, const char *text) {
    vsr_str one = str_from_c(text);
    int before = rig->n_done;
    (void)start(rig, &one, 0);
    PUMP(rig->loop, rig->n_done > before, text);
}

static void check_answer(struct rig *rig, enum signal_code code, const char *want, const char *name) {
    struct buf out;
    buf_init(&out, 1 << 16);
    CHECK_INT(rig->answer.code, code, name);
    for (size_t i = 0; i < rig->answer.n; i++)
        buf_printf(&out, "%s%.*s=%g", i ? " " : "", VSR_FMT(rig->answer.labels[i]), (double)rig->answer.numbers[i]);
    if (code == SIGNAL_OK)
        CHECK_STR(buf_str(&out), want, name);
    else
        CHECK_MSG(strstr(rig->answer.reason, want), "case \"%s\": \"%s\" has no \"%s\"", name, rig->answer.reason,
                  want);
    buf_done(&out);
}

TEST(classifies) {
    struct rig rig;
    rig_begin(&rig);
    ask(&rig, "the integral of x");
    check_answer(&rig, SIGNAL_OK, "math=0.75 law=0.25", "probabilities");
    CHECK_STR(str_from_c(rig.answer.model), "shell", "model");
    CHECK_STR(str_from_c(rig.answer.version), "3", "version");
    ask(&rig, "a contract");
    check_answer(&rig, SIGNAL_OK, "math=0 law=0.5", "top class");
    ask(&rig, "a wrong index");
    check_answer(&rig, SIGNAL_FAILED, "sh: the class is 7 of 2 categories", "wrong");
    ask(&rig, "it fails");
    check_answer(&rig, SIGNAL_FAILED, "the tool reports a failure", "failure");
    ask(&rig, "it ends");
    check_answer(&rig, SIGNAL_UNAVAILABLE, "ended with status 9", "end");
    ask(&rig, "the integral of x");
    check_answer(&rig, SIGNAL_UNAVAILABLE, "ended with status 9", "before it is back");
    for (uint64_t end = clock_mono_ms() + PUMP_MS_MAX; clock_mono_ms() < end && rig.answer.code != SIGNAL_OK;)
        ask(&rig, "a contract");
    check_answer(&rig, SIGNAL_OK, "math=0 law=0.5", "it is back, and its categories with it");
    rig_end(&rig);
}

/* An index means nothing without the list that it is an index into. */
TEST(categories_change_under_a_question) {
    struct rig rig;
    rig_begin(&rig);
    ask(&rig, "a contract");
    check_answer(&rig, SIGNAL_OK, "math=0 law=0.5", "the first list");
    ask(&rig, "it moves");
    check_answer(&rig, SIGNAL_OK, "law=0 math=1", "asked again with the new list");
    ask(&rig, "restless");
    check_answer(&rig, SIGNAL_FAILED, "sh: its tools changed twice", "whose list is never the last");
    ask(&rig, "a contract");
    check_answer(&rig, SIGNAL_OK, "law=0.5 math=0", "the next");
    rig_end(&rig);
}

TEST(late_and_cancelled) {
    vsr_str silent = VSR_STR("silent"), text = VSR_STR("a contract");
    struct rig rig;
    rig_begin(&rig);
    remote_call_cancel(start(&rig, &text, 0)); /* before the hub has seen it */
    (void)start(&rig, &silent, 20);
    PUMP(rig.loop, rig.n_done == 1, "late");
    check_answer(&rig, SIGNAL_TIMEOUT, "in time", "late");
    ask(&rig, "a contract");
    check_answer(&rig, SIGNAL_OK, "math=0 law=0.5", "the next");
    (void)start(&rig, &silent, 20);
    {
        struct remote_call *call = start(&rig, &silent, 0);
        pump_turns(rig.loop, 5);
        remote_call_cancel(call); /* while the server works on it */
    }
    PUMP(rig.loop, rig.n_done == 3, "the other one is late alone");
    rig_end(&rig);
}

TEST(tools_that_do_not_fit) {
    struct rig rig;
    rig_begin(&rig);
    rig.config.tool_name = VSR_STR("sort_mail");
    ask(&rig, "x");
    check_answer(&rig, SIGNAL_FAILED, "it has no tool \"sort_mail\"", "name");
    rig_end(&rig);
}

TEST(no_hub) {
    struct rig rig;
    rig_begin(&rig);
    rig.host.mcp = NULL;
    ask(&rig, "x");
    check_answer(&rig, SIGNAL_UNAVAILABLE, "not asked here", "hub");
    rig_end(&rig);
}

/* Two of the same are one, and outlive the first. */
TEST(sessions_are_shared) {
    struct remote_client *other;
    struct rig rig;
    rig_begin(&rig);
    ask(&rig, "a contract");
    other = remote_client_new(&rig.host, &rig.source);
    remote_client_free(rig.client);
    rig.client = other;
    pump_turns(rig.loop, 20);
    {
        vsr_str text = VSR_STR("a contract");
        (void)start(&rig, &text, 0);
    }
    PUMP(rig.loop, rig.n_done == 2, "answered");
    check_answer(&rig, SIGNAL_OK, "math=0 law=0.5", "shared");
    rig_end(&rig);
}

/* ---- workers with loops of their own */

enum { WORKERS = 3, ROUNDS = 40 };

struct worker {
    pthread_t thread;
    struct rig rig;
    struct mcp_hub *hub;
    int n_ok, n_cancelled;
};

static void *work(void *data) {
    struct worker *worker = data;
    struct rig *rig = &worker->rig;
    vsr_str text = VSR_STR("a contract");
    CHECK(loop_new(&rig->loop, NULL) == 0, "loop");
    rig->host = (struct remote_host){ .loop = rig->loop, .mcp = worker->hub };
    for (int i = 0; i < ROUNDS; i++) {
        struct remote_call *call = start(rig, &text, 0);
        if (i % 3 == 1) {
            for (int turns = i % 7; turns > 0; turns--)
                loop_run_once(rig->loop, 1);
            if (rig->n_done == 0) {
                remote_call_cancel(call);
                worker->n_cancelled++;
                rig->n_done = 1;
            }
        }
        while (rig->n_done == 0)
            loop_run_once(rig->loop, 5);
        worker->n_ok += rig->answer.code == SIGNAL_OK;
        rig->n_done = 0;
    }
    remote_client_free(rig->client);
    loop_free(rig->loop);
    return NULL;
}

static bool all_done(struct worker *workers) {
    bool all = true;
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].thread && pthread_tryjoin_np(workers[i].thread, NULL) == 0)
            workers[i].thread = 0;
        else
            all &= workers[i].thread == 0;
    return all;
}

TEST(across_threads) {
    struct worker workers[WORKERS];
    struct rig rig;
    rig_begin(&rig);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){ .hub = rig.hub };
        rig_config(&workers[i].rig);
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
    }
    PUMP(rig.loop, all_done(workers), "workers");
    for (int i = 0; i < WORKERS; i++) {
        CHECK_INT(workers[i].n_ok, ROUNDS, "every answer"); /* a cancelled one leaves the answer before it */
        arena_free(workers[i].rig.arena);
    }
    rig_end(&rig);
}

RUN_TESTS(T(classifies), T(categories_change_under_a_question), T(late_and_cancelled), T(tools_that_do_not_fit),
          T(no_hub), T(sessions_are_shared), T(across_threads))
