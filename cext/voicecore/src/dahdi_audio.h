/* The sound of an open channel: buffers, law, gains, echo canceller, loop. All of it is forgotten when it is closed. */
#ifndef VC_DAHDI_AUDIO_H
#define VC_DAHDI_AUDIO_H
#include "dahdi_config.h"

/* cffi */
/* How many buffers of how many samples lie between us and the line, each way: 2 of 160 are 40 ms at most. What waits is
   sent at once. -EINVAL: fewer than 16 samples, more than 8192, or more than 32768 in all. */
int vc_dahdi_set_buffers(int fd, int count, int samples);
int vc_dahdi_get_buffers(int fd, int *count, int *samples);
/* Drops what waits: to be read, to be sent, and events. */
int vc_dahdi_flush(int fd);
/* The same without events. */
int vc_dahdi_flush_sound(int fd);
/* VC_EVENT_UNDERRUN and VC_EVENT_OVERRUN are told; until then silence goes out, and sound is dropped, without a word. */
int vc_dahdi_tell_runs(int fd, int on);
/* A byte a sample in this law … */
int vc_dahdi_set_law(int fd, vc_dahdi_law law);
/* … or two bytes, linear. -EINVAL: not an audio channel. */
int vc_dahdi_set_linear(int fd, int on);
/* A bearer is bits until it is told that they are sound. -EINVAL: not a bearer. */
int vc_dahdi_set_audio(int fd, int on);
/* In dB, what is heard and what is sent; `law` is the one the channel runs with. -EINVAL: beyond ±30 dB, or no audio. */
int vc_dahdi_set_gains(int fd, vc_dahdi_law law, double heard_db, double sent_db);
/* `taps` of 125 µs: 0 is off, else a power of two from 32 to 1024. -EINVAL: none is attached, or no audio channel. */
int vc_dahdi_set_echo_canceller(int fd, int taps);
/* What comes from the line goes back to it, in the kernel. */
int vc_dahdi_loop_channel(int fd, int on);
/* What a gain makes of each of the 256 bytes of a law. */
void vc_dahdi_gain_table(vc_dahdi_law law, double db, uint8_t *table);
/* end cffi */

#endif
