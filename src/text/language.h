/*
 * language - which natural language a text is written in.
 *
 * Code, URLs, addresses, digits and punctuation are left out; the letters that remain are counted by script. A script
 * that one language writes belongs to that language; the scripts that several share (Latin, Cyrillic, Arabic,
 * Devanagari) are divided among theirs by the built-in n-gram model (language_model.h). A prompt whose first or last
 * line is surely in another language than the rest ("Translate into English:" above a German letter) is in the language
 * of that line: it is the instruction. Prompts that are mostly source code, without such a line, have no language.
 *
 * Same text, same answer, on every platform: nothing depends on the configuration. Any thread; allocates nothing and
 * cannot fail. Cost: about 30 us per KB, and no more than that of LANGUAGE_LEN_MAX bytes.
 */
#ifndef VSR_TEXT_LANGUAGE_H
#define VSR_TEXT_LANGUAGE_H

#include <stdbool.h>

#include "core/str.h"

/* The languages that can be detected (signals.md §10), by ISO 639-1 code. */
/* clang-format off */
#define LANGUAGES(X) \
    X(af) X(ar) X(az) X(be) X(bg) X(bn) X(bs) X(ca) X(cs) X(cy) X(da) X(de) X(el) X(en) X(eo) X(es) X(et) X(eu) X(fa) \
    X(fi) X(fr) X(ga) X(gu) X(he) X(hi) X(hr) X(hu) X(hy) X(id) X(is) X(it) X(ja) X(ka) X(kk) X(ko) X(la) X(lg) X(lt) \
    X(lv) X(mi) X(mk) X(mn) X(mr) X(ms) X(nb) X(nl) X(nn) X(pa) X(pl) X(pt) X(ro) X(ru) X(sk) X(sl) X(sn) X(so) X(sq) \
    X(sr) X(st) X(sv) X(sw) X(ta) X(te) X(th) X(tl) X(tn) X(tr) X(ts) X(uk) X(ur) X(vi) X(xh) X(yo) X(zh) X(zu)
/* clang-format on */

enum language {
#define X(code) LANGUAGE_##code,
    LANGUAGES(X)
#undef X
        LANGUAGE_COUNT,
    LANGUAGE_NONE = LANGUAGE_COUNT
};

enum {
    LANGUAGE_LETTERS_MIN = 3, /* below it nothing is detected, except in CJK scripts */
    LANGUAGE_LEN_MAX = 16384, /* bytes that are read: the first three quarters of it, and the text's end */
    LANGUAGE_SHARES_MAX = 20, /* there are no more of LANGUAGE_SHARE_MIN */
};
#define LANGUAGE_SHARE_MIN 0.05

struct language_share {
    enum language language;
    double p;
};

struct language_guess {
    enum language language; /* LANGUAGE_NONE: not detected */
    double confidence;      /* its probability, 0..1 */
    size_t n_shares;
    struct language_share shares[LANGUAGE_SHARES_MAX]; /* all of at least LANGUAGE_SHARE_MIN, the likeliest first */
};

/* ISO 639-1 code, static; empty for LANGUAGE_NONE. */
vsr_str language_code(enum language language);
/* LANGUAGE_NONE when the code is not one of ours. */
enum language language_find(vsr_str code);

/* Reads through the model once, so that no request waits for the disk. Call it when a recipe is built. */
void language_warm_up(void);

/* Detects over UTF-8; invalid bytes are skipped. */
void language_detect(vsr_str text, struct language_guess *ret_guess);

#endif
