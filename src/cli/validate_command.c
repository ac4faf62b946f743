#include "cli/cli.h"
#include "cli/profile.h"
#include "cli/term.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "route/route.h"
#include "serve/snapshot.h"

enum { VALIDATE_LEN_MAX = 16 << 20 };

/* ---- what the document holds */

struct count {
    vsr_str name;
    size_t n;
};

struct summary {
    size_t listeners, models, cards, endpoints;
    size_t partitions, scores, mappings, decisions; /* of all recipes together */
    struct count signals[CONFIG_FAMILIES_MAX];      /* families with rules, in all recipes */
    size_t n_signals;
};

static void add_profile(const struct config_routing *routing, struct summary *summary) {
    summary->partitions += routing->projections.partitions.n;
    summary->scores += routing->projections.scores.n;
    summary->mappings += routing->projections.mappings.n;
    summary->decisions += routing->decisions.n;
}

static void add_family(const struct config_document *doc, const struct config_family *family, size_t index,
                       struct summary *summary) {
    size_t n = 0;
    for (size_t i = 0; i < doc->n_scopes; i++)
        n += doc->scopes[i].routing->signals.rules[index].n;
    if (n > 0)
        summary->signals[summary->n_signals++] = (struct count){ str_from_c(family->type), n };
}

static void summary_read(const struct config_document *doc, struct summary *summary) {
    struct config_families families = route_families();
    *summary = (struct summary){
        .listeners = doc->listeners.n,
        .models = doc->providers.models.n,
        .cards = doc->routing.model_cards.n,
    };
    for (size_t i = 0; i < doc->providers.models.n; i++)
        summary->endpoints += ((const struct config_provider_model *)doc->providers.models.items)[i].backend_refs.n;
    for (size_t i = 0; i < doc->n_scopes; i++)
        add_profile(doc->scopes[i].routing, summary);
    for (size_t i = 0; i < families.n; i++)
        add_family(doc, &families.items[i], i, summary);
}

/* ---- printing */

static void write_number(struct json_writer *w, vsr_str key, size_t n) {
    json_write_key(w, key);
    json_write_u64(w, n);
}

static void recipes_json(const struct config_document *doc, struct json_writer *w) {
    json_write_key(w, VSR_STR("recipes"));
    json_write_begin_array(w);
    for (size_t i = 0; i < doc->n_scopes; i++) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("name"));
        json_write_str(w, doc->scopes[i].name);
        write_number(w, VSR_STR("decisions"), doc->scopes[i].routing->decisions.n);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_key(w, VSR_STR("entrypoints"));
    json_write_begin_array(w);
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("recipe"));
        json_write_str(w, entrypoint->recipe);
        json_write_key(w, VSR_STR("model_names"));
        json_write_begin_array(w);
        for (size_t i = 0; i < entrypoint->model_names.n; i++)
            json_write_str(w, entrypoint->model_names.items[i]);
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
}

static void summary_json(const struct config_document *doc, struct json_writer *w) {
    struct summary summary;
    summary_read(doc, &summary);
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("version"));
    json_write_str(w, doc->version);
    write_number(w, VSR_STR("listeners"), summary.listeners);
    write_number(w, VSR_STR("models"), summary.models);
    write_number(w, VSR_STR("endpoints"), summary.endpoints);
    write_number(w, VSR_STR("model_cards"), summary.cards);
    json_write_key(w, VSR_STR("signals"));
    json_write_begin_object(w);
    for (size_t i = 0; i < summary.n_signals; i++)
        write_number(w, summary.signals[i].name, summary.signals[i].n);
    json_write_end(w);
    json_write_key(w, VSR_STR("projections"));
    json_write_begin_object(w);
    write_number(w, VSR_STR("partitions"), summary.partitions);
    write_number(w, VSR_STR("scores"), summary.scores);
    write_number(w, VSR_STR("mappings"), summary.mappings);
    json_write_end(w);
    write_number(w, VSR_STR("decisions"), summary.decisions);
    recipes_json(doc, w);
    json_write_end(w);
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

static void listeners_text(const struct config_document *doc, struct buf *out) {
    buf_append_c(out, "  listeners   ");
    for (size_t i = 0; i < doc->listeners.n; i++) {
        const struct config_listener *listener = (const struct config_listener *)doc->listeners.items + i;
        bool v6 = str_find_char(listener->address, ':') >= 0;
        buf_printf(out, "%s%.*s %s%.*s%s:%lld", i == 0 ? "" : ", ", VSR_FMT(listener->name), v6 ? "[" : "",
                   VSR_FMT(listener->address), v6 ? "]" : "", (long long)listener->port);
    }
    buf_append_char(out, '\n');
}

static void models_text(const struct config_document *doc, const struct summary *summary, struct buf *out) {
    vsr_str fallback = doc->providers.defaults.default_model;
    buf_printf(out, "  models      %zu on %zu endpoint%s", summary->models, summary->endpoints,
               plural(summary->endpoints));
    if (summary->cards > summary->models)
        buf_printf(out, ", %zu card%s without a backend", summary->cards - summary->models,
                   plural(summary->cards - summary->models));
    if (fallback.len > 0)
        buf_printf(out, ", default %.*s", VSR_FMT(fallback));
    buf_append_char(out, '\n');
}

static void entrypoints_text(const struct config_document *doc, struct buf *out) {
    size_t n = 0;
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints)
    for (size_t i = 0; i < entrypoint->model_names.n; i++)
        buf_printf(out, "%s%.*s to %.*s", n++ ? ", " : "  entrypoints ", VSR_FMT(entrypoint->model_names.items[i]),
                   VSR_FMT(entrypoint->recipe));
    if (n)
        buf_append_char(out, '\n');
}

static void summary_text(const struct config_document *doc, struct buf *out) {
    struct summary summary;
    summary_read(doc, &summary);
    listeners_text(doc, out);
    models_text(doc, &summary, out);
    buf_append_c(out, "  signals     ");
    for (size_t i = 0; i < summary.n_signals; i++)
        buf_printf(out, "%s%zu %.*s", i == 0 ? "" : ", ", summary.signals[i].n, VSR_FMT(summary.signals[i].name));
    buf_printf(out, "%s\n", summary.n_signals == 0 ? "none" : "");
    buf_printf(out, "  projections %zu partition%s, %zu score%s, %zu mapping%s\n", summary.partitions,
               plural(summary.partitions), summary.scores, plural(summary.scores), summary.mappings,
               plural(summary.mappings));
    buf_printf(out, "  decisions   %zu", summary.decisions);
    for (size_t i = 0; i < doc->n_scopes && doc->n_scopes > 1; i++)
        buf_printf(out, "%s%zu in %.*s", i == 0 ? ": " : ", ", doc->scopes[i].routing->decisions.n,
                   VSR_FMT(doc->scopes[i].name));
    buf_append_char(out, '\n');
    entrypoints_text(doc, out);
}

static void result_json(const struct profile *profile, struct buf *out) {
    struct json_writer w;
    struct buf diag;
    vsr_str members;
    buf_init(&diag, VALIDATE_LEN_MAX);
    json_write_init(&w, &diag);
    diag_json(&profile->diag, &w);
    /* The problems' object is the base (config.md 11.2); ours are two more members in front of its own. */
    members = str_trim(str_sub(buf_str(&diag), 1, diag.len));
    buf_printf(out, "{\"file\":");
    json_quote(out, profile->diag.file);
    buf_printf(out, ",\"valid\":%s,\"summary\":", profile->snapshot ? "true" : "false");
    json_write_init(&w, out);
    if (profile->snapshot)
        summary_json(profile->snapshot->doc, &w);
    else
        json_write_null(&w);
    buf_printf(out, ",%.*s\n", VSR_FMT(members));
    buf_done(&diag);
}

static void result_text(const struct cli *cli, const struct profile *profile, struct buf *out) {
    const struct diag *diag = &profile->diag;
    diag_print(diag, out, cli->colour);
    if (!profile->snapshot) {
        buf_printf(out, "%s%.*s is not valid%s: %zu error%s, %zu warning%s\n", term_if(cli->colour, TERM_RED),
                   VSR_FMT(diag->file), term_if(cli->colour, TERM_RESET), diag->n_errors, plural(diag->n_errors),
                   diag->n_warnings, plural(diag->n_warnings));
        return;
    }
    buf_printf(out, "%s%.*s is valid%s", term_if(cli->colour, TERM_GREEN), VSR_FMT(diag->file),
               term_if(cli->colour, TERM_RESET));
    if (diag->n_warnings > 0)
        buf_printf(out, ", with %zu warning%s", diag->n_warnings, plural(diag->n_warnings));
    buf_append_char(out, '\n');
    summary_text(profile->snapshot->doc, out);
}

/* ---- the command */

static int print_result(const struct cli *cli, const struct profile *profile, bool json) {
    struct buf out;
    int code;
    buf_init(&out, VALIDATE_LEN_MAX);
    if (json)
        result_json(profile, &out);
    else
        result_text(cli, profile, &out);
    code = cli_finish(cli, &out, profile->snapshot ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    return code;
}

/* What has no place in the document is told as a problem of all of it, so that programs find it where they look. */
static int print_failure(const struct cli *cli, struct profile *profile, bool json) {
    bool is_io = profile->err.code == VSR_E_IO;
    if (!json)
        return profile_complain(cli, profile);
    diag_error(&profile->diag, is_io ? "E_IO" : "E_BUILD", (struct diag_at){ 0 }, VSR_STR(""), "%s", profile->err.text);
    return print_result(cli, profile, json) == CLI_FAILURE && is_io ? CLI_USAGE : CLI_FAILURE;
}

static int validate_run(const struct cli *cli, int argc, char **argv) {
    struct profile_options options = { .file = options_text(cli->options, "config"),
                                       .strict_env = options_has(cli->options, "strict-env"),
                                       .n_threads = 1 };
    bool json = options_has(cli->options, "json") || strcmp(options_text(cli->options, "format"), "json") == 0;
    struct profile profile;
    int rc, code;
    if (argc > 0 && options.file)
        return cli_usage(cli, "two files: \"%s\" and \"%s\"", options.file, argv[0]);
    if (argc > 0)
        options.file = argv[0];
    if (!options.file)
        return cli_usage(cli, "which file?");
    code = profile_base(cli, options.file, &options.base);
    if (code != CLI_OK)
        return code;
    rc = profile_load_with(&options, &profile);
    if (rc < 0 && profile.diag.n_errors == 0)
        code = print_failure(cli, &profile, json);
    else
        code = print_result(cli, &profile, json);
    profile_done(&profile);
    return code;
}

static const char *const formats[] = { "text", "json", NULL };

static const struct option_spec validate_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the same as the operand FILE" },
    PROFILE_OPTION_BASE,
    { "strict-env", 0, OPTION_FLAG, 0, NULL, "an unset ${VARIABLE} without a default is an error" },
    { "format", 0, OPTION_TEXT, 0, "FORMAT", "text or json", "text", NULL, formats },
    { "json", 0, OPTION_FLAG, 0, NULL, "the same as --format json" },
};

/* One command under two names; a table of constants cannot be copied by name. */
#define VALIDATE_SPEC(command) \
    { \
        .name = "validate", .summary = "check a policy and say what it holds", .usage = command " [OPTION]... FILE", \
        .details = "Checks everything that `vsr serve` would, by the same code, and prints every problem with its " \
                   "place.\n" \
                   "Exits with 0 for a valid policy, 1 for an invalid one, 2 for a file that cannot be read.\n", \
        .examples = command " policy.yaml\n" command " --strict-env --json policy.yaml\n", .operands = OPERANDS_FILE, \
        .operands_most = 1, .options = validate_options, .n_options = VSR_COUNT(validate_options), \
        .run = validate_run, \
    }

const struct command command_validate_spec = VALIDATE_SPEC("vsr validate");
const struct command command_config_validate_spec = VALIDATE_SPEC("vsr config validate");
