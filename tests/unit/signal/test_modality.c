/* What kind of answer is asked for. */
#include "fixture.h"

extern const struct signal_family signal_modality;

TEST(names) {
    struct fixture f;
    CHECK(fixture_decode(&f, &signal_modality, VSR_STR("[{name: BOTH}, {name: AR}, {name: DIFFUSION}]")), "all three");
    fixture_free(&f);
    fixture_must_refuse(&signal_modality, "[{name: diffusion}]", "did you mean \"DIFFUSION\"?");
    fixture_must_refuse(&signal_modality, "[{name: video}]", "\"video\" is not one of AR, DIFFUSION, BOTH");
}

RUN_TESTS(T(names))
