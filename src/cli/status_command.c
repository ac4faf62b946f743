#include <time.h>

#include "cli/cli.h"
#include "cli/http_call.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"

enum { STATUS_TIMEOUT_MS = 5000, STATUS_POLL_MS = 50, STATUS_LEN_MAX = 4096 };

/* A gateway as it looks from outside. */
struct status {
    bool healthy, ready;
    struct vsr_err err; /* why it cannot be reached */
};

static bool ask(struct arena *arena, vsr_str url, const char *path, struct vsr_err *err) {
    const struct http_call call = { url, VSR_STR("GET"), str_from_c(path), VSR_STR(""), STATUS_TIMEOUT_MS };
    struct http_answer answer;
    return http_call(arena, &call, &answer, err) == 0 && answer.status == 200;
}

static struct status look(vsr_str url) {
    struct arena *arena = arena_new(0, 0);
    struct status status = { .err = VSR_ERR_NONE };
    status.healthy = ask(arena, url, "/health", &status.err);
    status.ready = status.healthy && ask(arena, url, "/ready", &status.err);
    arena_free(arena);
    return status;
}

static struct status look_until_ready(vsr_str url, uint64_t wait_ms) {
    const struct timespec pause = { 0, STATUS_POLL_MS * 1000000L };
    uint64_t begin_ms = clock_mono_ms();
    struct status status = look(url);
    while (!status.ready && clock_mono_ms() - begin_ms < wait_ms) {
        (void)nanosleep(&pause, NULL); /* a signal shortens the pause; no harm */
        status = look(url);
    }
    return status;
}

static void status_json(vsr_str url, const struct status *status, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("url"));
    json_write_str(&w, url);
    json_write_key(&w, VSR_STR("healthy"));
    json_write_bool(&w, status->healthy);
    json_write_key(&w, VSR_STR("ready"));
    json_write_bool(&w, status->ready);
    json_write_key(&w, VSR_STR("error"));
    if (status->err.code < 0)
        json_write_str(&w, str_from_c(status->err.text));
    else
        json_write_null(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* Else somebody is there, whom this program does not understand or trust. */
static bool is_away(const struct status *status) {
    return status->err.code == VSR_E_REFUSED || status->err.code == VSR_E_DNS;
}

static void status_text(vsr_str url, const struct status *status, bool colour, struct buf *out) {
    const char *word = status->ready     ? "ready"
                       : status->healthy ? "running, not ready"
                       : is_away(status) ? "not running"
                                         : "cannot be asked";
    buf_printf(out, "%.*s %s%s%s", VSR_FMT(url), term_if(colour, status->ready ? TERM_GREEN : TERM_RED), word,
               term_if(colour, TERM_RESET));
    if (!status->healthy && status->err.code < 0)
        buf_printf(out, ": %s", status->err.text);
    buf_append_char(out, '\n');
}

static int status_run(const struct cli *cli, int argc, char **argv) {
    vsr_str url = str_from_c(options_text(cli->options, "url"));
    struct spinner *spinner;
    struct status status;
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    spinner = spinner_start("waiting for the gateway");
    status = look_until_ready(url, options_number(cli->options, "wait") * 1000);
    spinner_stop(spinner);
    if (status.err.code == VSR_E_INVALID)
        return cli_usage(cli, "%s", status.err.text);
    buf_init(&out, STATUS_LEN_MAX);
    if (options_has(cli->options, "json"))
        status_json(url, &status, &out);
    else
        status_text(url, &status, cli->colour, &out);
    code = cli_finish(cli, &out, status.ready ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    return code;
}

static const struct option_spec status_options[] = {
    { "url", 'u', OPTION_TEXT, 0, "URL", "where the gateway listens", "http://127.0.0.1:8899", "VSR_URL" },
    { "wait", 0, OPTION_NUMBER, 0, "SECONDS", "how long to wait until it is ready", "0", .least = 0, .greatest = 3600 },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_status_spec = {
    .name = "status",
    .summary = "say whether a gateway is ready, or wait until it is",
    .usage = "vsr status [OPTION]...",
    .details =
        "Exits with 0 when the gateway takes requests, else with 1. SSL_CERT_FILE names the file of authorities\n"
        "to trust instead of the system's.\n",
    .examples = "vsr status --wait 10\n",
    .operands = OPERANDS_NONE,
    .options = status_options,
    .n_options = VSR_COUNT(status_options),
    .run = status_run,
};
