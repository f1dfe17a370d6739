"""What every part needs: errors, clock, bus, supervised tasks. Imports nothing of ours."""
