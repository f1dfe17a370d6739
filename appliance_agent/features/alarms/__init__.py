"""Alarms for people: list, acknowledge."""
