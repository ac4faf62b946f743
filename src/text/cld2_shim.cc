#include "text/cld2_shim.h"

#include <cstdio> // compact_lang_det.h uses FILE without it

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

void cld2_detect(const char *text, int len, struct cld2_guess guesses[3]) {
    CLD2::CLDHints hints = { nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE };
    CLD2::Language languages[3];
    int percents[3];
    double scores[3];
    int text_bytes = 0;
    bool reliable = false;
    CLD2::ExtDetectLanguageSummary(text, len, true, &hints, CLD2::kCLDFlagBestEffort, languages, percents, scores,
                                   nullptr, &text_bytes, &reliable);
    for (int i = 0; i < 3; i++) {
        guesses[i].code = CLD2::LanguageCode(languages[i]);
        guesses[i].percent = percents[i];
        guesses[i].score = scores[i];
    }
}
