#include "serve/tls_file.h"

#include "config/file_hash.h"
#include "core/arena.h"

vsr_str tls_file_place(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                       vsr_str file, vsr_str *ret_hash) {
    vsr_str path = file, found = VSR_STR("");
    char hash[FILE_HASH_LEN];
    if (file.len > 0) {
        if (file.ptr[0] != '/' && doc->base_dir.len)
            path = arena_printf(arena, "%.*s/%.*s", VSR_FMT(doc->base_dir), VSR_FMT(file));
        if (file_hash(arena_c_str(arena, path), hash, NULL) == 0)
            found = arena_str(arena, str_make(hash, sizeof(hash)));
        if (load->on_file)
            load->on_file(load->on_file_data, path, found);
    }
    if (ret_hash)
        *ret_hash = found;
    return path;
}
