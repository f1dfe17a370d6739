/* Audio is mono, 8000 samples a second, in blocks of 160 samples = 20 ms of int16.

   The scale is that of A-law (ITU-T G.711): a sine whose peak would be 32768 has +3.14 dBm0. Every state is a block of
   memory that the caller owns; nothing here allocates, locks or logs. -errno is the world's fault, assert is ours. */
#ifndef VC_BLOCK_H
#define VC_BLOCK_H
#include <stddef.h>
#include <stdint.h>

/* cffi */
#define VC_RATE_HZ 8000
#define VC_BLOCK 160
#define VC_BLOCK_MS 20
/* end cffi */

#endif
