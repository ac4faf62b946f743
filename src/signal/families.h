/*
 * families - the list of signal families, written once.
 */
#ifndef VSR_SIGNAL_FAMILIES_H
#define VSR_SIGNAL_FAMILIES_H

#define SIGNAL_FAMILIES(X) \
    X(keyword) X(language) X(context) X(structure) X(modality) X(authz) X(conversation) X(event) X(metadata)

#endif
