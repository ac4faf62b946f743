#include "nn/similarity.h"

#include "nn/json_fields.h"

static int add_point(struct similarity_scale *scale, double cosine, double similarity, struct vsr_err *err) {
    double least_cosine = scale->n ? scale->cosine[scale->n - 1] : -1;
    double least = scale->n ? scale->similarity[scale->n - 1] : -1;
    if (scale->n == SIMILARITY_POINTS_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d points", SIMILARITY_POINTS_MAX);
    if (!(cosine > least_cosine && cosine < 1 && similarity > least && similarity < 1))
        return err_set(err, VSR_E_INVALID, "point %g:%g, expected both above %g:%g and below 1", cosine, similarity,
                       least_cosine, least);
    scale->cosine[scale->n] = cosine;
    scale->similarity[scale->n++] = similarity;
    return 0;
}

/* [COSINE, SIMILARITY] */
static void read_point(struct json_fields *f, json_ref point, struct similarity_scale *scale) {
    json_ref first = json_is(&f->doc, point, JSON_ARRAY) ? json_first(&f->doc, point) : JSON_NONE;
    json_ref second = first == JSON_NONE ? JSON_NONE : json_next(&f->doc, point, first);
    double cosine, similarity;
    if (second == JSON_NONE || json_next(&f->doc, point, second) != JSON_NONE ||
        !json_double(&f->doc, first, &cosine) || !json_double(&f->doc, second, &similarity))
        fields_wrong_value(f, point, "expected [COSINE, SIMILARITY]");
    else if (add_point(scale, cosine, similarity, f->err) < 0)
        f->rc = VSR_E_INVALID;
}

int similarity_scale_parse(vsr_str text, struct similarity_scale *ret, struct vsr_err *err) {
    struct similarity_scale scale = { .n = 0 };
    struct json_fields f;
    int rc;
    if (str_trim(text).len == 0) {
        *ret = scale;
        return 0;
    }
    rc = fields_open_any(&f, text, err);
    if (rc == 0 && !json_is(&f.doc, 0, JSON_ARRAY))
        fields_wrong_value(&f, 0, "expected an array of [COSINE, SIMILARITY]");
    for (json_ref at = rc == 0 && f.rc == 0 ? json_first(&f.doc, 0) : JSON_NONE; at != JSON_NONE && f.rc == 0;
         at = json_next(&f.doc, 0, at))
        read_point(&f, at, &scale);
    rc = fields_end(&f);
    if (rc == 0)
        *ret = scale;
    return rc;
}

/* On the line through the points that `from` and `to` give, both of which rise. */
static double carry(const double *from, const double *to, size_t n, double value) {
    double x0 = -1, y0 = -1, x1 = 1, y1 = 1;
    if (!(value > -1) || !(value < 1))
        return value;
    for (size_t i = 0; i < n; i++) {
        if (value <= from[i]) {
            x1 = from[i];
            y1 = to[i];
            break;
        }
        x0 = from[i];
        y0 = to[i];
    }
    return y0 + (value - x0) / (x1 - x0) * (y1 - y0);
}

double similarity_of(const struct similarity_scale *scale, double cosine) {
    return scale && scale->n > 0 ? carry(scale->cosine, scale->similarity, scale->n, cosine) : cosine;
}

double similarity_cosine(const struct similarity_scale *scale, double similarity) {
    return scale && scale->n > 0 ? carry(scale->similarity, scale->cosine, scale->n, similarity) : similarity;
}
