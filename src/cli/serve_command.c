/*
 * serve_command - `vsr serve`: options to a running gateway. What it accepts is in serve_spec.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "cli/commands.h"
#include "cli/profile.h"
#include "cli/socket_text.h"
#include "core/log.h"
#include "serve/gateway.h"

static void configure_log(const struct options *options) {
    enum log_level level = LOG_LEVEL_INFO;
    bool json = str_eq(str_from_c(options_text(options, "log-format")), VSR_STR("json"));
    (void)log_level_parse(str_from_c(options_text(options, "log-level")), &level); /* the option table checked it */
    log_configure(level, json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, STDERR_FILENO);
}

/* ---- the management API beside the gateway */

struct management {
    struct admin_options options;
    struct admin *admin;
};

static int start_management(void *data, struct gateway *gateway, struct vsr_err *err) {
    struct management *management = data;
    return admin_start(&management->options, gateway, &management->admin, err);
}

static void stop_management(void *data) {
    admin_stop(((struct management *)data)->admin);
}

static bool read_management(const struct options *options, struct admin_options *ret_options) {
    const char *listen = options_text(options, "management-listen");
    const char *sheltered = getenv("VSR_MANAGEMENT_INTERNAL_LISTENER");
    *ret_options = (struct admin_options){ .sheltered = sheltered && strcmp(sheltered, "true") == 0 };
    if (!listen)
        return true;
    if (!socket_text_read(listen, &ret_options->address, &ret_options->port))
        return false;
    ret_options->off = ret_options->address.len == 0;
    return true;
}

/* The variable stands for the option everywhere else: whoever keeps something asks the environment. */
static void set_state_dir(const char *dir) {
    if (dir)
        (void)setenv("VSR_STATE_DIR", dir, 1); /* no other thread is there yet */
}

/* ---- the socket for Envoy */

/* A flag, or its variable: anything but a word for no. */
static bool is_on(const struct options *options, const char *flag) {
    static const char *const no[] = { "0", "false", "no", "off" };
    const char *value = options_text(options, flag);
    for (size_t i = 0; value && i < VSR_COUNT(no); i++)
        if (str_eq_nocase(str_from_c(value), str_from_c(no[i])))
            value = NULL;
    return value || options_has(options, flag);
}

static bool read_extproc(const struct options *options, struct extproc_options *ret_options) {
    const char *tls_dir = options_text(options, "extproc-tls-dir");
    *ret_options = (struct extproc_options){ .trust_identity = is_on(options, "extproc-trust-identity"),
                                             .tls_dir = tls_dir && *tls_dir ? tls_dir : NULL };
    return socket_text_read(options_text(options, "extproc-listen"), &ret_options->address, &ret_options->port);
}

/* Given by hand for a socket that is not there: somebody believes that it is. Variables may stand ready for one. */
static const char *idle_extproc_option(const struct options *options, const struct extproc_options *extproc) {
    static const char *const names[] = { "extproc-tls-dir", "extproc-trust-identity" };
    for (size_t i = 0; extproc->address.len == 0 && !options_has(options, "extproc-listen") && i < VSR_COUNT(names);
         i++)
        if (options_has(options, names[i]))
            return names[i];
    return NULL;
}

int command_serve(const struct cli *cli, int argc, char **argv) {
    const struct options *options = cli->options;
    struct gateway_options gateway = {
        .config_file = options_text(options, "config"),
        .config_text = profile_demo_text(),
        .config_name = VSR_STR(PROFILE_DEMO_NAME),
        .load = profile_load_options(options_has(options, "strict-env")),
        .watch = !options_has(options, "no-watch"),
        .workers = (unsigned)options_number(options, "workers"),
        .drain_ms = options_number(options, "drain") * 1000,
        .models_dir = options_text(options, "models-dir"),
        .colour = cli->colour_err,
    };
    struct management management = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    (void)argc; /* the command takes no operands */
    (void)argv;
    if (options_has(options, "watch") && options_has(options, "no-watch"))
        return cli_usage(cli, "--watch and --no-watch exclude each other");
    if (!socket_text_read(options_text(options, "metrics-listen"), &gateway.metrics_address, &gateway.metrics_port))
        return cli_usage(cli, "--metrics-listen: expected ADDR:PORT or off, found \"%s\"",
                         options_text(options, "metrics-listen"));
    if (!read_management(options, &management.options))
        return cli_usage(cli, "--management-listen: expected ADDR:PORT or off, found \"%s\"",
                         options_text(options, "management-listen"));
    if (!read_extproc(options, &gateway.extproc))
        return cli_usage(cli, "--extproc-listen: expected ADDR:PORT or off, found \"%s\"",
                         options_text(options, "extproc-listen"));
    if (idle_extproc_option(options, &gateway.extproc))
        return cli_usage(cli, "--%s needs --extproc-listen", idle_extproc_option(options, &gateway.extproc));
    if (profile_base(cli, gateway.config_file, &gateway.load.base) != CLI_OK)
        return CLI_USAGE;
    if ((gateway.config_file && profile_check_readable(gateway.config_file, &err) < 0) ||
        (gateway.load.base && profile_check_readable(gateway.load.base, &err) < 0)) {
        (void)cli_fail_err(cli, &err);
        return CLI_USAGE;
    }
    gateway.on_start = start_management;
    gateway.on_stop = stop_management;
    gateway.data = &management;
    gateway.load.serving = true;
    configure_log(options);
    set_state_dir(options_text(options, "state-dir"));
    if (gateway_run(&gateway, &err) < 0)
        return cli_fail_err(cli, &err);
    return CLI_OK;
}
