/* Texts classified and embedded by a tool server that is a shell script, through the whole of remote.h. */
#include <pthread.h>

#include "config/global_catalog.h"
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
    " *tools/list*) reply '{\"tools\":[{\"name\":\"classify_text\"},{\"name\":\"list_categories\"},"
    "{\"name\":\"embed_texts\"}]}';;"
    " *'[\"two\",\"one\"]'*) tool '{\"embeddings\":[[0,2],[1,0]]}';;"
    " *'[\"one\"'*'\"third\"]'*) tool '{\"embeddings\":[[1,0],[0,2],[3,4]]}';;"
    " *'[\"fourth\"]'*) tool '{\"embeddings\":[[-1,0]]}';;"
    " *'[\"one\"]'*) tool '{\"embeddings\":[[1,0]]}';;"
    " *'[\"wider\"]'*) tool '{\"embeddings\":[[1,0,0]]}';;"
    " *'[\"other model\"]'*) changed; tool '{\"embeddings\":[[1,0,0]]}';;"
    " *'[\"zero\"]'*) tool '{\"embeddings\":[[0,0]]}';;"
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
    struct config_semantic semantic;
    struct signal_source source;
    struct remote_host host;
    struct remote_client *client;
    struct evidence_answer answer;
    int n_done;
};

static void rig_config(struct rig *rig) {
    *rig = (struct rig){ .arena = arena_new(0, 0), .args = { VSR_STR("-c"), VSR_STR("") } };
    rig->args[1] = str_from_c(script);
    rig->config.server = (struct config_tool_server){ .transport_type = MCP_STDIO,
                                                      .command = VSR_STR("sh"),
                                                      .args = { .items = rig->args, .n = 2 } };
    rig->semantic.mcp.server = rig->config.server;
    rig->source = (struct signal_source){ .kind = SOURCE_MCP_CLASSIFY, .config = &rig->config };
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

static struct remote_call *start_many(struct rig *rig, enum evidence_kind kind, const vsr_str *texts, size_t n,
                                      uint64_t timeout_ms) {
    const struct remote_question question = {
        .kind = kind, .texts = texts, .n_texts = n, .timeout_ms = timeout_ms, .arena = rig->arena
    };
    if (!rig->client)
        rig->client = remote_client_new(&rig->host, &rig->source);
    return remote_call_start(rig->client, &question, on_done, rig);
}

static struct remote_call *start(struct rig *rig, const vsr_str *text, uint64_t timeout_ms) {
    return start_many(rig, EVIDENCE_CLASSES, text, 1, timeout_ms);
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
    rig.config.server.tool_name = VSR_STR("sort_mail");
    ask(&rig, "x");
    check_answer(&rig, SIGNAL_FAILED, "it has no tool \"sort_mail\"", "name");
    rig_end(&rig);
}

/* ---- vectors */

static void embed(struct rig *rig, const vsr_str *texts, size_t n, enum signal_code code, const char *want,
                  const char *name) {
    int before = rig->n_done;
    struct buf out;
    (void)start_many(rig, EVIDENCE_VECTOR, texts, n, 0);
    PUMP(rig->loop, rig->n_done > before, name);
    CHECK_INT(rig->answer.code, code, name);
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < rig->answer.n; i++)
        buf_printf(&out, "%s%g", i ? " " : "", (double)rig->answer.numbers[i]);
    if (code == SIGNAL_OK)
        CHECK_STR(buf_str(&out), want, name);
    else
        CHECK_MSG(strstr(rig->answer.reason, want), "case \"%s\": \"%s\" has no \"%s\"", name, rig->answer.reason,
                  want);
    buf_done(&out);
}

static void embedder_begin(struct rig *rig) {
    rig_begin(rig);
    rig->source = (struct signal_source){ .kind = SOURCE_MCP_EMBEDDINGS, .config = &rig->semantic };
}

TEST(embeds) {
    const vsr_str texts[] = { VSR_STR("one"), VSR_STR("two"), VSR_STR("third"), VSR_STR("fourth") };
    const vsr_str pair[] = { VSR_STR("two"), VSR_STR("one") }, wider = VSR_STR("wider"), zero = VSR_STR("zero");
    struct rig rig;
    embedder_begin(&rig);
    /* three go out first, because an answer of any length must fit into a message */
    embed(&rig, texts, 4, SIGNAL_OK, "1 0 0 1 0.6 0.8 -1 0", "in two pieces");
    CHECK_STR(str_from_c(rig.answer.model), "shell", "model");
    CHECK_STR(str_from_c(rig.answer.version), "3", "version");
    embed(&rig, pair, 2, SIGNAL_OK, "0 1 1 0", "at once");
    embed(&rig, &zero, 1, SIGNAL_FAILED, "sh: embeddings[0] has no direction: its length is 0", "zeros");
    embed(&rig, &wider, 1, SIGNAL_FAILED, "sh: embeddings[0] has 3 numbers, expected 2", "another length");
    embed(&rig, texts, 1, SIGNAL_OK, "1 0", "the next");
    rig_end(&rig);
}

TEST(target_dimension) {
    const vsr_str one = VSR_STR("one"), wider = VSR_STR("wider");
    struct rig rig;
    embedder_begin(&rig);
    rig.semantic.embedding_config.target_dimension = 3;
    embed(&rig, &one, 1, SIGNAL_FAILED, "embeddings[0] has 2 numbers, and target_dimension is 3", "too short");
    embed(&rig, &wider, 1, SIGNAL_OK, "1 0 0", "what failed fixes no length");
    rig_end(&rig);
}

/* With its tools a server may change its model; one that ends begins with nothing known. */
TEST(embedder_changes) {
    const vsr_str one = VSR_STR("one"), ends = VSR_STR("ends"), restless = VSR_STR("other model");
    const vsr_str wider = VSR_STR("wider");
    struct rig rig;
    embedder_begin(&rig);
    embed(&rig, &one, 1, SIGNAL_OK, "1 0", "before");
    embed(&rig, &restless, 1, SIGNAL_FAILED, "sh: its tools changed twice", "whose tool is never the last");
    embed(&rig, &wider, 1, SIGNAL_OK, "1 0 0", "after");
    embed(&rig, &ends, 1, SIGNAL_UNAVAILABLE, "ended with status 9", "end");
    embed(&rig, &one, 1, SIGNAL_UNAVAILABLE, "ended with status 9", "before it is back");
    for (uint64_t end = clock_mono_ms() + PUMP_MS_MAX; clock_mono_ms() < end && rig.answer.code != SIGNAL_OK;) {
        int before = rig.n_done;
        (void)start_many(&rig, EVIDENCE_VECTOR, &one, 1, 0);
        PUMP(rig.loop, rig.n_done > before, "back");
    }
    CHECK_INT(rig.answer.n, 2, "it is back");
    rig_end(&rig);
}

/* A classifier and an embedder of one program do not share a session: each has a tool of its own. */
TEST(embedder_late_and_cancelled) {
    const vsr_str one = VSR_STR("one"), silent = VSR_STR("silent");
    struct rig rig;
    embedder_begin(&rig);
    remote_call_cancel(start_many(&rig, EVIDENCE_VECTOR, &one, 1, 0));
    (void)start_many(&rig, EVIDENCE_VECTOR, &silent, 1, 20);
    PUMP(rig.loop, rig.n_done == 1, "late");
    CHECK_INT(rig.answer.code, SIGNAL_TIMEOUT, "late");
    embed(&rig, &one, 1, SIGNAL_OK, "1 0", "the next");
    {
        struct remote_call *call = start_many(&rig, EVIDENCE_VECTOR, &silent, 1, 0);
        pump_turns(rig.loop, 5);
        remote_call_cancel(call);
    }
    (void)start(&rig, &one, 0);
    PUMP(rig.loop, rig.n_done == 3, "asked for classes");
    check_answer(&rig, SIGNAL_FAILED, "does not give what is asked", "an embedder is no classifier");
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
          T(embeds), T(target_dimension), T(embedder_changes), T(embedder_late_and_cancelled), T(no_hub),
          T(sessions_are_shared), T(across_threads))
