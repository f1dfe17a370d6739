/* What is sent in a bench's call, and what is heard of it. */
#ifndef SPEECH_H
#define SPEECH_H
#include <stddef.h>
#include <stdint.h>

/* A-law, sent again and again; NULL: silence. `heard`: room for what players play, or NULL. */
void speech_set(const uint8_t *alaw, size_t bytes, int16_t *heard, size_t room);
const uint8_t *speech_packet(int packet);
void speech_heard(const int16_t *samples, int count);

#endif
