/* Tables of `global.model_catalog.modules` (config.md §9.5). */
#include "config/global_modules.h"

#include "config/check.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"

static const char *const failures[] = { "allow", "block", NULL };

#define MODEL_REF(key) \
    { ROW(model_ref, STRING), .fallback = (key), .help = "Key of global.model_catalog.system." }
#define MODEL_ID \
    { ROW(model_id, STRING), .help = "Path of a model; wins over model_ref." }
#define USE_CPU \
    { ROW(use_cpu, BOOL), .fallback = "true", .help = "Run on the CPU." }
#define NO_EFFECT .help = "No effect: the model's own files say what it is."

/* ---- prompt compression */

#define T struct config_prompt_compression
static const struct field prompt_compression_fields[] = {
    { ROW(enabled, BOOL), .help = "Shorten long prompts before signals read them; the model gets all of it." },
    { "profile", FIELD_STRING, offsetof(T, profile_name), .fallback = "default",
      .help = "Weights by kind of text: default, coding, medical, security or multi_turn." },
    { ROW(max_tokens, INT), COUNT, .help = "Tokens that remain; 0: nothing is shortened." },
    { ROW(min_length, INT), COUNT, .help = "Bytes up to which a prompt is left as it is." },
    { ROW(skip_signals, STRINGS), .fallback = "[jailbreak, pii]", .help = "Families that read the whole prompt." },
    { ROW(textrank_weight, NUMBER), NOT_NEGATIVE, .help = "Weight of central sentences; 0: the profile's." },
    { ROW(position_weight, NUMBER), NOT_NEGATIVE, .help = "Weight of first and last sentences; 0: the profile's." },
    { ROW(tfidf_weight, NUMBER), NOT_NEGATIVE, .help = "Weight of rare words; 0: the profile's." },
    { ROW(novelty_weight, NUMBER), NOT_NEGATIVE, .help = "Weight of what differs; 0: the profile's." },
    { ROW(position_depth, NUMBER), UNIT, .help = "How little the middle counts; 0: the profile's." },
    { ROW(preserve_first_n, INT), COUNT, .help = "First sentences that stay; 0: the profile's number." },
    { ROW(preserve_last_n, INT), COUNT, .help = "Last sentences that stay; 0: the profile's number." },
};
#undef T
const struct schema config_prompt_compression_schema =
    SCHEMA("prompt_compression", struct config_prompt_compression, prompt_compression_fields);

/* ---- prompt guard */

/* By enum config_guard_variant and enum config_guard_protocol. */
static const char *const guard_variants[] = { "", "candle", "mmbert32k", NULL };
static const char *const guard_protocols[] = { "", "http_chat", "http_classify", NULL };

static void check_prompt_guard(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_prompt_guard *guard = object;
    struct diag_at variant = schema_field_at(&config_prompt_guard_schema, object, "variant", arena);
    if (schema_present(&config_prompt_guard_schema, object, "variant") && guard->variant && guard->protocol)
        diag_error(diag, "E_CONFLICT", schema_field_at(&config_prompt_guard_schema, object, "protocol", arena),
                   VSR_STR("remove one of them"),
                   "the model is either local (variant, at line %u, column %u) or remote (protocol)", variant.line,
                   variant.col);
}

#define T struct config_prompt_guard
static const struct field prompt_guard_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Recognise attacks on the model." },
    MODEL_REF("prompt_guard"),
    MODEL_ID,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.7", .help = "Least risk of rules that name none." },
    USE_CPU,
    { ROW(variant, ENUM), .fallback = "mmbert32k", .choices = guard_variants,
      .help = "Kind of the local model; unset with a protocol." },
    { ROW(protocol, ENUM), .choices = guard_protocols,
      .help = "How a server is asked instead; needs an external model of the role guardrail." },
    { ROW(jailbreak_mapping_path, STRING),
      .help = "File that names the labels; unset: jailbreak_type_mapping.json beside the model." },
    { ROW(positive_labels, STRINGS), .fallback = "[jailbreak]", .help = "Labels that are attacks." },
    { ROW(on_error, ENUM), .fallback = "allow", .choices = failures, .help = "What a failure means for the request." },
};
#undef T
const struct schema config_prompt_guard_schema =
    SCHEMA("prompt_guard", struct config_prompt_guard, prompt_guard_fields, .check = check_prompt_guard);

/* ---- classifiers */

#define T struct config_domain_classifier
static const struct field domain_classifier_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Tell subjects apart." },
    MODEL_REF("domain_classifier"),
    MODEL_ID,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.5", .help = "Least probability of a subject." },
    USE_CPU,
    { ROW(use_modernbert, BOOL), NO_EFFECT },
    { ROW(use_mmbert_32k, BOOL), .fallback = "true", NO_EFFECT },
    { ROW(category_mapping_path, STRING),
      .help = "File that names the labels; unset: category_mapping.json beside the model." },
    { ROW(fallback_category, STRING), .help = "Subject of the classification API when none is certain." },
    { ROW(on_error, ENUM), .fallback = "allow", .choices = failures, .help = "What a failure means for the request." },
};
#undef T
const struct schema config_domain_classifier_schema =
    SCHEMA("domain", struct config_domain_classifier, domain_classifier_fields);

#define T struct config_pii_classifier
static const struct field pii_classifier_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Find personal data." },
    MODEL_REF("pii_classifier"),
    MODEL_ID,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.9", .help = "Least probability of rules that name none." },
    USE_CPU,
    { ROW(use_modernbert, BOOL), NO_EFFECT },
    { ROW(use_mmbert_32k, BOOL), .fallback = "true", NO_EFFECT },
    { ROW(pii_mapping_path, STRING),
      .help = "File that names the labels; unset: pii_type_mapping.json beside the model." },
    { ROW(on_error, ENUM), .fallback = "allow", .choices = failures, .help = "What a failure means for the request." },
};
#undef T
const struct schema config_pii_classifier_schema = SCHEMA("pii", struct config_pii_classifier, pii_classifier_fields);

const char *const config_mcp_transports[] = { "", "stdio", "http", NULL };

#define T struct config_mcp_classifier
static const struct field mcp_classifier_fields[] = {
    { ROW(enabled, BOOL), .help = "Ask a tool server for domains, unless a model is written for them." },
    { ROW(threshold, NUMBER), UNIT, .help = "Least confidence of a domain; 0: that of the module domain." },
    TOOL_SERVER_ROWS("the one that classifies"),
};
#undef T
const struct schema config_mcp_classifier_schema = SCHEMA("mcp", struct config_mcp_classifier, mcp_classifier_fields);

#define T struct config_preference_classifier
static const struct field preference_fields[] = {
    { ROW(use_contrastive, BOOL), .fallback = "true",
      .help = "Compare with examples; else ask an external model of the role preference." },
    { ROW(embedding_model, ENUM), .choices = config_embedding_models,
      .help = "Model that compares; unset: that of embeddings.semantic." },
    { BLOCK(prototype_scoring, config_prototype_scoring_schema), .help = "How examples are grouped." },
};
#undef T
static const struct schema preference_schema =
    SCHEMA("preference", struct config_preference_classifier, preference_fields);

#define T struct config_classifiers
static const struct field classifiers_fields[] = {
    { BLOCK(domain, config_domain_classifier_schema), .help = "Subjects." },
    { BLOCK(pii, config_pii_classifier_schema), .help = "Personal data." },
    { BLOCK(mcp, config_mcp_classifier_schema), .help = "Domains by a tool server (Model Context Protocol)." },
    { BLOCK(preference, preference_schema), .help = "Preferences of users." },
};
#undef T
static const struct schema classifiers_schema = SCHEMA("classifier", struct config_classifiers, classifiers_fields);

#define T struct config_complexity_module
static const struct field complexity_module_fields[] = {
    { BLOCK(prototype_scoring, config_prototype_scoring_schema), .help = "How candidates are grouped." },
};
#undef T
static const struct schema complexity_module_schema =
    SCHEMA("complexity", struct config_complexity_module, complexity_module_fields);

/* ---- hallucinations */

#define T struct config_fact_check
static const struct field fact_check_fields[] = {
    MODEL_REF("fact_check_classifier"),
    MODEL_ID,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.6", .help = "Least probability that checking is needed." },
    USE_CPU,
    { ROW(use_mmbert_32k, BOOL), .fallback = "true", NO_EFFECT },
};
#undef T
const struct schema config_fact_check_schema = SCHEMA("fact_check", struct config_fact_check, fact_check_fields);

static const char *const detector_backends[] = { "candle", "endpoint", NULL };

#define T struct config_hallucination_detector
static const struct field detector_fields[] = {
    { ROW(backend, ENUM), .fallback = "candle", .choices = detector_backends,
      .help = "Who detects: vsr itself (candle), or a server." },
    { ROW(endpoint, STRING), .help = "URL of the server; with model_id." },
    { ROW(include_explanation, BOOL), .help = "Ask for reasons as well." },
    MODEL_REF("hallucination_detector"),
    MODEL_ID,
    USE_CPU,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.8", .help = "Least probability of an unsupported answer." },
    { ROW(min_span_length, INT), COUNT, .fallback = "2", .help = "Least tokens of an unsupported span." },
    { ROW(min_span_confidence, NUMBER), UNIT, .fallback = "0.6", .help = "Least confidence of a span." },
    { ROW(context_window_size, INT), COUNT, .fallback = "50",
      .help = "Tokens around a span that the explainer reads." },
    { ROW(enable_nli_filtering, BOOL), .fallback = "true", .help = "Drop spans that the context supports after all." },
    { ROW(nli_entailment_threshold, NUMBER), UNIT, .fallback = "0.75", .help = "Least support that drops a span." },
};
#undef T
const struct schema config_hallucination_detector_schema =
    SCHEMA("detector", struct config_hallucination_detector, detector_fields);

#define T struct config_hallucination_explainer
static const struct field explainer_fields[] = {
    MODEL_REF("hallucination_explainer"),
    MODEL_ID,
    USE_CPU,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.9", .help = "Least certainty of an explanation." },
};
#undef T
const struct schema config_hallucination_explainer_schema =
    SCHEMA("explainer", struct config_hallucination_explainer, explainer_fields);

#define T struct config_hallucination_mitigation
static const struct field hallucination_fields[] = {
    { ROW(enabled, BOOL), .help = "Check answers against their context." },
    { ROW(on_hallucination_detected, STRING), .fallback = "warn",
      .help = "What a finding does; warn is all there is." },
    { BLOCK(fact_check, config_fact_check_schema), .help = "Whether an answer needs checking." },
    { BLOCK(detector, config_hallucination_detector_schema), .help = "Finding unsupported spans." },
    { BLOCK(explainer, config_hallucination_explainer_schema), .help = "Weighing them against the context." },
};
#undef T
const struct schema config_hallucination_mitigation_schema =
    SCHEMA("hallucination_mitigation", struct config_hallucination_mitigation, hallucination_fields);

/* ---- feedback, modality */

#define T struct config_feedback_detector
static const struct field feedback_detector_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Recognise what users think of the last answer." },
    MODEL_REF("feedback_detector"),
    MODEL_ID,
    { ROW(threshold, NUMBER), UNIT, .fallback = "0.7", .help = "Least probability of a feedback." },
    USE_CPU,
    { ROW(use_modernbert, BOOL), NO_EFFECT },
    { ROW(use_mmbert_32k, BOOL), .fallback = "true", NO_EFFECT },
    { ROW(feedback_mapping_path, STRING), .help = "File that names the labels; unset: the model's own config.json." },
};
#undef T
const struct schema config_feedback_detector_schema =
    SCHEMA("feedback_detector", struct config_feedback_detector, feedback_detector_fields);

static void require_detector(const void *object, const char *field, bool there, const char *why, struct arena *arena,
                             struct diag *diag) {
    if (!there && !check_is_open(object, field))
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_modality_detector_schema, object, field, arena),
                   VSR_STR(""), "needed %s", why);
}

static void check_modality_detector(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_modality_detector *detector = object;
    bool model =
        str_trim(detector->classifier.model_path).len > 0 || check_is_open(&detector->classifier, "model_path");
    bool words = detector->keywords.n > 0;
    if (!detector->enabled)
        return;
    switch (detector->method) {
    case MODALITY_UNSET:
        require_detector(object, "method", false, "when enabled: classifier, keyword or hybrid", arena, diag);
        return;
    case MODALITY_CLASSIFIER:
        require_detector(object, "classifier", model, "by the method classifier, with a model_path", arena, diag);
        break;
    case MODALITY_KEYWORD:
        require_detector(object, "keywords", words, "by the method keyword", arena, diag);
        break;
    default:
        require_detector(object, "keywords", model || words,
                         "by the method hybrid, unless classifier.model_path is there", arena, diag);
        require_detector(object, "lower_threshold_ratio", detector->lower_threshold_ratio > 0,
                         "by the method hybrid, greater than 0", arena, diag);
        break;
    }
    if (detector->method != MODALITY_KEYWORD)
        require_detector(object, "confidence_threshold", detector->confidence_threshold > 0,
                         "by the methods classifier and hybrid, greater than 0", arena, diag);
}

#define T struct config_modality_classifier
static const struct field modality_classifier_fields[] = {
    { ROW(model_path, STRING), .fallback = "builtin/modality", .help = "Path of the model." },
    USE_CPU,
};
#undef T
static const struct schema modality_classifier_schema =
    SCHEMA("classifier", struct config_modality_classifier, modality_classifier_fields);

static const char *const modality_methods[] = { "", "classifier", "keyword", "hybrid", NULL };

#define T struct config_modality_detector
static const struct field modality_detector_fields[] = {
    { ROW(enabled, BOOL), .help = "Recognise whether text, an image or both are wanted." },
    { ROW(method, ENUM), .choices = modality_methods, .help = "How it is recognised; needed when enabled." },
    { BLOCK(classifier, modality_classifier_schema), .help = "The model of the methods classifier and hybrid." },
    { ROW(keywords, STRINGS), .flags = FIELD_NONBLANK, .help = "Words that ask for an image." },
    { ROW(both_keywords, STRINGS), .help = "Words that ask for text and an image." },
    { ROW(prompt_prefixes, STRINGS),
      .help = "Words before the description of an image, which the image model does not get." },
    { ROW(confidence_threshold, NUMBER), UNIT, .help = "Least confidence of the model; needed unless by keyword." },
    { ROW(lower_threshold_ratio, NUMBER), UNIT,
      .help = "Share of that confidence with which the model still wins over keywords; needed by hybrid." },
};
#undef T
const struct schema config_modality_detector_schema =
    SCHEMA("modality_detector", struct config_modality_detector, modality_detector_fields,
           .check = check_modality_detector);

/* ---- modules */

#define T struct config_modules
static const struct field modules_fields[] = {
    { BLOCK(prompt_compression, config_prompt_compression_schema), .help = "Shorter prompts for signals." },
    { BLOCK(prompt_guard, config_prompt_guard_schema), .help = "Attacks on the model." },
    { BLOCK(classifier, classifiers_schema), .help = "Subjects, personal data, preferences." },
    { BLOCK(complexity, complexity_module_schema), .help = "How hard a request is." },
    { BLOCK(hallucination_mitigation, config_hallucination_mitigation_schema), .help = "Unsupported answers." },
    { BLOCK(feedback_detector, config_feedback_detector_schema), .help = "Feedback of users." },
    { BLOCK(modality_detector, config_modality_detector_schema), .help = "Text or images." },
};
#undef T
const struct schema config_modules_schema = SCHEMA("modules", struct config_modules, modules_fields);
