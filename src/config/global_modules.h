/*
 * global_modules - the structs of `global.model_catalog.modules`: what looks at requests and answers with a model. See
 * global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_MODULES_H
#define VSR_CONFIG_GLOBAL_MODULES_H

#include "config/global_shared.h"

struct config_prompt_compression {
    struct config_at at;
    bool enabled;
    vsr_str profile_name;
    int profile; /* derived: enum config_compression_profile */
    int64_t max_tokens, min_length;
    struct config_strings skip_signals;
    /* Zero unless written above zero: then they override the profile (signals.md §8). */
    double textrank_weight, position_weight, tfidf_weight, novelty_weight, position_depth;
    int64_t preserve_first_n, preserve_last_n;
};

enum config_compression_profile {
    COMPRESSION_DEFAULT,
    COMPRESSION_CODING,
    COMPRESSION_MEDICAL,
    COMPRESSION_SECURITY,
    COMPRESSION_MULTI_TURN,
};

enum config_guard_variant { GUARD_REMOTE, GUARD_CANDLE, GUARD_MMBERT32K };
enum config_guard_protocol { GUARD_LOCAL, GUARD_HTTP_CHAT, GUARD_HTTP_CLASSIFY };
enum config_on_failure { ON_FAILURE_ALLOW, ON_FAILURE_BLOCK };

/*
 * Every module with a model of its own has `model_ref`, one of the keys of `system`, and `model_id`, which wins.
 * `model_path` is derived from them; empty when the module is off and names none.
 */
struct config_prompt_guard {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu;
    int variant;  /* enum config_guard_variant; none when a protocol is written */
    int protocol; /* enum config_guard_protocol */
    vsr_str jailbreak_mapping_path;
    struct config_strings positive_labels;
    int on_error;                                 /* enum config_on_failure */
    const struct config_external_model *external; /* derived: the remote guard, when a protocol is written */
};

struct config_domain_classifier {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str category_mapping_path, fallback_category;
    int on_error; /* enum config_on_failure */
};

struct config_pii_classifier {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str pii_mapping_path;
    int on_error; /* enum config_on_failure */
};

struct config_mcp_classifier {
    struct config_at at;
    bool enabled;
    struct config_tool_server server;
    double threshold;
};

struct config_preference_classifier {
    struct config_at at;
    bool use_contrastive;
    int embedding_model; /* enum config_embedding_model */
    struct config_prototype_scoring prototype_scoring;
};

struct config_classifiers {
    struct config_at at;
    struct config_domain_classifier domain;
    struct config_pii_classifier pii;
    struct config_mcp_classifier mcp;
    struct config_preference_classifier preference;
};

struct config_complexity_module {
    struct config_at at;
    struct config_prototype_scoring prototype_scoring;
};

struct config_fact_check {
    struct config_at at;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_mmbert_32k;
};

enum config_detector_backend { DETECTOR_LOCAL, DETECTOR_ENDPOINT };

struct config_hallucination_detector {
    struct config_at at;
    int backend; /* enum config_detector_backend */
    vsr_str endpoint;
    bool include_explanation;
    vsr_str model_ref, model_id, model_path;
    bool use_cpu;
    double threshold, min_span_confidence, nli_entailment_threshold;
    int64_t min_span_length, context_window_size;
    bool enable_nli_filtering;
};

struct config_hallucination_explainer {
    struct config_at at;
    vsr_str model_ref, model_id, model_path;
    bool use_cpu;
    double threshold;
};

struct config_hallucination_mitigation {
    struct config_at at;
    bool enabled;
    vsr_str on_hallucination_detected;
    struct config_fact_check fact_check;
    struct config_hallucination_detector detector;
    struct config_hallucination_explainer explainer;
};

struct config_feedback_detector {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str feedback_mapping_path;
};

enum config_modality_method { MODALITY_UNSET, MODALITY_CLASSIFIER, MODALITY_KEYWORD, MODALITY_HYBRID };

struct config_modality_classifier {
    struct config_at at;
    vsr_str model_path;
    bool use_cpu;
};

struct config_modality_detector {
    struct config_at at;
    bool enabled;
    struct config_strings prompt_prefixes, keywords, both_keywords;
    int method; /* enum config_modality_method */
    struct config_modality_classifier classifier;
    double confidence_threshold, lower_threshold_ratio;
};
extern const struct schema config_modality_detector_schema; /* a plugin has the block as well */

struct config_modules {
    struct config_at at;
    struct config_prompt_compression prompt_compression;
    struct config_prompt_guard prompt_guard;
    struct config_classifiers classifier;
    struct config_complexity_module complexity;
    struct config_hallucination_mitigation hallucination_mitigation;
    struct config_feedback_detector feedback_detector;
    struct config_modality_detector modality_detector;
};

#endif
