"""modules.conf: what we need, by name. Nothing else is loaded: less memory, a faster start, fewer open doors."""

from appliance_agent.render.conf import Conf

TIMERFD = "res_timing_timerfd"
"""Asterisk's clock on a box without lines; with lines it is the cards' own, or sound would slip against them."""
LINES = ("res_timing_dahdi", "chan_dahdi")

MODULES: tuple[str, ...] = (
    # time, HTTP, storage of objects
    TIMERFD, "res_http_websocket", "res_websocket_client", "res_crypto", "res_sorcery_config",
    "res_sorcery_memory", "res_sorcery_astdb", "res_pjproject",
    # formats and codecs (before music on hold, which skips files of formats it does not know)
    "format_wav", "format_sln", "format_pcm", "format_gsm",
    "codec_alaw", "codec_ulaw", "codec_a_mu", "codec_g722", "codec_gsm", "codec_resample",
    "codec_opus_open_source", "res_format_attr_opus",
    # SIP
    "res_rtp_asterisk", "res_srtp", "res_pjsip", "res_pjsip_session", "res_pjsip_pubsub", "res_pjsip_acl",
    "res_pjsip_authenticator_digest", "res_pjsip_caller_id", "res_pjsip_dlg_options", "res_pjsip_dtmf_info",
    "res_pjsip_empty_info", "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user",
    "res_pjsip_header_funcs", "res_pjsip_logger", "res_pjsip_nat", "res_pjsip_notify",
    "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration", "res_pjsip_refer",
    "res_pjsip_registrar", "res_pjsip_rfc3326", "res_pjsip_sdp_rtp", "res_pjsip_transport_websocket",
    "res_pjsip_diversion", "res_pjsip_path", "chan_pjsip",
    # what is listened to, to ourselves (docs/adr)
    "res_rtp_multicast", "chan_rtp",
    # bridges
    "bridge_simple", "bridge_native_rtp", "bridge_softmix", "bridge_holding", "bridge_builtin_features",
    "chan_bridge_media",
    # dialplan
    "pbx_config", "app_stack", "app_dial", "app_queue", "app_playback", "app_playtones", "app_mixmonitor",
    "app_celgenuserevent", "func_callerid", "func_channel", "func_cut", "func_groupcount", "func_logic",
    "func_strings", "func_uri", "func_db", "func_devstate", "res_musiconhold", "res_mutestream",
    # sound from the network at a line's clock: ours (cext/asterisk), and Asterisk's own where ours is not to be had
    "func_sa_jitter", "func_jitterbuffer", "func_module",
    "func_pjsip_aor", "func_pjsip_contact", "func_pjsip_endpoint",
    # journal
    "res_cdrel_custom", "cel_custom",
    # ARI
    "res_stasis", "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop",
    "res_stasis_device_state", "app_stasis", "res_ari", "res_ari_model", "res_ari_applications", "res_ari_asterisk",
    "res_ari_bridges", "res_ari_channels", "res_ari_device_states", "res_ari_endpoints", "res_ari_events",
    "res_ari_playbacks", "res_ari_recordings", "res_ari_sounds",
)  # fmt: skip


def render_modules(*, lines: bool) -> str:
    names = [*LINES, *(name for name in MODULES if name != TIMERFD)] if lines else MODULES
    loads = (("load", f"{name}.so") for name in names)
    return str(Conf("What Asterisk loads.").section("modules", ("autoload", False), *loads))
