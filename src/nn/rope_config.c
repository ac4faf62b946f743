#include "nn/rope_config.h"

#include <math.h>

/* A key that is not known here would be one that is not honoured. */
static void check_keys(struct json_fields *f, json_ref object) {
    static const char *const known[] = { "rope_type",
                                         "type",
                                         "rope_theta",
                                         "factor",
                                         "beta_fast",
                                         "beta_slow",
                                         "mscale",
                                         "mscale_all_dim",
                                         "truncate",
                                         "attention_factor",
                                         "original_max_position_embeddings",
                                         "partial_rotary_factor" };
    for (json_ref key = json_first(&f->doc, object); key != JSON_NONE;) {
        size_t i = 0;
        while (i < VSR_COUNT(known) && !json_str_eq(&f->doc, key, str_from_c(known[i])))
            i++;
        if (i == VSR_COUNT(known))
            fields_wrong_value(f, key, "key %.*s of the rotation is not supported",
                               VSR_FMT(str_sub(json_raw(&f->doc, key), 0, 60)));
        key = json_next(&f->doc, object, json_next(&f->doc, object, key));
    }
    if (fields_number(f, object, "partial_rotary_factor", 1, 0, 1) != 1)
        fields_wrong(f, object, "partial_rotary_factor", "rotating a part of a head is not supported");
}

/* How much YaRN sharpens attention to make up for angles that lie closer together. */
static double yarn_gain(double scale, double factor) {
    return factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1;
}

static double yarn_attention_factor(struct json_fields *f, json_ref object, double factor) {
    double mscale = fields_number(f, object, "mscale", 0, 0, 1e6),
           all = fields_number(f, object, "mscale_all_dim", 0, 0, 1e6);
    double fallback =
        mscale != 0 && all != 0 ? yarn_gain(mscale, factor) / yarn_gain(all, factor) : yarn_gain(1, factor);
    return fields_number(f, object, "attention_factor", fallback, 1e-6, 1e6);
}

static void read_yarn(struct json_fields *f, json_ref object, size_t positions, struct rope_config *rope) {
    rope->yarn = true;
    rope->original_positions = fields_number(f, object, "original_max_position_embeddings", (double)positions, 1, 1e9);
    if (fields_get(f, object, "factor") == JSON_NONE &&
        fields_get(f, object, "original_max_position_embeddings") == JSON_NONE)
        fields_wrong_value(f, object, "yarn: expected \"factor\" or \"original_max_position_embeddings\"");
    rope->factor = fields_number(f, object, "factor", (double)positions / rope->original_positions, 1e-3, 1e6);
    rope->beta_fast = fields_number(f, object, "beta_fast", 32, 1e-3, 1e6);
    rope->beta_slow = fields_number(f, object, "beta_slow", 1, 1e-3, 1e6);
    rope->truncate = fields_flag(f, object, "truncate", true);
    rope->attention_factor = yarn_attention_factor(f, object, rope->factor);
}

static void read_object(struct json_fields *f, json_ref object, size_t positions, struct rope_config *rope) {
    vsr_str type = fields_text(f, object, "rope_type", fields_text(f, object, "type", VSR_STR("default")));
    check_keys(f, object);
    rope->theta = fields_number(f, object, "rope_theta", rope->theta, ROPE_THETA_MIN, ROPE_THETA_MAX);
    if (str_eq_c(type, "yarn"))
        read_yarn(f, object, positions, rope);
    else if (str_eq_c(type, "linear") && fields_get(f, object, "factor") == JSON_NONE)
        fields_wrong_value(f, object, "linear: expected \"factor\"");
    else if (str_eq_c(type, "linear"))
        rope->factor = fields_number(f, object, "factor", 1, 1e-3, 1e6);
    else if (!str_eq_c(type, "default"))
        fields_wrong_value(f, object, "rope_type \"%.*s\" is not supported, only default, linear and yarn",
                           VSR_FMT(str_sub(type, 0, 60)));
}

/* One object for all kinds, or one for each; JSON_NONE when the file has neither. */
static json_ref parameters_of(struct json_fields *f, const char *kind) {
    json_ref all = fields_typed(f, 0, "rope_parameters", JSON_OBJECT), own;
    if (all == JSON_NONE || !kind)
        return all;
    own = fields_typed(f, all, kind, JSON_OBJECT);
    if (own == JSON_NONE && json_first(&f->doc, all) != JSON_NONE)
        fields_wrong(f, 0, "rope_parameters", "expected an object \"%s\"", kind);
    return own;
}

static void read(struct json_fields *f, const char *kind, double theta, size_t positions, bool scaled,
                 struct rope_config *ret) {
    json_ref parameters = parameters_of(f, kind);
    json_ref scaling = scaled ? fields_typed(f, 0, "rope_scaling", JSON_OBJECT) : JSON_NONE;
    *ret = (struct rope_config){ .theta = theta, .factor = 1, .attention_factor = 1 };
    if (parameters != JSON_NONE)
        read_object(f, parameters, positions, ret);
    else if (scaling != JSON_NONE)
        read_object(f, scaling, positions, ret);
}

void rope_config_read(struct json_fields *f, const char *kind, double theta, size_t positions,
                      struct rope_config *ret) {
    read(f, kind, theta, positions, true, ret);
}

void rope_config_read_local(struct json_fields *f, const char *kind, double theta, size_t positions,
                            struct rope_config *ret) {
    read(f, kind, theta, positions, false, ret);
}
