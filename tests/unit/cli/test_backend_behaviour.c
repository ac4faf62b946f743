/* What a stand-in backend is told to do, from a header or a body. */
#include "test.h"

#include "cli/backend_behaviour.h"
#include "core/buf.h"

static void show(const struct behaviour *b, struct buf *out) {
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        { "status", b->status },
        { "retry", b->retry_after },
        { "health", b->health },
        { "stall", b->stall },
        { "tokens", b->tokens },
        { "garbage", b->garbage },
        { "slow", b->slow_head },
        { "reset", b->reset },
        { "hang", b->hang },
        { "no-done", b->no_done },
        { "no-terminal", b->no_terminal },
        { "overloaded", b->overloaded },
        { "thinking", b->thinking },
        { "redacted", b->redacted },
        { "refusal", b->refusal },
        { "parallel", b->parallel_tools },
        { "usage", b->usage },
        { "finish", b->finish },
        { "cached", b->cached },
        { "written", b->cache_write },
    };
    for (size_t i = 0; i < VSR_COUNT(numbers); i++)
        if (numbers[i].value)
            buf_printf(out, "%s=%llu ", numbers[i].name, (unsigned long long)numbers[i].value);
    if (b->cut != UINT64_MAX)
        buf_printf(out, "cut=%llu ", (unsigned long long)b->cut);
    if (b->error_event != UINT64_MAX)
        buf_printf(out, "error-event=%llu ", (unsigned long long)b->error_event);
    if (b->rate > 0)
        buf_printf(out, "rate=%g ", b->rate);
    if (b->fail_rate > 0)
        buf_printf(out, "fail=%g ", b->fail_rate);
}

static const struct {
    const char *list, *want, *error;
} cases[] = {
    { "", "", NULL },
    { "stall=200,cut=17,status=429", "status=429 stall=200 cut=17 ", NULL },
    { " stall = 200 ,, cut=0 ", "stall=200 cut=0 ", NULL },
    { "hang", "hang=1 ", NULL },
    { "reset=1,garbage,no-done", "garbage=1 reset=1 no-done=1 ", NULL },
    { "reset=1,reset=0", "", NULL },
    { "rate=0.5,fail-rate=0.25,tokens=10", "tokens=10 rate=0.5 fail=0.25 ", NULL },
    { "retry-after=3,health=503,slow-head=5", "retry=3 health=503 slow=5 ", NULL },
    { "cut=18446744073709551614", "cut=18446744073709551614 ", NULL },
    { "thinking=5,redacted,refusal,parallel-tools=3,overloaded",
      "overloaded=1 thinking=5 redacted=1 refusal=1 parallel=3 ", NULL },
    { "usage=as-asked,finish=as-it-is", "", NULL },
    { "usage=every,finish=length,cached=9,cache-write=2", "usage=3 finish=2 cached=9 written=2 ", NULL },
    { "error-event=0,no-terminal", "no-terminal=1 error-event=0 ", NULL },
    { "usage", "", "bad value in \"usage\"" },
    { "usage=sometimes", "", "bad value in \"usage=sometimes\"" },
    { "finish=", "", "bad value in \"finish=\"" },
    { "parallel-tools=17", "", "bad value in \"parallel-tools=17\"" },
    { "cat=1", "", "unknown behaviour \"cat\"" },
    { "=1", "", "unknown behaviour \"\"" },
    { "status=99", "", "bad value in \"status=99\"" },
    { "status=600", "", "bad value in \"status=600\"" },
    { "status=", "", "bad value in \"status=\"" },
    { "status", "", "bad value in \"status\"" },
    { "stall=1s", "", "bad value in \"stall=1s\"" },
    { "stall=3600001", "", "bad value in \"stall=3600001\"" },
    { "fail-rate=1.5", "", "bad value in \"fail-rate=1.5\"" },
    { "fail-rate=nan", "", "bad value in \"fail-rate=nan\"" },
    { "rate=x", "", "bad value in \"rate=x\"" },
    { "stall=1,cat", "stall=1 ", "unknown behaviour \"cat\"" },
    { "stall=00000000000000000000000000000000000001", "",
      "bad value in \"stall=00000000000000000000000000000000000001\"" },
};

TEST(reads) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct behaviour behaviour = behaviour_none();
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        int rc = behaviour_read(&behaviour, str_from_c(cases[i].list), &err);
        CHECK_INT(rc, cases[i].error ? VSR_E_INVALID : 0, cases[i].list);
        if (cases[i].error)
            CHECK_STR(str_from_c(err.text), cases[i].error, cases[i].list);
        buf_init(&out, 4096);
        show(&behaviour, &out);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].list);
        CHECK(behaviour_is_plain(&behaviour) == (cases[i].want[0] == 0), cases[i].list);
        buf_done(&out);
    }
}

RUN_TESTS(T(reads))
