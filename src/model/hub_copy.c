#include "model/hub_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "model/file.h"
#include "model/stage.h"

struct copying {
    const struct hub_fetch_files *files;
    size_t index;
    struct digest_run *sha256;
    uint64_t len;
};

static void on_copied(void *data, vsr_str bytes) {
    struct copying *copying = data;
    digest_run_add(copying->sha256, bytes);
    copying->len += bytes.len;
    copying->files->on_bytes(copying->files->data, copying->index, (int64_t)bytes.len, true);
}

static int copy_bytes(const struct hub_fetch_files *files, size_t index, int from, int to, uint64_t *ret_len,
                      struct digest *ret_sha256, struct vsr_err *err) {
    struct copying copying = { .files = files, .index = index, .sha256 = digest_run_new(DIGEST_SHA256, 0) };
    struct file_failure failure;
    int rc = file_copy(from, to, on_copied, &copying, &failure);
    *ret_sha256 = digest_run_end(copying.sha256);
    *ret_len = copying.len;
    digest_run_free(copying.sha256);
    if (rc < 0 && failure.side == FILE_SIDE_FROM)
        return err_set(err, rc, "cannot read: %s", strerror(failure.error));
    if (rc < 0)
        return err_set(err, rc, "cannot write: %s%s", strerror(failure.error), file_write_hint(failure.error));
    return 0;
}

static int check(const struct hub_file *file, uint64_t len, const struct digest *sha256, enum hub_failure *ret_failure,
                 struct vsr_err *err) {
    *ret_failure = HUB_FAILURE_CORRUPT;
    if (file->size >= 0 && len != (uint64_t)file->size)
        return err_set(err, VSR_E_PROTOCOL, "it changes while it is copied");
    if (file->digest.kind != DIGEST_NONE && !digest_eq(sha256, &file->digest))
        return err_set(err, VSR_E_PROTOCOL, "it has sha256 %s, its manifest says %s: the source is damaged",
                       sha256->hex, file->digest.hex);
    return 0;
}

/* Below the source, or in the blobs of the hub's cache, of which the source is a snapshot. */
static bool is_in_source(vsr_str root, vsr_str file) {
    vsr_str above = root;
    for (int i = 0; i < 2; i++) { /* snapshots/COMMIT */
        ptrdiff_t slash = str_find_last_char(above, '/');
        above = str_sub(above, 0, slash < 0 ? 0 : (size_t)slash);
    }
    if (str_starts(file, root) && file.len > root.len && file.ptr[root.len] == '/')
        return true;
    return str_starts(str_sub(root, above.len, root.len), VSR_STR("/snapshots/")) && str_starts(file, above) &&
           str_starts(str_sub(file, above.len, file.len), VSR_STR("/blobs/"));
}

/* A link of a directory that somebody gave us must not lead to files of ours. */
static int check_links(struct arena *arena, vsr_str from, vsr_str path, struct vsr_err *err) {
    char *root = realpath(arena_c_str(arena, from), NULL);
    char *file = realpath(arena_printf(arena, "%.*s/%.*s", VSR_FMT(from), VSR_FMT(path)).ptr, NULL);
    int rc = 0;
    if (!root || !file)
        rc = err_set(err, VSR_E_IO, "cannot read: %s", strerror(errno));
    else if (!is_in_source(str_from_c(root), str_from_c(file)))
        rc =
            err_set(err, VSR_E_INVALID, "it is a link that leads out of \"%.*s\", to \"%s\": put the file itself there",
                    VSR_FMT(from), file);
    free(root);
    free(file);
    return rc;
}

static int copy_file(struct arena *arena, int dir_fd, const struct hub_fetch_files *files, size_t index,
                     enum hub_failure *ret_failure, struct vsr_err *err) {
    const struct hub_file *file = &files->listing->files[index];
    vsr_str key = hub_file_key(files->listing, file);
    struct digest sha256;
    uint64_t len;
    FILE_AUTO from = openat(dir_fd, arena_c_str(arena, file->path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc, to = -1;
    *ret_failure = HUB_FAILURE_LOCAL;
    if (from < 0)
        return err_set(err, VSR_E_IO, "cannot read: %s", strerror(errno));
    rc = stage_part_open(files->stage, file->path, key, &to, &len, err);
    if (rc == 0 && ftruncate(to, 0) != 0)
        rc = err_set(err, VSR_E_IO, "cannot write: %s%s", strerror(errno), file_write_hint(errno));
    if (rc == 0)
        rc = copy_bytes(files, index, from, to, &len, &sha256, err);
    if (rc == 0)
        rc = check(file, len, &sha256, ret_failure, err);
    if (rc < 0) {
        file_close(&to);
        return rc;
    }
    *ret_failure = HUB_FAILURE_LOCAL;
    rc = stage_part_finish(files->stage, file->path, key, to, err);
    if (rc == 0)
        files->on_fetched(files->data, index, len, &sha256);
    return rc;
}

int hub_copy_files(struct arena *arena, vsr_str from, const struct hub_fetch_files *files,
                   enum hub_failure *ret_failure, struct vsr_err *err) {
    FILE_AUTO dir_fd = -1;
    int rc = file_open_dir(AT_FDCWD, arena_c_str(arena, from), &dir_fd, err);
    *ret_failure = HUB_FAILURE_LOCAL;
    for (size_t i = 0; rc == 0 && i < files->n_missing; i++) {
        rc = check_links(arena, from, files->listing->files[files->missing[i]].path, err);
        if (rc == 0)
            rc = copy_file(arena, dir_fd, files, files->missing[i], ret_failure, err);
        if (rc < 0)
            err_wrap(err, "\"%.*s\"", VSR_FMT(files->listing->files[files->missing[i]].path));
    }
    return rc;
}
