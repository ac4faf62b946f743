/* From the configuration's block to options, and who skips compression. */
#include "signal/compression.h"

#include "test.h"

TEST(written_numbers_override_the_profile) {
    struct config_prompt_compression config = { .enabled = true, .profile = COMPRESSION_CODING, .max_tokens = 100 };
    struct compress_options options;
    CHECK(compress_options_from(&config, &options), "on");
    CHECK(options.tfidf_weight == .40 && options.preserve_last_n == 4 && options.min_length == 0, "the profile's");
    config.tfidf_weight = .9;
    config.preserve_last_n = 7;
    config.position_depth = .1;
    config.min_length = 5;
    CHECK(compress_options_from(&config, &options), "on");
    CHECK(options.tfidf_weight == .9 && options.textrank_weight == .15 && options.position_depth == .1, "numbers");
    CHECK(options.preserve_first_n == 2 && options.preserve_last_n == 7 && options.min_length == 5, "counts");
    CHECK_INT(options.max_tokens, 100, "budget");
    config.enabled = false;
    CHECK(!compress_options_from(&config, &options), "off");
    config.enabled = true;
    config.max_tokens = 0;
    CHECK(!compress_options_from(&config, &options), "no budget");
}

TEST(families_skip_by_type) {
    vsr_str names[] = { VSR_STR("pii"), VSR_STR(" Keyword ") };
    struct config_prompt_compression config = { .skip_signals = { .items = names, .n = 2 } };
    CHECK_INT(compression_text_of(&config, VSR_STR("keyword")), SIGNAL_TEXT_FULL, "keyword");
    CHECK_INT(compression_text_of(&config, VSR_STR("pii")), SIGNAL_TEXT_FULL, "pii");
    CHECK_INT(compression_text_of(&config, VSR_STR("keywords")), SIGNAL_TEXT_COMPRESSED, "not a type");
}

RUN_TESTS(T(written_numbers_override_the_profile), T(families_skip_by_type))
