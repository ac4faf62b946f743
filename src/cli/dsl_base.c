#include "cli/dsl_base.h"

#include "cli/cli.h"
#include "cli/config_migrate_file.h"
#include "cli/dsl_verdict.h"
#include "config/diag.h"
#include "config/yaml_edit.h"
#include "config/yaml_notes.h"
#include "config/yaml_tree.h"
#include "core/arena.h"

int dsl_base_read(struct arena *arena, const char *file, struct dsl_base *ret_base, struct diag *diag,
                  struct vsr_err *err) {
    struct dsl_base base = { .file = arena_str(arena, str_from_c(file)) };
    struct yaml_spans spans;
    struct yaml_node *root;
    int rc;
    diag_init(diag, arena, str_from_c(file));
    rc = config_file_read(arena, file, YAML_BYTES_MAX, &base.text, &base.mode, err);
    if (rc < 0)
        return rc;
    rc = yaml_tree_parse_spans(arena, base.text, &root, &spans, diag);
    if (rc < 0)
        return rc;
    if (root->kind != YAML_MAPPING) {
        diag_error(diag, "E_TYPE", (struct diag_at){ root->line, root->col, VSR_STR("") }, VSR_STR(""),
                   "a configuration is a mapping");
        return VSR_E_INVALID;
    }
    yaml_notes_attach(arena, base.text, &spans, root);
    base.root = yaml_copy(arena, root);
    *ret_base = base;
    return 0;
}

int dsl_base_open_file(const struct cli *cli, struct arena *arena, const char *file, struct dsl_base *ret_base) {
    struct vsr_err err = VSR_ERR_NONE;
    struct diag diag;
    if (dsl_base_read(arena, file, ret_base, &diag, &err) == 0)
        return CLI_OK;
    if (err.code < 0)
        return dsl_refuse_err(cli, file, &err, "E_IO");
    return dsl_refuse_diag(cli, &diag);
}

int dsl_base_open(const struct cli *cli, struct arena *arena, struct dsl_base *ret_base) {
    const char *file = options_knows(cli->options, "base") ? options_text(cli->options, "base") : NULL;
    *ret_base = (struct dsl_base){ 0 };
    return file && *file ? dsl_base_open_file(cli, arena, file, ret_base) : CLI_OK;
}
