"""Call records and their recordings: list, detail, listen, download, CSV."""
