#include "evidence/mcp_tool.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/mcp_verdict.h"
#include "mcp/hub.h"
#include "mcp/message.h"
#include "mcp/session.h"

enum {
    PAGES_MAX = 64,
    PREPARE_MS = 30000, /* for each step of finding out; texts that wait have their own time */
    REASON_LEN = 320,
    PARAMS_LEN_MAX = 64 << 20,
};

/* What waits for the preparation, or for its answer. */
struct mcp_question {
    struct mcp_question *next; /* while it waits */
    struct mcp_tool *tool;
    struct mcp_request *request; /* NULL: it waits */
    uint64_t generation;         /* of the session, and so of the categories, that it was asked with */
    bool asked_again;
    struct mcp_asked asked;
    uint64_t timeout_ms;
    mcp_answer_fn *done;
    void *owner;
};

struct mcp_tool {
    struct mcp_session *session;
    const struct mcp_format *format;
    vsr_str wanted;           /* its name; empty: to be found */
    struct arena *arena;      /* of the tool */
    struct arena *prepared;   /* of what was found out; NULL: nothing yet */
    uint64_t generation;      /* of the session that it was found out about */
    uint64_t told_generation; /* for which the log says that it is of no use */
    struct mcp_tools tools;   /* in `prepared` */
    vsr_str *categories;
    size_t n_categories;
    size_t dims;                 /* of vectors, since it was prepared; 0: there were none */
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

static void finish(struct mcp_question *question, const struct mcp_answer *answer) {
    mcp_answer_fn *done = question->done;
    void *owner = question->owner;
    mem_free(question);
    done(owner, answer);
}

static int read_result(const struct mcp_question *question, struct arena *scratch, const struct mcp_reply *reply,
                       struct mcp_told *ret_told, struct vsr_err *err) {
    struct mcp_tool *tool = question->tool;
    struct mcp_asked asked = question->asked;
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    int rc = mcp_tool_object(scratch, reply->doc, reply->result, &doc, &object, err);
    if (tool->n_categories > 0) {
        asked.labels = tool->categories;
        asked.n_labels = tool->n_categories;
    }
    asked.dims = tool->dims;
    if (rc == 0)
        rc = tool->format->read(scratch, doc, object, &asked, ret_told, err);
    if (rc == 0 && ret_told->n_labels == 0)
        tool->dims = ret_told->n / asked.n_texts;
    return rc;
}

static void ask_again(struct mcp_question *question);

/* A server that has changed its tools meanwhile may have asked the one from before or the one from after. */
static bool is_outdated(const struct mcp_question *question) {
    return question->generation != mcp_session_generation(question->tool->session);
}

static void tell(struct mcp_question *question, const struct mcp_reply *reply) {
    struct mcp_session *session = question->tool->session;
    struct arena *scratch = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct mcp_answer answer = {
        .name = mcp_session_server_name(session),
        .version = mcp_session_server_version(session),
    };
    if (reply->code < 0) {
        answer.code = code_of(reply->code);
        answer.reason = reply->reason;
    } else if (is_outdated(question)) {
        (void)err_set(&err, VSR_E_INVALID, "%s: its tools changed twice before it answered",
                      mcp_session_place(session));
        answer.code = SIGNAL_FAILED;
        answer.reason = err.text;
    } else if (read_result(question, scratch, reply, &answer.told, &err) < 0) {
        (void)err_wrap(&err, "%s", mcp_session_place(session));
        answer.code = SIGNAL_FAILED;
        answer.reason = err.text;
    }
    finish(question, &answer);
    arena_free(scratch);
}

static void on_answer(void *owner, const struct mcp_reply *reply) {
    struct mcp_question *question = owner;
    question->request = NULL;
    if (reply->code == 0 && is_outdated(question) && !question->asked_again)
        ask_again(question);
    else
        tell(question, reply);
}

static void write_call(struct buf *out, const struct mcp_tool *tool, const struct mcp_asked *asked) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("name"));
    json_write_str(&w, tool->tools.tool);
    json_write_key(&w, VSR_STR("arguments"));
    json_write_begin_object(&w);
    tool->format->write(&w, &tool->tools, asked);
    json_write_end(&w);
    json_write_end(&w);
}

static void call_tool(struct mcp_question *question) {
    const struct mcp_tool *tool = question->tool;
    struct buf params;
    buf_init(&params, PARAMS_LEN_MAX);
    write_call(&params, tool, &question->asked);
    if (buf_failed(&params))
        (void)buf_reserve(&params, SIZE_MAX); /* the session refuses what is too long */
    question->generation = mcp_session_generation(tool->session);
    question->request =
        mcp_session_request(tool->session, "tools/call", buf_str(&params), question->timeout_ms, on_answer, question);
    buf_done(&params);
}

static struct mcp_question *take_waiting(struct mcp_tool *tool) {
    struct mcp_question *question = tool->waiting;
    if (!question)
        return NULL;
    tool->waiting = question->next;
    if (!tool->waiting)
        tool->waiting_end = &tool->waiting;
    return question;
}

static void append_waiting(struct mcp_tool *tool, struct mcp_question *question) {
    question->next = NULL; /* it may have waited before */
    *tool->waiting_end = question;
    tool->waiting_end = &question->next;
}

static void remove_waiting(struct mcp_tool *tool, struct mcp_question *question) {
    struct mcp_question **link = &tool->waiting;
    while (*link && *link != question)
        link = &(*link)->next;
    if (*link)
        *link = question->next;
    if (tool->waiting_end == &question->next)
        tool->waiting_end = link;
}

/* ---- finding out */

static void forget(struct mcp_tool *tool) {
    arena_free(tool->prepared);
    tool->prepared = NULL;
    tool->tools = (struct mcp_tools){ 0 };
    tool->categories = NULL;
    tool->n_categories = 0;
    tool->dims = 0;
    tool->n_pages = 0;
}

/* Those that wait now fail; the next text tries once more. */
static void fail_waiting(struct mcp_tool *tool, enum signal_code code, const char *reason) {
    struct mcp_question *waiting = tool->waiting, *next;
    forget(tool);
    tool->waiting = NULL;
    tool->waiting_end = &tool->waiting;
    for (; waiting; waiting = next) {
        next = waiting->next;
        finish(waiting, &(struct mcp_answer){ .code = code, .reason = reason });
    }
}

static void fail_because(struct mcp_tool *tool, enum signal_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fail_because(struct mcp_tool *tool, enum signal_code code, const char *format, ...) {
    char reason[REASON_LEN];
    va_list args;
    int len = snprintf(reason, sizeof(reason), "%.100s: ", mcp_session_place(tool->session));
    va_start(args, format);
    (void)vsnprintf(reason + len, sizeof(reason) - (size_t)len, format, args); /* cut is fine */
    va_end(args);
    if (tool->told_generation != mcp_session_generation(tool->session))
        LOG_WARN("a tool server is of no use", LOG_C("reason", reason));
    tool->told_generation = mcp_session_generation(tool->session);
    fail_waiting(tool, code, reason);
}

static bool is_prepared(const struct mcp_tool *tool) {
    return tool->prepared && !tool->request && tool->generation == mcp_session_generation(tool->session);
}

static void ask_tools(struct mcp_tool *tool);

static void finish_preparing(struct mcp_tool *tool) {
    if (tool->generation != mcp_session_generation(tool->session)) {
        forget(tool); /* it has changed meanwhile */
        ask_tools(tool);
        return;
    }
    LOG_INFO("a tool is there", LOG_C("server", mcp_session_place(tool->session)), LOG_S("tool", tool->tools.tool),
             LOG_C("does", tool->format->does), LOG_U("categories", tool->n_categories));
    for (struct mcp_question *question; (question = take_waiting(tool)) != NULL;)
        call_tool(question);
}

static void on_categories(void *owner, const struct mcp_reply *reply) {
    struct mcp_tool *tool = owner;
    struct vsr_err err = VSR_ERR_NONE;
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    int rc;
    tool->request = NULL;
    if (reply->code < 0) {
        fail_waiting(tool, code_of(reply->code), reply->reason);
        return;
    }
    rc = mcp_tool_object(tool->prepared, reply->doc, reply->result, &doc, &object, &err);
    if (rc == 0)
        rc = mcp_categories_read(tool->prepared, doc, object, &tool->categories, &tool->n_categories, &err);
    if (rc < 0)
        fail_because(tool, SIGNAL_FAILED, "%s: %s", MCP_LIST_TOOL, err.text);
    else
        finish_preparing(tool);
}

static void ask_categories(struct mcp_tool *tool) {
    tool->request =
        mcp_session_request(tool->session, "tools/call", VSR_STR("{\"name\":\"" MCP_LIST_TOOL "\",\"arguments\":{}}"),
                            PREPARE_MS, on_categories, tool);
}

static void on_tools(void *owner, const struct mcp_reply *reply) {
    struct mcp_tool *tool = owner;
    struct vsr_err err = VSR_ERR_NONE;
    tool->request = NULL;
    if (reply->code < 0) {
        fail_waiting(tool, code_of(reply->code), reply->reason);
        return;
    }
    if (tool->n_pages == 1)
        tool->generation = mcp_session_generation(tool->session);
    if (mcp_tools_read(tool->prepared, reply->doc, reply->result, &tool->format->tool, tool->wanted, &tool->tools,
                       &err) < 0)
        fail_because(tool, SIGNAL_FAILED, "%s", err.text);
    else if (tool->tools.next.len && tool->n_pages < PAGES_MAX)
        ask_tools(tool);
    else if (tool->tools.tool.len == 0 && tool->wanted.len)
        fail_because(tool, SIGNAL_FAILED, "it has no tool \"%.*s\"", VSR_FMT(tool->wanted));
    else if (tool->tools.tool.len == 0)
        fail_because(tool, SIGNAL_FAILED, "none of its tools %s; name one by tool_name", tool->format->does);
    else if (tool->tools.has_lister)
        ask_categories(tool);
    else
        finish_preparing(tool);
}

/* The next page. */
static void ask_tools(struct mcp_tool *tool) {
    struct buf params;
    struct json_writer w;
    buf_init(&params, MCP_MESSAGE_LEN_MAX);
    json_write_init(&w, &params);
    json_write_begin_object(&w);
    if (tool->tools.next.len) {
        json_write_key(&w, VSR_STR("cursor"));
        json_write_str(&w, tool->tools.next);
    }
    json_write_end(&w);
    if (!tool->prepared)
        tool->prepared = arena_new(0, 0);
    tool->n_pages++;
    tool->request = mcp_session_request(tool->session, "tools/list", buf_str(&params), PREPARE_MS, on_tools, tool);
    buf_done(&params);
}

/* ---- for users */

static void free_tool(void *data) {
    struct mcp_tool *tool = data;
    VSR_ASSERT(!tool->waiting);
    mcp_request_cancel(tool->request);
    arena_free(tool->prepared);
    arena_free(tool->arena);
    mem_free(tool);
}

struct mcp_tool *mcp_tool_of(struct mcp_server *server, const struct mcp_format *format, vsr_str name) {
    struct mcp_tool *tool = mcp_server_user(server);
    if (tool)
        return tool;
    tool = MEM_NEW(struct mcp_tool);
    tool->arena = arena_new(0, 0);
    tool->session = mcp_server_session(server);
    tool->wanted = arena_str(tool->arena, str_trim(name));
    tool->format = format;
    tool->waiting_end = &tool->waiting;
    mcp_server_set_user(server, tool, free_tool);
    return tool;
}

/* Now, or once it is known what the tools are. */
static void begin(struct mcp_question *question) {
    struct mcp_tool *tool = question->tool;
    if (is_prepared(tool)) {
        call_tool(question);
        return;
    }
    append_waiting(tool, question);
    if (!tool->request) {
        forget(tool);
        ask_tools(tool);
    }
}

static void ask_again(struct mcp_question *question) {
    question->asked_again = true;
    begin(question);
}

struct mcp_question *mcp_tool_ask(struct mcp_tool *tool, const struct mcp_asked *asked, uint64_t timeout_ms,
                                  mcp_answer_fn *done, void *owner) {
    struct mcp_question *question = MEM_NEW(struct mcp_question);
    question->tool = tool;
    question->asked = *asked;
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
        remove_waiting(question->tool, question);
    mem_free(question);
}
