"""Pure: journal events → call records → figures of the reports. The box and HQ compute with this same code.

No I/O, no clock, no randomness: everything is passed in. Imports only the standard library and contracts.
"""
