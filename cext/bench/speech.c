#include "speech.h"

#include <string.h>

#define PACKET 160

static const uint8_t *sent;
static size_t packets, room_left;
static int16_t *next_heard;

void speech_set(const uint8_t *alaw, size_t bytes, int16_t *heard, size_t room)
{
    sent = alaw;
    packets = bytes / PACKET;
    next_heard = heard;
    room_left = heard ? room : 0;
}

const uint8_t *speech_packet(int packet)
{
    static const uint8_t quiet[PACKET] = {0};
    return packets ? sent + (size_t)packet % packets * PACKET : quiet;
}

void speech_heard(const int16_t *samples, int count)
{
    size_t part = (size_t)count < room_left ? (size_t)count : room_left;
    memcpy(next_heard, samples, part * sizeof *samples);
    next_heard += part;
    room_left -= part;
}
