#include "nn/similarity.h"

#include <math.h>
#include <string.h>

#include "test.h"

TEST(a_line_through_points) {
    struct similarity_scale scale = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    static const struct {
        double cosine, similarity;
    } cases[] = { { -1, -1 },    { -0.5, -0.25 }, { 0, 0.5 }, { 0.1, 0.5625 },
                  { 0.4, 0.75 }, { 0.7, 0.875 },  { 1, 1 },   { 1.0001, 1.0001 } };
    CHECK(similarity_scale_parse(VSR_STR("[[0, 0.5], [0.4,0.75]]"), &scale, &err) == 0, err.text);
    CHECK_INT(scale.n, 2, "points");
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_MSG(fabs(similarity_of(&scale, cases[i].cosine) - cases[i].similarity) < 1e-12, "%g: %g", cases[i].cosine,
                  similarity_of(&scale, cases[i].cosine));
}

TEST(order_stays) {
    struct similarity_scale scale = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(similarity_scale_parse(VSR_STR("[[-0.2,0.1],[0.1,0.2],[0.11,0.6],[0.9,0.95]]"), &scale, &err) == 0, err.text);
    for (int i = -1000; i < 1000; i++) {
        double similarity = similarity_of(&scale, i / 1000.0);
        CHECK_MSG(similarity < similarity_of(&scale, (i + 1) / 1000.0), "%d", i);
        CHECK_MSG(fabs(similarity_cosine(&scale, similarity) - i / 1000.0) < 1e-12, "%d and back", i);
    }
}

TEST(without_points) {
    struct similarity_scale scale = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(similarity_scale_parse(VSR_STR(""), &scale, &err) == 0, err.text);
    CHECK(similarity_of(&scale, 0.3) == 0.3, "none");
    CHECK(similarity_of(NULL, 0.3) == 0.3, "no scale");
    CHECK(similarity_cosine(NULL, 0.3) == 0.3 && similarity_cosine(&scale, 0.3) == 0.3, "nor back");
    CHECK(isnan(similarity_of(&scale, NAN)), "no number");
}

TEST(wrong_scales) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "0.3", "expected an array" },
        { "[0.3]", "expected [COSINE, SIMILARITY]" },
        { "[[0.3]]", "expected [COSINE" },
        { "[[0.3,\"a\"]]", "expected [COSINE" },
        { "[[0.1,0.2,0.3]]", "expected [COS" },
        { "[[0.1,0.2],[0.1,0.3]]", "above 0.1:0.2" },
        { "[[0.5,1]]", "below 1" },
        { "[[0.1,0.4],[0.2,0.3]]", "above 0.1:0.4" },
        { "[[-1,0]]", "above -1" },
        { "[[0.1,0.2]", "" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct similarity_scale scale = { .n = 7 };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK(similarity_scale_parse(str_from_c(cases[i].text), &scale, &err) < 0, cases[i].text);
        CHECK_MSG(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
        CHECK_INT(scale.n, 7, "nothing is written");
    }
}

RUN_TESTS(T(a_line_through_points), T(order_stays), T(without_points), T(wrong_scales))
