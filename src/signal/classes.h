/*
 * classes - what families share that read one probability for each label: whom to ask, and what the numbers say.
 *
 * Labels are compared without regard to the case of ASCII letters: label files and policies differ in nothing more
 * often. Pure: any thread.
 */
#ifndef VSR_SIGNAL_CLASSES_H
#define VSR_SIGNAL_CLASSES_H

#include "signal/family.h"

struct signal_risk;

#define CLASSES_NO_SOURCE UINT32_MAX

/* The model of this process that `models` names for `rule`. CLASSES_NO_SOURCE: there is none. */
uint32_t classes_model(struct signal_builder *builder, signal_models *models, const void *rule);
/* The same of one whose classes may be a risk (signal/risk.h); keeps `risk`. */
uint32_t classes_guard(struct signal_builder *builder, signal_models *models, const struct signal_risk *risk);
/* A server of the catalogue, asked in the way of `kind`. */
uint32_t classes_server(struct signal_builder *builder, enum signal_source_kind kind,
                        const struct config_external_model *server);

/* Fails the wanted slots from `first` on with what the answer says. */
void classes_fail(const struct signal_request *request, struct signal_results *results, uint32_t first, size_t n,
                  const struct evidence_answer *answer);

/* ---- one classification of the window for all rules of a family */

struct classes_asking {
    size_t n_rules;
    uint32_t first_slot, source; /* CLASSES_NO_SOURCE: nobody, because of `off` */
    enum signal_text text;
    const char *off;
};

/* The rules of the builder's family; the source is the caller's to find. */
struct classes_asking classes_asking(const struct signal_builder *builder, uint32_t source, const char *off);
/* The family's ask(). */
void classes_ask(const struct classes_asking *asking, struct signal_request *request);
/* At the beginning of its eval(): the answer; or NULL, and the wanted rules have failed with what it says. */
int classes_answer(const struct classes_asking *asking, struct signal_request *request, struct signal_results *results,
                   const struct evidence_answer **ret_answer, struct vsr_err *err) VSR_MUST_CHECK;

/* ---- labels */

/* What to fail with when none of the answer's labels means anything to the family: SIGNAL_UNAVAILABLE, with a reason
 * that names them and says what was `expected`: "one of safe and unsafe". */
struct evidence_answer classes_strange(const struct signal_request *request, const struct evidence_answer *answer,
                                       const char *expected);

/* Why an answer about a part of a text only is not enough. */
const char *classes_cut(const struct signal_request *request, const struct evidence_answer *answer);

/* ---- numbers */

/* The first of the greatest probabilities. The answer has at least one. */
size_t classes_top(const struct evidence_answer *answer);

/* -1: there is no such label. */
ptrdiff_t classes_find(const struct evidence_answer *answer, vsr_str label);

/* Entropy in bits over that of even odds: 0 is certain, 1 is no idea. */
double classes_entropy(const float *probabilities, size_t n);

/* In words, as traces and models of reasoning use them: from 0.2, 0.4, 0.6 and 0.8 on. */
enum classes_doubt { DOUBT_VERY_LOW, DOUBT_LOW, DOUBT_MEDIUM, DOUBT_HIGH, DOUBT_VERY_HIGH };
enum classes_doubt classes_doubt(double entropy);

#endif
