/* One channel of the engine: its files, its job, its rings. What the thread does with it in a tick. */
#ifndef VC_ENGINE_SLOT_H
#define VC_ENGINE_SLOT_H
#include "linejob.h"
#include "ring.h"

enum { VC_SLOT_FREE, VC_SLOT_READY, VC_SLOT_RUNNING, VC_SLOT_DONE };

#define VC_SLOT_EVENTS 256
#define VC_SLOT_BYTES sizeof(int16_t[VC_BLOCK])

typedef struct {
    _Alignas(VC_CACHE_LINE) atomic_int state;
    atomic_int stop;
    int in, out, is_dahdi, lead;
    int slipped;                             /* an underrun or overrun was told and not seen to yet */
    vc_line line;
    size_t block_bytes, in_bytes, out_bytes; /* of a block; come so far; waiting to go */
    uint8_t in_block[VC_SLOT_BYTES], out_block[VC_SLOT_BYTES];
    vc_line_results counts;                  /* not_… of it */
    vc_ring events, play, recorded;
} vc_slot;

/* Bytes of memory for its rings, `samples` of sound each way (a power of two). */
size_t vc_slot_memory(size_t samples);
void vc_slot_init(vc_slot *slot, void *memory, size_t samples);

/* For the driver, on a slot that is free. 0, or as vc_line_init; of a channel also what DAHDI refuses. */
int vc_slot_prepare(vc_slot *slot, const vc_job *job, int in, int out, int is_dahdi, int lead);

/* For the thread. Each gives 0, or what ends the job: 1 (its time is over), -errno of a file. `told` becomes 1 when a ring
   got something. */
int vc_slot_begin(vc_slot *slot, int *told);
int vc_slot_read(vc_slot *slot, const vc_line_plans *plans, int *told);
int vc_slot_take_events(vc_slot *slot, int *told);
/* The job is over: told and handed back. */
void vc_slot_finish(vc_slot *slot, int why);

#endif
