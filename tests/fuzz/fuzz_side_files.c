/* links: config */
#include <stddef.h>
#include <stdint.h>

#include "config/side_files.h"
#include "core/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Either parser ends with a result that keeps its promises, or with an error. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    struct config_kb_manifest *manifest;
    struct config_tools_db *db;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text = str_make((const char *)data, len);
    if (kb_manifest_parse(arena, text, &manifest, &err) == 0) {
        if (manifest->n_labels == 0)
            __builtin_trap();
        for (size_t i = 0; i < manifest->n_labels; i++)
            if (config_kb_label(manifest, manifest->labels[i].name) != &manifest->labels[i] ||
                manifest->labels[i].n_exemplars == 0)
                __builtin_trap();
    }
    if (tools_db_parse(arena, text, &db, &err) == 0)
        for (size_t i = 0; i < db->n_tools; i++)
            if (db->tools[i].name.len == 0 || db->tools[i].json.len == 0)
                __builtin_trap();
    arena_free(arena);
    return 0;
}
