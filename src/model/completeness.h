/*
 * completeness - whether a model's directory holds everything that running the model needs, undamaged.
 *
 * Looks at what will be read later: config.json, the tokenizer, safetensors whose header accounts for every byte of the
 * file, every shard of an index, the modules of a sentence-transformers directory, an adapter's two files, and whatever
 * else the caller requires (label maps). With a manifest every file must be there with its size, and on request with
 * its hash. All problems are reported, not the first. Any thread; blocks; reads headers only, unless hashes are asked
 * for.
 */
#ifndef VSR_MODEL_COMPLETENESS_H
#define VSR_MODEL_COMPLETENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/digest.h"
#include "model/manifest.h"

struct arena;

enum { COMPLETENESS_PROBLEMS_MAX = 100 };

struct completeness_options {
    bool hashes;                     /* also recompute the hashes of the manifest */
    struct digest_progress progress; /* of the hashes */
    const vsr_str *required;         /* files that must be there besides */
    size_t n_required;
};

struct model_problem {
    vsr_str file; /* below the directory */
    vsr_str text; /* what is wrong and what to do */
};

struct completeness {
    struct model_problem *problems;
    size_t n_problems; /* 0: complete */
    bool adapter;      /* adapter files without a trunk */
    bool has_manifest; /* then `manifest` is set */
    struct manifest manifest;
    uint64_t weight_bytes; /* in safetensors files */
    size_t n_hashed;       /* files whose content was compared */
    vsr_str model_type;    /* of config.json; empty: unknown */
};

/*
 * Looks at the directory `path`, which a NUL follows, or at the built-in model of that name. Problems of the model are
 * a success; VSR_E_NOT_FOUND and VSR_E_IO are for a directory that cannot be looked at.
 */
int completeness_check(struct arena *arena, vsr_str path, const struct completeness_options *options,
                       struct completeness *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* Whether this open safetensors file is as long as its header says. VSR_E_INVALID, VSR_E_SYNTAX, VSR_E_IO, ... */
int completeness_check_weights(int fd, struct vsr_err *err) VSR_MUST_CHECK;

#endif
