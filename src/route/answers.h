/*
 * answers - evidence as answers: what families ask of models, and their judging of what they are told.
 *
 * Internal to route/. One request, one thread.
 */
#ifndef VSR_ROUTE_ANSWERS_H
#define VSR_ROUTE_ANSWERS_H

#include "route/state.h"

/* Lets the family ask for its wanted rules that are not evaluated, and puts them off until answers_judge(). */
void answers_ask(struct route_state *state, const struct route_family *family);

/* Once all families of the stage have asked: whether anything is not answered yet. */
bool answers_open(struct route_state *state);

/* What was asked and is not answered is unavailable, or too late. Then the families that asked judge. */
void answers_judge(struct route_state *state);

#endif
