#include "cli/commands.h"
#include "cli/model_row.h"
#include "cli/profile.h"

/* What `vsr serve` accepts. The command itself is serve_command.c. */

static const char *const log_levels[] = { "debug", "info", "warn", "error", "off", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

static const struct option_spec serve_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "policy to serve; without it the built-in demo",
      .env = "VSR_CONFIG" },
    PROFILE_OPTION_BASE,
    { "watch", 0, OPTION_FLAG, 0, NULL, "reload when the file changes; so it is without being asked" },
    { "no-watch", 0, OPTION_FLAG, 0, NULL, "reload only on SIGHUP" },
    { "state-dir", 0, OPTION_TEXT, OPTION_FILE, "DIR",
      "what vsr keeps: stored responses, vectors; without it `.vsr` beside the policy", .env = "VSR_STATE_DIR" },
    { "workers", 'w', OPTION_NUMBER, 0, "N", "worker threads; without it one for each core", .env = "VSR_WORKERS",
      .least = 1, .greatest = 256 },
    { "metrics-listen", 0, OPTION_TEXT, 0, "ADDR:PORT", "socket of /metrics, or `off`", "127.0.0.1:9190",
      "VSR_METRICS_LISTEN" },
    { "management-listen", 0, OPTION_TEXT, 0, "ADDR:PORT",
      "socket of the management API, or `off`; without it as global.services.management_api says",
      .env = "VSR_MANAGEMENT_LISTEN" },
    { "extproc-listen", 0, OPTION_TEXT, 0, "ADDR:PORT", "socket of Envoy's external processing (gRPC), or `off`", "off",
      "VSR_EXTPROC_LISTEN" },
    { "extproc-tls-dir", 0, OPTION_TEXT, OPTION_FILE, "DIR", "speak TLS there, with tls.crt and tls.key of this folder",
      .env = "VSR_EXTPROC_TLS_DIR" },
    { "extproc-trust-identity", 0, OPTION_FLAG, 0, NULL, "believe the identity headers that Envoy hands over",
      .env = "VSR_EXTPROC_TRUST_IDENTITY" },
    { "log-level", 0, OPTION_TEXT, 0, "LEVEL", "debug, info, warn, error or off", "info", "VSR_LOG_LEVEL", log_levels },
    { "log-format", 0, OPTION_TEXT, 0, "FORMAT", "text for people, json for collectors", "text", "VSR_LOG_FORMAT",
      log_formats },
    { "strict-env", 0, OPTION_FLAG, 0, NULL, "an unset ${VARIABLE} without a default is an error" },
    MODEL_OPTION_DIR,
    { "drain", 0, OPTION_NUMBER, 0, "SECONDS", "how long requests in flight may take to end after SIGTERM", "30",
      "VSR_DRAIN", .least = 0, .greatest = 3600 },
};

const struct command command_serve_spec = {
    .name = "serve",
    .summary = "run the gateway",
    .usage = "vsr serve [OPTION]...",
    .details =
        "Reads a policy, listens where it says, routes each request by it and forwards it to the chosen model.\n"
        "A policy may be a program of the routing language, NAME.dsl; listeners and providers are in its base then.\n"
        "A change of the file, or SIGHUP, brings the policy into service as it is now; SIGTERM and SIGINT let\n"
        "requests in flight finish, then stop.\n",
    .examples = "vsr serve\n"
                "vsr serve -c policy.yaml --log-format json\n"
                "vsr serve -c policy.yaml --metrics-listen off\n"
                "vsr serve -c policy.dsl --base config.yaml\n",
    .operands = OPERANDS_NONE,
    .options = serve_options,
    .n_options = VSR_COUNT(serve_options),
    .run = command_serve,
};
