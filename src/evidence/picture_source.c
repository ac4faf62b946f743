#include "evidence/picture_source.h"

#include <fcntl.h>
#include <xxhash.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "model/file.h"
#include "nn/picture.h"
#include "signal/picture_example.h"

#define URI "data:image;base64,"

static vsr_str key_of(struct arena *arena, vsr_str bytes) {
    XXH128_hash_t hash = XXH3_128bits(bytes.ptr, bytes.len);
    return arena_printf(arena, "picture %016llx%016llx", (unsigned long long)hash.high64,
                        (unsigned long long)hash.low64);
}

static int read_base64(struct arena *arena, vsr_str base64, struct picture_ask *ret, struct vsr_err *err) {
    char *bytes = arena_try_alloc_raw(arena, base64_room(base64.len));
    size_t len;
    if (!bytes)
        return err_set(err, VSR_E_NOMEM, "no memory for a picture of %zu bytes", base64.len);
    if (!base64_read(base64, false, bytes, &len))
        return err_set(err, VSR_E_INVALID, "the picture is not base64");
    ret->key = key_of(arena, str_make(bytes, len));
    ret->text = arena_printf(arena, URI "%.*s", VSR_FMT(base64));
    return 0;
}

static int read_file(struct arena *arena, vsr_str base_dir, vsr_str path, struct picture_ask *ret,
                     struct vsr_err *err) {
    struct buf uri;
    vsr_str bytes;
    int rc;
    if (path.ptr[0] == '.' && base_dir.len == 0)
        return err_set(err, VSR_E_INVALID, "\"%.*s\": the configuration is no file, so nothing lies beside it",
                       VSR_FMT(str_sub(path, 0, 200)));
    if (path.ptr[0] == '.')
        path = arena_printf(arena, "%.*s/%.*s", VSR_FMT(base_dir), VSR_FMT(str_sub(path, 2, path.len)));
    rc = file_read(arena, AT_FDCWD, arena_c_str(arena, path), PICTURE_LEN_MAX, &bytes, err);
    if (rc < 0)
        return rc;
    buf_init(&uri, (size_t)PICTURE_LEN_MAX * 2);
    buf_append_c(&uri, URI);
    base64_write(&uri, bytes);
    rc = buf_failed(&uri) ? err_set(err, buf_failed(&uri), "%.*s: no memory", VSR_FMT(str_sub(path, 0, 200))) : 0;
    if (rc == 0) {
        ret->key = key_of(arena, bytes);
        ret->text = arena_str(arena, buf_str(&uri));
    }
    buf_done(&uri);
    return rc;
}

int picture_source_read(struct arena *arena, vsr_str base_dir, vsr_str example, struct picture_ask *ret,
                        struct vsr_err *err) {
    struct picture_example found = picture_example_of(example);
    struct picture_ask made = { .text = example, .key = example };
    int rc = 0;
    switch (found.kind) {
    case EXAMPLE_TEXT:
        break;
    case EXAMPLE_BASE64:
        rc = read_base64(arena, found.value, &made, err);
        break;
    case EXAMPLE_FILE:
        rc = read_file(arena, base_dir, found.value, &made, err);
        break;
    case EXAMPLE_REFUSED:
        rc = err_set(err, VSR_E_INVALID, "%s", found.refusal);
        break;
    }
    if (rc == 0)
        *ret = made;
    return rc;
}
