/* ITU-T G.711: A-law and u-law, 8 bits <-> 16-bit linear (A-law 13 bits x 8, u-law 14 bits x 4). */
#ifndef VC_G711_H
#define VC_G711_H
#include "block.h"

/* cffi */
void vc_alaw_decode(const uint8_t *in, int16_t *out, size_t samples);
void vc_alaw_encode(const int16_t *in, uint8_t *out, size_t samples);
void vc_ulaw_decode(const uint8_t *in, int16_t *out, size_t samples);
void vc_ulaw_encode(const int16_t *in, uint8_t *out, size_t samples);
/* end cffi */

#endif
