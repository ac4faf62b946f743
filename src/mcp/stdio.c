/*
 * stdio - a tool server that is a process of ours.
 *
 * Messages are lines. What else it writes to its output is dropped, because programs do write there by mistake, but
 * told once. Its standard error goes to the log, some lines in some seconds: as information until the handshake, since
 * that is where a server says why it does not start, and afterwards as debugging, since it may repeat texts that it was
 * given.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "core/log.h"
#include "core/mem.h"
#include "mcp/message.h"
#include "mcp/server.h"
#include "mcp/transport.h"
#include "net/child.h"
#include "net/loop.h"

enum {
    GRACE_MS = 1000, /* for each step of its end */
    END_MS = 1000,
    REASON_LEN = 160,
    LOG_LINE_LEN_MAX = 1024,
    LOG_LINES_MAX = 50, /* in LOG_WINDOW_MS */
    LOG_WINDOW_MS = 10000,
};

struct stdio {
    struct mcp_transport base;
    struct loop *loop;
    struct arena *arena;
    const char *command;
    struct child *child;
    struct mcp_lines lines;
    struct loop_timer timer; /* writing failed: its end, which tells why, is waited for a little */
    bool ready, told_noise, stopped;
    struct buf log_line;
    size_t n_logged, n_dropped;
    uint64_t log_window_ms;
    void (*on_gone)(void *data);
    void *gone_data;
};

/* ---- standard error */

static void log_line(struct stdio *stdio, vsr_str line) {
    uint64_t now = loop_now_ms(stdio->loop);
    if (now - stdio->log_window_ms >= LOG_WINDOW_MS) {
        if (stdio->n_dropped > 0)
            LOG_WARN("lines of a tool server were not logged", LOG_C("command", stdio->command),
                     LOG_U("lines", stdio->n_dropped));
        stdio->log_window_ms = now;
        stdio->n_logged = stdio->n_dropped = 0;
    }
    if (stdio->n_logged >= LOG_LINES_MAX) {
        stdio->n_dropped++;
        return;
    }
    stdio->n_logged++;
    if (stdio->ready)
        LOG_DEBUG("a tool server says", LOG_C("command", stdio->command), LOG_S("line", line));
    else
        LOG_INFO("a tool server says", LOG_C("command", stdio->command), LOG_S("line", line));
}

static void on_err(void *owner, vsr_str bytes) {
    struct stdio *stdio = owner;
    while (bytes.len) {
        ptrdiff_t end = str_find_char(bytes, '\n');
        vsr_str part = end < 0 ? bytes : str_sub(bytes, 0, (size_t)end);
        (void)buf_append(&stdio->log_line, str_sub(part, 0, LOG_LINE_LEN_MAX - stdio->log_line.len));
        if (end < 0)
            return;
        if (str_trim(buf_str(&stdio->log_line)).len)
            log_line(stdio, str_trim(buf_str(&stdio->log_line)));
        buf_reset(&stdio->log_line);
        bytes = str_sub(bytes, (size_t)end + 1, bytes.len);
    }
}

/* ---- messages */

static bool looks_like_message(vsr_str line) {
    return line.len && (line.ptr[0] == '{' || line.ptr[0] == '[');
}

static void take_line(struct stdio *stdio, vsr_str line) {
    line = str_trim(line);
    if (looks_like_message(line)) {
        stdio->base.events->on_message(stdio->base.owner, line);
    } else if (line.len && !stdio->told_noise) {
        stdio->told_noise = true;
        LOG_WARN("a tool server writes other things than messages to its output; they are dropped",
                 LOG_C("command", stdio->command));
    }
}

static void on_out(void *owner, vsr_str bytes) {
    struct stdio *stdio = owner;
    vsr_str line;
    while (!stdio->stopped && bytes.len && mcp_lines_next(&stdio->lines, &bytes, &line))
        take_line(stdio, line);
    if (!stdio->stopped && stdio->lines.broken)
        stdio->base.events->on_lost(stdio->base.owner, VSR_E_LIMIT, "it sent a message that is too long");
}

static void on_end(void *owner, int code) {
    struct stdio *stdio = owner;
    char reason[REASON_LEN];
    if (stdio->log_line.len)
        on_err(stdio, VSR_STR("\n"));
    (void)snprintf(reason, sizeof(reason), "it ended with status %d", code);
    stdio->base.events->on_lost(stdio->base.owner, VSR_E_CLOSED, reason);
}

static const struct child_events events = { .on_out = on_out, .on_err = on_err, .on_exit = on_end };

static void on_unwritable(void *data) {
    struct stdio *stdio = data;
    if (!stdio->stopped)
        stdio->base.events->on_lost(stdio->base.owner, VSR_E_CLOSED, "it does not take messages any more");
}

static void stdio_send(struct mcp_transport *transport, vsr_str text, int64_t id) {
    struct stdio *stdio = (struct stdio *)transport;
    (void)id;
    if (child_write(stdio->child, text) < 0 || child_write(stdio->child, VSR_STR("\n")) < 0)
        loop_timer_start(stdio->loop, &stdio->timer, END_MS, on_unwritable, stdio);
}

static void stdio_forget(struct mcp_transport *transport, int64_t id, bool answered) {
    (void)transport;
    (void)id;
    (void)answered;
}

static void stdio_ready(struct mcp_transport *transport, vsr_str version) {
    struct stdio *stdio = (struct stdio *)transport;
    (void)version;
    stdio->ready = true;
}

/* ---- the end */

static void on_child_gone(void *data) {
    struct stdio *stdio = data;
    if (stdio->on_gone)
        stdio->on_gone(stdio->gone_data);
    mcp_lines_done(&stdio->lines); /* not before: it may have been stopped by one of its messages */
    buf_done(&stdio->log_line);
    arena_free(stdio->arena);
    mem_free(stdio);
}

static void stdio_stop(struct mcp_transport *transport, void (*on_gone)(void *data), void *data) {
    struct stdio *stdio = (struct stdio *)transport;
    stdio->stopped = true;
    stdio->on_gone = on_gone;
    stdio->gone_data = data;
    loop_timer_stop(&stdio->timer);
    child_stop(stdio->child, GRACE_MS, on_child_gone, stdio);
}

static const struct mcp_transport_ops stdio_ops = {
    .send = stdio_send,
    .forget = stdio_forget,
    .ready = stdio_ready,
    .stop = stdio_stop,
};

/* ---- the beginning */

/* What a program needs of our environment to run. */
static const char *const mcp_environment[] = { "PATH", "HOME", "USER",   "LOGNAME", "SHELL",
                                               "TERM", "LANG", "LC_ALL", "TZ",      "TMPDIR" };

static bool is_set(const struct mcp_server_options *options, const char *name) {
    for (size_t i = 0; i < options->n_env; i++)
        if (str_eq_c(options->env[i].name, name))
            return true;
    return false;
}

static const char *const *make_env(const struct mcp_server_options *options, struct arena *arena) {
    const char **env = ARENA_ARRAY(arena, const char *, options->n_env + VSR_COUNT(mcp_environment) + 1);
    size_t n = 0;
    for (size_t i = 0; i < options->n_env; i++)
        env[n++] = arena_printf(arena, "%.*s=%.*s", VSR_FMT(options->env[i].name), VSR_FMT(options->env[i].value)).ptr;
    for (size_t i = 0; i < VSR_COUNT(mcp_environment); i++) {
        const char *value = getenv(mcp_environment[i]);
        if (value && !is_set(options, mcp_environment[i]))
            env[n++] = arena_printf(arena, "%s=%s", mcp_environment[i], value).ptr;
    }
    return env;
}

static const char *const *make_argv(const struct mcp_server_options *options, struct arena *arena) {
    const char **argv = ARENA_ARRAY(arena, const char *, options->n_args + 2);
    argv[0] = arena_c_str(arena, str_trim(options->command));
    for (size_t i = 0; i < options->n_args; i++)
        argv[i + 1] = arena_c_str(arena, options->args[i]);
    return argv;
}

int mcp_stdio_open(const struct mcp_place *place, const struct mcp_server_options *options,
                   const struct mcp_transport_events *transport_events, void *owner,
                   struct mcp_transport **ret_transport, struct vsr_err *err) {
    struct stdio *stdio = MEM_NEW(struct stdio);
    struct child_options child;
    int rc;
    stdio->arena = arena_new(0, 0);
    child = (struct child_options){
        .argv = make_argv(options, stdio->arena),
        .env = make_env(options, stdio->arena),
        .folder = options->folder.len ? arena_c_str(stdio->arena, options->folder) : NULL,
    };
    stdio->base = (struct mcp_transport){ .ops = &stdio_ops, .events = transport_events, .owner = owner };
    stdio->loop = place->loop;
    stdio->command = child.argv[0];
    mcp_lines_init(&stdio->lines);
    buf_init(&stdio->log_line, LOG_LINE_LEN_MAX);
    stdio->log_window_ms = loop_now_ms(place->loop);
    rc = child_start(place->loop, &child, &events, stdio, &stdio->child, err);
    if (rc < 0) {
        mcp_lines_done(&stdio->lines);
        buf_done(&stdio->log_line);
        arena_free(stdio->arena);
        mem_free(stdio);
        return rc;
    }
    *ret_transport = &stdio->base;
    return 0;
}
