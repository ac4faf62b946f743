#include <unistd.h>

#include "cli/chat_body.h"
#include "cli/cli.h"
#include "cli/http_call.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"

enum { CHAT_LEN_MAX = 128 << 20 };

#define CHAT_MODEL "auto"

static const vsr_str vsr_header_prefix = VSR_STR_INIT("x-vsr-");

static bool is_vsr_header(vsr_str name) {
    return name.len > vsr_header_prefix.len &&
           str_eq_nocase(str_sub(name, 0, vsr_header_prefix.len), vsr_header_prefix);
}

/* The text at `choices[0].message.content`, or at `error.message`; empty when there is none. */
static vsr_str text_of(struct arena *arena, const struct json_doc *doc) {
    json_ref choices = json_get(doc, 0, VSR_STR("choices"));
    json_ref choice = json_is(doc, choices, JSON_ARRAY) ? json_at(doc, choices, 0) : JSON_NONE;
    json_ref content = json_get(doc, json_get(doc, choice, VSR_STR("message")), VSR_STR("content"));
    json_ref message = json_get(doc, json_get(doc, 0, VSR_STR("error")), VSR_STR("message"));
    vsr_str text = VSR_STR("");
    if (!json_str(arena, doc, content, &text) && !json_str(arena, doc, message, &text))
        return VSR_STR("");
    return text;
}

static void answer_json(const struct http_answer *answer, bool is_json, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("status"));
    json_write_i64(&w, answer->status);
    json_write_key(&w, VSR_STR("headers"));
    json_write_begin_object(&w);
    for (size_t i = 0; i < answer->n_fields; i++) {
        if (!is_vsr_header(answer->fields[i].name))
            continue;
        json_write_key(&w, answer->fields[i].name);
        json_write_str(&w, answer->fields[i].value);
    }
    json_write_end(&w);
    json_write_key(&w, VSR_STR("body"));
    if (is_json)
        json_write_raw(&w, answer->body);
    else
        json_write_str(&w, answer->body);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* What the gateway says about the route, one line each, behind the text. */
static void headers_text(const struct http_answer *answer, bool colour, struct buf *out) {
    for (size_t i = 0; i < answer->n_fields; i++) {
        const struct http1_field *field = &answer->fields[i];
        if (is_vsr_header(field->name))
            buf_printf(out, "%s%.*s: %.*s%s\n", term_if(colour, TERM_DIM), VSR_FMT(field->name), VSR_FMT(field->value),
                       term_if(colour, TERM_RESET));
    }
}

static int print_answer(const struct cli *cli, struct arena *arena, const struct http_answer *answer) {
    bool ok = answer->status >= 200 && answer->status < 300, is_json;
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    struct buf out;
    int code;
    is_json = json_parse(arena, answer->body, &doc, &err) == 0;
    buf_init(&out, CHAT_LEN_MAX);
    if (options_has(cli->options, "json")) {
        answer_json(answer, is_json, &out);
    } else {
        vsr_str text = is_json ? text_of(arena, &doc) : answer->body;
        buf_printf(&out, "%.*s\n\n", VSR_FMT(text.len > 0 ? text : answer->body));
        headers_text(answer, cli->colour, &out);
    }
    code = cli_finish(cli, &out, ok ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    return ok || code != CLI_FAILURE ? code : cli_fail(cli, "the gateway answered with status %d", answer->status);
}

static int make_body(const struct cli *cli, int argc, char **argv, struct arena *arena, vsr_str *ret_body,
                     struct vsr_err *err) {
    const char *file = options_text(cli->options, "messages");
    vsr_str model = str_from_c(options_text(cli->options, "model"));
    if (file)
        return chat_body_from_file(arena, file, model, options_has(cli->options, "model"), ret_body, err);
    *ret_body = chat_body_from_prompt(arena, model, chat_body_join(arena, argc, argv));
    return 0;
}

static int talk(const struct cli *cli, struct arena *arena, vsr_str body) {
    const struct http_call call = {
        .url = str_from_c(options_text(cli->options, "url")),
        .method = VSR_STR("POST"),
        .path = VSR_STR("/v1/chat/completions"),
        .body = body,
        .timeout_ms = options_number(cli->options, "timeout") * 1000,
        .token = str_from_c(options_text(cli->options, "token")),
    };
    struct http_answer answer;
    struct vsr_err err = VSR_ERR_NONE;
    struct spinner *spinner = spinner_start("waiting for the answer");
    int rc = http_call(arena, &call, &answer, &err);
    spinner_stop(spinner);
    if (rc == VSR_E_INVALID)
        return cli_usage(cli, "%s", err.text);
    return rc < 0 ? cli_fail_err(cli, &err) : print_answer(cli, arena, &answer);
}

static int chat_run(const struct cli *cli, int argc, char **argv) {
    bool has_file = options_text(cli->options, "messages") != NULL;
    struct vsr_err err = VSR_ERR_NONE;
    struct arena *arena;
    vsr_str body;
    int code;
    if (has_file == (argc > 0))
        return cli_usage(cli, has_file ? "a message and --messages exclude each other" : "which message?");
    arena = arena_new(0, 0);
    if (make_body(cli, argc, argv, arena, &body, &err) < 0) {
        (void)cli_fail_err(cli, &err);
        code = err.code == VSR_E_IO ? CLI_USAGE : CLI_FAILURE;
    } else {
        code = talk(cli, arena, body);
    }
    arena_free(arena);
    return code;
}

static const struct option_spec chat_options[] = {
    { "url", 'u', OPTION_TEXT, 0, "URL", "where the gateway listens", "http://127.0.0.1:8899", "VSR_URL" },
    { "model", 0, OPTION_TEXT, 0, "NAME", "what to ask for", CHAT_MODEL },
    { "messages", 'm', OPTION_TEXT, OPTION_FILE, "FILE",
      "instead of a message: a JSON array of messages, or a whole request body; `-` is standard input" },
    { "timeout", 0, OPTION_NUMBER, 0, "SECONDS", "how long to wait for the answer", "120", .least = 1,
      .greatest = 86400 },
    { "token", 0, OPTION_TEXT, 0, "TOKEN", "key that the listener asks for; the variable hides it from other users",
      .env = "VSR_API_KEY" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print status, headers and body as JSON" },
};

const struct command command_chat_spec = {
    .name = "chat",
    .summary = "send one message through a running gateway",
    .usage = "vsr chat [OPTION]... MESSAGE\n"
             "vsr chat [OPTION]... --messages FILE",
    .details =
        "Prints the answer, and behind it what the gateway says about the route. Several operands are one message.\n"
        "Exits with 1 when there is no answer or an error. SSL_CERT_FILE names the file of authorities to trust\n"
        "instead of the system's.\n",
    .examples = "vsr chat \"What is the capital of France?\"\n"
                "vsr chat --url http://127.0.0.1:8899 --json \"I get a segmentation fault\"\n",
    .operands = OPERANDS_TEXT,
    .operands_most = OPTIONS_GIVEN_MAX,
    .options = chat_options,
    .n_options = VSR_COUNT(chat_options),
    .run = chat_run,
};
