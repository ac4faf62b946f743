/*
 * catalogue - the models that vsr knows by name: where each lies, which repository it comes from, what it is for.
 *
 * A static table, extended by what a configuration says about repositories (`struct catalogue_override`). Owners and
 * names of repositories have changed over time and will again, so they are data here and nowhere else. A name that the
 * catalogue does not know is no error: it is a model of the user's own. Immutable; any thread.
 *
 * Built-in models (builtin.h) are in it too: `builtin/NAME`, without a repository.
 *
 * Names and paths: `models/NAME` is the canonical path of a model; `models/` stands for the models directory, wherever
 * that is (see directory.h). An alias may be written with and without `models/`.
 */
#ifndef VSR_MODEL_CATALOGUE_H
#define VSR_MODEL_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

/* name, text */
#define MODEL_PURPOSES(X) \
    X(DOMAIN, "domain-classification") \
    X(PII, "pii-detection") \
    X(JAILBREAK, "jailbreak-detection") \
    X(SENTINEL, "hallucination-sentinel") \
    X(DETECTOR, "hallucination-detector") \
    X(EXPLAINER, "hallucination-explainer") \
    X(FEEDBACK, "feedback-detection") \
    X(MODALITY, "modality-detection") \
    X(DIFFICULTY, "difficulty-estimation") \
    X(EMBEDDING, "embedding") \
    X(SIMILARITY, "semantic-similarity")

enum model_purpose {
#define X(name, text) MODEL_PURPOSE_##name,
    MODEL_PURPOSES(X)
#undef X
        MODEL_PURPOSES_COUNT
};

enum { CATALOGUE_ALIASES_MAX = 8, CATALOGUE_TAGS_MAX = 8 };

/* Strings are NULL where the catalogue has nothing to say, numbers 0. */
struct model_record {
    const char *local_path;                     /* "models/..." or "builtin/..." */
    const char *repo_id;                        /* "owner/name"; NULL: built in */
    const char *revision;                       /* commit or branch to download; NULL: main */
    const char *capability;                     /* key of a configuration's `system` block that it would stand for */
    const char *aliases[CATALOGUE_ALIASES_MAX]; /* NULL behind the last */
    const char *tags[CATALOGUE_TAGS_MAX];       /* likewise */
    const char *description;
    const char *parameter_size; /* "307M + LoRA" */
    const char *base_repo_id;   /* adapters: the model that they adapt */
    enum model_purpose purpose;
    unsigned embedding_dim;          /* embedders */
    unsigned num_classes;            /* classifiers; per token where the tags say so */
    unsigned max_context_length;     /* tokens that the task's weights were trained for */
    unsigned base_model_max_context; /* tokens that the trunk supports */
    bool uses_lora;                  /* an adapter without the trunk */
    bool gated;                      /* terms must be accepted at the hub before it hands the files out */
    bool is_default;                 /* one of the published set that serves all tasks */
};

/* What a configuration puts in place of a record's repository: `mom_registry`, path or alias to repository. */
struct catalogue_override {
    vsr_str name;
    vsr_str repo_id;
};

/* In lookup order. */
const struct model_record *catalogue_records(size_t *ret_n);

/*
 * The record that `name` means: the first whose path is `name`, or one of whose aliases is, bare or behind `models/`.
 * When there is none: the record with that path once `models/` is put before `name`, or of that repository; these two
 * are for people at a command line and never hide an alias. NULL: not in the catalogue.
 */
const struct model_record *catalogue_find(vsr_str name);

/* The published model for a `model_ref`: domain_classifier, prompt_guard, ... NULL: no such key. */
const struct model_record *catalogue_capability(vsr_str key);

/*
 * Where `name` lies, canonically: the record's path, or `name` itself. The result is static or `name`.
 */
vsr_str catalogue_path(vsr_str name);

/*
 * The repository to get `name` from: the first override that names it or the record behind it (by path, alias or
 * repository), else the record's, else empty. Static, or one of the overrides' strings.
 */
vsr_str catalogue_repo(vsr_str name, const struct catalogue_override *overrides, size_t n_overrides);

const char *model_purpose_name(enum model_purpose purpose);

/* Whether `repo_id` is "owner/name", both of letters, digits, `-`, `_` and `.`, as the hub demands. */
bool model_repo_id_valid(vsr_str repo_id);

#endif
