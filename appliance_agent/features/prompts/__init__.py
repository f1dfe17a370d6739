"""Prompts: sounds for menus and queues, by upload or by speech. Ids are ours; no user text in a file name."""
