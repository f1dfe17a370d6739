#include "dahdi_span.h"

#include <assert.h>
#include <dahdi/user.h>
#include <errno.h>
#include <string.h>

#include "dahdi_device.h"

static_assert(VC_ALARM_RECOVERING == DAHDI_ALARM_RECOVER && VC_ALARM_LOOP == DAHDI_ALARM_LOOPBACK &&
              VC_ALARM_YELLOW == DAHDI_ALARM_YELLOW && VC_ALARM_RED == DAHDI_ALARM_RED &&
              VC_ALARM_BLUE == DAHDI_ALARM_BLUE && VC_ALARM_NOT_OPEN == DAHDI_ALARM_NOTOPEN, "alarms are DAHDI's");
static_assert(VC_LINE_AMI == DAHDI_CONFIG_AMI && VC_LINE_CCS == DAHDI_CONFIG_CCS && VC_LINE_HDB3 == DAHDI_CONFIG_HDB3 &&
              VC_LINE_CRC4 == DAHDI_CONFIG_CRC4, "framing is DAHDI's");
static_assert((int)VC_LOOP_NONE == DAHDI_MAINT_NONE && (int)VC_LOOP_LOCAL == DAHDI_MAINT_LOCALLOOP &&
              (int)VC_LOOP_REMOTE == DAHDI_MAINT_NETWORKLINELOOP, "loops are DAHDI's");

#define ALL_LINE (VC_LINE_AMI | VC_LINE_CCS | VC_LINE_HDB3 | VC_LINE_CRC4)

/* DAHDI's texts end with 0 or with their room. */
static void copy_text(char *out, const char *in, size_t room)
{
    memcpy(out, in, room);
    out[room - 1] = '\0';
}

int vc_dahdi_get_span(int control, int span, vc_dahdi_span *out)
{
    struct dahdi_spaninfo info;
    memset(&info, 0, sizeof info);
    info.spanno = span;
    if (span < 1)
        return -EINVAL; /* 0 would ask for the span of this file */
    int refused = vc_dahdi_ask(control, DAHDI_SPANSTAT, &info);
    if (refused)
        return refused;
    *out = (vc_dahdi_span){
        .number = info.spanno,
        .alarms = (uint32_t)info.alarms,
        .line = (uint32_t)info.lineconfig & ALL_LINE,
        .line_modes = (uint32_t)info.linecompat,
        .clock_source = info.syncsrc,
        .channels = info.totalchans,
        .configured = info.numchans,
        .bipolar_violations = (uint32_t)info.bpvcount,
        .code_violations = info.cvcount,
        .crc4_errors = (uint32_t)info.crc4count,
        .e_bits = (uint32_t)info.ebitcount,
        .frame_errors = info.fecount,
        .alignment_errors = (uint32_t)info.fascount,
        .bit_errors = info.becount,
        .errored_seconds = info.errsec,
        .missed_interrupts = (uint32_t)info.irqmisses,
    };
    copy_text(out->name, info.name, sizeof out->name);
    copy_text(out->description, info.desc, sizeof out->description);
    copy_text(out->type, info.spantype, sizeof out->type);
    return 0;
}

int vc_dahdi_configure_span(int control, int span, uint32_t line, int clock_order)
{
    struct dahdi_lineconfig config;
    if (span < 1 || clock_order < 0 || line & ~(uint32_t)ALL_LINE)
        return -EINVAL;
    memset(&config, 0, sizeof config);
    config.span = span;
    config.lineconfig = (int)line;
    config.sync = clock_order;
    return vc_dahdi_ask(control, DAHDI_SPANCONFIG, &config);
}

int vc_dahdi_start_span(int control, int span)
{
    return vc_dahdi_ask(control, DAHDI_STARTUP, &span);
}

int vc_dahdi_loop_span(int control, int span, vc_dahdi_loop loop)
{
    struct dahdi_maintinfo maint = {.spanno = span, .command = (int)loop};
    return vc_dahdi_ask(control, DAHDI_MAINT, &maint);
}
