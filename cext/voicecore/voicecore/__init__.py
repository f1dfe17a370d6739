"""Signal processing of telephone lines: thin, typed Python over the C core (cext/voicecore/src)."""
