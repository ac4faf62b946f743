#include "model/hub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/url.h"
#include "model/catalogue.h"
#include "model/completeness.h"
#include "model/file.h"
#include "model/hub_copy.h"
#include "model/hub_fetch.h"
#include "model/hub_listing.h"
#include "model/manifest.h"
#include "model/stage.h"

enum { SOURCE_DEPTH_MAX = 2 };

static const char *const failures[] = {
#define X(name, text) [HUB_FAILURE_##name] = text,
    HUB_FAILURES(X)
#undef X
};

const char *hub_failure_name(enum hub_failure failure) {
    return failures[failure];
}

struct pull {
    struct arena *arena;
    const struct hub_options *options;
    const struct hub_request *request;
    struct hub_result *result;
    vsr_str repo_id, revision, endpoint; /* for the manifest */
    struct hub_listing listing;          /* the wanted files */
    struct stage *stage;
    bool has_old; /* then `old` is what the destination's manifest says */
    struct manifest old;
    struct manifest made;
    struct hub_progress progress;
};

static int fail(struct pull *pull, enum hub_failure failure, int rc) {
    if (pull->result->failure == HUB_FAILURE_NONE)
        pull->result->failure = failure;
    return rc;
}

static void report(struct pull *pull) {
    if (pull->options->progress)
        pull->options->progress(pull->options->data, &pull->progress);
}

/* ---- what there is to get */

static int list_hub(struct pull *pull, struct hub_fetch *fetch, struct vsr_err *err) {
    enum hub_failure failure = HUB_FAILURE_NONE;
    vsr_str json;
    int rc = hub_fetch_listing(fetch, pull->arena, pull->repo_id, pull->revision, &json, &failure, err);
    if (rc < 0)
        return fail(pull, failure, rc);
    rc = hub_listing_parse(pull->arena, json, &pull->listing, err);
    if (rc < 0) {
        err_wrap(err, "%.*s's answer about %.*s", VSR_FMT(url_shown(pull->arena, pull->endpoint)),
                 VSR_FMT(pull->repo_id));
        return fail(pull, pull->listing.leads_out ? HUB_FAILURE_UNSUITABLE : HUB_FAILURE_SERVER, rc);
    }
    pull->result->commit = pull->listing.commit;
    return 0;
}

static int add_source_file(struct pull *pull, const struct manifest *manifest, vsr_str path, uint64_t size, size_t *cap,
                           struct vsr_err *err) {
    const struct manifest_file *known = manifest_find(manifest, path);
    struct hub_listing *listing = &pull->listing;
    if (listing->n_files == HUB_LISTING_FILES_MAX)
        return err_set(err, VSR_E_LIMIT, "\"%.*s\" has more than %d files", VSR_FMT(pull->request->from),
                       HUB_LISTING_FILES_MAX);
    if (known && known->size != size)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" has %llu bytes, its manifest says %llu: the source is damaged",
                       VSR_FMT(path), (unsigned long long)size, (unsigned long long)known->size);
    listing->files = arena_grow(pull->arena, listing->files, sizeof(*listing->files), listing->n_files, cap);
    listing->files[listing->n_files++] = (struct hub_file){
        .path = arena_str(pull->arena, path),
        .size = (int64_t)size,
        .digest = known ? known->sha256 : (struct digest){ .kind = DIGEST_NONE },
    };
    return 0;
}

static int list_source_dir(struct pull *pull, const struct manifest *manifest, int dir_fd, vsr_str above, int depth,
                           size_t *cap, struct vsr_err *err) {
    int rc = 0, fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (!dir) {
        file_close(&fd);
        return err_set(err, VSR_E_IO, "cannot list \"%.*s\": %s", VSR_FMT(pull->request->from), strerror(errno));
    }
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        vsr_str path = arena_printf(pull->arena, "%.*s%s%s", VSR_FMT(above), above.len > 0 ? "/" : "", entry->d_name);
        struct stat status;
        FILE_AUTO below = -1;
        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &status, 0) != 0 || !model_path_safe(path))
            continue;
        if (S_ISREG(status.st_mode))
            rc = add_source_file(pull, manifest, path, (uint64_t)status.st_size, cap, err);
        else if (S_ISDIR(status.st_mode) && depth < SOURCE_DEPTH_MAX &&
                 (rc = file_open_dir(dirfd(dir), entry->d_name, &below, err)) == 0)
            rc = list_source_dir(pull, manifest, below, path, depth + 1, cap, err);
    }
    closedir(dir);
    return rc;
}

static int compare_files(const void *a, const void *b) {
    return str_cmp(((const struct hub_file *)a)->path, ((const struct hub_file *)b)->path);
}

static int list_source(struct pull *pull, struct vsr_err *err) {
    struct manifest manifest = { 0 };
    size_t cap = 0;
    FILE_AUTO fd = -1;
    int rc = file_open_dir(AT_FDCWD, arena_c_str(pull->arena, pull->request->from), &fd, err);
    if (rc < 0)
        return fail(pull, rc == VSR_E_NOT_FOUND ? HUB_FAILURE_NOT_FOUND : HUB_FAILURE_LOCAL, rc);
    rc = manifest_read(pull->arena, fd, &manifest, err);
    if (rc < 0 && rc != VSR_E_NOT_FOUND)
        return fail(pull, HUB_FAILURE_CORRUPT, rc);
    rc = list_source_dir(pull, &manifest, fd, VSR_STR(""), 1, &cap, err);
    if (rc < 0)
        return fail(pull, rc == VSR_E_INVALID ? HUB_FAILURE_CORRUPT : HUB_FAILURE_LOCAL, rc);
    if (pull->listing.n_files > 0)
        qsort(pull->listing.files, pull->listing.n_files, sizeof(*pull->listing.files), compare_files);
    pull->listing.commit = manifest.commit;
    pull->result->commit = manifest.commit;
    if (manifest.repo_id.len > 0) {
        pull->repo_id = manifest.repo_id;
        pull->revision = manifest.revision;
        pull->endpoint = manifest.endpoint;
    }
    return 0;
}

/* ---- what is at the destination already */

/* The manifest at the destination; without one `has_old` stays false. A damaged one is as good as none. */
static void read_old(struct pull *pull, int dir_fd) {
    struct vsr_err ignored;
    pull->has_old = dir_fd >= 0 && manifest_read(pull->arena, dir_fd, &pull->old, &ignored) == 0;
}

/* Everything is there, from the same commit and with the right sizes. */
static bool is_unchanged(const struct pull *pull, int dir_fd) {
    if (!pull->has_old || pull->options->force || pull->listing.commit.len == 0 ||
        !str_eq(pull->old.commit, pull->listing.commit) || !str_eq(pull->old.repo_id, pull->repo_id))
        return false;
    for (size_t i = 0; i < pull->listing.n_files; i++) {
        const struct manifest_file *file = manifest_find(&pull->old, pull->listing.files[i].path);
        uint64_t size;
        if (!file || !file_size(dir_fd, file->path.ptr, &size) || size != file->size)
            return false;
    }
    return true;
}

static int refuse_foreign(struct pull *pull, vsr_str path, struct vsr_err *err) {
    (void)err_set(err, VSR_E_EXISTS,
                  "\"%.*s/%.*s\" is not the repository's file, and vsr did not bring it: move the directory away, or "
                  "replace it with --force",
                  VSR_FMT(pull->request->directory), VSR_FMT(path));
    return fail(pull, HUB_FAILURE_LOCAL, VSR_E_EXISTS);
}

static int check_old(struct pull *pull, struct vsr_err *err) {
    if (!pull->has_old || pull->options->force || pull->old.repo_id.len == 0 || pull->repo_id.len == 0 ||
        str_eq(pull->old.repo_id, pull->repo_id))
        return 0;
    (void)err_set(err, VSR_E_EXISTS, "\"%.*s\" holds %.*s: choose another place with --as, or replace it with --force",
                  VSR_FMT(pull->request->directory), VSR_FMT(pull->old.repo_id));
    return fail(pull, HUB_FAILURE_LOCAL, VSR_E_EXISTS);
}

/* ---- putting it together */

static int sweep(struct pull *pull, struct vsr_err *err) {
    size_t n = pull->listing.n_files;
    vsr_str *paths = ARENA_ARRAY(pull->arena, vsr_str, n), *keys = ARENA_ARRAY(pull->arena, vsr_str, n);
    for (size_t i = 0; i < n; i++) {
        paths[i] = pull->listing.files[i].path;
        keys[i] = hub_file_key(&pull->listing, &pull->listing.files[i]);
    }
    return stage_sweep(pull->stage, paths, keys, n, err);
}

static void done_file(struct pull *pull, size_t i, uint64_t size, const struct digest *sha256) {
    pull->made.files[i] =
        (struct manifest_file){ .path = pull->listing.files[i].path, .size = size, .sha256 = *sha256 };
    pull->progress.files_done++;
    pull->result->bytes += size;
}

/* Takes over what is there. `missing` are the indexes of the rest. */
static int take_present(struct pull *pull, size_t *missing, size_t *ret_n_missing, struct vsr_err *err) {
    *ret_n_missing = 0;
    for (size_t i = 0; i < pull->listing.n_files; i++) {
        const struct hub_file *file = &pull->listing.files[i];
        struct digest sha256 = { .kind = DIGEST_NONE };
        bool has, differs;
        uint64_t size = 0;
        int rc = stage_has(pull->stage, file->path, file->size, &file->digest, &has, &differs, &sha256, err);
        if (rc < 0)
            return fail(pull, HUB_FAILURE_LOCAL, rc);
        if (differs && !pull->has_old && !pull->options->force)
            return refuse_foreign(pull, file->path, err);
        if (has && file_size(stage_fd(pull->stage), file->path.ptr, &size)) {
            done_file(pull, i, size, &sha256);
            pull->progress.bytes_done += size;
            report(pull);
        } else {
            missing[(*ret_n_missing)++] = i;
        }
    }
    return 0;
}

static int check_space(struct pull *pull, const size_t *missing, size_t n_missing, struct vsr_err *err) {
    uint64_t need = 0, have = stage_free_bytes(pull->stage);
    for (size_t i = 0; i < n_missing; i++) {
        int64_t size = pull->listing.files[missing[i]].size;
        if (size > 0 && __builtin_add_overflow(need, (uint64_t)size, &need))
            need = UINT64_MAX;
    }
    if (need <= have)
        return 0;
    (void)err_set(err, VSR_E_LIMIT, "%llu MB are to be fetched, \"%.*s\" has room for %llu MB",
                  (unsigned long long)(need / 1000000), VSR_FMT(pull->request->directory),
                  (unsigned long long)(have / 1000000));
    return fail(pull, HUB_FAILURE_LOCAL, VSR_E_LIMIT);
}

static void on_fetched(void *data, size_t i, uint64_t size, const struct digest *sha256) {
    struct pull *pull = data;
    done_file(pull, i, size, sha256);
    pull->result->n_fetched++;
    report(pull);
}

/* `n_bytes` may be negative, when a resumed file has to be begun anew. */
static void on_bytes(void *data, size_t i, int64_t n_bytes, bool fetched) {
    struct pull *pull = data;
    pull->progress.what = pull->listing.files[i].path.ptr;
    pull->progress.bytes_done += (uint64_t)n_bytes;
    if (fetched && n_bytes > 0)
        pull->result->bytes_fetched += (uint64_t)n_bytes;
    report(pull);
}

static int get_missing(struct pull *pull, struct hub_fetch *fetch, const size_t *missing, size_t n_missing,
                       struct vsr_err *err) {
    struct hub_fetch_files files = {
        .stage = pull->stage,
        .repo_id = pull->repo_id,
        .listing = &pull->listing,
        .missing = missing,
        .n_missing = n_missing,
        .on_fetched = on_fetched,
        .on_bytes = on_bytes,
        .data = pull,
    };
    enum hub_failure failure = HUB_FAILURE_NONE;
    int rc;
    if (n_missing == 0)
        return 0;
    rc = fetch ? hub_fetch_files(fetch, pull->arena, &files, &failure, err)
               : hub_copy_files(pull->arena, pull->request->from, &files, &failure, err);
    return rc < 0 ? fail(pull, failure, rc) : 0;
}

static int install(struct pull *pull, struct vsr_err *err) {
    const struct completeness_options options = { 0 };
    struct completeness found;
    int rc = stage_write_manifest(pull->stage, &pull->made, err);
    if (rc < 0)
        return fail(pull, HUB_FAILURE_LOCAL, rc);
    rc = completeness_check(pull->arena, stage_path(pull->stage), &options, &found, err);
    if (rc < 0)
        return fail(pull, HUB_FAILURE_LOCAL, rc);
    if (found.n_problems > 0) {
        (void)err_set(err, VSR_E_INVALID, "the files are as announced and yet no model that vsr can run: %.*s %.*s",
                      VSR_FMT(found.problems[0].file), VSR_FMT(found.problems[0].text));
        return fail(pull, HUB_FAILURE_UNSUITABLE, VSR_E_INVALID);
    }
    rc = stage_install(pull->stage, pull->has_old ? &pull->old : NULL, err);
    return rc < 0 ? fail(pull, HUB_FAILURE_LOCAL, rc) : 0;
}

static void begin_manifest(struct pull *pull) {
    pull->made = (struct manifest){
        .repo_id = pull->repo_id,
        .revision = pull->revision,
        .commit = pull->listing.commit,
        .endpoint = pull->endpoint,
        .files = ARENA_ARRAY(pull->arena, struct manifest_file, pull->listing.n_files),
        .n_files = pull->listing.n_files,
    };
    pull->result->n_files = pull->progress.files_all = pull->listing.n_files;
    for (size_t i = 0; i < pull->listing.n_files; i++)
        if (pull->listing.files[i].size > 0)
            pull->progress.bytes_all += (uint64_t)pull->listing.files[i].size;
}

static int build(struct pull *pull, struct hub_fetch *fetch, struct vsr_err *err) {
    size_t *missing = ARENA_ARRAY(pull->arena, size_t, pull->listing.n_files), n_missing;
    int rc = sweep(pull, err);
    if (rc < 0)
        return fail(pull, HUB_FAILURE_LOCAL, rc);
    begin_manifest(pull);
    if ((rc = take_present(pull, missing, &n_missing, err)) < 0 ||
        (rc = check_space(pull, missing, n_missing, err)) < 0 ||
        (rc = get_missing(pull, fetch, missing, n_missing, err)) < 0)
        return rc;
    return install(pull, err);
}

static int pull_into_stage(struct pull *pull, struct hub_fetch *fetch, struct vsr_err *err) {
    int rc = stage_open(pull->arena, pull->request->directory, &pull->stage, err);
    if (rc < 0)
        return fail(pull, rc == VSR_E_EXISTS ? HUB_FAILURE_BUSY : HUB_FAILURE_LOCAL, rc);
    read_old(pull, stage_target_fd(pull->stage)); /* again, now that nobody else changes it */
    rc = check_old(pull, err);
    if (rc == 0)
        rc = build(pull, fetch, err);
    stage_close(pull->stage);
    return rc;
}

static void look_at_destination(struct pull *pull) {
    struct vsr_err ignored;
    FILE_AUTO fd = -1;
    if (file_open_dir(AT_FDCWD, arena_c_str(pull->arena, pull->request->directory), &fd, &ignored) < 0)
        return;
    read_old(pull, fd);
    pull->result->unchanged = is_unchanged(pull, fd);
}

static int pull_listed(struct pull *pull, struct hub_fetch *fetch, struct vsr_err *err) {
    int rc = hub_listing_select(&pull->listing, pull->options->patterns, pull->options->n_patterns, err);
    if (rc < 0) {
        if (pull->repo_id.len > 0)
            err_wrap(err, "%.*s", VSR_FMT(pull->repo_id));
        return fail(pull, HUB_FAILURE_UNSUITABLE, rc);
    }
    look_at_destination(pull);
    if (!pull->result->unchanged)
        return pull_into_stage(pull, fetch, err);
    pull->result->n_files = pull->old.n_files;
    for (size_t i = 0; i < pull->old.n_files; i++)
        pull->result->bytes += pull->old.files[i].size;
    return 0;
}

/* Without a network the only success is that nothing is to be done. */
static int pull_offline(struct pull *pull, struct vsr_err *err) {
    const struct completeness_options options = { 0 };
    struct completeness found;
    vsr_str path = arena_str(pull->arena, pull->request->directory);
    if (completeness_check(pull->arena, path, &options, &found, err) == 0 && found.n_problems == 0) {
        pull->result->unchanged = true;
        pull->result->commit = found.has_manifest ? found.manifest.commit : VSR_STR("");
        pull->result->n_files = found.has_manifest ? found.manifest.n_files : 0;
        return 0;
    }
    (void)
        err_set(err, VSR_E_UNAVAILABLE,
                "%.*s is not in \"%.*s\", and the network is not to be used (--offline, HF_HUB_OFFLINE): copy it from "
                "a directory with --from",
                VSR_FMT(pull->repo_id), VSR_FMT(path));
    return fail(pull, HUB_FAILURE_OFFLINE, VSR_E_UNAVAILABLE);
}

static int pull_from_hub(struct pull *pull, struct vsr_err *err) {
    struct hub_fetch *fetch;
    int rc = hub_fetch_new(pull->options, &fetch, err);
    if (rc < 0)
        return fail(pull, HUB_FAILURE_LOCAL, rc);
    rc = list_hub(pull, fetch, err);
    if (rc == 0)
        rc = pull_listed(pull, fetch, err);
    hub_fetch_free(fetch);
    return rc;
}

int hub_pull(struct arena *arena, const struct hub_options *options, const struct hub_request *request,
             struct hub_result *ret, struct vsr_err *err) {
    struct pull pull = { .arena = arena, .options = options, .request = request, .result = ret };
    int rc;
    *ret = (struct hub_result){ .failure = HUB_FAILURE_NONE };
    pull.repo_id = request->repo_id;
    pull.revision = request->revision.len > 0 ? request->revision : VSR_STR("main");
    pull.endpoint = options->endpoint.len > 0 ? options->endpoint : VSR_STR(HUB_ENDPOINT);
    while (pull.endpoint.len > 0 && pull.endpoint.ptr[pull.endpoint.len - 1] == '/')
        pull.endpoint.len--;
    if (request->from.len > 0) {
        pull.endpoint = pull.revision = VSR_STR("");
        rc = list_source(&pull, err);
        return rc < 0 ? rc : pull_listed(&pull, NULL, err);
    }
    if (!model_repo_id_valid(request->repo_id)) {
        (void)err_set(err, VSR_E_INVALID, "\"%.*s\" is no repository: expected OWNER/NAME",
                      VSR_FMT(str_sub(request->repo_id, 0, 128)));
        return fail(&pull, HUB_FAILURE_NOT_FOUND, VSR_E_INVALID);
    }
    return options->offline ? pull_offline(&pull, err) : pull_from_hub(&pull, err);
}
