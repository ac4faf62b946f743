#include "model/catalogue.h"

#include "model/builtin.h"

#define MODELS_PREFIX "models/"

/* The owner of most of the default set. A record may name any other one. */
#define OWNER "llm-semantic-router/"

enum {
    CONTEXT_BERT = 512,
    CONTEXT_GEMMA = 2048,
    CONTEXT_MODERNBERT = 8192,
    CONTEXT_32K = 32768,
    REPO_ID_LEN_MAX = 192, /* the hub allows 96 for each part */
};

/* A classifier with the adapter folded into the weights of mmBERT-32K. */
#define MERGED(key, name, what, classes, text, ...) \
    .local_path = MODELS_PREFIX name, .repo_id = OWNER name, .capability = key, .purpose = MODEL_PURPOSE_##what, \
    .num_classes = classes, .description = text, .parameter_size = "307M", .max_context_length = CONTEXT_32K, \
    .base_model_max_context = CONTEXT_32K, .is_default = true, .aliases = { __VA_ARGS__ }

#define BUILTIN(name, what, text) \
    .local_path = BUILTIN_PREFIX name, .purpose = MODEL_PURPOSE_##what, .description = text, \
    .max_context_length = BUILTIN_TOKENS_MAX, .base_model_max_context = BUILTIN_TOKENS_MAX

/* The adapter alone. */
#define LORA(name, what, classes, text, ...) \
    .local_path = MODELS_PREFIX name, .repo_id = OWNER name, .purpose = MODEL_PURPOSE_##what, .num_classes = classes, \
    .description = text, .parameter_size = "307M + LoRA", .max_context_length = CONTEXT_32K, \
    .base_model_max_context = CONTEXT_32K, .uses_lora = true, .base_repo_id = OWNER "mmbert-32k-yarn", \
    .aliases = { __VA_ARGS__ }

#define CONTEXTS(task, trunk) .max_context_length = task, .base_model_max_context = trunk

static const struct model_record records[] = {
    /* The default set. */
    { MERGED("domain_classifier", "mmbert32k-intent-classifier-merged", DOMAIN, 14,
             "subject area of a prompt, the 14 areas of MMLU-Pro", "mmbert32k-intent-merged",
             "intent-classifier-32k-merged"),
      .tags = { "classification", "multilingual", "mmbert" } },
    { MERGED("prompt_guard", "mmbert32k-jailbreak-detector-merged", JAILBREAK, 2,
             "attempts to talk a model out of its instructions", "mmbert32k-jailbreak-merged",
             "jailbreak-detector-32k-merged"),
      .tags = { "classification", "safety", "multilingual", "mmbert" } },
    { MERGED("pii_classifier", "mmbert32k-pii-detector-merged", PII, 35, "personal data, token by token",
             "mmbert32k-pii-merged", "pii-detector-32k-merged"),
      .tags = { "token-classification", "privacy", "multilingual", "mmbert" } },
    { MERGED("fact_check_classifier", "mmbert32k-factcheck-classifier-merged", SENTINEL, 2,
             "whether a prompt asks for facts that can be checked", "mmbert32k-factcheck-merged",
             "factcheck-classifier-32k-merged"),
      .tags = { "classification", "multilingual", "mmbert" } },
    { MERGED("feedback_detector", "mmbert32k-feedback-detector-merged", FEEDBACK, 4,
             "how content a user is with the answer before", "mmbert32k-feedback-merged",
             "feedback-detector-32k-merged"),
      .tags = { "classification", "multilingual", "mmbert" } },
    { MERGED(NULL, "mmbert32k-modality-router-merged", MODALITY, 3,
             "whether the answer should be text, an image or both", "modality-classifier", "modality-router",
             "mmbert32k-modality-router"),
      .tags = { "classification", "multilingual", "mmbert" } },
    { .local_path = MODELS_PREFIX "mmbert-embed-32k-2d-matryoshka",
      .repo_id = OWNER "mmbert-embed-32k-2d-matryoshka",
      .aliases = { "mom-embedding-ultra", "mmbert-embedding", "embedding-mmbert", "mmbert", "embedding-ultra" },
      .purpose = MODEL_PURPOSE_EMBEDDING,
      .description = "embeddings of long multilingual text that may be cut in layers and dimensions",
      .parameter_size = "307M",
      .embedding_dim = 768,
      CONTEXTS(CONTEXT_32K, CONTEXT_32K),
      .is_default = true,
      .tags = { "embedding", "matryoshka", "early-exit", "multilingual", "mmbert" } },
    { .local_path = MODELS_PREFIX "mom-halugate-detector",
      .repo_id = "KRLabsOrg/lettucedect-base-modernbert-en-v1",
      .capability = "hallucination_detector",
      .aliases = { "hallucination-detector", "halugate-detector", "lettucedect" },
      .purpose = MODEL_PURPOSE_DETECTOR,
      .description = "parts of an answer that its sources do not support, token by token; English",
      .parameter_size = "149M",
      .num_classes = 2,
      CONTEXTS(CONTEXT_MODERNBERT, CONTEXT_MODERNBERT),
      .is_default = true,
      .tags = { "token-classification", "hallucination", "modernbert" } },
    { .local_path = MODELS_PREFIX "mom-halugate-explainer",
      .repo_id = "tasksource/ModernBERT-base-nli",
      .capability = "hallucination_explainer",
      .aliases = { "hallucination-explainer", "halugate-explainer", "nli-explainer" },
      .purpose = MODEL_PURPOSE_EXPLAINER,
      .description = "whether one text follows from another, contradicts it, or neither",
      .parameter_size = "149M",
      .num_classes = 3,
      CONTEXTS(CONTEXT_MODERNBERT, CONTEXT_MODERNBERT),
      .is_default = true,
      .tags = { "nli", "hallucination", "modernbert" } },

    /* The default classifiers as adapters over one trunk. */
    { LORA("mmbert32k-intent-classifier-lora", DOMAIN, 14, "subject area of a prompt, as an adapter",
           "mmbert32k-intent", "mmbert-32k-intent", "intent-classifier-32k"),
      .tags = { "classification", "lora", "multilingual", "mmbert" } },
    { LORA("mmbert32k-factcheck-classifier-lora", SENTINEL, 2, "whether a prompt asks for facts, as an adapter",
           "mmbert32k-factcheck", "mmbert-32k-factcheck", "factcheck-classifier-32k", "fact-check-32k"),
      .tags = { "classification", "lora", "multilingual", "mmbert" } },
    { LORA("mmbert32k-jailbreak-detector-lora", JAILBREAK, 2, "attempts to circumvent instructions, as an adapter",
           "mmbert32k-jailbreak", "mmbert-32k-jailbreak", "jailbreak-detector-32k", "prompt-guard-32k"),
      .tags = { "classification", "safety", "lora", "multilingual", "mmbert" } },
    { LORA("mmbert32k-feedback-detector-lora", FEEDBACK, 4, "how content a user is, as an adapter",
           "mmbert32k-feedback", "mmbert-32k-feedback", "feedback-detector-32k"),
      .tags = { "classification", "lora", "multilingual", "mmbert" } },
    { LORA("mmbert32k-pii-detector-lora", PII, 35, "personal data, token by token, as an adapter", "mmbert32k-pii",
           "mmbert-32k-pii", "pii-detector-32k"),
      .tags = { "token-classification", "privacy", "lora", "multilingual", "mmbert" } },

    /* Other embedders. */
    { .local_path = MODELS_PREFIX "mom-embedding-pro",
      .repo_id = "Qwen/Qwen3-Embedding-0.6B",
      .aliases = { "Qwen3-Embedding-0.6B", "embedding-pro", "qwen3" },
      .purpose = MODEL_PURPOSE_EMBEDDING,
      .description = "embeddings of high quality, for long text",
      .parameter_size = "600M",
      .embedding_dim = 1024,
      CONTEXTS(CONTEXT_32K, CONTEXT_32K),
      .tags = { "embedding", "multilingual", "qwen3" } },
    { .local_path = MODELS_PREFIX "mom-embedding-flash",
      .repo_id = "google/embeddinggemma-300m",
      .aliases = { "embeddinggemma-300m", "embedding-flash", "gemma" },
      .purpose = MODEL_PURPOSE_EMBEDDING,
      .description = "quick embeddings that may be cut to 512, 256 or 128 dimensions",
      .parameter_size = "300M",
      .embedding_dim = 768,
      CONTEXTS(CONTEXT_GEMMA, CONTEXT_GEMMA),
      .gated = true,
      .tags = { "embedding", "matryoshka", "multilingual", "gemma" } },
    { .local_path = MODELS_PREFIX "mom-embedding-light",
      .repo_id = "sentence-transformers/all-MiniLM-L12-v2",
      .aliases = { "all-MiniLM-L12-v2", "embedding-light", "bert-light" },
      .purpose = MODEL_PURPOSE_SIMILARITY,
      .description = "small English sentence embeddings",
      .parameter_size = "33M",
      .embedding_dim = 384,
      CONTEXTS(CONTEXT_BERT, CONTEXT_BERT),
      .tags = { "embedding", "bert" } },
    { .local_path = MODELS_PREFIX "mom-embedding-multimodal",
      .repo_id = OWNER "multi-modal-embed-small",
      .aliases = { "multi-modal-embed-small", "multimodal-embedding", "embedding-multimodal", "multimodal" },
      .purpose = MODEL_PURPOSE_EMBEDDING,
      .description = "text, images and sound in one space",
      .parameter_size = "120M",
      .embedding_dim = 384,
      CONTEXTS(CONTEXT_BERT, CONTEXT_BERT),
      .tags = { "embedding", "multimodal" } },

    /* Other classifiers. */
    { .local_path = MODELS_PREFIX "mom-domain-classifier",
      .repo_id = "LLM-Semantic-Router/lora_intent_classifier_bert-base-uncased_model",
      .aliases = { "domain-classifier", "intent-classifier", "category-classifier",
                   "category_classifier_modernbert-base_model" },
      .purpose = MODEL_PURPOSE_DOMAIN,
      .description = "subject area of a short English prompt",
      .parameter_size = "110M",
      .num_classes = 14,
      CONTEXTS(CONTEXT_BERT, CONTEXT_BERT),
      .tags = { "classification", "bert" } },
    { .local_path = MODELS_PREFIX "mom-pii-classifier",
      .repo_id = "LLM-Semantic-Router/lora_pii_detector_bert-base-uncased_model",
      .aliases = { "pii-detector", "pii-classifier", "privacy-guard" },
      .purpose = MODEL_PURPOSE_PII,
      .description = "personal data in short English text, token by token",
      .parameter_size = "110M",
      .num_classes = 35,
      CONTEXTS(CONTEXT_BERT, CONTEXT_BERT),
      .tags = { "token-classification", "privacy", "bert" } },
    { .local_path = MODELS_PREFIX "mom-mmbert-pii-detector",
      .repo_id = OWNER "mmbert-pii-detector-merged",
      .aliases = { "pii_classifier_modernbert-base_presidio_token_model", "pii_classifier_modernbert-base_model",
                   "pii_classifier_modernbert_model", "pii_classifier_modernbert_ai4privacy_token_model" },
      .purpose = MODEL_PURPOSE_PII,
      .description = "personal data, token by token; the shorter of the two multilingual ones",
      .parameter_size = "307M",
      .num_classes = 35,
      CONTEXTS(CONTEXT_MODERNBERT, CONTEXT_MODERNBERT),
      .tags = { "token-classification", "privacy", "multilingual", "mmbert" } },
    { .local_path = MODELS_PREFIX "mom-jailbreak-classifier",
      .repo_id = "LLM-Semantic-Router/jailbreak_classifier_modernbert-base_model",
      .aliases = { "jailbreak-detector", "prompt-guard", "safety-classifier",
                   "lora_jailbreak_classifier_bert-base-uncased_model", "jailbreak_classifier_modernbert_model" },
      .purpose = MODEL_PURPOSE_JAILBREAK,
      .description = "attempts to talk a model out of its instructions, in short English text",
      .parameter_size = "149M",
      .num_classes = 2,
      CONTEXTS(CONTEXT_BERT, CONTEXT_MODERNBERT),
      .tags = { "classification", "safety", "modernbert" } },
    { .local_path = MODELS_PREFIX "mom-halugate-sentinel",
      .repo_id = "LLM-Semantic-Router/halugate-sentinel",
      .aliases = { "hallucination-sentinel", "halugate-sentinel" },
      .purpose = MODEL_PURPOSE_SENTINEL,
      .description = "whether a short English prompt asks for facts that can be checked",
      .num_classes = 2,
      CONTEXTS(CONTEXT_BERT, CONTEXT_BERT),
      .tags = { "classification", "hallucination" } },
    { .local_path = MODELS_PREFIX "lettucedect-v2-mmbert-base",
      .repo_id = "KRLabsOrg/lettucedect-v2-mmbert-base",
      .aliases = { "hallucination-detector-multilingual", "lettucedect-v2-mmbert" },
      .purpose = MODEL_PURPOSE_DETECTOR,
      .description = "parts of an answer that its sources do not support, token by token",
      .parameter_size = "307M",
      .num_classes = 2,
      CONTEXTS(CONTEXT_MODERNBERT, CONTEXT_MODERNBERT),
      .tags = { "token-classification", "hallucination", "multilingual", "mmbert" } },
    { .local_path = MODELS_PREFIX "mom-feedback-detector",
      .repo_id = OWNER "feedback-detector",
      .aliases = { "feedback-detector", "user-feedback-classifier" },
      .purpose = MODEL_PURPOSE_FEEDBACK,
      .description = "how content a user is with the answer before",
      .parameter_size = "149M",
      .num_classes = 4,
      CONTEXTS(CONTEXT_MODERNBERT, CONTEXT_MODERNBERT),
      .tags = { "classification", "modernbert" } },

    /* Part of the program. Dimensions and classes are what it says when they are opened. */
    { BUILTIN("embedding", EMBEDDING, "embeddings of sentences, English first"), .tags = { "embedding" } },
    { BUILTIN("domain", DOMAIN, "subject area of a prompt"), .tags = { "classification" } },
    { BUILTIN("jailbreak", JAILBREAK, "attempts to circumvent instructions"), .tags = { "classification", "safety" } },
    { BUILTIN("pii", PII, "personal data, token by token"), .tags = { "token-classification", "privacy" } },
    { BUILTIN("fact-check", SENTINEL, "whether a prompt asks for facts"), .tags = { "classification" } },
    { BUILTIN("feedback", FEEDBACK, "how content a user is"), .tags = { "classification" } },
    { BUILTIN("modality", MODALITY, "whether text, an image or both are wanted"), .tags = { "classification" } },
    { BUILTIN("difficulty", DIFFICULTY, "how hard a question is"), .tags = { "classification" } },
    { BUILTIN("hallucination", DETECTOR, "parts of an answer that its context does not support, token by token"),
      .tags = { "token-classification", "hallucination" } },
    { BUILTIN("nli", EXPLAINER, "whether one text follows from another, contradicts it, or neither"),
      .tags = { "nli", "hallucination" } },
};

static const char *const purposes[MODEL_PURPOSES_COUNT] = {
#define X(name, text) [MODEL_PURPOSE_##name] = text,
    MODEL_PURPOSES(X)
#undef X
};

const struct model_record *catalogue_records(size_t *ret_n) {
    *ret_n = VSR_COUNT(records);
    return records;
}

static vsr_str without_prefix(vsr_str name) {
    vsr_str prefix = VSR_STR(MODELS_PREFIX);
    return str_starts(name, prefix) ? str_sub(name, prefix.len, name.len) : name;
}

static bool record_has(const struct model_record *record, vsr_str name) {
    vsr_str bare = without_prefix(name);
    if (str_eq_c(name, record->local_path))
        return true;
    for (size_t i = 0; i < CATALOGUE_ALIASES_MAX && record->aliases[i]; i++)
        if (str_eq_c(bare, record->aliases[i]))
            return true;
    return false;
}

static bool record_is_called(const struct model_record *record, vsr_str name) {
    return str_eq(name, without_prefix(str_from_c(record->local_path))) ||
           (record->repo_id && str_eq_c(name, record->repo_id));
}

const struct model_record *catalogue_find(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(records); i++)
        if (record_has(&records[i], name))
            return &records[i];
    for (size_t i = 0; i < VSR_COUNT(records); i++)
        if (record_is_called(&records[i], name))
            return &records[i];
    return NULL;
}

const struct model_record *catalogue_capability(vsr_str key) {
    for (size_t i = 0; i < VSR_COUNT(records); i++)
        if (records[i].capability && str_eq_c(key, records[i].capability))
            return &records[i];
    return NULL;
}

vsr_str catalogue_path(vsr_str name) {
    const struct model_record *record = catalogue_find(name);
    return record ? str_from_c(record->local_path) : name;
}

vsr_str catalogue_repo(vsr_str name, const struct catalogue_override *overrides, size_t n_overrides) {
    const struct model_record *record = catalogue_find(name);
    for (size_t i = 0; i < n_overrides; i++) {
        if (str_eq(without_prefix(overrides[i].name), without_prefix(name)))
            return overrides[i].repo_id;
        if (record && catalogue_find(overrides[i].name) == record)
            return overrides[i].repo_id;
    }
    return record ? str_from_c(record->repo_id) : VSR_STR("");
}

const char *model_purpose_name(enum model_purpose purpose) {
    return purposes[purpose];
}

static bool repo_part_valid(vsr_str part) {
    if (part.len == 0 || part.ptr[0] == '.' || part.ptr[0] == '-' || part.ptr[part.len - 1] == '.')
        return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = ascii_lower(part.ptr[i]);
        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return str_find(part, VSR_STR("..")) < 0 && str_find(part, VSR_STR("--")) < 0;
}

bool model_repo_id_valid(vsr_str repo_id) {
    vsr_str rest = repo_id, owner = str_split(&rest, '/');
    return repo_id.len <= REPO_ID_LEN_MAX && rest.ptr && repo_part_valid(owner) && repo_part_valid(rest);
}
