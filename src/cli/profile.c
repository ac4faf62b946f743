#include "cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/build_info.h"
#include "cli/cli.h"
#include "cli/profile_models.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/assert.h"
#include "dsl/notation.h"
#include "looper/looper.h"
#include "plugin/plugin.h"
#include "provider/registry.h"
#include "route/route.h"
#include "route/text_fault.h"
#include "select/selector.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"

vsr_str profile_demo_text(void) {
    return str_make((const char *)build_info_demo, build_info_demo_len);
}

/* The algorithms of this program: selectors, then loopers. */
static struct config_kind algorithms[CONFIG_ALGORITHMS_MAX];
static size_t n_algorithms;

static void add_algorithms(struct config_kinds kinds) {
    VSR_ASSERT(n_algorithms + kinds.n <= CONFIG_ALGORITHMS_MAX);
    for (size_t i = 0; i < kinds.n; i++)
        algorithms[n_algorithms++] = kinds.items[i];
}

static void collect(void) {
    add_algorithms(select_kinds());
    add_algorithms(looper_kinds());
}

/* What the floors above config/ hand down to it; collected at the first call, constant from then on. */
static struct config_parts parts(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, collect);
    return (struct config_parts){ .families = route_families(),
                                  .algorithms = { algorithms, n_algorithms },
                                  .plugins = plugin_kinds(),
                                  .text_fault = route_text_fault,
                                  .try_build = route_try_build };
}

struct config_load_options profile_load_options(bool strict_env) {
    return (struct config_load_options){
        .parts = parts(),
        .notation = &dsl_notation,
        .strict_env = strict_env,
    };
}

int profile_base(const struct cli *cli, const char *file, const char **ret_base) {
    *ret_base = NULL;
    if (!options_knows(cli->options, "base"))
        return CLI_OK;
    if (file && str_ends(str_from_c(file), str_from_c(dsl_notation.suffix)))
        *ret_base = options_text(cli->options, "base");
    else if (options_has(cli->options, "base"))
        return cli_usage(cli, "--base goes with a policy in the routing language (NAME%s), not with %s%s%s",
                         dsl_notation.suffix, file ? "\"" : "", file ? file : "the demo", file ? "\"" : "");
    return CLI_OK;
}

int profile_check_readable(const char *file, struct vsr_err *err) {
    struct stat info;
    int fd = open(file, O_RDONLY | O_CLOEXEC), rc = 0;
    if (fd < 0 || fstat(fd, &info) < 0)
        rc = err_set(err, VSR_E_IO, "cannot read \"%s\": %s", file, strerror(errno));
    else if (S_ISDIR(info.st_mode))
        rc = err_set(err, VSR_E_IO, "cannot read \"%s\": it is a directory", file);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int profile_load_with(const struct profile_options *how, struct profile *ret_profile) {
    struct profile *profile = ret_profile;
    const char *file = how->file;
    struct snapshot_options options = { .load = profile_load_options(how->strict_env),
                                        .n_workers = how->n_threads,
                                        .generation = 1 };
    struct spinner *spinner;
    int rc;
    options.load.base = how->base;
    *profile = (struct profile){ .arena = arena_new(0, 0) };
    diag_init(&profile->diag, profile->arena, str_from_c(file ? file : PROFILE_DEMO_NAME));
    rc = file ? profile_check_readable(file, &profile->err) : 0;
    if (rc == 0 && how->base)
        rc = profile_check_readable(how->base, &profile->err);
    if (rc < 0)
        return rc;
    profile->telemetry = telemetry_new();
    profile->registry = provider_registry_new();
    if (how->models_dir)
        rc = profile_models_new(how->models_dir, how->n_threads, profile->telemetry, &profile->models, &profile->err);
    if (rc < 0)
        return rc;
    options.evidence = profile_models_evidence(profile->models);
    options.telemetry = profile->telemetry;
    options.registry = profile->registry;
    spinner = spinner_start("compiling the policy");
    rc = snapshot_load(file, profile_demo_text(), VSR_STR(PROFILE_DEMO_NAME), &options, &profile->diag,
                       &profile->snapshot, &profile->err);
    spinner_stop(spinner);
    diag_sort(&profile->diag);
    return rc;
}

void profile_done(struct profile *profile) {
    /* Requests of the snapshot are over, and with it goes its claim to models. */
    profile_models_end(profile->models);
    snapshot_unref(profile->snapshot);
    profile->snapshot = NULL;
    profile_models_free(profile->models);
    profile->models = NULL;
    /* What failed to load lies in this arena, and gives back what it has of the registry. */
    arena_free(profile->arena);
    profile->arena = NULL;
    if (profile->registry)
        provider_registry_free(profile->registry);
    profile->registry = NULL;
    if (profile->telemetry)
        telemetry_free(profile->telemetry);
    profile->telemetry = NULL;
}

int profile_complain(const struct cli *cli, const struct profile *profile) {
    if (profile->diag.n_errors > 0) {
        cli_print_diag(cli, &profile->diag);
        return CLI_FAILURE;
    }
    (void)cli_fail_err(cli, &profile->err);
    return profile->err.code == VSR_E_IO ? CLI_USAGE : CLI_FAILURE;
}
