#include "model/prepared_text.h"

#include <dirent.h>
#include <math.h>

#include "core/arena.h"
#include "core/json.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/runtime.h"
#include "nn/safetensors.h"
#include "nn/sentence_files.h"
#include "test.h"
#include "text/tokenizer.h"
#include "unit/nn/model_dir.h"

/* ---- texts */

static const struct {
    const char *name, *prompt, *text;
    bool strip, lower;
    const char *want;
    size_t prompt_len;
} texts[] = {
    { "nothing", "", " A b ", false, false, " A b ", 0 },
    { "empty", "", "", true, true, "", 0 },
    { "stripped", "", "\n\t A b \r\n", true, false, "A b", 0 },
    { "all white", "", " \t ", true, false, "", 0 },
    { "white space of Unicode", "", "\u00A0\u2003\u3000a\xC2\x85\u2028", true, false, "a", 0 },
    { "separators that the library strips", "",
      "\x1c\x1d"
      "a\x1e\x1f",
      true, false, "a", 0 },
    { "what is no white space", "", "\u200B a \uFEFF", true, false, "\u200B a \uFEFF", 0 },
    { "joined, nothing between", "query:", "a", true, false, "query:a", 6 },
    { "the prompt's space stays", "query: ", "a", true, false, "query: a", 7 },
    { "so does the text's at its front", "query:", " a ", true, false, "query: a", 6 },
    { "a prompt without a text", "query: ", "", true, false, "query:", 6 },
    { "a prompt and a white text", "query: ", "  ", true, false, "query:", 6 },
    { "white space before the prompt", "  q: ", "a", true, false, "q: a", 3 },
    { "a white prompt", "  ", "  a", true, false, "a", 0 },
    { "a prompt that is not stripped", " q ", " a ", false, false, " q  a ", 3 },
    { "lower case", "", "ABC \u00C4\u0416", false, true, "abc \u00E4\u0436", 0 },
    { "of the prompt too", "QUERY: ", "Ab", true, true, "query: ab", 7 },
    { "a dotted I is two", "", "\u0130X", false, true, "i\u0307x", 0 },
    { "a Kelvin sign is shorter", "", "\u212A", false, true, "k", 0 },
    { "longer", "", "\u023A\u023E", false, true, "\u2C65\u2C66", 0 },
    { "sigma within a word", "", "\u03A3\u0391\u03A3\u0391", false, true, "\u03C3\u03B1\u03C3\u03B1", 0 },
    { "sigma at its end", "", "\u039F\u0394\u039F\u03A3 \u03A3", false, true, "\u03BF\u03B4\u03BF\u03C2 \u03C3", 0 },
    { "before an apostrophe and a letter", "", "\u0391\u03A3'\u0391", false, true, "\u03B1\u03C3'\u03B1", 0 },
    { "before an apostrophe alone", "", "\u0391\u0301\u03A3'", false, true, "\u03B1\u0301\u03C2'", 0 },
    { "behind one alone", "", "'\u03A3", false, true, "'\u03C3", 0 },
    { "no UTF-8", "", "A\xFF\xC3", true, true, "a\xFF\xC3", 0 },
};

TEST(prepared) {
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        const struct preparation how = { str_from_c(texts[i].prompt), texts[i].strip, texts[i].lower };
        struct prepared_text p;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(prepared_text_make(&how, str_from_c(texts[i].text), &p, &err), 0, texts[i].name);
        CHECK_STR(p.text, texts[i].want, texts[i].name);
        CHECK_INT(p.prompt_len, texts[i].prompt_len, texts[i].name);
        prepared_text_done(&p);
    }
}

static const struct {
    const char *name, *prompt, *text;
    bool lower;
    uint32_t start, end; /* in what is prepared, which is stripped */
    uint32_t want_start, want_end;
} places[] = {
    { "no change", "", "ab", false, 0, 2, 0, 2 },
    { "stripped", "", "  ab ", false, 1, 2, 3, 4 },
    { "of the prompt", "q: ", "ab", false, 0, 2, 0, 0 },
    { "behind the prompt", "q: ", "ab", false, 3, 5, 0, 2 },
    { "over both", "q: ", "ab", false, 2, 4, 0, 1 },
    { "a space behind the prompt", "q:", " ab", false, 2, 5, 0, 3 },
    { "lower", "", " AB", true, 0, 2, 1, 3 },
    { "behind a prompt", "Q: ", "AB", true, 4, 5, 1, 2 },
    { "the i of a dotted I", "", "x\u0130y", true, 1, 2, 1, 3 },
    { "its dot", "", "x\u0130y", true, 2, 4, 1, 3 },
    { "what follows", "", "x\u0130y", true, 4, 5, 3, 4 },
    { "behind a Kelvin sign", "", "\u212AA", true, 1, 2, 3, 4 },
    { "the last letter", "", "a\u212A ", true, 1, 2, 1, 4 },
    { "nothing", "", "AB", true, 1, 1, 1, 1 },
    { "nothing at the end", "", "AB ", true, 2, 2, 2, 2 },
};

TEST(places_in_the_original) {
    for (size_t i = 0; i < VSR_COUNT(places); i++) {
        const struct preparation how = { str_from_c(places[i].prompt), true, places[i].lower };
        struct prepared_text p;
        struct vsr_err err = VSR_ERR_NONE;
        uint32_t start = places[i].start, end = places[i].end;
        CHECK_INT(prepared_text_make(&how, str_from_c(places[i].text), &p, &err), 0, places[i].name);
        prepared_text_place(&p, &start, &end);
        CHECK_INT(start, places[i].want_start, places[i].name);
        CHECK_INT(end, places[i].want_end, places[i].name);
        prepared_text_done(&p);
    }
}

/* Any bytes: places lie in the text, in order, and cover what is not stripped. */
TEST(places_of_any_bytes) {
    static const vsr_str parts[] = { VSR_STR_INIT("a"),        VSR_STR_INIT("B"),          VSR_STR_INIT(" "),
                                     VSR_STR_INIT("\t"),       VSR_STR_INIT("\xFF"),       VSR_STR_INIT("\xC3"),
                                     VSR_STR_INIT("\xE2\x96"), VSR_STR_INIT("\u0130"),     VSR_STR_INIT("\u212A"),
                                     VSR_STR_INIT("\u023A"),   VSR_STR_INIT("\u03A3"),     VSR_STR_INIT("\u00A0"),
                                     VSR_STR_INIT("\u2028"),   VSR_STR_INIT("\U0001F600"), VSR_STR_INIT("'"),
                                     VSR_STR_INIT("\0") };
    uint64_t drawn = 88172645463325252U;
    for (size_t round = 0; round < 4000; round++) {
        char text[64];
        size_t len = 0, prompt_len;
        struct preparation how;
        struct prepared_text p;
        struct vsr_err err = VSR_ERR_NONE;
        uint32_t last = 0;
        for (size_t i = 0; i < 12; i++) {
            vsr_str part;
            drawn ^= drawn << 13;
            drawn ^= drawn >> 7;
            drawn ^= drawn << 17;
            part = parts[drawn % VSR_COUNT(parts)];
            memcpy(text + len, part.ptr, part.len);
            len += part.len;
        }
        prompt_len = drawn % 3 == 0 ? drawn % len : 0;
        how = (struct preparation){ str_make(text, prompt_len), drawn & 8, drawn & 16 };
        CHECK_INT(prepared_text_make(&how, str_make(text + prompt_len, len - prompt_len), &p, &err), 0, "made");
        CHECK(p.prompt_len <= p.text.len && p.from <= p.to && p.to <= len - prompt_len, "bounds");
        for (uint32_t at = (uint32_t)p.prompt_len; at < p.text.len; at++) {
            uint32_t start = at, end = at + 1;
            prepared_text_place(&p, &start, &end);
            CHECK(start < end && start >= last && start >= p.from && end <= p.to, "a byte has a place");
            last = start;
        }
        if (p.text.len > 0) {
            uint32_t start = 0, end = (uint32_t)p.text.len;
            prepared_text_place(&p, &start, &end);
            CHECK((p.prompt_len == p.text.len && start == 0 && end == 0) || (start == p.from && end == p.to),
                  "all of it");
        }
        prepared_text_done(&p);
    }
}

TEST(too_long) {
    const struct preparation how = { VSR_STR("q"), true, true };
    struct prepared_text p;
    struct vsr_err err = VSR_ERR_NONE;
    char *text = calloc(1, TOKENIZER_TEXT_LEN_MAX);
    CHECK_INT(prepared_text_make(&how, str_make(text, TOKENIZER_TEXT_LEN_MAX), &p, &err), VSR_E_LIMIT, "past it");
    prepared_text_done(&p);
    CHECK_INT(prepared_text_make(&how, str_make(text, TOKENIZER_TEXT_LEN_MAX - 1), &p, &err), 0, "at the limit");
    CHECK_INT(p.text.len, TOKENIZER_TEXT_LEN_MAX, "whole");
    prepared_text_done(&p);
    free(text);
}

/* ---- models */

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
    struct arena *arena;
};

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    rig->arena = arena_new(0, 0);
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, &(struct engine_options){ .threads = 1 }, &rig->engine, &err) == 0, "%s",
              err.text);
}

static void rig_end(struct rig *rig) {
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

static vsr_str fixture(const struct rig *rig, const char *name) {
    return arena_printf(rig->arena, "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
}

static struct model *open_model(struct rig *rig, vsr_str path, bool no_strip) {
    const struct model_options options = { .precision = PRECISION_F32, .no_strip = no_strip };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    CHECK_MSG(model_open(rig->runtime, path, &options, &model, &err) == 0, "%s", err.text);
    return model;
}

static struct engine_call ask(struct rig *rig, struct model *model, const vsr_str *prompt, vsr_str text) {
    struct engine_call call = { .model = model, .text = text, .prompt = prompt };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(engine_run(rig->engine, &call, 1, &err) == 0, "%s", err.text);
    return call;
}

static void check_same(struct engine_call got, struct engine_call want, bool same, const char *name) {
    CHECK(got.width == want.width, name);
    CHECK((memcmp(got.result, want.result, got.width * sizeof(float)) == 0) == same, name);
    engine_call_done(&got);
    engine_call_done(&want);
}

/* A case of a fixture that has a text: ids, places and vector are what the reference says. */
static void check_case(struct rig *rig, struct model *model, const struct safetensors *cases, size_t number,
                       const vsr_str *prompt, vsr_str text, uint32_t n_prompt, const char *name) {
    const struct tensor *ids = safetensors_find(cases, arena_printf(rig->arena, "case%zu.ids", number));
    const struct tensor *want = safetensors_find(cases, arena_printf(rig->arena, "case%zu.embedding", number));
    const struct tensor *offsets = safetensors_find(cases, arena_printf(rig->arena, "case%zu.offsets", number));
    struct engine_call call = ask(rig, model, prompt, text);
    float *values = ARENA_ARRAY(rig->arena, float, want->n), greatest = 0;
    size_t prompt_len = prompt ? prompt->len : 0;
    CHECK_INT(call.n_tokens, ids->n, name);
    CHECK(memcmp(call.ids, ids->data, ids->n * sizeof(uint32_t)) == 0, name);
    CHECK_INT(call.n_prompt, model_sentence_files(model)->include_prompt ? 0 : n_prompt, name);
    for (size_t i = 0; i < call.n_tokens; i++) {
        int32_t place[2];
        memcpy(place, (const char *)offsets->data + 8 * i, sizeof(place)); /* in the two joined */
        CHECK_INT(call.starts[i], (size_t)place[0] < prompt_len ? 0 : (size_t)place[0] - prompt_len, name);
        CHECK_INT(call.ends[i], (size_t)place[1] < prompt_len ? 0 : (size_t)place[1] - prompt_len, name);
    }
    CHECK(dtype_to_f32(want->dtype, want->data, want->n, values), name);
    for (size_t i = 0; i < want->n; i++)
        greatest = fmaxf(greatest, fabsf(values[i]));
    for (size_t i = 0; i < want->n; i++)
        CHECK_MSG(fabsf(call.result[i] - values[i]) <= 1e-5F * greatest, "%s: %g, not %g", name, (double)call.result[i],
                  (double)values[i]);
    engine_call_done(&call);
}

static vsr_str text_of(const struct rig *rig, const struct json_doc *doc, json_ref ref) {
    vsr_str text = { 0 };
    CHECK(json_str(rig->arena, doc, ref, &text), "text");
    return text;
}

/* The embedders of the fixtures, from their texts to their vectors. */
TEST(as_the_reference_says) {
    static const char *const names[] = {
        "bert-embed-cls",   "bert-embed-dense", "bert-embed-mean", "gemma-embed",
        "modernbert-embed", "mpnet-embed",      "qwen3-embed",     "xlm-roberta-embed"
    };
    struct rig rig;
    size_t n_texts = 0, n_prompts = 0;
    rig_begin(&rig);
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct model *model = open_model(&rig, fixture(&rig, names[i]), false);
        vsr_str path = arena_printf(rig.arena, "%.*s/cases.json", VSR_FMT(model_directory_of(model))), json;
        const char *weights = arena_c_str(rig.arena, arena_printf(rig.arena, "%.*s/cases.safetensors",
                                                                  VSR_FMT(model_directory_of(model))));
        struct vsr_err err = VSR_ERR_NONE;
        struct safetensors cases;
        struct json_doc doc;
        json_ref list;
        size_t number = 0;
        char *text = arena_alloc(rig.arena, 1 << 20);
        FILE *file = fopen(arena_c_str(rig.arena, path), "r");
        CHECK(file, names[i]);
        json = str_make(text, fread(text, 1, 1 << 20, file));
        CHECK(fclose(file) == 0, names[i]);
        CHECK_MSG(json_parse(rig.arena, json, &doc, &err) == 0, "%s", err.text);
        CHECK_MSG(safetensors_open(rig.arena, weights, &cases, &err) == 0, "%s", err.text);
        list = json_get(&doc, 0, VSR_STR("cases"));
        for (json_ref item = json_first(&doc, list); item != JSON_NONE; item = json_next(&doc, list, item), number++) {
            json_ref words = json_get(&doc, item, VSR_STR("text")), before = json_get(&doc, item, VSR_STR("prompt"));
            int64_t n_prompt = 0;
            vsr_str prompt;
            if (words == JSON_NONE)
                continue;
            prompt = before == JSON_NONE ? VSR_STR("") : text_of(&rig, &doc, before);
            (void)json_i64(&doc, json_get(&doc, item, VSR_STR("prompt_tokens")), &n_prompt);
            check_case(&rig, model, &cases, number, before == JSON_NONE ? NULL : &prompt, text_of(&rig, &doc, words),
                       (uint32_t)n_prompt, names[i]);
            n_texts++;
            n_prompts += before != JSON_NONE;
        }
        model_unref(model);
    }
    CHECK(n_texts > 8 && n_prompts > 0, "texts and prompts");
    rig_end(&rig);
}

/* ---- directories that say more */

/* Every character is a token, so that spaces and case are seen. */
static const char *const letters =
    "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":null,\"decoder\":null,"
    "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"<s>\",0],\"sep\":[\"</s>\",2]},"
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":3,\"vocab\":[[\"<s>\",0],[\"<pad>\",0],[\"</s>\",0],[\"<unk>\",0],"
    "[\"a\",-1],[\"b\",-2],[\"A\",-3],[\"B\",-4],[\" \",-5],[\"i\",-6],[\"\\u0307\",-7],[\"\\u0130\",-8],[\"q\",-9],"
    "[\":\",-10]]}}";

/* A fixture with that tokenizer, and with another file replaced, or left out when `bytes` is NULL. */
static struct model *open_changed(struct rig *rig, const char *name, const char *file, const char *bytes) {
    struct model_dir dir = model_dir_make();
    vsr_str from = fixture(rig, name);
    struct model *model;
    struct dirent **entries;
    int n = scandir(arena_c_str(rig->arena, from), &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *entry = entries[i]->d_name;
        vsr_str target = arena_printf(rig->arena, "%.*s/%s", VSR_FMT(from), entry);
        vsr_str link = arena_printf(rig->arena, "%s/%s", dir.path, entry);
        if (entry[0] != '.' && strcmp(entry, file) != 0 && strcmp(entry, "tokenizer.json") != 0)
            CHECK(symlink(arena_c_str(rig->arena, target), arena_c_str(rig->arena, link)) == 0, name);
        free(entries[i]);
    }
    free(entries);
    model_dir_write_c(&dir, "tokenizer.json", letters);
    if (bytes)
        model_dir_write_c(&dir, file, bytes);
    model = open_model(rig, model_dir_str(&dir), false);
    model_dir_remove(&dir);
    return model;
}

TEST(stripping) {
    static const vsr_str padded = VSR_STR_INIT(" \t a b\n"), bare = VSR_STR_INIT("a b");
    struct rig rig;
    struct model *model, *plain;
    struct engine_call call;
    rig_begin(&rig);
    model = open_changed(&rig, "bert-embed-mean", "", NULL);
    plain = open_changed(&rig, "bert-embed-mean", "modules.json", NULL);
    check_same(ask(&rig, model, NULL, padded), ask(&rig, model, NULL, bare), true, "stripped");
    check_same(ask(&rig, plain, NULL, padded), ask(&rig, plain, NULL, bare), false, "no modules.json");
    call = ask(&rig, model, NULL, padded);
    CHECK_INT(call.starts[1], 3, "the first letter");
    CHECK_INT(call.ends[3], 6, "the last one");
    CHECK_INT(call.starts[0] + call.ends[0] + call.starts[4] + call.ends[4], 0, "the template's are nowhere");
    engine_call_done(&call);
    model_unref(model);
    model_unref(plain);
    model = open_model(&rig, fixture(&rig, "bert-embed-mean"), true);
    CHECK(!model_preparation(model).strip, "no_strip");
    model_unref(model);
    rig_end(&rig);
}

/* The files of the library mean nothing to a directory that is not its own. */
TEST(a_bare_encoder) {
    static const vsr_str query = VSR_STR_INIT("q: "), text = VSR_STR_INIT(" AB ");
    static const char *const files[][2] = {
        { "sentence_bert_config.json", "{\"do_lower_case\":true}" },
        { "config_sentence_transformers.json", "{\"prompts\":{\"q\":\"q: \"},\"default_prompt_name\":\"q\"}" },
    };
    struct rig rig;
    struct model *plain, *model;
    struct engine_call call;
    rig_begin(&rig);
    plain = open_changed(&rig, "xlm-roberta-embed", "", NULL);
    call = ask(&rig, plain, NULL, text);
    CHECK_INT(call.n_tokens, 6, "<s>, two spaces, two capital letters, </s>");
    engine_call_done(&call);
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        model = open_changed(&rig, "xlm-roberta-embed", files[i][0], files[i][1]);
        check_same(ask(&rig, model, NULL, text), ask(&rig, plain, NULL, text), true, files[i][0]);
        check_same(ask(&rig, model, &query, text), ask(&rig, plain, NULL, VSR_STR("q:  AB ")), true,
                   "as it is asked for");
        model_unref(model);
    }
    model_unref(plain);
    rig_end(&rig);
}

TEST(lower_case) {
    struct rig rig;
    struct model *model, *lower;
    struct engine_call call;
    rig_begin(&rig);
    model = open_changed(&rig, "bert-embed-mean", "", NULL);
    lower = open_changed(&rig, "bert-embed-mean", "sentence_bert_config.json",
                         "{\"max_seq_length\":48,\"do_lower_case\":true}");
    check_same(ask(&rig, model, NULL, VSR_STR("AB")), ask(&rig, model, NULL, VSR_STR("ab")), false, "as it is");
    check_same(ask(&rig, lower, NULL, VSR_STR("AB")), ask(&rig, model, NULL, VSR_STR("ab")), true, "lower");
    call = ask(&rig, lower, NULL, VSR_STR("  \u0130a"));
    CHECK_INT(call.n_tokens, 5, "<s> i, dot, a </s>");
    CHECK_INT(call.starts[1], 2, "from the first letter on");
    CHECK_INT(call.ends[1], 4, "the letter");
    CHECK_INT(call.starts[2], 2, "its dot is of the same");
    CHECK_INT(call.starts[3], 4, "what follows");
    CHECK_INT(call.ends[3], 5, "to its end");
    engine_call_done(&call);
    model_unref(model);
    model_unref(lower);
    rig_end(&rig);
}

/* The model's default prompt is there unless the caller has another, which may be none. */
TEST(default_prompt) {
    static const vsr_str query = VSR_STR_INIT("q: "), none = VSR_STR_INIT(""), text = VSR_STR_INIT("  ab ");
    static const vsr_str other = VSR_STR_INIT("b: ");
    struct rig rig;
    struct model *model, *with;
    struct engine_call call;
    rig_begin(&rig);
    model = open_changed(&rig, "bert-embed-dense", "", NULL); /* which does not pool prompts */
    with = open_changed(&rig, "bert-embed-dense", "config_sentence_transformers.json",
                        "{\"prompts\":{\"q\":\"q: \",\"d\":\"\"},\"default_prompt_name\":\"q\"}");
    check_same(ask(&rig, with, NULL, text), ask(&rig, model, &query, text), true, "the default");
    check_same(ask(&rig, with, &none, text), ask(&rig, model, NULL, text), true, "none by the caller");
    check_same(ask(&rig, with, NULL, text), ask(&rig, model, NULL, text), false, "which is not the same");
    check_same(ask(&rig, with, &other, text), ask(&rig, model, &other, text), true, "another by the caller");
    check_same(ask(&rig, with, &other, text), ask(&rig, with, NULL, text), false, "is not the default");
    call = ask(&rig, with, NULL, text);
    CHECK_INT(call.n_tokens, 9, "<s> and what the prompt, two spaces and two letters are, and </s>");
    CHECK_INT(call.n_prompt, 3, "<s> and the prompt without its space, which ends it when it is alone");
    CHECK_INT(call.starts[6], 2, "places are of the caller's text");
    CHECK_INT(call.ends[7], 4, "to its end");
    CHECK_INT(call.ends[2], 0, "the prompt is nowhere in it");
    engine_call_done(&call);
    model_unref(model);
    model_unref(with);
    rig_end(&rig);
}

/* A prompt that is pooled is counted where the text behind it is cut: it stands before every window. */
TEST(a_prompt_before_windows) {
    enum { LETTERS = 100 };
    static const vsr_str query = VSR_STR_INIT("q: ");
    struct rig rig;
    struct model *model;
    struct engine_call call;
    struct vsr_err err = VSR_ERR_NONE;
    char text[LETTERS];
    rig_begin(&rig);
    model = open_changed(&rig, "bert-embed-mean", "", NULL);
    memset(text, 'a', LETTERS);
    call = ask(&rig, model, &query, VSR_STR("a"));
    CHECK_INT(call.n_prompt, 0, "nobody has to know");
    engine_call_done(&call);
    call = (struct engine_call){
        .model = model, .text = str_make(text, LETTERS), .prompt = &query, .long_text = LONG_TEXT_CHUNK
    };
    CHECK_MSG(engine_run(rig.engine, &call, 1, &err) == 0, "%s", err.text);
    CHECK(call.n_parts > 1, "it is too long");
    CHECK_INT(call.n_prompt, 3, "<s> and the prompt");
    CHECK_INT(call.cut_from, 3, "which no window leaves out");
    engine_call_done(&call);
    model_unref(model);
    rig_end(&rig);
}

/* Whoever tags or classifies gets the text as it is, whatever lies in the directory. */
TEST(classifiers_are_left_alone) {
    static const vsr_str prompt = VSR_STR_INIT("q: ");
    struct rig rig;
    struct model *model;
    struct engine_call call;
    struct vsr_err err = VSR_ERR_NONE;
    rig_begin(&rig);
    model = open_changed(&rig, "roberta-token", "sentence_bert_config.json", "{\"do_lower_case\":true}");
    call = ask(&rig, model, NULL, VSR_STR("  AB "));
    CHECK_INT(call.n_tokens, 7, "spaces too");
    CHECK_INT(call.ids[3], 6, "a capital letter");
    CHECK_INT(call.starts[3], 2, "where it stands");
    engine_call_done(&call);
    call = (struct engine_call){ .model = model, .text = VSR_STR("x"), .prompt = &prompt };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), VSR_E_INVALID, "a prompt");
    model_unref(model);
    rig_end(&rig);
}

RUN_TESTS(T(prepared), T(places_in_the_original), T(places_of_any_bytes), T(too_long), T(as_the_reference_says),
          T(stripping), T(a_bare_encoder), T(lower_case), T(default_prompt), T(a_prompt_before_windows),
          T(classifiers_are_left_alone))
