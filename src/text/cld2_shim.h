/*
 * cld2_shim - the one door to the CLD2 library, in C. Thread-safe; its tables are constant data.
 */
#ifndef VSR_TEXT_CLD2_SHIM_H
#define VSR_TEXT_CLD2_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

struct cld2_guess {
    const char *code; /* ISO code as CLD2 spells it ("iw" for Hebrew), static; "un": unknown */
    int percent;      /* share of the text */
    double score;     /* relative to ordinary text of that language, about 1000 */
};

/* Detects over valid UTF-8. Writes the three best guesses. */
void cld2_detect(const char *text, int len, struct cld2_guess guesses[3]);

#ifdef __cplusplus
}
#endif

#endif
