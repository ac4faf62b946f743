/* links: model */
/*
 * What a hub, a mirror or a directory says about a model: lists of files and manifests. No reader trips, no path that
 * is handed out leads out of a directory, and a manifest that was read is the same once it was written.
 */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "model/catalogue.h"
#include "model/hub_listing.h"
#include "model/manifest.h"

enum { ARENA_LEN_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* By another way than model_path_safe(). */
static void check_path(vsr_str path) {
    VSR_ASSERT(path.len > 0 && path.ptr[0] != '/' && path.ptr[path.len - 1] != '/');
    for (vsr_str rest = path; rest.ptr;) {
        vsr_str part = str_split(&rest, '/');
        VSR_ASSERT(part.len > 0 && !str_eq_c(part, ".."));
        VSR_ASSERT(str_find_char(part, '\\') < 0 && str_find_char(part, 0) < 0);
    }
}

static void check_listing(struct arena *arena, vsr_str text) {
    struct hub_listing listing;
    struct vsr_err err = VSR_ERR_NONE;
    size_t n;
    if (hub_listing_parse(arena, text, &listing, &err) < 0) {
        VSR_ASSERT(err.text[0]);
        return;
    }
    for (size_t i = 0; i < listing.n_files; i++) {
        check_path(listing.files[i].path);
        VSR_ASSERT(listing.files[i].size >= -1);
        VSR_ASSERT(i == 0 || str_cmp(listing.files[i - 1].path, listing.files[i].path) < 0);
    }
    n = listing.n_files;
    if (hub_listing_select(&listing, NULL, 0, &err) < 0)
        VSR_ASSERT(err.text[0] && listing.n_files == n);
    for (size_t i = 0; i < listing.n_files && err.code == 0; i++)
        VSR_ASSERT(hub_file_wanted(listing.files[i].path, NULL, 0));
}

static void check_manifest(struct arena *arena, vsr_str text) {
    struct manifest manifest, again;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    if (manifest_parse(arena, text, &manifest, &err) < 0) {
        VSR_ASSERT(err.text[0]);
        return;
    }
    buf_init(&out, MANIFEST_LEN_MAX);
    manifest_write(&manifest, &out);
    if (!buf_failed(&out)) {
        int rc = manifest_parse(arena, buf_str(&out), &again, &err);
        VSR_ASSERT(rc == 0 && again.n_files == manifest.n_files && str_eq(again.commit, manifest.commit));
        for (size_t i = 0; i < again.n_files; i++) {
            check_path(again.files[i].path);
            VSR_ASSERT(str_eq(again.files[i].path, manifest.files[i].path));
            VSR_ASSERT(manifest_find(&manifest, again.files[i].path) == &manifest.files[i]);
        }
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct arena *arena = arena_new(0, ARENA_LEN_MAX);
    vsr_str text = { (const char *)bytes, len };
    check_listing(arena, text);
    check_manifest(arena, text);
    if (hub_file_wanted(text, NULL, 0))
        check_path(text);
    if (model_repo_id_valid(text))
        check_path(text);
    arena_free(arena);
    return 0;
}
