/*
 * families - the list of signal families, written once.
 */
#ifndef VSR_SIGNAL_FAMILIES_H
#define VSR_SIGNAL_FAMILIES_H

#define SIGNAL_FAMILIES(X) \
    X(keyword) \
    X(embedding) \
    X(domain) \
    X(fact_check) \
    X(user_feedback) \
    X(reask) \
    X(preference) \
    X(language) \
    X(context) \
    X(structure) \
    X(complexity) \
    X(modality) \
    X(authz) \
    X(jailbreak) \
    X(pii) \
    X(kb) \
    X(conversation) \
    X(event) \
    X(metadata) \
    X(classifier)

#endif
