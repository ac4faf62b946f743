/* links: evidence */
/*
 * mcp_ask - what vsr makes of a tool server that classifies or embeds texts, for tests in other languages.
 *
 *     mcp_ask [--embed DIMENSIONS] [--tool NAME] [--timeout SECONDS] [--env NAME=VALUE]...
 *             (stdio COMMAND [ARGUMENT]... | http URL)
 *
 * Reads one JSON text a line, to embed one list of texts, and prints one object a line:
 *     {"labels":["math"],"numbers":[1],"model":"...","version":"..."}   or   {"code":"timeout","reason":"..."}
 * DIMENSIONS is the target_dimension, 0: any. At the end of its input it ends the session.
 */
#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/json_write.h"
#include "evidence/remote.h"
#include "mcp/hub.h"
#include "net/client.h"
#include "net/loop.h"

static const struct client_limits limits = {
    .connect_timeout_ms = 10000, .pool_idle_ms = 30000, .connections_max = 8, .pending_max = 64, .dns_ttl_ms = 30000
};

enum { LINE_LEN_MAX = 32 << 20, ENV_MAX = 16, TURN_MS = 50 };

struct context {
    struct loop *loop;
    struct arena *arena;
    struct buf out;
    bool embeds, done;
};

struct configs {
    struct config_mcp_classifier classifier;
    struct config_semantic semantic;
    bool embeds;
};

static void print_numbers(struct json_writer *w, const struct evidence_answer *answer) {
    json_write_key(w, VSR_STR("labels"));
    json_write_begin_array(w);
    for (size_t i = 0; i < answer->n_labels; i++)
        json_write_str(w, answer->labels[i]);
    json_write_end(w);
    json_write_key(w, VSR_STR("numbers"));
    json_write_begin_array(w);
    for (size_t i = 0; i < answer->n; i++)
        json_write_double(w, (double)answer->numbers[i]);
    json_write_end(w);
    json_write_key(w, VSR_STR("model"));
    json_write_str(w, str_from_c(answer->model));
    json_write_key(w, VSR_STR("version"));
    json_write_str(w, str_from_c(answer->version));
}

static void on_done(void *owner, const struct evidence_answer *answer) {
    struct context *context = owner;
    struct json_writer w;
    json_write_init(&w, &context->out);
    json_write_begin_object(&w);
    if (answer->code == SIGNAL_OK) {
        print_numbers(&w, answer);
    } else {
        json_write_key(&w, VSR_STR("code"));
        json_write_str(&w, str_from_c(signal_code_text(answer->code)));
        json_write_key(&w, VSR_STR("reason"));
        json_write_str(&w, str_from_c(answer->reason));
    }
    json_write_end(&w);
    context->done = true;
}

/* The texts of a line; none: it has another form. */
static size_t read_texts(struct context *context, vsr_str line, vsr_str **ret_texts) {
    struct json_doc doc;
    size_t n;
    if (json_parse(context->arena, line, &doc, NULL) < 0)
        return 0;
    n = context->embeds ? json_count(&doc, 0) : 1;
    *ret_texts = ARENA_ARRAY(context->arena, vsr_str, n);
    for (size_t i = 0; i < n; i++)
        if (!json_str(context->arena, &doc, context->embeds ? json_at(&doc, 0, i) : 0, &(*ret_texts)[i]))
            return 0;
    return n;
}

static void answer_line(struct context *context, struct remote_client *client, vsr_str line) {
    struct remote_question question = { .kind = context->embeds ? EVIDENCE_VECTOR : EVIDENCE_CLASSES,
                                        .arena = context->arena };
    vsr_str *texts = NULL;
    question.n_texts = read_texts(context, line, &texts);
    question.texts = texts;
    if (question.n_texts == 0) {
        printf("{\"code\":\"usage\",\"reason\":\"a line is no JSON text, or list of texts\"}\n");
        return;
    }
    context->done = false;
    buf_reset(&context->out);
    (void)remote_call_start(client, &question, on_done, context);
    while (!context->done)
        (void)loop_run_once(context->loop, TURN_MS);
    printf("%.*s\n", VSR_FMT(buf_str(&context->out)));
}

static void answer_lines(struct context *context, struct remote_client *client) {
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        answer_line(context, client, str_trim(str_make(line, (size_t)len)));
        (void)fflush(stdout);
        arena_reset(context->arena);
    }
    free(line);
}

/* False when the arguments make no sense. */
static bool read_arguments(int argc, char **argv, struct configs *configs, vsr_str *keys, vsr_str *values,
                           vsr_str *args) {
    struct config_tool_server *config = &configs->classifier.server;
    int i = 1;
    config->env = (struct config_pairs){ .keys = keys, .values = values };
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        vsr_str value = str_from_c(argv[i + 1]);
        if (strcmp(argv[i], "--embed") == 0)
            configs->embeds = true, configs->semantic.embedding_config.target_dimension = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--tool") == 0)
            config->tool_name = value;
        else if (strcmp(argv[i], "--timeout") == 0)
            config->timeout_seconds = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--env") == 0 && config->env.n < ENV_MAX && str_find_char(value, '=') >= 0)
            keys[config->env.n] = str_split(&value, '='), values[config->env.n++] = value;
        else
            return false;
    }
    if (i + 1 >= argc)
        return false;
    config->transport_type = strcmp(argv[i], "http") == 0 ? MCP_HTTP : MCP_STDIO;
    config->command = config->url = str_from_c(argv[i + 1]);
    config->args.items = args;
    for (i += 2; i < argc; i++)
        args[config->args.n++] = str_from_c(argv[i]);
    configs->semantic.mcp.server = *config;
    return true;
}

int main(int argc, char **argv) {
    struct configs configs = { 0 };
    struct signal_source source = { .kind = SOURCE_MCP_CLASSIFY, .config = &configs.classifier };
    struct context context = { .arena = arena_new(0, 0) };
    struct remote_host host = { 0 };
    struct mcp_place place = { 0 };
    struct remote_client *client;
    vsr_str keys[ENV_MAX], values[ENV_MAX];
    vsr_str *args = calloc((size_t)argc + 1, sizeof(*args));
    struct vsr_err err = VSR_ERR_NONE;
    if (!args || !read_arguments(argc, argv, &configs, keys, values, args)) {
        fprintf(stderr, "usage: mcp_ask [--embed DIMENSIONS] [--tool NAME] [--timeout SECONDS] "
                        "[--env NAME=VALUE]... (stdio COMMAND [ARGUMENT]... | http URL)\n");
        return 2;
    }
    if (configs.embeds)
        source = (struct signal_source){ .kind = SOURCE_MCP_EMBEDDINGS, .config = &configs.semantic };
    context.embeds = configs.embeds;
    buf_init(&context.out, LINE_LEN_MAX);
    if (loop_new(&context.loop, &err) < 0 || client_new(context.loop, &limits, &host.client, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    place = (struct mcp_place){ .loop = context.loop, .client = host.client };
    if (mcp_hub_new(&place, &host.mcp, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    host.loop = context.loop;
    client = remote_client_new(&host, &source);
    answer_lines(&context, client);
    remote_client_free(client);
    mcp_hub_free(host.mcp);
    client_free(host.client);
    loop_free(context.loop);
    buf_done(&context.out);
    arena_free(context.arena);
    free(args);
    return 0;
}
