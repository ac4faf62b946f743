#include "evidence/mcp_verdict.h"

#include "core/arena.h"
#include "core/buf.h"
#include "evidence/mcp_format.h"
#include "test.h"

static const vsr_str categories[] = { VSR_STR_INIT("math"), VSR_STR_INIT("law"), VSR_STR_INIT("other") };

static const struct {
    const char *name, *object;
    bool listed;
    const char *want;
} verdicts[] = {
    { "an index", "{\"class\":1,\"confidence\":0.75}", true, "math=0 law=0.75 other=0" },
    { "a label", "{\"class\":\"Law\",\"confidence\":0.5}", true, "math=0 law=0.5 other=0" },
    { "under another name", "{\"label\":\"math\"}", true, "math=1 law=0 other=0" },
    { "and another", "{\"category\":\"other\",\"confidence\":1}", true, "math=0 law=0 other=1" },
    { "probabilities in order", "{\"class\":0,\"confidence\":0.5,\"probabilities\":[0.5,0.25,0.25]}", true,
      "math=0.5 law=0.25 other=0.25" },
    { "probabilities by label", "{\"probabilities\":{\"law\":0.5,\"other\":0,\"math\":0.5}}", true,
      "math=0.5 law=0.5 other=0" },
    { "hints are dropped", "{\"class\":0,\"confidence\":1,\"model\":\"m\",\"use_reasoning\":true}", true,
      "math=1 law=0 other=0" },
    { "no probabilities after all", "{\"class\":0,\"confidence\":0.25,\"probabilities\":[]}", true,
      "math=0.25 law=0 other=0" },
    { "null for probabilities", "{\"class\":0,\"confidence\":0.25,\"probabilities\":null}", true,
      "math=0.25 law=0 other=0" },
    { "nobody lists categories", "{\"class\":\"x\",\"confidence\":0.5}", false, "x=0.5" },
    { "keys are categories", "{\"probabilities\":{\"b\":0.25,\"a\":0.75}}", false, "a=0.75 b=0.25" },
    { "an index of nothing", "{\"class\":0,\"confidence\":0.5}", false,
      "! the class is an index, and nobody lists the categories" },
    { "a list of nothing", "{\"class\":\"x\",\"probabilities\":[1]}", false,
      "! there is a list of probabilities, and nobody lists the categories" },
    { "an index too far", "{\"class\":3,\"confidence\":0.5}", true, "! the class is 3 of 3 categories" },
    { "a negative index", "{\"class\":-1,\"confidence\":0.5}", true, "! the class is -1 of 3 categories" },
    { "an unknown label", "{\"class\":\"art\",\"confidence\":0.5}", true, "! the class is none of the categories" },
    { "no class", "{\"confidence\":0.5}", true, "! there is no class" },
    { "a blank class", "{\"class\":\" \"}", false, "! there is no class" },
    { "a fraction of a class", "{\"class\":0.5}", true, "! there is no class" },
    { "a confidence past 1", "{\"class\":0,\"confidence\":90}", true, "! the confidence is no number within 0 and 1" },
    { "a text for a confidence", "{\"class\":0,\"confidence\":\"high\"}", true,
      "! the confidence is no number within 0 and 1" },
    { "too few probabilities", "{\"class\":0,\"probabilities\":[0.5,0.5]}", true,
      "! there are 2 probabilities for 3 categories" },
    { "too many", "{\"probabilities\":{\"math\":1,\"law\":0,\"other\":0,\"art\":0}}", true,
      "! there are 4 probabilities for 3 categories" },
    { "one for another", "{\"probabilities\":{\"math\":1,\"law\":0,\"art\":0}}", true,
      "! the probability of a category is no number within 0 and 1" },
    { "one twice", "{\"probabilities\":{\"math\":1,\"law\":0,\"law\":0}}", true,
      "! there are 3 probabilities for 3 categories" },
    { "a sum past 1", "{\"probabilities\":[0.5,0.5,0.5]}", true, "! the probabilities add up to 1.5 instead of 1" },
    { "a negative one", "{\"probabilities\":[1.5,-0.5,0]}", true, "! a probability is no number within 0 and 1" },
};

TEST(verdict) {
    for (size_t i = 0; i < VSR_COUNT(verdicts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct mcp_asked asked = { .labels = categories, .n_labels = verdicts[i].listed ? 3 : 0 };
        struct mcp_told told = { 0 };
        struct vsr_err err = VSR_ERR_NONE;
        struct json_doc doc;
        struct buf out;
        buf_init(&out, 1 << 16);
        CHECK(json_parse(arena, str_from_c(verdicts[i].object), &doc, &err) == 0, verdicts[i].name);
        if (mcp_verdict.read(arena, &doc, 0, &asked, &told, &err) < 0)
            buf_printf(&out, "! %s", err.text);
        CHECK_INT(told.n, told.n_labels, verdicts[i].name);
        for (size_t j = 0; j < told.n; j++)
            buf_printf(&out, "%s%.*s=%g", j ? " " : "", VSR_FMT(told.labels[j]), (double)told.numbers[j]);
        CHECK_STR(buf_str(&out), verdicts[i].want, verdicts[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *object;
    int code;
} lists[] = {
    { "three", "{\"categories\":[\"a\",\"b\",\"c\"]}", 0 },
    { "none", "{\"categories\":[]}", VSR_E_INVALID },
    { "no list", "{\"categories\":{\"a\":1}}", VSR_E_INVALID },
    { "one twice", "{\"categories\":[\"a\",\"b\",\"a\"]}", VSR_E_INVALID },
    { "a blank one", "{\"categories\":[\"a\",\" \"]}", VSR_E_INVALID },
    { "a number", "{\"categories\":[\"a\",1]}", VSR_E_INVALID },
};

TEST(list_of_categories) {
    for (size_t i = 0; i < VSR_COUNT(lists); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        vsr_str *labels = NULL;
        size_t n = 0;
        CHECK(json_parse(arena, str_from_c(lists[i].object), &doc, NULL) == 0, lists[i].name);
        CHECK_INT(mcp_categories_read(arena, &doc, 0, &labels, &n, NULL), lists[i].code, lists[i].name);
        CHECK_INT(n, lists[i].code == 0 ? 3 : 0, lists[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(verdict), T(list_of_categories))
