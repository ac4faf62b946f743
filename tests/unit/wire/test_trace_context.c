#include "wire/trace_context.h"

#include "test.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define OURS "00000000000000ab"

static const struct {
    const char *name, *parent, *want; /* want "": not continued */
} cases[] = {
    { "sampled", "00-" TRACE "-" SPAN "-01", "00-" TRACE "-" OURS "-01" },
    { "not sampled", "00-" TRACE "-" SPAN "-00", "00-" TRACE "-" OURS "-00" },
    { "blanks around", " 00-" TRACE "-" SPAN "-01\t", "00-" TRACE "-" OURS "-01" },
    { "other flags are not of our version", "00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" OURS "-01" },
    { "flags without the sampled bit", "00-" TRACE "-" SPAN "-fe", "00-" TRACE "-" OURS "-00" },
    { "a later version", "01-" TRACE "-" SPAN "-01", "00-" TRACE "-" OURS "-01" },
    { "a later version with more", "cc-" TRACE "-" SPAN "-01-what-ever", "00-" TRACE "-" OURS "-01" },
    { "a later version, badly joined", "cc-" TRACE "-" SPAN "-01.more", "" },
    { "version 00 with more", "00-" TRACE "-" SPAN "-01-x", "" },
    { "version ff", "ff-" TRACE "-" SPAN "-01", "" },
    { "no version", "0g-" TRACE "-" SPAN "-01", "" },
    { "zero trace", "00-00000000000000000000000000000000-" SPAN "-01", "" },
    { "zero span", "00-" TRACE "-0000000000000000-01", "" },
    { "upper case", "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", "" },
    { "short", "00-" TRACE "-" SPAN "-0", "" },
    { "other separators", "00_" TRACE "_" SPAN "_01", "" },
    { "flags are no number", "00-" TRACE "-" SPAN "-zz", "" },
    { "empty", "", "" },
};

TEST(parents) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct trace_context trace;
        bool has = trace_context_read(str_from_c(cases[i].parent), VSR_STR("a=1"), 0xab, &trace);
        CHECK_INT(has, cases[i].want[0] != '\0', cases[i].name);
        CHECK_INT(trace.has, has, cases[i].name);
        CHECK_STR(has ? trace_context_parent(&trace) : VSR_STR(""), cases[i].want, cases[i].name);
        CHECK_STR(trace.state, has ? "a=1" : "", cases[i].name);
        if (has)
            CHECK_STR(trace_context_id(&trace), TRACE, cases[i].name);
    }
}

TEST(state) {
    struct trace_context trace;
    char text[TRACE_STATE_LEN_MAX + 1];
    vsr_str parent = VSR_STR("00-" TRACE "-" SPAN "-01");
    memset(text, 'x', sizeof(text));
    CHECK(trace_context_read(parent, str_make(text, TRACE_STATE_LEN_MAX), 1, &trace), "longest");
    CHECK_INT(trace.state.len, TRACE_STATE_LEN_MAX, "longest");
    CHECK(trace_context_read(parent, str_make(text, sizeof(text)), 1, &trace), "too long");
    CHECK_INT(trace.state.len, 0, "too long");
    CHECK(trace_context_read(parent, VSR_STR(""), 0, &trace), "no zero span");
    CHECK_STR(trace_context_parent(&trace), "00-" TRACE "-0000000000000001-01", "no zero span");
}

RUN_TESTS(T(parents), T(state))
