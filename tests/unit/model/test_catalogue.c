#include "model/catalogue.h"

#include "model/builtin.h"
#include "test.h"

static const struct {
    const char *name, *path; /* NULL: not in the catalogue */
} names[] = {
    { "models/mmbert32k-intent-classifier-merged", "models/mmbert32k-intent-classifier-merged" },
    { "mmbert32k-intent-merged", "models/mmbert32k-intent-classifier-merged" },
    { "models/mmbert32k-intent-merged", "models/mmbert32k-intent-classifier-merged" },
    { "jailbreak-detector-32k-merged", "models/mmbert32k-jailbreak-detector-merged" },
    { "pii-detector-32k-merged", "models/mmbert32k-pii-detector-merged" },
    { "mmbert32k-factcheck-merged", "models/mmbert32k-factcheck-classifier-merged" },
    { "feedback-detector-32k-merged", "models/mmbert32k-feedback-detector-merged" },
    { "modality-router", "models/mmbert32k-modality-router-merged" },
    { "models/mmbert32k-modality-router", "models/mmbert32k-modality-router-merged" },
    { "mmbert", "models/mmbert-embed-32k-2d-matryoshka" },
    { "mom-embedding-ultra", "models/mmbert-embed-32k-2d-matryoshka" },
    { "lettucedect", "models/mom-halugate-detector" },
    { "nli-explainer", "models/mom-halugate-explainer" },
    { "mmbert-32k-intent", "models/mmbert32k-intent-classifier-lora" },
    { "fact-check-32k", "models/mmbert32k-factcheck-classifier-lora" },
    { "prompt-guard-32k", "models/mmbert32k-jailbreak-detector-lora" },
    { "mmbert32k-feedback", "models/mmbert32k-feedback-detector-lora" },
    { "pii-detector-32k", "models/mmbert32k-pii-detector-lora" },
    { "qwen3", "models/mom-embedding-pro" },
    { "gemma", "models/mom-embedding-flash" },
    { "bert-light", "models/mom-embedding-light" },
    { "multimodal", "models/mom-embedding-multimodal" },
    { "category_classifier_modernbert-base_model", "models/mom-domain-classifier" },
    { "privacy-guard", "models/mom-pii-classifier" },
    { "pii_classifier_modernbert_ai4privacy_token_model", "models/mom-mmbert-pii-detector" },
    { "lora_jailbreak_classifier_bert-base-uncased_model", "models/mom-jailbreak-classifier" },
    { "halugate-sentinel", "models/mom-halugate-sentinel" },
    { "hallucination-detector-multilingual", "models/lettucedect-v2-mmbert-base" },
    { "user-feedback-classifier", "models/mom-feedback-detector" },
    /* For people. */
    { "mom-embedding-light", "models/mom-embedding-light" },
    { "sentence-transformers/all-MiniLM-L12-v2", "models/mom-embedding-light" },
    /* Names of the user's own, and old product names without files. */
    { "models/my-own", NULL },
    { "mom-brain-pro", NULL },
    { "mom-jailbreak-flash", NULL },
    { "models/models/gemma", NULL },
    { "GEMMA", NULL },
    { "models/", NULL },
    { "", NULL },
};

TEST(resolution) {
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        vsr_str name = str_from_c(names[i].name);
        const struct model_record *record = catalogue_find(name);
        CHECK((record != NULL) == (names[i].path != NULL), names[i].name);
        CHECK_STR(catalogue_path(name), names[i].path ? names[i].path : names[i].name, names[i].name);
    }
}

TEST(capabilities) {
    static const char *const keys[][2] = {
        { "domain_classifier", "models/mmbert32k-intent-classifier-merged" },
        { "prompt_guard", "models/mmbert32k-jailbreak-detector-merged" },
        { "pii_classifier", "models/mmbert32k-pii-detector-merged" },
        { "fact_check_classifier", "models/mmbert32k-factcheck-classifier-merged" },
        { "feedback_detector", "models/mmbert32k-feedback-detector-merged" },
        { "hallucination_detector", "models/mom-halugate-detector" },
        { "hallucination_explainer", "models/mom-halugate-explainer" },
    };
    for (size_t i = 0; i < VSR_COUNT(keys); i++) {
        const struct model_record *record = catalogue_capability(str_from_c(keys[i][0]));
        CHECK(record != NULL, keys[i][0]);
        CHECK_STR(str_from_c(record->local_path), keys[i][1], keys[i][0]);
    }
    CHECK(catalogue_capability(VSR_STR("modality")) == NULL, "modality is no key");
    CHECK(catalogue_capability(VSR_STR("")) == NULL, "empty");
}

/* What must hold of every record, the next one too. */
TEST(records) {
    size_t n, n_builtin = 0, n_names;
    const struct model_record *records = catalogue_records(&n);
    CHECK_INT(n, 35, "count");
    for (size_t i = 0; i < n; i++) {
        const struct model_record *r = &records[i];
        const char *path = r->local_path;
        char prefixed[256];
        CHECK(catalogue_find(str_from_c(path)) == r, path);
        CHECK(r->description && r->description[0], path);
        if (builtin_is(str_from_c(path))) {
            struct vsr_err err = VSR_ERR_NONE;
            const struct builtin_model *model;
            CHECK_MSG(builtin_open(str_from_c(path), &model, &err) == 0, "%s", err.text);
            CHECK(!r->repo_id && !r->is_default && !r->capability, path);
            n_builtin++;
            continue;
        }
        CHECK(str_starts(str_from_c(path), VSR_STR("models/")), path);
        CHECK(model_repo_id_valid(str_from_c(r->repo_id)), path);
        CHECK(catalogue_find(str_from_c(r->repo_id)) == r, path);
        CHECK(r->max_context_length >= 512 && r->max_context_length <= r->base_model_max_context, path);
        CHECK((r->embedding_dim > 0) != (r->num_classes > 0), path);
        CHECK(r->uses_lora == (r->base_repo_id != NULL), path);
        CHECK(r->aliases[0] != NULL, path);
        for (size_t a = 0; a < CATALOGUE_ALIASES_MAX && r->aliases[a]; a++) {
            snprintf(prefixed, sizeof(prefixed), "models/%s", r->aliases[a]);
            CHECK(catalogue_find(str_from_c(r->aliases[a])) == r, r->aliases[a]);
            CHECK(catalogue_find(str_from_c(prefixed)) == r, prefixed);
        }
    }
    (void)builtin_names(&n_names);
    CHECK_INT(n_builtin, n_names, "all that are built in");
}

TEST(overrides) {
    const struct catalogue_override overrides[] = {
        { VSR_STR("models/qwen3"), VSR_STR("mirror/qwen") },
        { VSR_STR("my-own"), VSR_STR("me/own") },
        { VSR_STR("models/mom-embedding-pro"), VSR_STR("second/loses") },
    };
    static const char *const cases[][2] = {
        { "qwen3", "mirror/qwen" },
        { "models/mom-embedding-pro", "mirror/qwen" },
        { "Qwen/Qwen3-Embedding-0.6B", "mirror/qwen" },
        { "my-own", "me/own" },
        { "models/my-own", "me/own" },
        { "gemma", "google/embeddinggemma-300m" },
        { "unknown", "" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(catalogue_repo(str_from_c(cases[i][0]), overrides, VSR_COUNT(overrides)), cases[i][1], cases[i][0]);
    CHECK_STR(catalogue_repo(VSR_STR("qwen3"), NULL, 0), "Qwen/Qwen3-Embedding-0.6B", "none");
}

TEST(repository_names) {
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        { "Qwen/Qwen3-Embedding-0.6B", true },
        { "a/b", true },
        { "a", false },
        { "", false },
        { "/b", false },
        { "a/", false },
        { "a/b/c", false },
        { "../b", false },
        { "a/..", false },
        { "a/.b", false },
        { "a/b..c", false },
        { "a/b--c", false },
        { "a b/c", false },
        { "a/b?x=1", false },
        { "a/b#c", false },
        { "a/b%2f", false },
        { "a/-b", false },
        { "a/b\n", false },
        { "a/b.", false },
        { "a\\b/c", false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(model_repo_id_valid(str_from_c(cases[i].text)), cases[i].valid, cases[i].text);
}

RUN_TESTS(T(resolution), T(capabilities), T(records), T(overrides), T(repository_names))
