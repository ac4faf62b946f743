#include <gnu/libc-version.h>
#include <hs.h>
#include <libfyaml.h>
#include <openssl/crypto.h>
#include <utf8proc.h>
#include <uv.h>
#include <xxhash.h>

#include "cli/build_info.h"
#include "cli/cli.h"
#include "core/buf.h"
#include "core/json_write.h"

enum { VERSION_LEN_MAX = 16 << 10, LIBRARIES_COUNT = 7, LIBRARY_VERSION_LEN = 96 };

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

struct library {
    const char *name;
    char version[LIBRARY_VERSION_LEN];
};

/* As they are at run time, which need not be what the program was built with. */
static void libraries_read(struct library libraries[static LIBRARIES_COUNT]) {
    unsigned xxhash = XXH_versionNumber();
    size_t n = 0;
#define ADD(label, ...) \
    do { \
        libraries[n].name = (label); \
        (void)snprintf(libraries[n++].version, LIBRARY_VERSION_LEN, __VA_ARGS__); \
    } while (0)
    ADD("glibc", "%s", gnu_get_libc_version());
    ADD("libuv", "%s", uv_version_string());
    ADD("openssl", "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
    ADD("libfyaml", "%s", fy_library_version());
    ADD("hyperscan", "%.*s", (int)strcspn(hs_version(), " "), hs_version()); /* a build date follows */
    ADD("utf8proc", "%s", utf8proc_version());
    ADD("xxhash", "%u.%u.%u", xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
#undef ADD
}

static void write_json(struct buf *out, const struct library *libraries) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("version"));
    json_write_str(&w, VSR_STR(VSR_VERSION));
    json_write_key(&w, VSR_STR("commit"));
    if (build_info_commit[0])
        json_write_str(&w, str_from_c(build_info_commit));
    else
        json_write_null(&w);
    json_write_key(&w, VSR_STR("build_type"));
    json_write_str(&w, str_from_c(build_info_type));
    json_write_key(&w, VSR_STR("compiler"));
    json_write_str(&w, VSR_STR(COMPILER));
    json_write_key(&w, VSR_STR("libraries"));
    json_write_begin_object(&w);
    for (size_t i = 0; i < LIBRARIES_COUNT; i++) {
        json_write_key(&w, str_from_c(libraries[i].name));
        json_write_str(&w, str_from_c(libraries[i].version));
    }
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void write_text(struct buf *out, const struct library *libraries) {
    buf_printf(out, "vsr %s%s%s%s\n", VSR_VERSION, build_info_commit[0] ? " (" : "", build_info_commit,
               build_info_commit[0] ? ")" : "");
    buf_printf(out, "built  %s, %s\n", build_info_type, COMPILER);
    buf_append_c(out, "uses   ");
    for (size_t i = 0; i < LIBRARIES_COUNT; i++)
        buf_printf(out, "%s%s %s", i == 0 ? "" : ", ", libraries[i].name, libraries[i].version);
    buf_append_char(out, '\n');
}

static int version_run(const struct cli *cli, int argc, char **argv) {
    struct library libraries[LIBRARIES_COUNT];
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    libraries_read(libraries);
    buf_init(&out, VERSION_LEN_MAX);
    if (options_has(cli->options, "json"))
        write_json(&out, libraries);
    else
        write_text(&out, libraries);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static const struct option_spec version_options[] = {
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_version_spec = {
    .name = "version",
    .summary = "say which vsr this is, and what it is built on",
    .usage = "vsr version [--json]",
    .operands = OPERANDS_NONE,
    .options = version_options,
    .n_options = VSR_COUNT(version_options),
    .run = version_run,
};
