/*
 * loopers - the list of loopers. Internal to looper/.
 */
#ifndef VSR_LOOPER_LOOPERS_H
#define VSR_LOOPER_LOOPERS_H

#define LOOPERS(X) X(confidence) X(ratings) X(remom) X(fusion) X(workflows)

#endif
