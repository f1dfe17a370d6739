/* Any bytes of a channel into the bit error test, in any pieces. */
#include <assert.h>

#include "fuzz.h"
#include "prbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_prbs_receiver whole, pieces;
    vc_prbs_count one, other;
    if (!size || vc_prbs_receiver_init(&whole, (vc_prbs_sequence)(data[0] & 1)))
        return 0;
    (void)vc_prbs_receiver_init(&pieces, (vc_prbs_sequence)(data[0] & 1));
    vc_prbs_receive(&whole, data + 1, size - 1);
    size_t piece = 1 + (data[0] >> 1);
    for (size_t at = 1; at < size; at += piece)
        vc_prbs_receive(&pieces, data + at, size - at < piece ? size - at : piece);
    vc_prbs_result(&whole, &one);
    vc_prbs_result(&pieces, &other);
    assert(one.errors <= one.bits && one.bits <= 8 * size);
    assert(one.bits == other.bits && one.errors == other.errors && one.losses == other.losses);
    return 0;
}
