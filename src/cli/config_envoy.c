/*
 * config_envoy - `vsr config envoy`: the configuration of an Envoy that asks this policy's vsr.
 *
 * A whole bootstrap document: the policy's listeners, the external processing filter, one route and one cluster for
 * each model, and what the policy says of their endpoints (weights, TLS, retries, ejection, health checks, limits), so
 * that Envoy calls backends as vsr itself would. JSON, which Envoy reads as it reads YAML.
 */
#include "cli/config_envoy.h"

#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/profile.h"
#include "cli/socket_text.h"
#include "core/buf.h"

enum { ENVOY_LEN_MAX = 64 << 20 };

static void put_document(struct envoy_print *p, vsr_str admin_host, uint16_t admin_port) {
    put_begin(p, NULL);
    if (admin_host.len) {
        put_begin(p, "admin");
        put_address(p, admin_host, admin_port);
        put_end(p, 1);
    }
    put_begin(p, "static_resources");
    put_list(p, "listeners");
    for (size_t i = 0; i < p->doc->listeners.n && (i == 0 || p->listen_host.len == 0); i++)
        envoy_put_listener(p, (const struct config_listener *)p->doc->listeners.items + i);
    put_end(p, 1);
    put_list(p, "clusters");
    envoy_put_vsr_cluster(p);
    for (size_t i = 0; i < p->doc->providers.models.n; i++)
        if (envoy_has_endpoint(envoy_model(p, i)))
            envoy_put_cluster(p, envoy_model(p, i));
    put_end(p, 3);
}

/* Envoy's clusters know no proxies, and what has to pass one must not go around it. */
static int refuse_proxies(const struct envoy_print *p) {
    for (size_t i = 0; i < p->doc->providers.models.n; i++)
        for (size_t j = 0; j < envoy_model(p, i)->backend_refs.n; j++) {
            const struct config_backend_ref *ref = envoy_ref(envoy_model(p, i), j);
            if (envoy_takes_requests(ref) && ref->proxy.len > 0)
                return cli_fail(p->cli,
                                "model \"%.*s\", endpoint \"%.*s\": Envoy would go around its proxy; give the endpoint "
                                "weight: 0, or leave it to a vsr that is asked directly",
                                VSR_FMT(envoy_model(p, i)->name), VSR_FMT(ref->name));
        }
    return CLI_OK;
}

/* Two cannot listen on one port: the vsr on this machine holds those of its policy. */
static void warn_of_own_ports(const struct envoy_print *p) {
    const struct config_listener *first = p->doc->listeners.items;
    bool here = str_starts(p->extproc_host, VSR_STR("127.")) || str_eq_c(p->extproc_host, "localhost") ||
                str_eq_c(p->extproc_host, "::1");
    if (here && p->listen_host.len == 0 && p->doc->listeners.n > 0)
        cli_warn(p->cli,
                 "Envoy listens where the policy says (port %lld), and so does `vsr serve` with this policy on this "
                 "machine; --listen gives Envoy another place",
                 (long long)first->port);
}

static int print(struct envoy_print *p, vsr_str admin_host, uint16_t admin_port) {
    struct buf out;
    int code;
    buf_init(&out, ENVOY_LEN_MAX);
    json_write_init_pretty(&p->w, &out, 2);
    put_document(p, admin_host, admin_port);
    (void)buf_append_char(&out, '\n'); /* cli_finish() tells of a full buffer */
    code = cli_finish(p->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static int envoy_run(const struct cli *cli, int argc, char **argv) {
    struct envoy_print p = { .cli = cli };
    struct config_source source;
    const char *file;
    vsr_str admin_host = { NULL, 0 };
    uint16_t admin_port = 0;
    int code = config_source_name(cli, argc, argv, &file);
    if (code != CLI_OK)
        return code;
    if (!socket_text_read(options_text(cli->options, "extproc"), &p.extproc_host, &p.extproc_port) ||
        p.extproc_host.len == 0)
        return cli_usage(cli, "--extproc: expected HOST:PORT, found \"%s\"", options_text(cli->options, "extproc"));
    if (options_has(cli->options, "listen") &&
        (!socket_text_read(options_text(cli->options, "listen"), &p.listen_host, &p.listen_port) ||
         p.listen_host.len == 0))
        return cli_usage(cli, "--listen: expected ADDR:PORT, found \"%s\"", options_text(cli->options, "listen"));
    if (!socket_text_read(options_text(cli->options, "admin"), &admin_host, &admin_port))
        return cli_usage(cli, "--admin: expected HOST:PORT or off, found \"%s\"", options_text(cli->options, "admin"));
    code = config_source_load(cli, file, false, &source);
    if (code == CLI_OK) {
        p.doc = source.doc;
        p.arena = source.arena;
        code = refuse_proxies(&p);
    }
    if (code == CLI_OK) {
        warn_of_own_ports(&p);
        code = print(&p, admin_host, admin_port);
    }
    config_source_done(&source);
    return code;
}

static const struct option_spec envoy_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the same as the operand FILE", .env = "VSR_CONFIG" },
    PROFILE_OPTION_BASE,
    { "extproc", 0, OPTION_TEXT, 0, "HOST:PORT", "where Envoy finds vsr: its --extproc-listen", "127.0.0.1:50051" },
    { "listen", 0, OPTION_TEXT, 0, "ADDR:PORT",
      "where Envoy listens, with the settings of the first listener; without it where the policy says" },
    { "admin", 0, OPTION_TEXT, 0, "HOST:PORT", "Envoy's own admin socket, or `off`", "127.0.0.1:9901" },
};

const struct command command_config_envoy_spec = {
    .name = "envoy",
    .summary = "print the configuration of an Envoy in front",
    .usage = "vsr config envoy [OPTION]... [FILE]",
    .details =
        "Prints a bootstrap document for Envoy: the listeners of the policy, external processing by vsr, and a route\n"
        "and a cluster for each model with what the policy says of its endpoints. Envoy then owns the sockets and\n"
        "calls the backends, and vsr decides. Keys of endpoints are not in it: vsr adds them to each request.\n",
    .examples = "vsr config envoy --listen 0.0.0.0:10000 policy.yaml >envoy.json && envoy -c envoy.json\n"
                "vsr config envoy --listen 0.0.0.0:10000 --extproc vsr:50051 policy.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_most = 1,
    .options = envoy_options,
    .n_options = VSR_COUNT(envoy_options),
    .run = envoy_run,
};
