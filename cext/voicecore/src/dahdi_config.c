#include "dahdi_config.h"

#include <assert.h>
#include <dahdi/user.h>
#include <errno.h>
#include <string.h>

#include "dahdi_device.h"

static_assert(VC_SIG_NONE == DAHDI_SIG_NONE && VC_SIG_FXS_LOOP == DAHDI_SIG_FXSLS &&
              VC_SIG_FXS_KEWL == DAHDI_SIG_FXSKS && VC_SIG_FXO_LOOP == DAHDI_SIG_FXOLS &&
              VC_SIG_FXO_KEWL == DAHDI_SIG_FXOKS && VC_SIG_BEARER == DAHDI_SIG_CLEAR &&
              VC_SIG_DATA_LINK == DAHDI_SIG_HDLCFCS && VC_SIG_HARD_DATA_LINK == DAHDI_SIG_HARDHDLC &&
              VC_SIG_MTP2 == DAHDI_SIG_MTP2 && VC_SIG_CAS == DAHDI_SIG_CAS, "signalling is DAHDI's");
static_assert(VC_LAW_DEFAULT == DAHDI_LAW_DEFAULT && (int)VC_LAW_ULAW == DAHDI_LAW_MULAW &&
              (int)VC_LAW_ALAW == DAHDI_LAW_ALAW, "laws are DAHDI's");

int vc_dahdi_configure_channel(int control, int channel, vc_dahdi_signalling signalling, vc_dahdi_law law, int idle_bits)
{
    struct dahdi_chanconfig config;
    if (channel < 1 || idle_bits < 0 || idle_bits > DAHDI_BITS_ABCD)
        return -EINVAL;
    memset(&config, 0, sizeof config);
    config.chan = channel;
    config.sigtype = (int)signalling;
    config.deflaw = (int)law;
    config.idlebits = signalling == VC_SIG_CAS ? idle_bits : 0;
    return vc_dahdi_ask(control, DAHDI_CHANCONFIG, &config);
}

int vc_dahdi_attach_echo_canceller(int control, int channel, const char *name)
{
    struct dahdi_attach_echocan attach;
    if (channel < 1 || strlen(name) >= sizeof attach.echocan)
        return -EINVAL;
    memset(&attach, 0, sizeof attach);
    attach.chan = channel;
    strcpy(attach.echocan, name);
    return vc_dahdi_ask(control, DAHDI_ATTACH_ECHOCAN, &attach);
}

int vc_dahdi_get_channel(int fd, int channel, vc_dahdi_channel *out)
{
    struct dahdi_params params;
    memset(&params, 0, sizeof params);
    params.channo = channel;
    int refused = vc_dahdi_ask(fd, DAHDI_GET_PARAMS, &params);
    if (refused)
        return refused;
    int bits = params.rxbits >= 0; /* idlebits is 0 both for "none" and for "all off" */
    *out = (vc_dahdi_channel){
        .number = params.channo,
        .span = params.spanno,
        .position = params.chanpos,
        .signalling = params.sigtype,
        .signallings = params.sigcap,
        .law = params.curlaw,
        .alarms = params.chan_alarms,
        .off_hook = params.rxhooksig >= 0 ? params.rxisoffhook != 0 : -1,
        .heard_bits = bits ? params.rxbits : -1,
        .sent_bits = bits ? params.txbits : -1,
        .idle_bits = bits ? params.idlebits : -1,
    };
    memcpy(out->name, params.name, sizeof out->name);
    out->name[sizeof out->name - 1] = '\0';
    return 0;
}
