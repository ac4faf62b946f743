#include "test.h"

#include "text/language.h"
#include "text/window.h"
#include "unit/vectors.h"

static vsr_str detect(vsr_str text, double *ret_confidence) {
    struct language_guess guess;
    language_detect(text, &guess);
    if (ret_confidence)
        *ret_confidence = guess.confidence;
    return language_code(guess.language);
}

TEST(shared_languages) {
    VECTORS_EACH(v, "language.json", "language") {
        json_ref want = vectors_get(&v, v.want, "language");
        vsr_str code = detect(vectors_str(&v, v.given, "text"), NULL);
        vsr_str wanted = json_is(&v.doc, want, JSON_NULL) ? (vsr_str){ 0 } : vectors_text(&v, want);
        CHECK_MSG(str_eq(code, wanted), "case \"%s\": got \"%.*s\"", v.name, VSR_FMT(code));
    }
}

static const struct {
    const char *name, *text, *code;
} cases[] = {
    { "empty", "", "" },
    { "english", "Could you explain how the engine of a steam locomotive works?", "en" },
    { "french", "Pourriez-vous m'expliquer comment fonctionne une locomotive ?", "fr" },
    { "a french greeting of english assistants", "bonjour", "fr" },
    { "french thanks to english assistants", "merci beaucoup", "fr" },
    { "one han character", "水", "zh" },
    { "kana decides for japanese", "東京の天気", "ja" },
    { "one kana among many han", "東京都新宿区西新宿の天気予報", "ja" },
    { "a decorating kana is no japanese", "我们今天去吃优の良品零食店里面的很多种类的小吃和饮料吧", "zh" },
    { "han with latin words", "请用Python写一个quicksort函数", "zh" },
    { "korean with latin words", "이 코드를 Python으로 바꿔 주세요", "ko" },
    { "khmer is not ours", "សួស្តីពិភពលោក", "" },
    { "fence only", "```\nprint('hello world')\nfor x in y: pass\n```", "" },
    { "open fence", "```js\nconst answer = await fetch(url)", "" },
    { "bare code", "int main(void) { for (i = 0; i < n; i++) { sum += a[i]; } return sum; }", "" },
    { "instruction beside inline code", "Bitte erkläre mir, was `std::move(x)` in diesem Zusammenhang bedeutet", "de" },
    { "address only", "https://example.com/some/long/english/path mail@example.com", "" },
    { "address in chinese text", "请总结https://example.com/the/quick/brown/fox.html这篇文章", "zh" },
    { "numbers", "3.14159 2.71828", "" },
    { "a greek question ends in a semicolon", "Πώς ονομαζόταν αρχικά το μουσείο;", "el" },
    { "serbian in latin letters is of its family", "Želim da pijem kafu sa mlekom svakog dana", "sr" },
    { "instruction above a text",
      "Please translate the following letter into English:\nSehr geehrte Damen und Herren, "
      "hiermit kündige ich meinen Vertrag zum Ende des Monats. Ich bitte um eine Bestätigung.",
      "en" },
    { "instruction below a text",
      "The committee met on Tuesday and agreed that the budget must be reduced.\n"
      "It will meet again in the spring of next year, with new members.\n"
      "Bitte fasse diesen Text in einem Satz zusammen.",
      "de" },
    { "instruction before a colon",
      "Corrige les fautes de grammaire du texte suivant : The weather are nice today and "
      "the childrens is playing in garden since two hours.",
      "fr" },
    { "instruction in another script",
      "Please explain what this sentence means:\n东京的天气今天非常好，我们去公园散步，"
      "然后在附近的餐馆吃了晚饭，晚上回家看电影。",
      "en" },
    { "what follows a colon is no instruction",
      "I got a letter from my landlord in the morning and do not understand it.\nWhat does this mean:\n"
      "Bitte kommen Sie am Montag in mein Büro.",
      "en" },
    { "a name is no instruction",
      "Gruyère Emmentaler Pecorino Manchego\nThese two are the cheeses that we would like to have for dinner.", "en" },
    { "instruction above bare code",
      "Kannst du mir bitte diesen Code erklären?\nint main(void) {\n    int sum = f(1, 2) + g[3];\n    return sum;\n}",
      "de" },
    { "instruction below bare code",
      "int main(void) {\n    int sum = f(1, 2) + g[3];\n    return sum;\n}\n\nKannst du mir bitte diesen Code "
      "erklären?",
      "de" },
    { "bullets are prose without code", "* buy some milk and bread\n* call the plumber about the kitchen", "en" },
    { "code with a comment",
      "import numpy as np\nfrom os import path\n\n# compute the mean value of all the numbers in the list\n"
      "def mean(xs):\n    return sum(xs) / len(xs)\n\nprint(mean([1, 2, 3]), np.mean([1, 2]))\n",
      "" },
    { "words between lines of code",
      "size_t total_len = parse(&input[0], 12) + sizeof(*header);\nThe sum is computed below, in a loop over all the "
      "values.\n"
      "It is written to the file that was opened before.\nif (write(fd, total_len, sizeof(total_len)) != n_bytes) {\n"
      "    return (fail_with_code(errno, __FILE__, __LINE__));\n}\n",
      "" },
    { "decomposed apostrophes", "J’ai besoin d’aide pour l’exercice d’aujourd’hui", "fr" },
};

TEST(own_texts) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(detect(str_from_c(cases[i].text), NULL), cases[i].code, cases[i].name);
}

TEST(confidence_is_a_share) {
    double confidence;
    detect(VSR_STR("Μπορείς να εξηγήσεις"), &confidence);
    CHECK(confidence == 1.0, "pure script");
    detect(VSR_STR("Μπορείς να εξηγήσεις abcde"), &confidence);
    CHECK(confidence > 0.7 && confidence < 0.8, "a quarter is latin");
    detect(VSR_STR("12"), &confidence);
    CHECK(confidence == 0, "none");
}

TEST(shares_add_up) {
    struct language_guess guess;
    double total = 0;
    language_detect(VSR_STR("The quick brown fox jumps over the lazy dog\nСъешь же ещё этих мягких булок"), &guess);
    CHECK(guess.n_shares >= 2, "two languages");
    for (size_t i = 0; i < guess.n_shares; i++) {
        total += guess.shares[i].p;
        CHECK(i == 0 || guess.shares[i].p <= guess.shares[i - 1].p, "sorted");
        CHECK(guess.shares[i].p >= LANGUAGE_SHARE_MIN, "none is tiny");
    }
    CHECK(total > 0.9 && total <= 1 + 1e-9, "a distribution");
    language_detect(VSR_STR("水"), &guess);
    CHECK(guess.n_shares == 1 && guess.shares[0].language == LANGUAGE_zh && guess.shares[0].p == 1, "one");
    language_detect(VSR_STR("12"), &guess);
    CHECK(guess.n_shares == 0, "none");
}

/* What lies beyond the limit is not read, the end is. */
TEST(long_texts_are_sampled) {
    static const char english[] = "this is a long story about nothing at all\n";
    size_t len = 1 << 20;
    char *text = malloc(len + 64);
    vsr_str end = VSR_STR("\nBitte fasse diesen langen Text zusammen.");
    CHECK(text, "memory");
    for (size_t i = 0; i < len; i++)
        text[i] = english[i % (sizeof(english) - 1)];
    CHECK_STR(detect(str_make(text, len), NULL), "en", "english");
    memcpy(text + len, end.ptr, end.len);
    CHECK_STR(detect(str_make(text, len + end.len), NULL), "de", "the last line is the instruction");
    memset(text + LANGUAGE_LEN_MAX, ';', len - 2 * LANGUAGE_LEN_MAX);
    CHECK_STR(detect(str_make(text, len), NULL), "en", "the gap is not read");
    free(text);
}

TEST(hostile_texts_are_survived) {
    static const char *const texts[] = { "\xFF\xFE", "```",  "`",   "\xE4\xBD",         "a`b\n`c",
                                         "@",        "www.", "://", "a\xCC\x81\xCC\x81" };
    size_t len = 1 << 20;
    char *big = malloc(len);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        detect(str_from_c(texts[i]), NULL);
    memset(big, '`', len);
    detect(str_make(big, len), NULL);
    memset(big, 'x', len);
    detect(str_make(big, len), NULL);
    for (size_t i = 0; i < len; i++)
        big[i] = i % 2 ? '`' : 'a';
    detect(str_make(big, len), NULL);
    free(big);
}

/* ---- what people say first */

/* Divided by bars; each is right in any of the languages. */
static const struct {
    const char *codes, *texts;
} greetings[] = {
    { "en", "hello|good morning|thank you very much|thanks|how are you|see you later" },
    { "de", "hallo zusammen|guten morgen|danke schön|vielen dank|wie geht's|auf wiedersehen" },
    { "fr", "bonjour|bonsoir|merci beaucoup|comment ça va|au revoir|s'il vous plaît" },
    { "es", "hola|buenos días|muchas gracias|cómo estás|buenas noches|hasta luego" },
    { "it", "ciao|buongiorno|grazie mille|come stai|buonasera|arrivederci" },
    { "pt", "olá|bom dia|muito obrigado|como vai você|boa noite|tudo bem" },
    { "nl", "goedemorgen|dank je wel|hoe gaat het|goedenavond|tot ziens" },
    { "sv", "god kväll|tack så mycket|hur mår du|vi ses imorgon" },
    { "sv nn", "god morgon" },
    { "da", "mange tak|hvordan går det|tak skal du have" },
    { "da nb", "god morgen" },
    { "nb nn", "tusen takk|takk skal du ha" },
    { "nb", "hvordan har du det" },
    { "fi", "hyvää huomenta|kiitos paljon|mitä kuuluu|hei|näkemiin" },
    { "is", "góðan daginn|takk fyrir|hvað segirðu" },
    { "pl", "cześć|dzień dobry|dziękuję bardzo|jak się masz|do widzenia" },
    { "cs", "ahoj|dobré ráno|děkuji|jak se máš|na shledanou" },
    { "sk", "dobrý deň|ďakujem|ako sa máš" },
    { "hu", "jó reggelt|köszönöm szépen|hogy vagy|szia|viszontlátásra" },
    { "ro", "bună dimineața|mulțumesc|ce mai faci|la revedere" },
    { "hr bs sr sl", "dobro jutro|hvala lijepa" },
    { "hr bs sr", "kako si" },
    { "sl", "dober dan|najlepša hvala" },
    { "lt", "labas rytas|ačiū|kaip sekasi" },
    { "lv", "labrīt|paldies" },
    { "et", "tere hommikust|aitäh|kuidas läheb" },
    { "sq", "mirëmëngjes|faleminderit" },
    { "tr", "merhaba|günaydın|teşekkür ederim|nasılsın|iyi akşamlar" },
    { "id ms", "selamat pagi|terima kasih|apa kabar" },
    { "vi", "xin chào|cảm ơn bạn|chào buổi sáng" },
    { "sw", "habari yako|asante sana|karibu" },
    { "tl", "magandang umaga|salamat po|kumusta ka" },
    { "ca", "bon dia|moltes gràcies|si us plau" },
    { "cy", "bore da|diolch yn fawr" },
    { "eu", "egun on|eskerrik asko" },
    { "ga", "dia duit|go raibh maith agat" },
    { "ru", "привет|доброе утро|спасибо большое|как дела|здравствуйте" },
    { "uk", "добрий ранок|дякую|як справи" },
    { "bg", "добро утро|благодаря|как си" },
    { "sr mk", "добро јутро" },
    { "sr", "хвала лепо" },
    { "be", "добры дзень" },
    { "ar", "مرحبا|صباح الخير|شكرا جزيلا|كيف حالك|السلام عليكم" },
    { "fa", "سلام|صبح بخیر|خیلی ممنون|حال شما چطور است" },
    { "ur", "آپ کیسے ہیں|بہت شکریہ" },
    { "hi mr", "नमस्ते" },
    { "hi", "आप कैसे हैं|शुभ प्रभात|बहुत धन्यवाद" },
    { "mr", "तुम्ही कसे आहात|शुभ सकाळ" },
    { "el", "καλημέρα|ευχαριστώ πολύ" },
    { "he", "בוקר טוב|תודה רבה" },
    { "ja", "こんにちは|ありがとう" },
    { "zh", "你好|谢谢" },
    { "ko", "안녕하세요|감사합니다" },
    { "th", "สวัสดี" },
};

enum { GREETINGS_PERCENT_MIN = 90 }; /* of all: one to five words often belong to a neighbour as well */

/* Short texts are guesses, so a share of them must be right. */
TEST(greetings_are_recognised) {
    size_t n = 0, right = 0;
    for (size_t i = 0; i < VSR_COUNT(greetings); i++) {
        vsr_str rest = str_from_c(greetings[i].texts);
        while (rest.len > 0) {
            vsr_str code = detect(str_split(&rest, '|'), NULL);
            n++;
            right += code.len > 0 && str_find(str_from_c(greetings[i].codes), code) >= 0;
        }
    }
    CHECK_MSG(right * 100 >= n * GREETINGS_PERCENT_MIN, "%zu of %zu", right, n);
}

/* ---- the model keeps its promise on the data that it did not see */

enum { BANDS = 5 };
struct score {
    size_t n, right;
    struct { /* by confidence */
        size_t n, right;
        double sum;
    } bands[BANDS];
};

static void score_add(struct score *score, bool right, double confidence) {
    size_t band = (size_t)(confidence * BANDS);
    band = band < BANDS ? band : BANDS - 1;
    score->n++;
    score->right += right;
    score->bands[band].n++;
    score->bands[band].right += right;
    score->bands[band].sum += confidence;
}

/* Of a file of the data beside the project: rows kept for measuring, of `kind` if given, of `languages` if given. */
static struct score measure(const char *file, const char *kind, const char *languages) {
    static char line[1 << 16];
    struct score score = { 0 };
    struct arena *arena = arena_new(0, 0);
    char command[1200];
    FILE *rows;
    (void)snprintf(command, sizeof(command), "gzip -dc '%s/data/language/%s' 2>/dev/null", test_shared_dir(), file);
    rows = popen(command, "r");
    CHECK(rows, command);
    for (; fgets(line, sizeof(line), rows); arena_reset(arena)) {
        struct json_doc doc;
        vsr_str text, label, code;
        double confidence;
        if (json_parse(arena, str_trim(str_from_c(line)), &doc, NULL) < 0 ||
            !json_str_eq(&doc, json_get(&doc, 0, VSR_STR("split")), VSR_STR("dev")) ||
            (kind && !json_str_eq(&doc, json_get(&doc, 0, VSR_STR("kind")), str_from_c(kind))) ||
            !json_str(arena, &doc, json_get(&doc, 0, VSR_STR("text")), &text) ||
            !json_str(arena, &doc, json_get(&doc, 0, VSR_STR("label")), &label))
            continue;
        if (languages && str_find(str_from_c(languages), label) < 0)
            continue;
        code = detect(text, &confidence);
        score_add(&score, str_eq(code, label), confidence);
    }
    (void)pclose(rows);
    arena_free(arena);
    return score;
}

static const struct {
    const char *name, *file, *kind, *languages;
    size_t percent_min; /* signals.md §10, which leaves all the languages' words open */
} promises[] = {
    { "sentences", "lingua_sentences.jsonl.gz", NULL, NULL, 95 },
    { "word pairs of the top 20", "lingua_short.jsonl.gz", "word-pairs",
      "ar bn de en es fa fr hi id it ja ko nl pl pt ru tr ur vi zh", 85 },
    { "word pairs", "lingua_short.jsonl.gz", "word-pairs", NULL, 85 },
};

TEST(unseen_texts_are_recognised) {
    for (size_t i = 0; test_shared_dir() && i < VSR_COUNT(promises); i++) {
        struct score score = measure(promises[i].file, promises[i].kind, promises[i].languages);
        if (score.n == 0) /* this part of the shared folder is not there */
            continue;
        CHECK_MSG(score.right * 100 >= score.n * promises[i].percent_min, "%s: %zu of %zu", promises[i].name,
                  score.right, score.n);
    }
}

/* Of the words and pairs that it calls sure to a half, a half is right. */
TEST(confidence_is_deserved) {
    enum { ROWS_MIN = 100 };
    struct score score = { 0 };
    if (test_shared_dir())
        score = measure("lingua_short.jsonl.gz", NULL, NULL);
    for (size_t i = 0; i < BANDS; i++) {
        double n = (double)score.bands[i].n, claimed = score.bands[i].sum / n, right = (double)score.bands[i].right / n;
        if (score.bands[i].n >= ROWS_MIN)
            CHECK_MSG(claimed - right < 0.1 && right - claimed < 0.1, "confidence %.2f: %.2f are right", claimed,
                      right);
    }
}

TEST(codes_are_known) {
    static const char *const known[] = { "en", "de", "zh", "ja", "nb", "he", "tl", "sr" };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        CHECK_STR(language_code(language_find(str_from_c(known[i]))), known[i], known[i]);
    CHECK(language_find(VSR_STR("EN")) == LANGUAGE_NONE && language_find(VSR_STR("")) == LANGUAGE_NONE &&
              language_find(VSR_STR("km")) == LANGUAGE_NONE,
          "others");
}

TEST(shared_windows) {
    VECTORS_EACH(v, "context.json", "signal_window") {
        struct window_ranges ranges = window_ranges((size_t)vectors_number(&v, v.given, "code_points", 0),
                                                    (size_t)vectors_number(&v, v.given, "limit", 0));
        json_ref kept = vectors_get(&v, v.want, "kept");
        size_t i = 0;
        CHECK_INT(ranges.n, vectors_count(&v, kept), v.name);
        for (json_ref range = json_first(&v.doc, kept); range != JSON_NONE;
             range = json_next(&v.doc, kept, range), i++) {
            double from, to;
            CHECK(json_double(&v.doc, json_at(&v.doc, range, 0), &from) &&
                      json_double(&v.doc, json_at(&v.doc, range, 1), &to),
                  v.name);
            CHECK(ranges.from[i] == (size_t)from && ranges.to[i] == (size_t)to, v.name);
        }
    }
}

TEST(windows_of_texts) {
    struct arena *arena = arena_new(0, 0);
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 10), "0123456789", "fits");
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 6), "01\n…\n45\n…\n89", "cut");
    CHECK_STR(window_text(arena, VSR_STR("äöüÄÖÜßéèê"), 6), "äö\n…\nÖÜ\n…\nèê", "code points");
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 0), "0123456789", "off");
    arena_free(arena);
}

RUN_TESTS(T(shared_languages), T(own_texts), T(confidence_is_a_share), T(shares_add_up), T(long_texts_are_sampled),
          T(hostile_texts_are_survived), T(greetings_are_recognised), T(unseen_texts_are_recognised),
          T(confidence_is_deserved), T(codes_are_known), T(shared_windows), T(windows_of_texts))
