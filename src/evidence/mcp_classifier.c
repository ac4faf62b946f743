#include "evidence/mcp_classifier.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/mem.h"
#include "mcp/hub.h"
#include "mcp/message.h"
#include "mcp/session.h"

enum {
    PAGES_MAX = 64,
    PREPARE_MS = 30000, /* for each step of finding out; texts that wait have their own time */
    REASON_LEN = 320,
    ARGUMENTS_LEN_MAX = 64 << 20,
};

/* A text that waits for the preparation, or for its answer. */
struct mcp_question {
    struct mcp_question *next; /* while it waits */
    struct mcp_classifier *classifier;
    struct mcp_request *request; /* NULL: it waits */
    uint64_t generation;         /* of the session, and so of the categories, that it was asked with */
    bool asked_again;
    vsr_str text;
    const vsr_str *labels;
    size_t n_labels;
    uint64_t timeout_ms;
    mcp_classified_fn *done;
    void *owner;
};

struct mcp_classifier {
    struct mcp_session *session;
    vsr_str wanted;           /* tool; empty: to be found */
    struct arena *arena;      /* of the classifier */
    struct arena *prepared;   /* of what was found out; NULL: nothing yet */
    uint64_t generation;      /* of the session that it was found out about */
    uint64_t told_generation; /* for which the log says that it is of no use */
    struct mcp_tools tools;   /* in `prepared` */
    vsr_str *categories;
    size_t n_categories;
    struct mcp_request *request; /* the present step; NULL: none */
    unsigned n_pages;
    struct mcp_question *waiting, **waiting_end;
};

/* ---- texts */

static enum signal_code code_of(int code) {
    switch (code) {
    case VSR_E_TIMEOUT:
        return SIGNAL_TIMEOUT;
    case VSR_E_UNAVAILABLE:
        return SIGNAL_UNAVAILABLE;
    default:
        return SIGNAL_FAILED;
    }
}

static void finish(struct mcp_question *question, const struct mcp_classified *classified) {
    mcp_classified_fn *done = question->done;
    void *owner = question->owner;
    mem_free(question);
    done(owner, classified);
}

static int read_verdict(const struct mcp_question *question, struct arena *scratch, const struct mcp_reply *reply,
                        struct mcp_verdict *ret_verdict, struct vsr_err *err) {
    const struct mcp_classifier *classifier = question->classifier;
    bool listed = classifier->n_categories > 0;
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    int rc = mcp_tool_object(scratch, reply->doc, reply->result, &doc, &object, err);
    if (rc == 0)
        rc = mcp_verdict_read(scratch, doc, object, listed ? classifier->categories : question->labels,
                              listed ? classifier->n_categories : question->n_labels, ret_verdict, err);
    return rc;
}

static void ask_again(struct mcp_question *question);

/* A server that has changed its tools meanwhile may have meant the categories from before or those from after. */
static bool is_outdated(const struct mcp_question *question) {
    return question->generation != mcp_session_generation(question->classifier->session);
}

static void tell_classified(struct mcp_question *question, const struct mcp_reply *reply) {
    struct mcp_session *session = question->classifier->session;
    struct arena *scratch = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct mcp_classified classified = {
        .name = mcp_session_server_name(session),
        .version = mcp_session_server_version(session),
    };
    if (reply->code < 0) {
        classified.code = code_of(reply->code);
        classified.reason = reply->reason;
    } else if (is_outdated(question)) {
        (void)err_set(&err, VSR_E_INVALID, "%s: its tools changed twice while it classified a text",
                      mcp_session_place(session));
        classified.code = SIGNAL_FAILED;
        classified.reason = err.text;
    } else if (read_verdict(question, scratch, reply, &classified.verdict, &err) < 0) {
        (void)err_wrap(&err, "%s", mcp_session_place(session));
        classified.code = SIGNAL_FAILED;
        classified.reason = err.text;
    }
    finish(question, &classified);
    arena_free(scratch);
}

static void on_classified(void *owner, const struct mcp_reply *reply) {
    struct mcp_question *question = owner;
    question->request = NULL;
    if (reply->code == 0 && is_outdated(question) && !question->asked_again)
        ask_again(question);
    else
        tell_classified(question, reply);
}

static void write_arguments(struct buf *out, const struct mcp_classifier *classifier, vsr_str text) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("name"));
    json_write_str(&w, classifier->tools.classify);
    json_write_key(&w, VSR_STR("arguments"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("text"));
    json_write_str(&w, text);
    if (classifier->tools.probabilities) {
        json_write_key(&w, VSR_STR("with_probabilities"));
        json_write_bool(&w, true);
    }
    json_write_end(&w);
    json_write_end(&w);
}

static void call_tool(struct mcp_question *question) {
    const struct mcp_classifier *classifier = question->classifier;
    struct buf arguments;
    buf_init(&arguments, ARGUMENTS_LEN_MAX);
    write_arguments(&arguments, classifier, question->text);
    if (buf_failed(&arguments))
        (void)buf_reserve(&arguments, SIZE_MAX); /* the session refuses what is too long */
    question->generation = mcp_session_generation(classifier->session);
    question->request = mcp_session_request(classifier->session, "tools/call", buf_str(&arguments),
                                            question->timeout_ms, on_classified, question);
    buf_done(&arguments);
}

static struct mcp_question *take_waiting(struct mcp_classifier *classifier) {
    struct mcp_question *question = classifier->waiting;
    if (!question)
        return NULL;
    classifier->waiting = question->next;
    if (!classifier->waiting)
        classifier->waiting_end = &classifier->waiting;
    return question;
}

static void append_waiting(struct mcp_classifier *classifier, struct mcp_question *question) {
    question->next = NULL; /* it may have waited before */
    *classifier->waiting_end = question;
    classifier->waiting_end = &question->next;
}

static void remove_waiting(struct mcp_classifier *classifier, struct mcp_question *question) {
    struct mcp_question **link = &classifier->waiting;
    while (*link && *link != question)
        link = &(*link)->next;
    if (*link)
        *link = question->next;
    if (classifier->waiting_end == &question->next)
        classifier->waiting_end = link;
}

/* ---- finding out */

static void forget(struct mcp_classifier *classifier) {
    arena_free(classifier->prepared);
    classifier->prepared = NULL;
    classifier->tools = (struct mcp_tools){ 0 };
    classifier->categories = NULL;
    classifier->n_categories = 0;
    classifier->n_pages = 0;
}

/* Those that wait now fail; the next text tries once more. */
static void fail_waiting(struct mcp_classifier *classifier, enum signal_code code, const char *reason) {
    struct mcp_question *waiting = classifier->waiting, *next;
    forget(classifier);
    classifier->waiting = NULL;
    classifier->waiting_end = &classifier->waiting;
    for (; waiting; waiting = next) {
        next = waiting->next;
        finish(waiting, &(struct mcp_classified){ .code = code, .reason = reason });
    }
}

static void fail_because(struct mcp_classifier *classifier, enum signal_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fail_because(struct mcp_classifier *classifier, enum signal_code code, const char *format, ...) {
    char reason[REASON_LEN];
    va_list args;
    int len = snprintf(reason, sizeof(reason), "%.100s: ", mcp_session_place(classifier->session));
    va_start(args, format);
    (void)vsnprintf(reason + len, sizeof(reason) - (size_t)len, format, args); /* cut is fine */
    va_end(args);
    if (classifier->told_generation != mcp_session_generation(classifier->session))
        LOG_WARN("a tool server is of no use", LOG_C("reason", reason));
    classifier->told_generation = mcp_session_generation(classifier->session);
    fail_waiting(classifier, code, reason);
}

static bool is_prepared(const struct mcp_classifier *classifier) {
    return classifier->prepared && !classifier->request &&
           classifier->generation == mcp_session_generation(classifier->session);
}

static void ask_tools(struct mcp_classifier *classifier);

static void finish_preparing(struct mcp_classifier *classifier) {
    if (classifier->generation != mcp_session_generation(classifier->session)) {
        forget(classifier); /* it has changed meanwhile */
        ask_tools(classifier);
        return;
    }
    LOG_INFO("a tool server classifies texts", LOG_C("server", mcp_session_place(classifier->session)),
             LOG_S("tool", classifier->tools.classify), LOG_U("categories", classifier->n_categories));
    for (struct mcp_question *question; (question = take_waiting(classifier)) != NULL;)
        call_tool(question);
}

static void on_categories(void *owner, const struct mcp_reply *reply) {
    struct mcp_classifier *classifier = owner;
    struct vsr_err err = VSR_ERR_NONE;
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    int rc;
    classifier->request = NULL;
    if (reply->code < 0) {
        fail_waiting(classifier, code_of(reply->code), reply->reason);
        return;
    }
    rc = mcp_tool_object(classifier->prepared, reply->doc, reply->result, &doc, &object, &err);
    if (rc == 0)
        rc = mcp_categories_read(classifier->prepared, doc, object, &classifier->categories, &classifier->n_categories,
                                 &err);
    if (rc < 0)
        fail_because(classifier, SIGNAL_FAILED, "%s: %s", MCP_LIST_TOOL, err.text);
    else
        finish_preparing(classifier);
}

static void ask_categories(struct mcp_classifier *classifier) {
    classifier->request = mcp_session_request(classifier->session, "tools/call",
                                              VSR_STR("{\"name\":\"" MCP_LIST_TOOL "\",\"arguments\":{}}"), PREPARE_MS,
                                              on_categories, classifier);
}

static void on_tools(void *owner, const struct mcp_reply *reply) {
    struct mcp_classifier *classifier = owner;
    struct vsr_err err = VSR_ERR_NONE;
    classifier->request = NULL;
    if (reply->code < 0) {
        fail_waiting(classifier, code_of(reply->code), reply->reason);
        return;
    }
    if (classifier->n_pages == 1)
        classifier->generation = mcp_session_generation(classifier->session);
    if (mcp_tools_read(classifier->prepared, reply->doc, reply->result, classifier->wanted, &classifier->tools, &err) <
        0)
        fail_because(classifier, SIGNAL_FAILED, "%s", err.text);
    else if (classifier->tools.next.len && classifier->n_pages < PAGES_MAX)
        ask_tools(classifier);
    else if (classifier->tools.classify.len == 0 && classifier->wanted.len)
        fail_because(classifier, SIGNAL_FAILED, "it has no tool \"%.*s\"", VSR_FMT(classifier->wanted));
    else if (classifier->tools.classify.len == 0)
        fail_because(classifier, SIGNAL_FAILED, "none of its tools classifies texts; name one by tool_name");
    else if (classifier->tools.lists)
        ask_categories(classifier);
    else
        finish_preparing(classifier);
}

/* The next page. */
static void ask_tools(struct mcp_classifier *classifier) {
    struct buf params;
    struct json_writer w;
    buf_init(&params, MCP_MESSAGE_LEN_MAX);
    json_write_init(&w, &params);
    json_write_begin_object(&w);
    if (classifier->tools.next.len) {
        json_write_key(&w, VSR_STR("cursor"));
        json_write_str(&w, classifier->tools.next);
    }
    json_write_end(&w);
    if (!classifier->prepared)
        classifier->prepared = arena_new(0, 0);
    classifier->n_pages++;
    classifier->request =
        mcp_session_request(classifier->session, "tools/list", buf_str(&params), PREPARE_MS, on_tools, classifier);
    buf_done(&params);
}

/* ---- for users */

static void free_classifier(void *data) {
    struct mcp_classifier *classifier = data;
    VSR_ASSERT(!classifier->waiting);
    mcp_request_cancel(classifier->request);
    arena_free(classifier->prepared);
    arena_free(classifier->arena);
    mem_free(classifier);
}

struct mcp_classifier *mcp_classifier_of(struct mcp_server *server, vsr_str tool) {
    struct mcp_classifier *classifier = mcp_server_user(server);
    if (classifier)
        return classifier;
    classifier = MEM_NEW(struct mcp_classifier);
    classifier->arena = arena_new(0, 0);
    classifier->session = mcp_server_session(server);
    classifier->wanted = arena_str(classifier->arena, str_trim(tool));
    classifier->waiting_end = &classifier->waiting;
    mcp_server_set_user(server, classifier, free_classifier);
    return classifier;
}

/* Now, or once it is known what the tools are. */
static void begin(struct mcp_question *question) {
    struct mcp_classifier *classifier = question->classifier;
    if (is_prepared(classifier)) {
        call_tool(question);
        return;
    }
    append_waiting(classifier, question);
    if (!classifier->request) {
        forget(classifier);
        ask_tools(classifier);
    }
}

static void ask_again(struct mcp_question *question) {
    question->asked_again = true;
    begin(question);
}

struct mcp_question *mcp_classifier_ask(struct mcp_classifier *classifier, vsr_str text, const vsr_str *labels,
                                        size_t n_labels, uint64_t timeout_ms, mcp_classified_fn *done, void *owner) {
    struct mcp_question *question = MEM_NEW(struct mcp_question);
    question->classifier = classifier;
    question->text = text;
    question->labels = labels;
    question->n_labels = n_labels;
    question->timeout_ms = timeout_ms;
    question->done = done;
    question->owner = owner;
    begin(question);
    return question;
}

void mcp_question_cancel(struct mcp_question *question) {
    if (question->request)
        mcp_request_cancel(question->request);
    else
        remove_waiting(question->classifier, question);
    mem_free(question);
}
