/* The line engine: one thread that runs jobs (linejob.h) on open channels, at the lines' own clock.

   A job's tick is a block that came from its file: DAHDI delivers one each 20 ms, and no other clock is looked at. The
   thread waits in epoll, reads, ticks, writes; it allocates, locks and logs nothing. Whoever drives the engine and the
   thread share no data but rings (ring.h) and one state a slot:

     FREE -> READY            the driver has filled the slot in and hands it over
     READY -> RUNNING -> DONE the thread's; at DONE it has let go of the slot and its files
     DONE -> FREE             the driver has taken what was measured

   All functions but open and close are for one driving thread. Files stay the caller's; they must not wait (O_NONBLOCK) and
   stay open until DONE. */
#ifndef VC_ENGINE_H
#define VC_ENGINE_H
#include "linejob.h"

/* cffi */
typedef struct vc_engine vc_engine;

#define VC_ENGINE_MOST 512 /* channels */

#define VC_ENGINE_MOST_LEAD 8

/* All memory is taken here: `ring_ms` of sound each way for each of `channels` (40 … 60000). `lead` blocks of silence
   (1 … 8) go ahead of each job: a tick may be late by all of them but one. -EINVAL; -ENOMEM; -EMFILE, and what else the
   system refuses: nothing is left then. */
int vc_engine_open(vc_engine **out, int channels, int ring_ms, int lead);
/* Ends the thread first; NULL is nothing. */
void vc_engine_close(vc_engine *engine);
/* Readable when a job has something to tell or to take; reading 8 bytes of it makes it quiet again. */
int vc_engine_fd(const vc_engine *engine);

/* A job begins on a free slot: its number. `in` and `out` may be the same file; `dahdi`: they are channels of DAHDI. Their
   buffers are set to the engine's blocks and lead then, what waited in them is dropped, and events are taken from `in`.
   -EAGAIN: all slots are in use; -ENOTTY: no channel; else as vc_line_init. */
int vc_engine_start(vc_engine *engine, const vc_job *job, int in, int out, int dahdi);
/* It will be over soon: VC_LINE_DONE tells. */
void vc_engine_stop(vc_engine *engine, int slot);
int vc_engine_is_done(const vc_engine *engine, int slot);
/* Events, sound to be sent and sound that came; each gives how many went through. Also after it is done. */
int vc_engine_events(vc_engine *engine, int slot, vc_line_event *events, int count);
int vc_engine_play(vc_engine *engine, int slot, const int16_t *samples, int count);
int vc_engine_recorded(vc_engine *engine, int slot, int16_t *samples, int count);
/* Takes some 10 ms. -EBUSY: not done. */
int vc_engine_results(vc_engine *engine, int slot, vc_line_results *out);
/* The slot is free for another job. -EBUSY: not done. */
int vc_engine_free(vc_engine *engine, int slot);
/* end cffi */

#endif
