#include "serve/token_metrics.h"

#include "serve/telemetry.h"
#include "wire/token_estimate.h"

enum { SERIES_CATEGORIES_MAX = TOKEN_ESTIMATE_CATEGORIES_MAX + 1 };

static const char *const label_category[] = { "category" };

void token_metrics_observe(struct telemetry *telemetry, struct token_estimate *estimate, vsr_str category,
                           uint64_t bytes, uint64_t tokens) {
    double guess = (double)token_estimate_tokens(bytes, token_estimate_ratio(estimate));
    double percent;
    bool has_category;
    if (bytes == 0 || tokens == 0)
        return;
    percent = (guess - (double)tokens) / (double)tokens * 100;
    has_category = token_estimate_observe(estimate, category, bytes, tokens);
    metric_observe(telemetry->token_errors_all, percent);
    if (has_category)
        metric_observe(metric_with(telemetry->token_errors, &category, 1), percent);
}

static void set_gauge(struct telemetry *telemetry, const char *name, const char *help, vsr_str category, double value) {
    struct metric_family *family =
        metrics_gauge(telemetry->metrics, name, help, label_category, 1, SERIES_CATEGORIES_MAX);
    struct metric *metric = metric_with(family, &category, 1);
    metric_add(metric, value - metric_value(metric));
}

void token_metrics_publish(struct telemetry *telemetry, struct token_estimate *estimate) {
    struct token_category categories[SERIES_CATEGORIES_MAX];
    size_t n = token_estimate_list(estimate, categories);
    for (size_t i = 0; i < n; i++) {
        const struct token_ratio *ratio = &categories[i].ratio;
        set_gauge(telemetry, "vsr_token_calibration_ratio",
                  "Bytes of prompt per token that count as one, learned cautiously: the conservative ratio, in [1, 8].",
                  categories[i].name, token_estimate_clamp(ratio->conservative));
        set_gauge(telemetry, "vsr_token_calibration_samples", "Answers that the ratio was learned from.",
                  categories[i].name, (double)ratio->samples);
    }
}
