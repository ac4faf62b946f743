/*
 * model_row - one model as the members of `vsr model` speak of it: catalogue record, directory, state.
 *
 * Lives in the caller's arena. One thread.
 */
#ifndef VSR_CLI_MODEL_ROW_H
#define VSR_CLI_MODEL_ROW_H

#include <stdbool.h>

#include "model/completeness.h"
#include "model/directory.h"

struct arena;
struct cli;
struct json_writer;
struct model_record;

/* For the tables of options of all members. */
#define MODEL_OPTION_DIR \
    { "models-dir", 'd', OPTION_TEXT, OPTION_FILE, "DIR", "what `models/` stands for", "models", "VSR_MODELS_DIR" }

struct model_row {
    vsr_str name;                      /* "models/...", or a repository in the hub's cache */
    const struct model_record *record; /* NULL: not in the catalogue */
    bool present;                      /* then `directory` and `completeness` are set */
    struct model_directory directory;
    struct completeness completeness;
    struct vsr_err err; /* why it could not be found or looked at; code 0: all went well */
};

/* By the command's options and the environment. */
struct model_places model_row_places(const struct cli *cli, struct arena *arena);

/* Looks for one model. `ret` is set in any case. */
void model_row_find(struct arena *arena, const struct model_places *places, vsr_str name,
                    const struct completeness_options *options, struct model_row *ret);
/* A directory that was found. */
void model_row_from(struct arena *arena, struct model_directory directory, const struct completeness_options *options,
                    struct model_row *ret);

/* "ready", "incomplete" or "absent". */
const char *model_row_state(const struct model_row *row);

/* One object. With `record`, all that the catalogue says too. */
void model_row_json(const struct model_row *row, bool record, struct json_writer *w);

#endif
