/*
 * dsl_generate - `vsr dsl generate`: a program from what somebody wants, written by a model and judged by vsr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/chat_body.h"
#include "cli/cli.h"
#include "cli/config_migrate_file.h"
#include "cli/dsl_source.h"
#include "cli/dsl_verdict.h"
#include "cli/generate_model.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"
#include "core/json_write.h"

enum { INSTRUCTION_LEN_MAX = 1 << 20, CONTEXT_LEN_MAX = 4 << 20 };

struct request {
    const struct cli *cli;
    struct arena *arena;
    struct generate_task task;
    struct generate_model model;
    struct spinner *spinner;
};

/* What messages call a program that has no file yet. */
#define GENERATED "generated"

static int refuse(const struct request *request, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(const struct request *request, int error, const char *format, ...) {
    char text[VSR_ERR_TEXT_LEN];
    struct vsr_err err = VSR_ERR_NONE;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)err_set(&err, error, "%s", text);
    return dsl_refuse_err(request->cli, GENERATED, &err, "E_GENERATE");
}

/* ---- what is wanted */

static int read_stdin(const struct request *request, vsr_str *ret_text) {
    struct buf bytes;
    ssize_t n = 1;
    int failure = 0;
    buf_init(&bytes, INSTRUCTION_LEN_MAX);
    while (n > 0 && failure == 0) {
        char part[4096];
        n = read(STDIN_FILENO, part, sizeof(part));
        if (n > 0)
            buf_append(&bytes, str_make(part, (size_t)n));
        else if (n < 0 && errno == EINTR)
            n = 1;
        failure = n < 0 ? errno : buf_failed(&bytes);
    }
    *ret_text = arena_str(request->arena, buf_str(&bytes));
    buf_done(&bytes);
    if (failure == 0)
        return CLI_OK;
    return failure > 0 ? refuse(request, VSR_E_IO, "cannot read standard input: %s", strerror(failure))
                       : refuse(request, VSR_E_LIMIT, "what standard input says is longer than 1 MiB");
}

/* Arguments, else standard input, but for a terminal: nobody waits for what nobody knows is awaited. */
static int read_instruction(struct request *request, int argc, char **argv) {
    vsr_str text = VSR_STR("");
    int code = CLI_OK;
    if (argc > 0)
        text = chat_body_join(request->arena, argc, argv);
    else if (!isatty(STDIN_FILENO))
        code = read_stdin(request, &text);
    if (code != CLI_OK)
        return code;
    request->task.instruction = str_trim(text);
    if (request->task.instruction.len == 0)
        return refuse(request, VSR_E_INVALID, "what should the program do? Say it as an argument or on standard input");
    return CLI_OK;
}

static int read_text(struct request *request, const char *option, size_t len_max, vsr_str *ret_text) {
    const char *file = options_text(request->cli->options, option);
    struct vsr_err err = VSR_ERR_NONE;
    mode_t mode;
    if (!file)
        return CLI_OK;
    if (config_file_read(request->arena, file, len_max, ret_text, &mode, &err) < 0)
        return dsl_refuse_err(request->cli, file, &err, "E_IO");
    return CLI_OK;
}

static int read_task(struct request *request, int argc, char **argv) {
    struct dsl_base base = { 0 };
    int code = read_instruction(request, argc, argv);
    if (code == CLI_OK)
        code = read_text(request, "context", CONTEXT_LEN_MAX, &request->task.context);
    if (code == CLI_OK)
        code = read_text(request, "edit", DSL_BYTES_MAX, &request->task.current);
    if (code == CLI_OK)
        code = dsl_base_open(request->cli, request->arena, &base);
    request->task.base = base.root;
    return code;
}

/* ---- the model */

static int open_mock(struct request *request, const char *file) {
    struct vsr_err err = VSR_ERR_NONE;
    if (generate_model_mock(&request->model, request->arena, file, &err) == 0)
        return CLI_OK;
    return dsl_refuse_err(request->cli, file, &err, "E_GENERATE");
}

static int open_record(struct request *request, const char *file) {
    request->model.record_fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
    if (request->model.record_fd >= 0)
        return CLI_OK;
    return refuse(request, VSR_E_IO, "cannot write \"%s\": %s", file, strerror(errno));
}

static int open_model(struct request *request) {
    const struct options *options = request->cli->options;
    const char *url = options_text(options, "api-url"), *name = options_text(options, "model");
    const char *key = options_text(options, "api-key"), *mock = options_text(options, "mock");
    const char *recorded = options_text(options, "record");
    int code = CLI_OK;
    request->model.temperature = options_decimal(options, "temperature");
    request->model.max_tokens = options_number(options, "max-tokens");
    request->model.timeout_ms = options_number(options, "timeout") * 1000;
    request->model.model = str_from_c(name ? name : "mock");
    request->model.key = str_from_c(key ? key : "");
    if (mock)
        code = open_mock(request, mock);
    else if (!url || !*url)
        return refuse(request, VSR_E_INVALID, "which server? Give --api-url URL, or set VLLM_API_URL");
    else if (!name || !*name)
        return refuse(request, VSR_E_INVALID, "which model? Give --model NAME, or set VLLM_MODEL");
    else
        request->model.url = generate_model_url(request->arena, str_from_c(url));
    return code == CLI_OK && recorded ? open_record(request, recorded) : code;
}

/* ---- what goes on, where somebody looks */

static int ask(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
               struct generate_reply *ret_reply, struct vsr_err *err) {
    struct request *request = owner;
    int rc;
    request->spinner = spinner_start("waiting for the model");
    rc = generate_model_ask(&request->model, messages, arena, ret_reply, err);
    spinner_stop(request->spinner);
    request->spinner = NULL;
    return rc;
}

static void progress(void *owner, enum generate_phase phase, unsigned attempt, vsr_str text) {
    static const char *const names[] = { [GENERATE_ASK] = "generate",
                                         [GENERATE_PARSE] = "parse",
                                         [GENERATE_REPAIR] = "repair",
                                         [GENERATE_COMPLETE] = "complete" };
    const struct request *request = owner;
    bool colour = request->cli->colour_err;
    vsr_str line = str_split(&text, '\n');
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "%sattempt %u: %s: %.*s%s\n", term_if(colour, TERM_DIM), attempt, names[phase],
                      VSR_FMT(line), term_if(colour, TERM_RESET));
}

/* ---- the result */

static void write_json(const struct generate_result *result, struct buf *out) {
    const struct findings *findings = &result->final.findings;
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("dsl"));
    json_write_str(&w, result->text);
    json_write_key(&w, VSR_STR("attempts"));
    json_write_u64(&w, result->attempts);
    json_write_key(&w, VSR_STR("gaveUp"));
    json_write_bool(&w, result->gave_up);
    json_write_key(&w, VSR_STR("parseError"));
    if (result->parse_error.len > 0)
        json_write_str(&w, result->parse_error);
    else
        json_write_null(&w);
    json_write_key(&w, VSR_STR("diagnostics"));
    findings_json(findings, result->final.text, false, &w);
    json_write_key(&w, VSR_STR("rawOutput"));
    json_write_str(&w, result->draft.answer);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void complain(const struct request *request, const struct generate_result *result) {
    const struct findings_style style = { .file = VSR_STR(GENERATED),
                                          .source = isatty(STDERR_FILENO) ? result->final.text : VSR_STR(""),
                                          .colour = request->cli->colour_err };
    struct buf out;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    findings_print(&result->final.findings, &style, &out);
    buf_printf(&out, "%u attempt%s%s\n", result->attempts, result->attempts == 1 ? "" : "s",
               result->gave_up ? "; the last one changed nothing" : "");
    (void)fd_write_all(STDERR_FILENO, buf_str(&out)); /* nowhere left to complain */
    buf_done(&out);
}

static int finish(struct request *request, const struct generate_result *result) {
    bool json = options_has(request->cli->options, "json");
    const char *output = options_text(request->cli->options, "output");
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (json)
        write_json(result, &out);
    else
        buf_append(&out, result->text);
    if (out.len > 0 && out.ptr[out.len - 1] != '\n')
        buf_append_char(&out, '\n');
    code = dsl_source_write(request->cli, output, &out, dsl_source_new_mode());
    buf_done(&out);
    if (code == CLI_OK && !json)
        complain(request, result);
    if (code != CLI_OK)
        return code;
    return result->final.findings.n_of[FINDING_ERROR] > 0 ? CLI_FAILURE : CLI_OK;
}

/* ---- the command */

static int write_program(struct request *request) {
    const struct options *options = request->cli->options;
    const struct generate_options how = {
        .retries = (unsigned)options_number(options, "max-retries"),
        .unformatted = options_has(options, "no-format"),
        .ask = ask,
        .owner = request,
        .progress = progress,
    };
    struct generate_result result;
    struct vsr_err err = VSR_ERR_NONE;
    const struct language *language = dsl_source_language(request->arena);
    if (generate(request->arena, language, &request->task, &how, &result, &err) < 0)
        return dsl_refuse_err(request->cli, GENERATED, &err, "E_GENERATE");
    return finish(request, &result);
}

static int generate_run(const struct cli *cli, int argc, char **argv) {
    struct request request = { .cli = cli, .arena = arena_new(0, 0), .model = { .record_fd = -1 } };
    int code = read_task(&request, argc, argv);
    if (code == CLI_OK)
        code = open_model(&request);
    if (code == CLI_OK)
        code = write_program(&request);
    if (request.model.record_fd >= 0 && close(request.model.record_fd) < 0 && code == CLI_OK)
        code = (cli_fail(cli, "cannot write the record: %s", strerror(errno)), CLI_IO);
    arena_free(request.arena);
    return code;
}

static const struct option_spec generate_options[] = {
    { "api-url", 0, OPTION_TEXT, 0, "URL", "server of Chat Completions, such as http://127.0.0.1:8000",
      .env = "VLLM_API_URL" },
    { "model", 0, OPTION_TEXT, 0, "NAME", "what to ask for there", .env = "VLLM_MODEL" },
    { "api-key", 0, OPTION_TEXT, 0, "KEY", "sent as a bearer token; the variable hides it from other users",
      .env = "VLLM_API_KEY" },
    { "temperature", 0, OPTION_DECIMAL, 0, "NUMBER", "how freely the model chooses its words", "0.1", .least = 0,
      .greatest = 2 },
    { "max-tokens", 0, OPTION_NUMBER, 0, "N", "longest answer", "4096", .least = 1, .greatest = 1 << 20 },
    { "max-retries", 0, OPTION_NUMBER, 0, "N", "how often the model may repair what it wrote", "2", .least = 0,
      .greatest = GENERATE_RETRIES_MAX },
    { "timeout", 0, OPTION_NUMBER, 0, "SECONDS", "how long to wait for each answer", "120", .least = 1,
      .greatest = 86400 },
    { "edit", 'e', OPTION_TEXT, OPTION_FILE, "FILE", "a program to change, instead of a new one; it stays as it is" },
    { "context", 0, OPTION_TEXT, OPTION_FILE, "FILE",
      "what else the model should know, in any words: which models there are, what they are good at" },
    DSL_OPTION_BASE_KNOWN,
    DSL_OPTION_OUTPUT,
    { "no-format", 0, OPTION_FLAG, 0, NULL, "leave the program as the model laid it out" },
    { "mock", 0, OPTION_TEXT, OPTION_FILE, "FILE",
      "canned answers instead of a server: JSON lines, taken in turn, the last one again and again" },
    { "record", 0, OPTION_TEXT, OPTION_FILE, "FILE", "write requests and answers to FILE, as --mock reads them" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print program, findings and the number of attempts as JSON" },
};

const struct command command_dsl_generate_spec = {
    .name = "generate",
    .summary = "let a model write a program",
    .usage = "vsr dsl generate [OPTION]... TEXT",
    .details =
        "TEXT, or standard input, says what the program should do. The model is told the language and examples;\n"
        "what it writes is parsed, compiled, checked and proved, and what is wrong goes back to it. The program is\n"
        "printed even when mistakes are left: the exit code is 1 then. Nothing that a model writes is ever run.\n",
    .examples = "vsr dsl generate --api-url http://127.0.0.1:8000 --model qwen3-32b \\\n"
                "    \"math goes to the large model, everything else to the small one\"\n"
                "vsr dsl generate --edit policy.dsl -o new.dsl \"refuse jailbreaks\"\n",
    .operands = OPERANDS_TEXT,
    .operands_most = OPTIONS_GIVEN_MAX,
    .options = generate_options,
    .n_options = VSR_COUNT(generate_options),
    .run = generate_run,
};
