"""The numbering plan: checked, explained, compiled to each site's routes. Pure."""
