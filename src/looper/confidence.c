/* confidence - one model after the other, until an answer is sure enough (decisions.md §6.4). */
#include <math.h>

#include "looper/looper.h"

#define SUM_TOLERANCE 1e-9

enum confidence_method { AVG_LOGPROB, MARGIN, HYBRID, SELF_VERIFY, AUTOMIX_ENTAILMENT };

struct confidence_weights {
    struct config_at at;
    double logprob_weight, margin_weight; /* 0 stands for 0.5 */
};

struct confidence_config {
    struct config_at at;
    int method; /* enum confidence_method */
    double threshold;
    struct confidence_weights hybrid_weights;
    int on_error; /* 0 skip, 1 fail */
    int escalation_order;
    double cost_quality_tradeoff;
    int token_filter; /* 0 all, 1 tool_call_args */
    vsr_str verifier_server_url;
    double verifier_timeout_seconds;
};

static const char *const methods[] = { "avg_logprob", "margin", "hybrid", "self_verify", "automix_entailment", NULL };
static const char *const orders[] = { "size", "small_to_large", "declared", "cost", "automix", NULL };
static const char *const filters[] = { "all", "tool_call_args", NULL };
static const char *const on_errors[] = { "skip", "fail", NULL };

static const struct field weight_fields[] = {
    { "logprob_weight", FIELD_NUMBER, offsetof(struct confidence_weights, logprob_weight), .flags = FIELD_RANGE,
      .fallback = "0.5", .least = 0, .greatest = 1, .help = "Weight of the mean log-probability; 0 stands for 0.5." },
    { "margin_weight", FIELD_NUMBER, offsetof(struct confidence_weights, margin_weight), .flags = FIELD_RANGE,
      .fallback = "0.5", .least = 0, .greatest = 1, .help = "Weight of the margin to the second choice; 0: 0.5." },
};
static const struct schema weights_schema = SCHEMA("hybrid weights", struct confidence_weights, weight_fields);

static const struct field fields[] = {
    { "confidence_method", FIELD_ENUM, offsetof(struct confidence_config, method), .fallback = "avg_logprob",
      .choices = methods, .help = "How sure an answer is." },
    { "threshold", FIELD_NUMBER, offsetof(struct confidence_config, threshold), .flags = FIELD_RANGE, .fallback = "0",
      .least = 0, .greatest = 1, .help = "From here on an answer is accepted; 0: the method's own default." },
    { "hybrid_weights", FIELD_OBJECT, offsetof(struct confidence_config, hybrid_weights), .flags = FIELD_UNSET,
      .object = &weights_schema, .help = "How the two measures of method hybrid are mixed; their sum is 1." },
    { "on_error", FIELD_ENUM, offsetof(struct confidence_config, on_error), .fallback = "skip", .choices = on_errors,
      .help = "Whether a failed call is passed over or ends the request." },
    { "escalation_order", FIELD_ENUM, offsetof(struct confidence_config, escalation_order), .fallback = "size",
      .choices = orders, .help = "Which model comes first." },
    { "cost_quality_tradeoff", FIELD_NUMBER, offsetof(struct confidence_config, cost_quality_tradeoff),
      .flags = FIELD_RANGE, .fallback = "0.3", .least = 0, .greatest = 1,
      .help = "Of the order automix: 0 quality, 1 cost." },
    { "token_filter", FIELD_ENUM, offsetof(struct confidence_config, token_filter), .fallback = "all",
      .choices = filters, .help = "Which tokens of the answer count." },
    { "verifier_server_url", FIELD_STRING, offsetof(struct confidence_config, verifier_server_url),
      .help = "Verifier of method automix_entailment: an absolute http or https URL." },
    { "verifier_timeout_seconds", FIELD_NUMBER, offsetof(struct confidence_config, verifier_timeout_seconds),
      .flags = FIELD_UNSET | FIELD_RANGE, .fallback = "60", .least = 0, .greatest = INFINITY,
      .help = "Longest wait for the verifier; 0 stands for 60." },
};

static const struct schema schema;

static struct diag_at field_at(const void *object, const char *field, struct arena *arena) {
    return schema_field_at(&schema, object, field, arena);
}

/* Scheme, host, and nothing that a secret or a query could hide in. */
static bool is_plain_url(vsr_str url) {
    vsr_str rest = str_starts(url, VSR_STR("https://"))  ? str_sub(url, 8, url.len)
                   : str_starts(url, VSR_STR("http://")) ? str_sub(url, 7, url.len)
                                                         : (vsr_str){ 0 };
    if (rest.len == 0 || rest.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)rest.ptr[i] <= ' ' || rest.ptr[i] == '@' || rest.ptr[i] == '?' || rest.ptr[i] == '#')
            return false;
    return true;
}

static void check_weights(const struct confidence_config *config, struct arena *arena, struct diag *diag) {
    double logprob = config->hybrid_weights.logprob_weight, margin = config->hybrid_weights.margin_weight;
    if (!config->hybrid_weights.at.node)
        return;
    if (config->method != HYBRID) {
        diag_error(diag, "E_CONFLICT", field_at(config, "hybrid_weights", arena), VSR_STR(""),
                   "hybrid_weights belong to confidence_method hybrid");
        return;
    }
    logprob = logprob > 0 ? logprob : 0.5;
    margin = margin > 0 ? margin : 0.5;
    if (fabs(logprob + margin - 1) > SUM_TOLERANCE)
        diag_error(diag, "E_RANGE", field_at(config, "hybrid_weights", arena), VSR_STR(""),
                   "the weights must add up to 1, found %g + %g", logprob, margin);
}

static void check_verifier(const struct confidence_config *config, struct arena *arena, struct diag *diag) {
    bool verifies = config->method == AUTOMIX_ENTAILMENT;
    if (verifies && config->verifier_server_url.len == 0)
        diag_error(diag, "E_REQUIRED", field_at(config, "verifier_server_url", arena), VSR_STR(""),
                   "confidence_method automix_entailment needs a verifier_server_url");
    else if (verifies && !is_plain_url(config->verifier_server_url))
        diag_error(diag, "E_TYPE", field_at(config, "verifier_server_url", arena), VSR_STR(""),
                   "expected an absolute http or https URL without user, query and fragment");
    if (verifies)
        return;
    if (schema_present(&schema, config, "verifier_server_url"))
        diag_error(diag, "E_CONFLICT", field_at(config, "verifier_server_url", arena), VSR_STR(""),
                   "verifier_server_url belongs to confidence_method automix_entailment");
    if (schema_present(&schema, config, "verifier_timeout_seconds"))
        diag_error(diag, "E_CONFLICT", field_at(config, "verifier_timeout_seconds", arena), VSR_STR(""),
                   "verifier_timeout_seconds belongs to confidence_method automix_entailment");
}

static void check_block(const void *object, struct arena *arena, struct diag *diag) {
    check_weights(object, arena, diag);
    check_verifier(object, arena, diag);
}

static const struct schema schema = SCHEMA("confidence block", struct confidence_config, fields, .check = check_block);

const struct config_kind looper_confidence = { .type = "confidence", .schema = &schema, .looper = true };
