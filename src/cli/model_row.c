#include "cli/model_row.h"

#include "cli/cli.h"
#include "core/arena.h"
#include "core/json_write.h"
#include "model/catalogue.h"

struct model_places model_row_places(const struct cli *cli, struct arena *arena) {
    return model_places_make(arena, options_text(cli->options, "models-dir"));
}

static void look(struct arena *arena, const struct completeness_options *options, struct model_row *row) {
    row->present = completeness_check(arena, row->directory.path, options, &row->completeness, &row->err) == 0;
}

/* By path, by repository: one that lies in the hub's cache has no path of ours. */
static const struct model_record *record_of(const struct model_directory *directory) {
    const struct model_record *record = catalogue_find(directory->name);
    return record ? record : catalogue_find(directory->repo_id);
}

void model_row_from(struct arena *arena, struct model_directory directory, const struct completeness_options *options,
                    struct model_row *ret) {
    *ret = (struct model_row){ .directory = directory, .record = record_of(&directory), .err = VSR_ERR_NONE };
    ret->name = directory.name.len > 0      ? directory.name
                : directory.repo_id.len > 0 ? directory.repo_id
                                            : directory.path;
    look(arena, options, ret);
}

void model_row_find(struct arena *arena, const struct model_places *places, vsr_str name,
                    const struct completeness_options *options, struct model_row *ret) {
    vsr_str none = VSR_STR("");
    *ret = (struct model_row){ .name = catalogue_path(name), .record = catalogue_find(name), .err = VSR_ERR_NONE };
    if (model_directory_find(arena, places, name, none, none, &ret->directory, &ret->err) == 0)
        look(arena, options, ret);
}

const char *model_row_state(const struct model_row *row) {
    return !row->present ? "absent" : row->completeness.n_problems > 0 ? "incomplete" : "ready";
}

/* ---- JSON */

static void text_or_null(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    if (text.len > 0)
        json_write_str(w, text);
    else
        json_write_null(w);
}

static void list(struct json_writer *w, const char *key, const char *const *texts, size_t max) {
    json_write_key(w, str_from_c(key));
    json_write_begin_array(w);
    for (size_t i = 0; i < max && texts[i]; i++)
        json_write_str(w, str_from_c(texts[i]));
    json_write_end(w);
}

static void number(struct json_writer *w, const char *key, uint64_t value) {
    json_write_key(w, str_from_c(key));
    if (value > 0)
        json_write_u64(w, value);
    else
        json_write_null(w);
}

static void record_json(const struct model_record *record, struct json_writer *w) {
    text_or_null(w, "capability", str_from_c(record->capability));
    text_or_null(w, "description", str_from_c(record->description));
    text_or_null(w, "parameter_size", str_from_c(record->parameter_size));
    text_or_null(w, "revision", str_from_c(record->revision));
    text_or_null(w, "base_model", str_from_c(record->base_repo_id));
    number(w, "embedding_dim", record->embedding_dim);
    number(w, "num_classes", record->num_classes);
    number(w, "max_context_length", record->max_context_length);
    number(w, "base_model_max_context", record->base_model_max_context);
    json_write_key(w, VSR_STR("uses_lora"));
    json_write_bool(w, record->uses_lora);
    json_write_key(w, VSR_STR("gated"));
    json_write_bool(w, record->gated);
    list(w, "aliases", record->aliases, CATALOGUE_ALIASES_MAX);
    list(w, "tags", record->tags, CATALOGUE_TAGS_MAX);
}

static void present_json(const struct model_row *row, struct json_writer *w) {
    const struct completeness *found = &row->completeness;
    text_or_null(w, "location", row->directory.path);
    json_write_key(w, VSR_STR("layout"));
    json_write_str(w, str_from_c(model_layout_name(row->directory.layout)));
    text_or_null(w, "commit", row->directory.commit);
    text_or_null(w, "model_type", found->model_type);
    json_write_key(w, VSR_STR("weight_bytes"));
    json_write_u64(w, found->weight_bytes);
    json_write_key(w, VSR_STR("adapter"));
    json_write_bool(w, found->adapter);
    json_write_key(w, VSR_STR("manifest"));
    json_write_bool(w, found->has_manifest);
    json_write_key(w, VSR_STR("hashed_files"));
    json_write_u64(w, found->n_hashed);
    json_write_key(w, VSR_STR("problems"));
    json_write_begin_array(w);
    for (size_t i = 0; i < found->n_problems; i++) {
        json_write_begin_object(w);
        text_or_null(w, "file", found->problems[i].file);
        text_or_null(w, "text", found->problems[i].text);
        json_write_end(w);
    }
    json_write_end(w);
}

void model_row_json(const struct model_row *row, bool record, struct json_writer *w) {
    vsr_str repo_id = row->present ? row->directory.repo_id : VSR_STR("");
    if (repo_id.len == 0 && row->record)
        repo_id = str_from_c(row->record->repo_id);
    json_write_begin_object(w);
    text_or_null(w, "name", row->name);
    text_or_null(w, "state", str_from_c(model_row_state(row)));
    text_or_null(w, "repo_id", repo_id);
    text_or_null(w, "purpose", str_from_c(row->record ? model_purpose_name(row->record->purpose) : NULL));
    json_write_key(w, VSR_STR("default"));
    json_write_bool(w, row->record && row->record->is_default);
    if (record && row->record)
        record_json(row->record, w);
    if (row->present)
        present_json(row, w);
    json_write_end(w);
}
