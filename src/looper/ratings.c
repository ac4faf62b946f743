/* ratings - all models at once, all answers side by side (decisions.md §6.5). */
#include <math.h>

#include "looper/looper.h"

struct ratings_config {
    struct config_at at;
    int64_t max_concurrent; /* 0: all candidates */
    int on_error;           /* 0 skip, 1 fail */
};

static const char *const on_errors[] = { "skip", "fail", NULL };

static const struct field fields[] = {
    { "max_concurrent", FIELD_INT, offsetof(struct ratings_config, max_concurrent), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .help = "Calls at the same time; absent: all." },
    { "on_error", FIELD_ENUM, offsetof(struct ratings_config, on_error), .fallback = "skip", .choices = on_errors,
      .help = "Whether a failed call is left out or fails the request." },
};
static const struct schema schema = SCHEMA("ratings block", struct ratings_config, fields);

const struct config_kind looper_ratings = { .type = "ratings", .schema = &schema, .looper = true };
