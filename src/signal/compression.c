#include "signal/compression.h"

_Static_assert((int)COMPRESSION_DEFAULT == COMPRESS_DEFAULT && (int)COMPRESSION_CODING == COMPRESS_CODING &&
                   (int)COMPRESSION_MEDICAL == COMPRESS_MEDICAL && (int)COMPRESSION_SECURITY == COMPRESS_SECURITY &&
                   (int)COMPRESSION_MULTI_TURN == COMPRESS_MULTI_TURN,
               "the configuration names the profiles that there are");

static void override(double *number, double written) {
    if (written > 0)
        *number = written;
}

static void override_count(size_t *count, int64_t written) {
    if (written > 0)
        *count = (size_t)written;
}

bool compress_options_from(const struct config_prompt_compression *config, struct compress_options *ret_options) {
    struct compress_options options = compress_profile((enum compress_profile)config->profile);
    override(&options.textrank_weight, config->textrank_weight);
    override(&options.position_weight, config->position_weight);
    override(&options.tfidf_weight, config->tfidf_weight);
    override(&options.novelty_weight, config->novelty_weight);
    override(&options.position_depth, config->position_depth);
    override_count(&options.preserve_first_n, config->preserve_first_n);
    override_count(&options.preserve_last_n, config->preserve_last_n);
    override_count(&options.min_length, config->min_length);
    options.max_tokens = config->max_tokens > 0 ? (uint64_t)config->max_tokens : 0;
    *ret_options = options;
    return config->enabled && options.max_tokens > 0;
}

enum signal_text compression_text_of(const struct config_prompt_compression *config, vsr_str family) {
    for (size_t i = 0; i < config->skip_signals.n; i++)
        if (str_eq_nocase(str_trim(config->skip_signals.items[i]), family))
            return SIGNAL_TEXT_FULL;
    return SIGNAL_TEXT_COMPRESSED;
}
