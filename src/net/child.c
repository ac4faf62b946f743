#include "net/child.h"

#include <signal.h>
#include <uv.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/loop.h"

enum { SIGNALLED = 128 };

struct child {
    uv_process_t process;
    uv_pipe_t in, out, err;
    struct loop *loop;
    const struct child_events *events; /* NULL: the owner has gone */
    void *owner;
    struct loop_timer timer;
    size_t queued;
    uint64_t grace_ms;
    int n_open; /* handles that are not closed yet */
    int code;
    bool exited, out_ended, err_ended, told, stopping;
    void (*on_gone)(void *data);
    void *gone_data;
};

/* ---- the end */

static void on_closed(uv_handle_t *handle) {
    struct child *child = handle->data;
    if (--child->n_open > 0)
        return;
    if (child->on_gone)
        child->on_gone(child->gone_data);
    mem_free(child);
}

static void close_handle(void *handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void destroy(struct child *child) {
    loop_timer_stop(&child->timer);
    close_handle(&child->in);
    close_handle(&child->out);
    close_handle(&child->err);
    close_handle(&child->process);
}

/* Once it has ended and all of its output was read. */
static void maybe_over(struct child *child) {
    if (!child->exited || child->told)
        return;
    if (child->stopping) {
        child->told = true;
        destroy(child);
        return;
    }
    if (!child->out_ended || !child->err_ended)
        return;
    child->told = true;
    loop_timer_stop(&child->timer);
    child->events->on_exit(child->owner, child->code);
}

/* Something that the child started holds its output open. */
static void on_output_late(void *data) {
    struct child *child = data;
    child->out_ended = child->err_ended = true;
    maybe_over(child);
}

static void on_process_end(uv_process_t *process, int64_t status, int signum) {
    enum { OUTPUT_MS = 1000 };
    struct child *child = process->data;
    (void)kill(-process->pid, SIGKILL); /* what it started and left behind */
    child->exited = true;
    child->code = signum ? SIGNALLED + signum : (int)status;
    if (!child->stopping)
        loop_timer_start(child->loop, &child->timer, OUTPUT_MS, on_output_late, child);
    maybe_over(child);
}

/* ---- reading */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buf) {
    struct child *child = handle->data;
    (void)wanted;
    *ret_buf = uv_buf_init(loop_read_buffer(child->loop), LOOP_READ_LEN);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes) {
    struct child *child = stream->data;
    bool is_out = (void *)stream == (void *)&child->out;
    if (n > 0) {
        if (!child->stopping)
            (is_out ? child->events->on_out : child->events->on_err)(child->owner, str_make(bytes->base, (size_t)n));
        return;
    }
    if (n == 0)
        return;
    uv_read_stop(stream);
    if (is_out)
        child->out_ended = true;
    else
        child->err_ended = true;
    maybe_over(child);
}

/* ---- writing */

struct writing {
    uv_write_t request;
    struct child *child;
    size_t len;
    char bytes[];
};

static void on_written(uv_write_t *request, int status) {
    struct writing *writing = request->data;
    (void)status; /* a child that reads no more tells by its end */
    writing->child->queued -= writing->len;
    mem_free(writing);
}

int child_write(struct child *child, vsr_str bytes) {
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len); /* libuv only reads it */
    struct writing *writing;
    int n = 0;
    if (child->exited || child->stopping || uv_is_closing((uv_handle_t *)&child->in))
        return VSR_E_CLOSED;
    if (bytes.len > CHILD_QUEUE_MAX - child->queued)
        return VSR_E_LIMIT;
    if (child->queued == 0)
        n = uv_try_write((uv_stream_t *)&child->in, &buf, 1);
    if (n < 0 && n != UV_EAGAIN)
        return VSR_E_CLOSED;
    bytes = str_sub(bytes, n > 0 ? (size_t)n : 0, bytes.len);
    if (bytes.len == 0)
        return 0;
    writing = mem_alloc(sizeof(*writing) + bytes.len);
    memcpy(writing->bytes, bytes.ptr, bytes.len);
    writing->len = bytes.len;
    writing->child = child;
    writing->request.data = writing;
    buf = uv_buf_init(writing->bytes, (unsigned)bytes.len);
    if (uv_write(&writing->request, (uv_stream_t *)&child->in, &buf, 1, on_written) < 0) {
        mem_free(writing);
        return VSR_E_CLOSED;
    }
    child->queued += bytes.len;
    return 0;
}

/* ---- stopping */

static void signal_group(struct child *child, int signum) {
    if (!child->exited && child->process.pid > 0)
        (void)kill(-child->process.pid, signum); /* gone already is as good */
}

void child_kill(struct child *child) {
    loop_timer_stop(&child->timer);
    signal_group(child, SIGKILL);
}

static void on_kill_due(void *data) {
    child_kill(data);
}

static void on_term_due(void *data) {
    struct child *child = data;
    signal_group(child, SIGTERM);
    loop_timer_start(child->loop, &child->timer, child->grace_ms, on_kill_due, child);
}

void child_stop(struct child *child, uint64_t grace_ms, void (*on_gone)(void *data), void *data) {
    if (!child)
        return;
    VSR_ASSERT(!child->stopping);
    child->stopping = true;
    child->events = NULL;
    child->grace_ms = grace_ms;
    child->on_gone = on_gone;
    child->gone_data = data;
    if (child->exited) {
        child->told = true;
        destroy(child);
        return;
    }
    close_handle(&child->in);
    if (grace_ms == 0)
        child_kill(child);
    else
        loop_timer_start(child->loop, &child->timer, grace_ms, on_term_due, child);
}

int child_pid(const struct child *child) {
    return child->process.pid;
}

/* ---- starting */

static void init_pipe(struct child *child, uv_pipe_t *pipe) {
    (void)uv_pipe_init(loop_uv(child->loop), pipe, 0); /* cannot fail on a Unix */
    pipe->data = child;
    child->n_open++;
}

static int spawn(struct child *child, const struct child_options *options) {
    uv_stdio_container_t stdio[3] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&child->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->out },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->err },
    };
    const uv_process_options_t spawning = {
        .exit_cb = on_process_end,
        .file = options->argv[0],
        .args = (char **)(uintptr_t)options->argv, /* libuv only reads them */
        .env = (char **)(uintptr_t)options->env,
        .cwd = options->folder,
        .flags = UV_PROCESS_DETACHED, /* a group of its own */
        .stdio_count = 3,
        .stdio = stdio,
    };
    return uv_spawn(loop_uv(child->loop), &child->process, &spawning);
}

int child_start(struct loop *loop, const struct child_options *options, const struct child_events *events, void *owner,
                struct child **ret_child, struct vsr_err *err) {
    struct child *child = MEM_NEW(struct child);
    int rc;
    child->loop = loop;
    child->events = events;
    child->owner = owner;
    child->process.data = child;
    child->n_open = 1;
    init_pipe(child, &child->in);
    init_pipe(child, &child->out);
    init_pipe(child, &child->err);
    rc = spawn(child, options);
    if (rc < 0) {
        child->exited = true;
        destroy(child);
        return err_set(err, rc == UV_ENOENT ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot start \"%s\"%s%s: %s",
                       options->argv[0], options->folder ? " in " : "", options->folder ? options->folder : "",
                       uv_strerror(rc));
    }
    VSR_ASSERT(uv_read_start((uv_stream_t *)&child->out, on_alloc, on_read) == 0); /* open and readable */
    VSR_ASSERT(uv_read_start((uv_stream_t *)&child->err, on_alloc, on_read) == 0);
    *ret_child = child;
    return 0;
}
