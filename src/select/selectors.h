/*
 * selectors - the list of selectors that take a block. Internal to select/.
 */
#ifndef VSR_SELECT_SELECTORS_H
#define VSR_SELECT_SELECTORS_H

#define SELECTORS(X) X(router_dc) X(latency_aware) X(multi_factor) X(hybrid) X(automix) X(prompt)

#endif
